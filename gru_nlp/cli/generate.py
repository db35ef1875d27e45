"""Continue text: an argument after ``--``, the lines of a file or of standard input, or from nothing."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import IO

from omegaconf import DictConfig

from gru_nlp.answers import pipes, reading
from gru_nlp.answers.reading import Entry, Input
from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.cli import asked
from gru_nlp.continuing import Continuer, Limits
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError, choose

FORMATS = ("text", "jsonl")
MOST_SAMPLES = 100_000


def run_text(config: DictConfig, text: str) -> None:
    """Continue the one text that stands after ``--``."""
    write(config, iter([Entry(text, text, "--")]))


def run(config: DictConfig) -> None:
    """Continue every line of the input; from nothing, where there is none."""
    if config["input"] is None and sys.stdin.isatty():
        write(config, iter([]))
        return
    source = Input(config["input"], "lines", "text", config["encoding"], ",")
    with reading.open_input(source.path, pipes.Pause()) as stream:
        write(config, reading.read(stream, source))


def write(config: DictConfig, entries: Iterator[Entry]) -> None:
    """Generate and write; a single text is written as it is drawn.

    Raises:
        UserError: a bad option, checkpoint or prompt.
    """
    kind = choose("format", config["format"], FORMATS)
    drawing = Drawing(*(config[name] for name in ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")))
    limits = Limits(config["max_tokens"], tuple(str(text).replace("\\n", "\n") for text in config["stop"]))
    if not 1 <= config["samples"] <= MOST_SAMPLES:
        raise UserError(f"samples={config['samples']} must be from 1 to {MOST_SAMPLES:,}")
    check_apart(config["output"], {"input": config["input"], "checkpoint": config["checkpoint"]})
    generator = asked.generator(config)
    rows = beginnings(entries, generator, config["samples"])
    with open_output(config["output"]) as output:
        count = 0
        while texts := list(islice(rows, config["batch_size"])):
            seed = config["seed"] + count
            if kind == "text" and len(texts) == 1:
                stream(output, generator, texts[0], drawing, limits, seed)
            else:
                for record in generator.records(texts, drawing, limits, seed):
                    told = json.dumps(record, ensure_ascii=False) if kind == "jsonl" else whole(record)
                    output.write(told + "\n")
                output.flush()
            count += len(texts)


def beginnings(entries: Iterator[Entry], generator: Continuer, samples: int) -> Iterator[str]:
    """Yield each beginning as often as it is to be continued; a single empty one where there is none.

    Raises:
        UserError: naming the place of one that cannot be continued.
    """
    empty = True
    for entry in entries:
        empty = False
        text = str(entry.text)
        try:
            generator.preprocessor.prompt(text)
        except UserError as error:
            place = "the text after --" if entry.place == "--" else entry.place
            raise UserError(f"{place}: {error}") from None
        for _ in range(samples):
            yield text
    if empty:
        for _ in range(samples):
            yield ""


def whole(record: dict[str, str]) -> str:
    """Return a beginning with its continuation."""
    return record["prompt"] + record["text"]


def stream(output: IO[str], generator: Continuer, prompt: str, drawing: Drawing, limits: Limits, seed: int) -> None:
    """Write one text as it is drawn."""
    output.write(prompt)
    for drawn in generator.stream([prompt], drawing, limits, seed):
        output.write(drawn.piece)
        if drawn.piece:
            output.flush()
    output.write("\n")
