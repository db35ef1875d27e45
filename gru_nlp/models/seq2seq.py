"""Sequence to sequence with attention: translation."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.decoding.ctc import CTCDecoding
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.models import translation_graphs
from gru_nlp.models.base import Beginning, Model
from gru_nlp.models.graphs import Answers, Graph, standing_in
from gru_nlp.models.shortlist import search_among
from gru_nlp.nn.decoder import MakeDecoder
from gru_nlp.nn.decoder_forms import DecodingForm
from gru_nlp.nn.decoder_state import DecoderState, Step
from gru_nlp.nn.dropout import Dropout
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.masking import padding_mask
from gru_nlp.nn.projection import projected_cross_entropy, projected_log_probabilities
from gru_nlp.outputs import Hypotheses
from gru_nlp.text.special import BOS, PAD, UNK


class Seq2Seq(Model[SequencePairBatch[Tensor]]):
    """Source embedding, encoder, attentional decoder, and an output layer tied to the target embedding.

    The output matrix is the target embedding (Press and Wolf 2017), unless set free; with ``share_embeddings`` the
    source embedding too, which needs one joint vocabulary. Logits are computed only where there is a real target token.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids V.
        embedding: makes an embedding from a vocabulary size and the ids of padding and of the unknown token.
        encoder: makes the encoder from the embedding's output size.
        decoder: makes the decoder from the sizes of embedding and memory and the output size.
        decoding: strategy of ``predict``.
        share_embeddings: True: one table for source and target.
        dropout: share of the encoder's states dropped.
        tie_output: False: the output matrix is one of its own.
        scale_embeddings: True: embeddings are multiplied by the square root of their size (Vaswani et al. 2017,
            section 3.4).
        has_candidates: True: a short-list was learned, so that a graph among its tokens alone is wanted.
    """

    runner = "translation"

    def __init__(
        self,
        *,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        decoder: MakeDecoder,
        decoding: DecodingStrategy,
        share_embeddings: bool,
        dropout: float,
        tie_output: bool = True,
        scale_embeddings: bool = False,
        has_candidates: bool = False,
    ) -> None:
        super().__init__()
        if isinstance(decoding, CTCDecoding):
            raise UserError("decoding: this one is of recognisers of speech: set decoding=beam, or greedy")
        self.has_candidates = has_candidates
        self.sizes = source_vocabulary_size, target_vocabulary_size
        self.source = embedding(source_vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        size = self.source.output_size
        if share_embeddings and source_vocabulary_size != target_vocabulary_size:
            raise UserError("model.share_embeddings=true needs preprocessing.joint=true")
        self.target = (
            self.source
            if share_embeddings
            else embedding(target_vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        )
        self.encoder = encoder(size)
        self.decoder = decoder(size, self.encoder.output_size, output_size=size)
        self.dropout = Dropout(dropout)
        self.decoding = decoding
        self.bias = nn.Parameter(torch.zeros(target_vocabulary_size))
        self.output = None if tie_output else nn.Linear(size, target_vocabulary_size, bias=False)
        self.scale = size**0.5 if scale_embeddings else 1.0
        self.form: DecodingForm | None = None

    def start(self, inputs: Tensor, lengths: Tensor) -> DecoderState:
        """Encode sources ``(B, S)`` of ``lengths`` ``(B,)``; return the decoder's state before its first step."""
        states, final = self.encoder(self.scale * self.source(inputs), lengths)
        return self.decoder.start(self.dropout(states), self.dropout(final), lengths)

    @property
    def output_weight(self) -> Tensor:
        """The output matrix ``(V, R)``: the target embedding, or one of its own."""
        return self.target.table.weight if self.output is None else self.output.weight

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the vectors ``(..., E)`` of target ids."""
        return self.scale * cast(Tensor, self.target(tokens))

    def project(self, features: Tensor) -> Tensor:
        """Turn features ``(..., R)`` into logits ``(..., V)``."""
        return nn.functional.linear(features, self.output_weight, self.bias)

    def forward(self, batch: SequencePairBatch[Tensor], label_smoothing: float) -> Tensor:
        """Return the mean smoothed cross-entropy over the real target tokens, each read with the true past."""
        features, targets, _ = self._read(batch)
        return projected_cross_entropy(features, self.output_weight, self.bias, targets, label_smoothing)

    @torch.inference_mode()
    def likelihoods(self, batch: SequencePairBatch[Tensor]) -> Tensor:
        """Return the log-probability of each whole target, the end mark counted, ``(B,)``."""
        features, targets, real = self._read(batch)
        found = projected_log_probabilities(features, self.output_weight, self.bias, targets)
        return found.new_zeros(len(real)).index_add(0, real.nonzero()[:, 0], found)

    def _read(self, batch: SequencePairBatch[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return features ``(N, R)`` and ids ``(N,)`` of the real target tokens, and which these are ``(B, T)``."""
        assert batch.targets is not None
        assert batch.target_lengths is not None
        shifted = batch.targets.roll(1, dims=1)
        shifted[:, 0] = BOS
        features = self.decoder(self.embed(shifted), self.start(batch.inputs, batch.lengths))  # (B, T, R)
        real = padding_mask(batch.target_lengths, batch.targets.shape[1])
        return features[real], batch.targets[real], real

    @torch.no_grad()
    def settle(self) -> None:
        """Make the decoder's form for searching, which training drops again."""
        self.eval()
        ids = torch.arange(self.sizes[1], device=self.bias.device)
        self.form = self.decoder.decoding_form(self.embed(ids[None])[0])

    def train(self, mode: bool = True) -> "Seq2Seq":
        """Set the mode."""
        if mode:
            self.form = None
        return super().train(mode)

    def opened(self, inputs: Tensor, lengths: Tensor) -> DecoderState:
        """Return what ``start`` does, as ``step`` reads it."""
        state = self.start(inputs, lengths)
        return state if self.form is None else self.form.opened(state)

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return log-probabilities ``(B, K, V)`` after last ``tokens`` ``(B, K)``, and the state after them."""
        scores, _, after = self.attended_step(tokens, state)
        return scores, after

    def attended_step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Return the same with the attention ``(B, K, S)``, before the state."""
        step = self._features(tokens, state)
        return self.project(step.features).log_softmax(dim=2), step.weights, step.state

    def _features(self, tokens: Tensor, state: DecoderState) -> Step:
        return self.decoder.step(self.embed(tokens), state) if self.form is None else self.form.step(tokens, state)

    def begin_from(self, start: Beginning) -> int:
        """Take over the vectors of source tokens, and the layers of the encoder."""
        self.source.take_over(start.table / self.scale, start.known)
        return self.encoder.begin_from(start.forward, start.backward)

    def floors(self) -> list[list[nn.Module]]:
        """Return the encoder's layers, the last one first, and the source embedding."""
        return [*self.encoder.floors(), [self.source]]

    @torch.inference_mode()
    def decode(self, batch: SequencePairBatch[Tensor], strategy: DecodingStrategy) -> Hypotheses[Tensor]:
        """Translate a batch by ``strategy``, among its candidates where it has any."""
        if batch.candidates is not None:
            return search_among(
                batch.candidates,
                lambda tokens, state: self._features(tokens, state)[:2],
                (self.output_weight, self.bias),
                strategy,
                self.opened(batch.inputs, batch.lengths),
                batch.lengths,
            )
        return strategy(self.step, self.opened(batch.inputs, batch.lengths), batch.lengths)

    def predict(self, batch: SequencePairBatch[Tensor], top_k: int = 1) -> Hypotheses[Tensor]:
        """Translate a batch by the model's own strategy, which says how many hypotheses it gives."""
        found = self.decode(batch, self.decoding)
        return found._replace(totals=self.decoding.totals(found))

    @torch.inference_mode()
    def forced(self, batch: SequencePairBatch[Tensor], demands: Sequence[Demand]) -> Hypotheses[AnyArray]:
        """Translate a batch so that each translation holds what is demanded of it."""
        return self.decoding.forced(
            self.attended_step, self.opened(batch.inputs, batch.lengths), batch.lengths, demands
        )

    @torch.inference_mode()
    def align(self, batch: SequencePairBatch[Tensor]) -> Tensor:
        """Return attention weights ``(B, T, S)`` of the decoder as it reads each true target of a batch."""
        assert batch.targets is not None
        shifted = batch.targets.roll(1, dims=1)
        shifted[:, 0] = BOS
        state, weights = self.start(batch.inputs, batch.lengths), []
        for place in range(shifted.shape[1]):
            step = self.decoder.step(self.embed(shifted[:, place : place + 1]), state)
            state = step.state
            weights.append(step.weights)
        return torch.cat(weights, dim=1)

    def graphs(self) -> list[Graph]:
        """Return the graphs of what runs once a sentence, and of one step of the decoder."""
        return translation_graphs.graphs(self)

    def by_graphs(self, answers: Answers) -> "Seq2Seq":
        """Return one whose first state and whose steps are those of the graphs."""
        start, step = translation_graphs.parts(self, answers)
        return standing_in(self, start=start, step=step, form=None)
