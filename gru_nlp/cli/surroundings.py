"""What stands around a process: its three streams, and what launchers of several processes leave in the environment.

Both are put in order before a command begins. A stream that was closed would be taken over by the next file that is
opened, so that remarks would run into answers; and a rank that some launcher left behind would make this process one
that keeps silent.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

from gru_nlp.console import is_verbose
from gru_nlp.errors import FULL, UserError, printable
from gru_nlp.processes import ending

USER_ERROR = 2
#: What Lightning and torchrun number processes by; each of them sets ``MASTER_ADDR`` as well.
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
#: The same for SLURM, which sets ``SLURM_JOB_ID`` as well.
SLURM_RANKS = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_NTASKS")
LAUNCHERS = {"MASTER_ADDR": RANKS, "SLURM_JOB_ID": SLURM_RANKS, "JSM_NAMESPACE_SIZE": ("JSM_NAMESPACE_RANK",)}


def settle() -> None:
    """Put streams and environment in order.

    Raises:
        UserError: standard output is closed, or a launcher's number is none.
    """
    closed = open_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Whatever the locale says; bytes of a name that are no text are written out.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if 1 in closed:
        raise UserError("standard output is closed: give it somewhere to go, such as > answers.jsonl")
    forget_ranks()


def open_closed() -> list[int]:
    """Open the null device for each of the first three descriptors that is closed; return which."""
    closed = []
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)  # takes the lowest that is free
            closed.append(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    return closed


def forget_ranks() -> None:
    """Take the numbers of processes that no launcher stands behind out of the environment.

    Raises:
        UserError: there is a launcher, and one of its numbers is none.
    """
    for launcher, names in LAUNCHERS.items():
        for name in names:
            if launcher not in os.environ:
                os.environ.pop(name, None)
            elif not os.environ.get(name, "0").isdecimal():
                raise UserError(f"{name}={os.environ[name]} in the environment is no number: unset it")


def complain(message: str, error: Exception | None = None, code: int = USER_ERROR) -> None:
    """Print one line on standard error, once however many processes fail.

    Args:
        message: of the line.
        error: behind it; under ``--verbose``, where it was raised is printed below the line.
        code: with which the process will end.
    """
    line = ending.line_of(code, " ".join(message.split("\n")))
    if line is None:
        return
    print(f"gru-nlp: {printable(line)}", file=sys.stderr)
    if error is not None and is_verbose():
        print(printable("".join(traceback.format_exception(error)).rstrip()), file=sys.stderr)


@contextlib.contextmanager
def output_errors(codes: list[int]) -> Iterator[None]:
    """Tell in a line that standard output cannot be written, or nothing where its reader has gone.

    Args:
        codes: takes the exit code where that happened.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        hide_output()
        codes.append(1)
    except OSError as error:
        if error.errno not in FULL:
            raise
        hide_output()
        complain(f"{error.filename or 'the output'} cannot be written: {error.strerror}")
        codes.append(USER_ERROR)


def hide_output() -> None:
    """Let what is still to be written to standard output go nowhere, so that Python does not complain at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
