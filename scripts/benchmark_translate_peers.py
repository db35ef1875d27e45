"""Translators of equal sizes side by side: ours, JoeyNMT's and OpenNMT-py's recurrent ones, where these are installed.

Usage: python scripts/benchmark_translate_peers.py train=<source>,<target> test=<source> [attention=general|additive]
       [joeynmt=<python>] [onmt=<python>] [ours=parallel:highest,parallel:medium,parallel:medium:int8,...]
       [threads=1] [steps=30] [warm=5] [pairs=10000] [sentences=200] [length=20]

Embedding 256, encoder of two layers of 256 in both directions, decoder 512, joint BPE of 8,000, batches of 96 sentences
in training and 50 in decoding, beam 5. ``joeynmt`` and ``onmt`` name the Python of an environment with the package:

    pip install torch==2.13.0; pip install --no-deps joeynmt==2.3.0
    pip install sentencepiece subword-nmt sacrebleu sacremoses pyyaml packaging datasets tensorboard pandas \\
        matplotlib importlib_metadata
    pip install torch==2.13.0; pip install --no-deps OpenNMT-py==3.5.1
    pip install configargparse ctranslate2 pyonmttok pyyaml sacrebleu rapidfuzz pyahocorasick six flask waitress \\
        tensorboard spacy fasttext-numpy2

The first ``pairs`` of the files are trained on for ``steps`` counted steps, each system in a process of its own with as
many threads, in batches of its own making, from the same pieces, which ours cuts out of the text while it answers and
they find cut. Few steps train nothing, so that decoding is held to ``length`` tokens a sentence, every hypothesis.
``ours`` names decoders and precisions: ``parallel`` is trained without a loop over time, its first layer as wide as
the embedding; ``conditional`` is the recipes' decoder; ``input_feeding`` with attention=general, or ``bahdanau`` with
additive, is what the peers have; with ``:int8`` graphs in 8 bits translate, as by ``gru-nlp translate
precision=int8``, with ``:int8:shortlist`` or ``:shortlist`` among candidates, as by ``shortlist=true``. OpenNMT-py's
decoder has two layers, since it must have as many as the encoder. Speeds are target tokens and sentences a second of
wall and, behind a stroke, of CPU time; ratios are JoeyNMT's CPU time a token, or sentence, by that of a system.
"""

import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from translate_peers import Clock, decoded

PLAN = {"embedding": 256, "encoder": 256, "decoder": 512, "vocabulary": 8000, "train_batch": 96, "batch": 50}
NUMBERS = {"steps": 30, "warm": 5, "pairs": 10_000, "sentences": 200, "length": 20, "threads": 1}
OURS = "parallel:highest,parallel:medium,parallel:medium:int8,parallel:medium:int8:shortlist,input_feeding:medium"
HEADS = (
    "system",
    "M parameters",
    "training tokens/s",
    "ratio",
    "MB",
    "beam 5, sentences/s",
    "ratio",
    "one by one",
    "ratio",
)


