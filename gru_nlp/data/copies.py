"""Files of a person's own, pipes among them, that are read more than once: to be hashed, and for their rows."""

import hashlib
import io
import os
import stat
import tempfile
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.data.files import BLOCK, Opener, buffered, content_hash, opened
from gru_nlp.errors import UserError

#: Most bytes that are kept of a pipe, which may have no end.
MOST_PIPED = 1 << 32


def is_pipe(path: Path) -> bool:
    """Return whether what stands at ``path`` can be read once only: neither a regular file nor a folder."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


class Copy:
    """What came through a pipe, read once and kept in a file without a name, which goes when the program does.

    Args:
        path: of the pipe.
        option: that names it, for messages.

    Raises:
        UserError: nothing came, it has no end, or it cannot be kept.
    """

    def __init__(self, path: Path, option: str) -> None:
        digest, size = hashlib.sha256(), 0
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when this object goes
        weakref.finalize(self, self.file.close)
        with opened(path, option, buffered) as pipe:
            while block := pipe.read1(BLOCK):
                size += len(block)
                if size > MOST_PIPED:
                    raise UserError(f"{path}: a pipe of more than {MOST_PIPED >> 30} GiB: set {option}=<file>")
                digest.update(block)
                try:
                    self.file.write(block)
                    self.file.flush()
                except OSError as error:
                    raise UserError(f"{path}: cannot be kept in {tempfile.gettempdir()}: {error.strerror}") from None
        if not size:
            raise UserError(f"{path}: nothing came through this pipe, which is read once (set {option}=<file>)")
        self.hash = digest.hexdigest()

    def open(self, path: Path) -> io.BufferedReader:
        """Return the content from its start; ``path`` is that of the pipe."""
        return io.BufferedReader(_Part(self.file.fileno()))


class _Part(io.RawIOBase):
    """A reader of an open file with a place of its own."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: os.fstat(self.descriptor).st_size}[whence]
        self.place = base + offset
        return self.place

    def readinto(self, buffer: Any, /) -> int:
        content = os.pread(self.descriptor, len(buffer), self.place)
        buffer[: len(content)] = content
        self.place += len(content)
        return len(content)


class File(NamedTuple):
    """A file of training or test data.

    Attributes:
        path: of it.
        option: that names it, for messages.
        copy: what came through it, where it is a pipe.
    """

    path: Path
    option: str
    copy: Copy | None = None

    @property
    def opener(self) -> Opener:
        """What opens it, as often as it is read."""
        return self.copy.open if self.copy else buffered

    def hash(self) -> str:
        """Return a hash of its content."""
        return self.copy.hash if self.copy else content_hash(self.path, self.option)
