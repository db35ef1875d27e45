"""Label new text: an argument after ``--``, a file, or standard input."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from omegaconf import DictConfig

from gru_nlp.cli import entities, images, text_io
from gru_nlp.console import say
from gru_nlp.errors import UserError, choose
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Record, Text
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.tensors import resolve_device
from gru_nlp.text.schemes import SCHEMES

#: Batches that are sorted by length together; what is held in memory at a time.
WINDOW = 32
AnyText = TypeVar("AnyText", str, Text, images.Image)
#: Between two remarks on progress.
PROGRESS_SECONDS = 15.0


def load(config: DictConfig) -> Predictor:
    """Load the checkpoint onto the chosen device.

    Raises:
        UserError: see ``Predictor.from_checkpoint``; or there is no GPU.
    """
    predictor = Predictor.from_checkpoint(config["checkpoint"], resolve_device(config["device"]), config["trust"])
    if not predictor.preprocessor.label_names():
        raise UserError(f"{config['checkpoint']}: a translator gives no labels: use translate")
    return predictor


def run_text(config: DictConfig, text: str) -> None:
    """Label the one text that stands after ``--``."""
    write(config, load(config), iter([text]))


def run(config: DictConfig) -> None:
    """Label a stream of texts, or images: as many records as input records, in their order; memory stays flat."""
    if images.holds_images(config["input"]):
        run_images(config, load(config))
        return
    kind = text_io.input_format(config["input_format"], config["input"])
    name = config["input"] or "standard input"
    with text_io.open_input(config["input"]) as stream:
        predictor = load(config)
        if isinstance(predictor.preprocessor, FramePreprocessor):
            raise UserError(f"{name}: no images, which the model of {config['checkpoint']} reads: set input=<image>")
        write(config, predictor, text_io.read_texts(stream, kind, config["text"], config["encoding"], name))


def run_images(config: DictConfig, predictor: Predictor) -> None:
    """Label the images of a file or folder; a record's ``text`` is the image's name."""
    preprocessor = predictor.preprocessor
    if not isinstance(preprocessor, FramePreprocessor):
        raise UserError(f"input={config['input']}: images, but the model of {config['checkpoint']} reads text")
    kind = text_io.output_format(config["format"], config["output"])
    refuse_columns(kind)
    names: deque[str] = deque()

    def pictures() -> Iterator[images.Image]:
        for name, image in images.read_images(Path(config["input"]), preprocessor.height, preprocessor.width):
            names.append(name)
            yield image

    stream(
        config, predictor, pictures(), config["top_k"], lambda record, _: text_io.render(record, names.popleft(), kind)
    )


def refuse_columns(kind: str) -> None:
    """Refuse columns of words and tags from a model that gives a label.

    Raises:
        UserError: they were asked for.
    """
    if kind == "conll":
        raise UserError("format=conll is for words with tags: a classifier writes jsonl, tsv or table")


def write(config: DictConfig, predictor: Predictor, texts: Iterator[Text]) -> None:
    """Predict and write one record a text."""
    kind = text_io.output_format(config["format"], config["output"])
    preprocessor, top_k = predictor.preprocessor, config["top_k"]
    if isinstance(preprocessor, TaggingPreprocessor):
        scheme = choose("scheme", config["scheme"], SCHEMES)
        stream(
            config,
            predictor,
            texts,
            top_k,
            lambda record, text: entities.render(record, text, kind, scheme, preprocessor),
        )
        return
    refuse_columns(kind)
    whole = text_io.joined(texts)
    stream(config, predictor, whole, top_k, lambda record, text: text_io.render(record, text, kind))


def stream(
    config: DictConfig,
    predictor: Predictor,
    texts: Iterator[AnyText],
    top_k: int,
    render: Callable[[Record, AnyText], str],
) -> None:
    """Predict window by window and write a line a text; say how fast it went and what was cut."""
    text_io.check_apart(config["output"], {"input": config["input"], "checkpoint": config["checkpoint"]})
    typed = config["input"] is None and sys.stdin.isatty()
    window = 1 if typed else config["batch_size"] * WINDOW
    started, count, noun = time.perf_counter(), 0, predictor.preprocessor.noun
    told = started
    with text_io.open_output(config["output"]) as output:
        while chunk := list(islice(texts, window)):
            records = predictor(chunk, config["batch_size"], top_k)
            for record, text in zip(records, chunk, strict=True):
                output.write(render(record, text) + "\n")
            output.flush()
            count += len(chunk)
            if time.perf_counter() - told > PROGRESS_SECONDS:
                told = time.perf_counter()
                say(f"{count:,} {noun} so far")
    seconds = time.perf_counter() - started
    if count > 1:
        say(f"{count:,} {noun} in {seconds:.1f} s ({count / max(seconds, 1e-9):,.0f} {noun}/s)")
    if predictor.truncated:
        longest = getattr(predictor.preprocessor, "max_length", None)
        say(f"{predictor.truncated:,} over-long texts were cut to {longest} tokens")
