"""What ends a run before its time: each told in one line, with what the run's folder keeps and how to go on."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from gru_nlp import checkpoint
from gru_nlp.console import is_first_process
from gru_nlp.errors import FULL, Fault, UserError, refused
from gru_nlp.processes import ending
from gru_nlp.training import run_folder

#: What a fault of the machine, or a mistake that shows only now, is raised as.
FAULTS = (UserError, OSError, RuntimeError, MemoryError)


@contextlib.contextmanager
def telling(folder: Path, *, trained: bool = False) -> Iterator[None]:
    """Tell of what ends the block in a line.

    Args:
        folder: of the run.
        trained: whether training is over, so that the best checkpoint is all that matters.

    Raises:
        Fault: what ended the block, and what of the run is kept. Mistakes and bugs go on as they are. In any case a
            folder that holds no checkpoint, be it of a language model that the run began with, is removed.
    """
    try:
        with silent_writers():
            yield
    except FAULTS as error:
        told = fault_of(error, folder)
        if is_first_process():
            run_folder.remove_unused(folder)
        if told is not None:
            raise Fault(f"{told}{kept(folder, trained)}") from None
        raise


def fault_of(error: Exception, folder: Path) -> str | None:
    """Return what to say of a fault that ended a run; None: the error is a mistake or a bug.

    Args:
        error: what was raised.
        folder: of the run, which loggers write to as well.
    """
    named = any(str(place) in str(error) for place in (folder, folder.absolute()))
    if isinstance(error, UserError | OSError) and named and not folder.is_dir():
        return f"{folder}: the run folder has gone, with all that was saved there: train anew"
    if isinstance(error, Fault):
        return str(error)
    if not isinstance(error, OSError):
        told = refused(error) or ending.lost(error)
        return None if told is None else str(told)
    own = error.filename is not None and folder.absolute() in Path(os.fsdecode(error.filename)).absolute().parents
    if not own and error.errno not in FULL:
        return None
    return f"{error.filename if own else folder}: cannot be written: {error.strerror}"


def kept(folder: Path, trained: bool) -> str:
    """Return what a run folder still holds and what to do with it, to stand behind a message; nothing: an empty text.

    Args:
        folder: of a run, or of a language model that one begins with.
        trained: whether training is over.
    """
    held = [name for name in (checkpoint.BEST, checkpoint.LAST) if (folder / name).is_file()]
    if not held:
        return ""
    told = f"; {folder} keeps {' and '.join(held)}"
    if not (folder / run_folder.CONFIG).is_file():
        return told
    if trained:
        return f"{told}: score it by gru-nlp evaluate checkpoint={folder}"
    return f"{told}: go on by resume={folder}" if checkpoint.LAST in held else told


@contextlib.contextmanager
def silent_writers() -> Iterator[None]:
    """Let the threads of loggers fail without a traceback: what they meet is raised where they are next written to."""
    usual = threading.excepthook

    def told_elsewhere(failed: threading.ExceptHookArgs) -> None:
        if not isinstance(failed.exc_value, OSError):
            usual(failed)

    threading.excepthook = told_elsewhere
    try:
        yield
    finally:
        threading.excepthook = usual
