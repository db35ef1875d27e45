"""Translate text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from omegaconf import DictConfig
from torch import nn

from gru_nlp import checkpoint
from gru_nlp.cli import text_io
from gru_nlp.cli.picture import write_picture
from gru_nlp.cli.predict import stream
from gru_nlp.config import resolved
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.errors import UserError, choose, printable
from gru_nlp.models.ensemble import Ensemble
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.predictor import Alignment, Predictor
from gru_nlp.preprocessing.base import Record
from gru_nlp.tensors import resolve_device

FORMATS = ("lines", "jsonl")
PROMPT = "> "


def run_text(config: DictConfig, text: str) -> None:
    """Translate the one text that stands after ``--``."""
    write(config, load(config), iter([text]))


def run(config: DictConfig) -> None:
    """Translate a stream of lines: as many out as in, in their order; memory stays flat."""
    if config["input"] is None and sys.stdin.isatty():
        write(config, load(config), prompted())
        return
    kind = text_io.input_format(config["input_format"], config["input"])
    name = config["input"] or "standard input"
    with text_io.open_input(config["input"]) as source:
        translator = load(config)
        texts = text_io.read_texts(source, kind, config["text"], config["encoding"], name)
        write(config, translator, text_io.joined(texts))


def load(config: DictConfig) -> Predictor:
    """Load the checkpoint with the decoding that was asked for.

    Raises:
        UserError: it cannot be read, or is no translator.
    """
    choose("format", config["format"], FORMATS)
    stored = checkpoint.load(config["checkpoint"])
    if "decoding" not in stored.config["model"]:
        raise UserError(f"{stored.path}: no translator but a {stored.config['task']['name']} model: use predict")
    given = resolved(config).get("decoding")
    preprocessor, model = checkpoint.restore(checkpoint.with_decoding(stored, given), list(config["trust"]))
    if config["ensemble"]:
        model = joined(stored, model, list(config["ensemble"]), list(config["trust"]))
    return Predictor(preprocessor, model, resolve_device(config["device"]))


def joined(first: checkpoint.Checkpoint, model: nn.Module, others: list[str], trusted: list[str]) -> Ensemble:
    """Return one model out of several checkpoints.

    Raises:
        UserError: they do not share one tokenizer.
    """
    members = [model]
    for path in others:
        stored = checkpoint.load(path)
        if stored.preprocessing != first.preprocessing:
            raise UserError(f"{path}: another tokenizer than that of {first.path}: train both on the same data")
        members.append(checkpoint.restore(stored, trusted)[1])
    return Ensemble([member for member in members if isinstance(member, Seq2Seq)])


def prompted() -> Iterator[str]:
    """Yield what a person types, until the end of input."""
    while True:
        print(PROMPT, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.rstrip("\n")


def write(config: DictConfig, translator: Predictor, texts: Iterator[str]) -> None:
    """Translate and write one line a text."""
    count = cast(DecodingStrategy, translator.model.decoding).n_best
    picture = Path(config["picture"]) if config["picture"] else None

    def line(record: Record, text: str) -> str:
        nonlocal picture
        if text.strip() and (config["alignments"] or picture):
            alignment = translator.align(text, record["translation"])
            if config["alignments"]:
                record = {**record, **rounded(alignment)}
            if picture:
                write_picture(picture, alignment)
                picture = None  # one sentence makes one picture
        return render(record, text, "jsonl" if config["alignments"] else config["format"])

    stream(config, translator, texts, count, line)


def rounded(alignment: Alignment) -> Record:
    """Return an alignment as JSON takes it, the weights with four digits."""
    weights = [[round(weight, 4) for weight in row] for row in alignment.weights]
    return {"source_tokens": alignment.source, "target_tokens": alignment.target, "alignment": weights}


def render(record: Record, text: str, kind: str) -> str:
    """Return a record as one line: the translation alone, or JSON with source, score and the n best."""
    if kind == "jsonl":
        return json.dumps({"source": text, **record}, ensure_ascii=False)
    return printable(" ".join(record["translation"].split("\n")))
