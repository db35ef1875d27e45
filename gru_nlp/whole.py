"""Files that appear only once they are complete.

What is written goes into a file beside its place, on the same disk, which then takes the place in one rename: whoever
reads meets the old file or the new one, and a process that is killed meanwhile leaves the old one as it was.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from gru_nlp.errors import Fault

#: How the file beside ends; one that a killed process left behind is told by it.
PART = ".part"


def beside(path: Path) -> Path:
    """Return the name of the file beside ``path``, short enough wherever the name of ``path`` is."""
    return path.with_name(f".{path.name[:40]}.{os.getpid()}{PART}")


@contextlib.contextmanager
def _placed(path: Path, option: str | None) -> Iterator[Path]:
    """Give the name of a file beside, which takes the place of ``path`` once the block has ended without an error."""
    target = path.resolve()
    temporary = beside(target)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if error.filename not in (None, str(temporary)) or isinstance(error, BrokenPipeError):
            raise  # of something else that the block did
        told = f"{path}: cannot be written: {error.strerror or error}"
        raise Fault(told + (f" (set {option}=...)" if option else "")) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def bytes_whole(path: Path, option: str | None = None) -> Iterator[BinaryIO]:
    """Give a file of bytes that takes the place of ``path`` once the block has ended without an error.

    Args:
        path: of the file; a link is followed and stays.
        option: that chooses another place, for messages.

    Raises:
        Fault: it cannot be written, for instance since the disk is full.
    """
    with _placed(path, option) as temporary, temporary.open("wb") as file:
        yield file


@contextlib.contextmanager
def text_whole(path: Path, option: str | None = None) -> Iterator[TextIO]:
    """Give a file of UTF-8 text with line feeds; arguments and errors as ``bytes_whole``."""
    with (
        _placed(path, option) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        yield file


def write_whole(path: Path, text: str) -> None:
    """Write a small text.

    Raises:
        Fault: it cannot be written.
    """
    with text_whole(path) as file:
        file.write(text)


def clear(folder: Path) -> None:
    """Remove the files beside that killed processes left in a folder."""
    for left in folder.glob(f".*{PART}"):
        with contextlib.suppress(OSError):
            left.unlink()
