"""Training speed of the decoders: step by step, and without a loop over time, in one run.

Usage: python scripts/benchmark_decoders.py [rounds=5] [threads=2] [precision=highest]

Embedding 256, encoder 2 x 256, decoder 512, joint vocabulary 8,000, batches of 96 random pairs of 8 to 22 tokens,
AdamW, clipping: the same batches in turn for every decoder, each with the attention of its paper; the second line is
what ``task=translation`` takes, the last one ``decoder=parallel`` with the unit ``ssru``. ``precision`` is
``matmul_precision``, highest or medium. The table gives the medians over rounds of target tokens a second in training,
with the ratio to the Bahdanau decoder, and of target tokens a second by greedy search.
"""

import json
import os
import platform
import statistics
import sys
import time
from functools import partial

import torch
from torch.nn.utils import clip_grad_norm_

from gru_nlp.batch import SequencePairBatch
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.nn import decoder as decoders
from gru_nlp.nn.attention import AdditiveAttention, GeneralAttention
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.masking import padding_mask
from gru_nlp.nn.min_gru import SSRU

CHOICES = {
    "bahdanau, additive": (decoders.BahdanauDecoder, "additive", GRU),
    "conditional, additive": (decoders.ConditionalDecoder, "additive", GRU),
    "input feeding, general": (decoders.InputFeedingDecoder, "general", GRU),
    "parallel, general": (decoders.ParallelDecoder, "general", GRU),
    "parallel, additive": (decoders.ParallelDecoder, "additive", GRU),
    "parallel, ssru": (decoders.ParallelDecoder, "additive", SSRU),
}
VOCABULARY, EMBEDDING, ENCODER, DECODER, BATCH = 8000, 256, 256, 512, 96
BATCHES = 4  # in a round


def make(name: str) -> Seq2Seq:
    """Build a translator with the choice ``name``."""
    torch.manual_seed(1)
    embedding = partial(TokenEmbedding, size=EMBEDDING, trainable=True, dropout=0.2, word_dropout=0.0)
    decoder, score, cell = CHOICES[name]
    attention = partial(AdditiveAttention, hidden_size=DECODER) if score == "additive" else GeneralAttention
    return Seq2Seq(
        source_vocabulary_size=VOCABULARY,
        target_vocabulary_size=VOCABULARY,
        embedding=embedding,
        encoder=partial(RecurrentEncoder, cell=GRU, hidden_size=ENCODER, layers=1, bidirectional=True, dropout=0.0),
        decoder=partial(decoder, hidden_size=DECODER, cell=cell, attention=attention, dropout=0.2),
        decoding=Greedy(max_ratio=2.0, max_extra=10, min_length=0),
        share_embeddings=True,
        dropout=0.2,
    )


def batches() -> list[SequencePairBatch[torch.Tensor]]:
    """Return random batches whose sentences are of like lengths, as bucketing makes them."""
    source = torch.Generator().manual_seed(1)
    made = []
    for place in range(BATCHES):
        low = 8 + 4 * place
        sides = []
        for _ in range(2):
            lengths = torch.randint(low, low + 3, (BATCH,), generator=source)
            ids = torch.randint(4, VOCABULARY, (BATCH, int(lengths.max())), generator=source)
            sides.append((ids * padding_mask(lengths, ids.shape[1]), lengths))
        (inputs, lengths), (targets, target_lengths) = sides
        made.append(SequencePairBatch(inputs, lengths, targets, target_lengths, None))
    return made


def seconds(model: Seq2Seq, optimizer: torch.optim.Optimizer, data: list[SequencePairBatch[torch.Tensor]]) -> float:
    """Train on ``data`` once; return seconds."""
    started = time.perf_counter()
    for batch in data:
        optimizer.zero_grad()
        model(batch, 0.1).backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return time.perf_counter() - started


def speed_of_search(model: Seq2Seq, data: list[SequencePairBatch[torch.Tensor]]) -> float:
    """Return target tokens a second of greedy search; untrained models rarely end a sentence before its limit."""
    model.eval()
    started, tokens = time.perf_counter(), 0
    for batch in data:
        tokens += sum(len(row) for sentence in model.predict(batch).tokens for row in sentence)
    model.train()
    return tokens / (time.perf_counter() - started)


def main() -> None:
    """Time every decoder in turn; the first round warms up and is thrown away."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    torch.set_num_threads(int(given.get("threads", "2")))
    torch.set_float32_matmul_precision(given.get("precision", "highest"))
    data = batches()
    tokens = sum(int(batch.target_lengths.sum()) for batch in data if batch.target_lengths is not None)
    models = {name: make(name).train() for name in CHOICES}
    optimizers = {name: torch.optim.AdamW(model.parameters(), fused=True) for name, model in models.items()}
    speeds: dict[str, list[float]] = {name: [] for name in CHOICES}
    searches: dict[str, list[float]] = {name: [] for name in CHOICES}
    for _ in range(int(given.get("rounds", "5")) + 1):
        for name in CHOICES:
            speeds[name].append(tokens / seconds(models[name], optimizers[name], data))
            searches[name].append(speed_of_search(models[name], data))
    print(f"{'decoder':<22} {'tokens/s':>9} {'ratio':>6} {'greedy/s':>9}   parameters")
    for name in CHOICES:
        ratio = statistics.median(
            a / b for a, b in zip(speeds[name][1:], speeds["bahdanau, additive"][1:], strict=True)
        )
        search = statistics.median(searches[name][1:])
        count = sum(parameter.numel() for parameter in models[name].parameters())
        print(f"{name:<22} {statistics.median(speeds[name][1:]):>9.0f} {ratio:>6.2f} {search:>9.0f}   {count:,}")
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    print(json.dumps({**machine, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
