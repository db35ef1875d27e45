"""Words for the person: progress and remarks go to standard error, results to standard output."""

import os
import sys
from dataclasses import dataclass, field
from typing import Literal, TextIO

from gru_nlp.errors import printable

LIGHTNING = ("lightning", "lightning.pytorch", "lightning.fabric", "pytorch_lightning")
#: Loggers whose words ``--verbose`` lets through.
LIBRARIES = (*LIGHTNING, "datasets", "huggingface_hub")
#: How much is said: results alone; progress and remarks too; and what libraries say and where a mistake was found.
Voice = Literal["quiet", "usual", "verbose"]


@dataclass
class _Spoken:
    """The voice of the command that is running, and the remarks that it has made."""

    voice: Voice = "usual"
    told: set[str] = field(default_factory=set)


_SPOKEN = _Spoken()


def begin(voice: Voice = "usual") -> None:
    """Begin a command, which speaks so: remarks of the one before it may be made again."""
    _SPOKEN.voice = voice
    _SPOKEN.told.clear()


def voice() -> Voice:
    """Return how much the command that is running says."""
    return _SPOKEN.voice


def is_quiet() -> bool:
    """Return whether results alone are wanted."""
    return _SPOKEN.voice == "quiet"


def is_verbose() -> bool:
    """Return whether all is wanted that libraries say, and where a mistake was found."""
    return _SPOKEN.voice == "verbose"


def is_first_process() -> bool:
    """Return whether this process speaks for the run (one of several under a Lightning strategy)."""
    for name in ("RANK", "SLURM_PROCID"):
        if name in os.environ:
            return _number(name) == 0
    return _number("LOCAL_RANK") == 0 and _number("NODE_RANK") == 0


def _number(name: str) -> int:
    """Return a launcher's number; what is none was left in the environment by something else."""
    value = os.environ.get(name, "0")
    return int(value) if value.isdecimal() else 0


def draws(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that moves its cursor and shows colours."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def likes_colours() -> bool:
    """Return whether the person leaves colours on: where ``NO_COLOR`` holds anything, they do not (no-color.org)."""
    return not os.environ.get("NO_COLOR")


def say(message: str) -> None:
    """Print a line on standard error, once however many processes run, unless ``--quiet`` was given."""
    if is_first_process() and not is_quiet():
        print(printable(message), file=sys.stderr, flush=True)


def remark(message: str) -> None:
    """Print a remark on standard error, once a command however many splits, tables or jobs of a sweep give rise to it.

    What tells of progress is said each time, by ``say``.
    """
    if message not in _SPOKEN.told:
        _SPOKEN.told.add(message)
        say(message)


def ask(prompt: str) -> None:
    """Print what invites a person to type, on standard error, without an end of line of its own."""
    if not is_quiet():
        print(prompt, end="", file=sys.stderr, flush=True)


def show(result: str) -> None:
    """Print a line of results on standard output, once however many processes run."""
    if is_first_process():
        print(printable(result), flush=True)
