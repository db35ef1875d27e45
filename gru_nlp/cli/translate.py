"""Translate text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

import json
import sys
from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf

from gru_nlp import checkpoint
from gru_nlp.cli import text_io
from gru_nlp.cli.predict import resolve_device, stream
from gru_nlp.errors import UserError, choose
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Record

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
        write(config, translator, text_io.read_texts(source, kind, config["text"], config["encoding"], name))


def load(config: DictConfig) -> Predictor:
    """Load the checkpoint with the decoding that was asked for.

    Raises:
        UserError: it cannot be read, or is no translator.
    """
    choose("format", config["format"], FORMATS)
    stored = checkpoint.load(config["checkpoint"])
    if "decoding" not in stored.config["model"]:
        raise UserError(f"{stored.path}: no translator but a {stored.config['task']['name']} model: use predict")
    decoding = OmegaConf.to_container(config["decoding"], resolve=True)
    parts = checkpoint.restore(checkpoint.with_decoding(stored, decoding), list(config["trust"]))
    return Predictor(*parts, resolve_device(config["device"]))


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
    count = int(config["decoding"].get("n_best", 1))
    stream(config, translator, texts, count, lambda record, text: render(record, text, config["format"]))


def render(record: Record, text: str, kind: str) -> str:
    """Return a record as one line: the translation alone, or JSON with source, score and the n best."""
    if kind == "jsonl":
        return json.dumps({"source": text, **record}, ensure_ascii=False)
    return " ".join(record["translation"].split("\n"))
