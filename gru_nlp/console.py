"""Words for the person: progress and remarks go to standard error, results to standard output."""

import os
import sys

from gru_nlp.errors import printable


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


def say(message: str) -> None:
    """Print a remark on standard error, once however many processes run."""
    if is_first_process():
        print(printable(message), file=sys.stderr, flush=True)


def show(result: str) -> None:
    """Print a line of results on standard output, once however many processes run."""
    if is_first_process():
        print(printable(result), flush=True)
