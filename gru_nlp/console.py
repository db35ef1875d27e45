"""Words for the person: progress and remarks go to standard error, results to standard output."""

import os
import sys
from typing import TextIO

from gru_nlp.errors import printable

#: Remarks that the command, which is running or has run last, has made.
_TOLD: set[str] = set()


def begin() -> None:
    """Begin a command: remarks of the one before it may be made again."""
    _TOLD.clear()


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
    """Print a line on standard error, once however many processes run."""
    if is_first_process():
        print(printable(message), file=sys.stderr, flush=True)


def remark(message: str) -> None:
    """Print a remark on standard error, once a command however many splits, tables or jobs of a sweep give rise to it.

    What tells of progress is said each time, by ``say``.
    """
    if message not in _TOLD:
        _TOLD.add(message)
        say(message)


def ask(prompt: str) -> None:
    """Print what invites a person to type, on standard error, without an end of line of its own."""
    print(prompt, end="", file=sys.stderr, flush=True)


def show(result: str) -> None:
    """Print a line of results on standard output, once however many processes run."""
    if is_first_process():
        print(printable(result), flush=True)
