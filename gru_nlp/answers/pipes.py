"""Pipes that pause: what came in is answered before more is waited for.

A reader of lines cannot tell whether the next one is there. So the pipe itself says when it is about to wait: it calls
what ``Pause.then`` holds, which answers the records read so far, and only then blocks. No thread reads ahead, so an
interrupt ends a command at once, and a record of several lines (quoted csv, columns of words) holds back no other.
"""

import io
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

#: For how long a pipe may be silent before what it gave is answered.
SILENCE_SECONDS = 0.1
#: For how long a pipe may trickle before what it gave is answered.
TRICKLE_SECONDS = 0.5


class Pause:
    """What is done before a pipe is waited for; nothing until ``then`` is set."""

    def __init__(self) -> None:
        self.then: Callable[[], None] | None = None
        self.last = time.monotonic()

    def __call__(self) -> None:
        """Do it."""
        if self.then:
            self.then()
        self.last = time.monotonic()


class Pipe(io.RawIOBase):
    """A pipe, terminal or socket that is read as it comes.

    Args:
        descriptor: of it.
        pause: called before the pipe is waited for, and again and again while it trickles.
        owned: whether it is closed with this object.
    """

    def __init__(self, descriptor: int, pause: Pause, owned: bool) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.pause = pause
        self.owned = owned

    def readable(self) -> bool:
        """Return true."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.descriptor

    def readinto(self, buffer: Any, /) -> int:
        """Read what is there; where nothing is, pause and wait for it."""
        if time.monotonic() - self.pause.last > TRICKLE_SECONDS or not self._filled(SILENCE_SECONDS):
            self.pause()
            self._filled(None)  # a descriptor that does not block, as a shell's may be, is waited for too
        content = os.read(self.descriptor, len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _filled(self, seconds: float | None) -> bool:
        if sys.platform == "win32":
            return False  # only sockets can be asked there
        return bool(select.select([self.descriptor], [], [], seconds)[0])

    def close(self) -> None:
        """Close the descriptor where it is this object's own."""
        if self.owned and not self.closed:
            os.close(self.descriptor)
        super().close()


def opened(path: Path, pause: Pause) -> io.BufferedReader:
    """Open a file; one that is no regular file as a pipe."""
    file = path.open("rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return io.BufferedReader(Pipe(os.dup(file.fileno()), pause, owned=True))


def standard_input(pause: Pause) -> IO[bytes]:
    """Return standard input, as a pipe where it is no regular file."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError):  # a stream in memory
        return sys.stdin.buffer
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return sys.stdin.buffer
    return io.BufferedReader(Pipe(descriptor, pause, owned=False))