def lines(path: Path, most: int) -> list[str]:
    """Return the first lines of a plain or gzip file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line, _ in zip(file, range(most), strict=False)]


def write(path: Path, texts: list[str]) -> None:
    """Write a text a line."""
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def options(folder: Path, plan: SimpleNamespace, decoder: str, precision: str, forms: Sequence[str]) -> list[str]:
    """Return the overrides of ``gru-nlp train`` for one of ours."""
    names = (("train", "train"), ("validation", "valid"))
    files = [
        f"data.{split}_{side}={folder}/{name}.{side}.txt" for split, name in names for side in ("source", "target")
    ]
    sizes = [f"embedding.size={plan.embedding}", f"encoder.hidden_size={plan.encoder}", "encoder.layers=2"]
    sizes += [f"decoder.hidden_size={plan.decoder}", f"tokenizer.vocabulary_size={plan.vocabulary}"]
    limits = [f"trainer.limit_train_batches={plan.warm + plan.steps + 1}", "trainer.max_epochs=1", "logger=none"]
    limits += ["+trainer.limit_val_batches=1", f"batch_size={plan.train_batch}", "trainer.enable_progress_bar=false"]
    decoding = [f"decoding.min_length={plan.length}", "decoding.max_ratio=0.0", f"decoding.max_extra={plan.length}"]
    decoding += ["decoding.length_penalty=1.0"]
    kinds = [f"decoder={decoder}", f"attention={plan.attention}", f"matmul_precision={precision}"]
    kinds += ["preprocessing.shortlist=50"] * ("shortlist" in forms)
    return ["task=translation", "data=parallel", *files, *sizes, *limits, *decoding, *kinds, "seed=1"]


def ours(folder: Path, decoder: str, precision: str, *forms: str) -> dict[str, Any]:
    """Run one of ours in this process."""
    import gru_nlp
    from gru_nlp.export import cached
    from gru_nlp.tasks.base import Task

    plan = SimpleNamespace(**json.loads((folder / "plan.json").read_text(encoding="utf-8")))
    clock, found = Clock(plan), {}
    step = Task.training_step

    def counted(self: Any, batch: Any, place: int) -> Any:
        if clock.begin(int(batch.target_lengths.sum())):
            found.update(clock.figures())
        return step(self, batch, place)

    Task.training_step = counted  # type: ignore[method-assign]
    run = folder / "-".join((decoder, precision, *forms))
    gru_nlp.train(*options(folder, plan, decoder, precision, forms), f"run_dir={run}")
    loaded = gru_nlp.Predictor.from_checkpoint(run)
    found["parameters"] = sum(weight.numel() for weight in loaded.model.parameters())
    predictor: Any = cached.runner(str(run), "int8", [], plan.threads) if "int8" in forms else loaded
    if "shortlist" in forms:
        predictor.preprocessor.use_shortlist()
    texts = lines(folder / "test.txt", plan.sentences)
    predictor(texts[: plan.batch], plan.batch)  # warms up
    found |= decoded("bulk", lambda: predictor(texts, plan.batch))
    return found | decoded("single", lambda: [predictor([text]) for text in texts])


def cut(folder: Path, run: Path, plan: SimpleNamespace) -> None:
    """Write the pieces that ours has learned, and the texts cut into them, for the others."""
    from gru_nlp import Predictor
    from gru_nlp.text.special import SPECIAL_TOKENS

    preprocessor: Any = Predictor.from_checkpoint(run).preprocessor
    names = preprocessor.source.tokens()
    write(folder / "vocabulary.txt", names[len(SPECIAL_TOKENS) :])
    for split in ("train", "valid", "test"):
        for side in ("source", "target"):
            texts = lines(folder / (f"{split}.{side}.txt" if split != "test" else "test.txt"), plan.pairs)
            ids = preprocessor.source.encode(texts)
            write(folder / f"{split}.{side}", [" ".join(names[index] for index in row) for row in ids])


def run(command: list[str], threads: int) -> dict[str, float]:
    """Return what a process prints, all its threads counted out."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    process = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: {process.stderr[-2000:]}")
    found: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return found


def row(name: str, found: dict[str, float], peer: dict[str, float] | None, sentences: int) -> str:
    """Return a line of the table."""
    parts = [name, f"{found['parameters'] / 1e6:.1f}"]
    for wall, cpu, count in (
        ("wall", "cpu", "tokens"),
        *((f"{kind}_wall", f"{kind}_cpu", "") for kind in ("bulk", "single")),
    ):
        many = found[count] if count else sentences
        parts.append(f"{many / found[wall]:,.1f} / {many / found[cpu]:,.1f}")
        of_peer = peer and (peer[cpu] / (peer[count] if count else sentences)) / (found[cpu] / many)
        parts.append(f"{of_peer:.2f}" if of_peer else "")
        parts += [f"{found['megabytes']:,.0f}"] if count else []
    return f"| {' | '.join(parts)} |"


def main() -> None:
    """Measure and print one table."""
    if sys.argv[1:2] == ["work"]:
        print(json.dumps(ours(Path(sys.argv[2]), *sys.argv[3:])))
        return
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    plan = SimpleNamespace(**PLAN, **{name: int(given.get(name, value)) for name, value in NUMBERS.items()})
    plan.attention = given.get("attention", "general")
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "plan.json").write_text(json.dumps(vars(plan)), encoding="utf-8")
        for side, path in zip(("source", "target"), given["train"].split(","), strict=True):
            texts = lines(Path(path), plan.pairs)
            write(folder / f"valid.{side}.txt", texts[:96])
            write(folder / f"train.{side}.txt", texts[96:])
        write(folder / "test.txt", lines(Path(given["test"]), plan.sentences))
        for name in given.get("ours", OURS).split(","):
            kinds = name.split(":")
            figures[f"ours, {', '.join(kinds)}"] = run([sys.executable, __file__, "work", place, *kinds], plan.threads)
        cut(folder, folder / "-".join(kinds), plan)
        for name, title in (("joeynmt", "JoeyNMT"), ("onmt", "OpenNMT-py")):
            if name in given:
                script = str(Path(__file__).with_name("translate_peers.py"))
                figures[title] = run([given[name], script, name, place], plan.threads)
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for name, found in figures.items():
        print(row(name, found, figures.get("JoeyNMT"), plan.sentences))
    print(json.dumps({"system": platform.platform(), "torch": torch.__version__, **vars(plan)}))


if __name__ == "__main__":
    main()
