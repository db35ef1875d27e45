"""Make sound of text: an argument after ``--``, or the lines of a file or of standard input."""

import os
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from omegaconf import DictConfig

from gru_nlp.answers import pipes, reading
from gru_nlp.answers.base import whole
from gru_nlp.answers.reading import Entry, Input
from gru_nlp.answers.spectrogram import check_picture, svg, write_picture
from gru_nlp.console import remark, say
from gru_nlp.errors import UserError
from gru_nlp.export.folder import check_place, placed
from gru_nlp.narrator import Narrator, Spoken
from gru_nlp.preprocessing.rows import RowError
from gru_nlp.preprocessing.synthesis import named
from gru_nlp.speech.griffin_lim import write_wav
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import limit_tokenizers, set_threads

ENDING = ".wav"


def run_text(config: DictConfig, text: str) -> None:
    """Speak the one text that stands after ``--`` as a file.

    Raises:
        UserError: the file is there already, or no WAV by its name; or the text cannot be spoken.
    """
    path = Path(config["output"])
    if path.suffix.lower() != ENDING:
        raise UserError(f"output={path}: only WAV is written: give a name that ends in {ENDING}")
    if os.path.lexists(path):
        raise UserError(f"output={path}: there is something already: set output=<a new file>")
    check_picture(config["picture"])
    narrator = load(config)
    for spoken in spoken_of(config, narrator, [Entry(text, text, "the text after --")]):
        write_wav(path, spoken.waveform, narrator.sample_rate, "output")


def run(config: DictConfig) -> None:
    """Speak each line of the input as a file of a new folder, which appears once all are spoken.

    Raises:
        UserError: the folder is there already, there is no input, or a line cannot be spoken.
    """
    if config["input"] is None and sys.stdin.isatty():
        raise UserError("nothing to speak: give a text after --, input=<file>, or lines on standard input")
    folder = Path(config["output"])
    if folder.suffix.lower() == ENDING:
        raise UserError(f"output={folder}: lines are spoken into a folder of files: set output=<a new folder>")
    check_place(folder)
    check_picture(config["picture"])
    source = Input(config["input"], "lines", "text", config["encoding"], ",")
    with reading.open_input(source.path, pipes.Pause()) as stream, placed(folder) as part:
        narrator, numbers = load(config), count(1)
        entries = ((next(numbers), entry) for entry in reading.read(stream, source))
        filled = ((number, entry) for number, entry in entries if whole(entry.text).strip())
        written = 0
        while some := list(islice(filled, config["batch_size"])):
            spoken = spoken_of(config, narrator, [entry for _, entry in some], first=not written)
            for (number, _), one in zip(some, spoken, strict=True):
                write_wav(part / f"{number}{ENDING}", one.waveform, narrator.sample_rate, "output")
            written += len(some)
        if not written:
            raise UserError(f"{source.name}: nothing to speak: each line is blank")
    say(f"{written:,} of {next(numbers) - 1:,} lines are spoken: {folder}")


def load(config: DictConfig) -> Narrator:
    """Load what speaks; tell who does where nobody was named.

    Raises:
        UserError: see ``Narrator.from_checkpoint``; or there is no GPU.
    """
    limit_tokenizers()
    narrator = Narrator.from_checkpoint(config["checkpoint"], resolve_device(config["device"]), config["trust"])
    set_threads(config["threads"], narrator.model)
    if config["speaker"] is None and len(narrator.speakers) > 1:
        remark(f"{narrator.speakers[0]} speaks; others by speaker=...: {named(narrator.speakers[1:])}")
    return narrator


def spoken_of(config: DictConfig, narrator: Narrator, entries: list[Entry], *, first: bool = True) -> Iterator[Spoken]:
    """Yield the speech of entries; draw that of the first one of all, where a picture is wanted.

    Raises:
        UserError: there is no such speaker, or a text cannot be spoken: the message names its line.
    """
    speaker = None if config["speaker"] is None else str(config["speaker"])
    texts = [whole(entry.text) for entry in entries]
    try:
        for place, spoken in enumerate(narrator(texts, speaker, config["batch_size"])):
            if not spoken.ended:
                told = f"{entries[place].place}: speech was cut off at its longest, model.most_frames a character"
                remark(f"{told}: it may be garbled")
            if first and not place and config["picture"]:
                seconds = len(spoken.waveform) / narrator.sample_rate
                picture = svg(spoken.characters, spoken.weights, spoken.frames, seconds)
                write_picture(Path(config["picture"]), picture)
            yield spoken
    except RowError as error:
        raise UserError(f"{entries[error.row].place}: {error.reason}") from None
