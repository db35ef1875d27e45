"""Locks that say that cached tables are in use, so that nobody removes them meanwhile."""

import contextlib
import os
import sys
import weakref
from pathlib import Path

if sys.platform != "win32":
    import fcntl

#: Times that a lock is asked for again, since its file was removed meanwhile.
TRIES = 100


class Use:
    """A table that is in use: from before it is looked for until this object goes, or the one of ``until``.

    Args:
        lock: the file whose lock says so; it is made, with its folder.
    """

    def __init__(self, lock: Path) -> None:
        self._end: weakref.finalize[[int], Use] | None = None
        with contextlib.suppress(OSError):  # of a folder of another user, or one that has no locks
            for _ in range(TRIES):
                try:
                    lock.parent.mkdir(parents=True, exist_ok=True)
                    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
                except FileNotFoundError:
                    continue  # its folder was removed meanwhile
                self._end = weakref.finalize(self, os.close, descriptor)
                os.utime(lock)
                if locked(descriptor, alone=False) and _stands(lock, descriptor):
                    return
                self._end()

    def until(self, thing: object) -> None:
        """Let the use end with another object."""
        if self._end is not None and (kept := self._end.detach()) is not None:
            _, close, given, _ = kept
            weakref.finalize(thing, close, *given)


def locked(descriptor: int, alone: bool) -> bool:
    """Lock an open file; alone: return False where somebody else has locked it."""
    if sys.platform != "win32":  # where no file can be removed that is open
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            return False
    return True


def _stands(lock: Path, descriptor: int) -> bool:
    """Return whether an open file still stands where it was opened."""
    try:
        return os.path.samestat(os.stat(lock), os.fstat(descriptor))
    except FileNotFoundError:
        return False
