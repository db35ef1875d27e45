"""Stopping a run from outside: what is under way is saved, and one line says how to go on."""

import contextlib
import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from gru_nlp.console import say

#: What asks a run to stop, and what a shell takes for the exit code of a process that a signal ended.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
BY_SIGNAL = 128


class Left(Exception):
    """Training was left within an epoch; all is saved."""


class Stopped(KeyboardInterrupt):
    """A run was stopped from outside; the message says how to go on.

    Args:
        folder: of the run, in which all is saved.
        code: to exit with.
    """

    def __init__(self, folder: Path, code: int) -> None:
        super().__init__(f"stopped and saved: go on with gru-nlp train {shlex.quote(f'resume={folder}')}")
        self.code = code


def heard() -> dict[signal.Signals, Any]:
    """Return the signals that may stop this thread, with what they do so far."""
    if threading.current_thread() is not threading.main_thread():
        return {}  # signals reach the main thread alone
    before = {number: signal.getsignal(number) for number in SIGNALS}
    # What a script starts in the background is to ignore Ctrl-C.
    return {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}


class Asked:
    """Whether the run was asked to stop, by Ctrl-C or by SIGTERM."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.before: dict[signal.Signals, Any] = {}

    def wanted(self) -> bool:
        """Return whether it was."""
        return self.signal is not None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take note of the first such signal; the second does at once what it would have done without this."""
        self.before = heard()
        self.listen()
        try:
            yield
        finally:
            self._give_back()
            self.before = {}

    def listen(self) -> None:
        """Listen, and nobody else: at SIGTERM Lightning would leave the run wherever it is, with nothing saved."""
        for number in self.before:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._give_back()
        say("stopping once this is saved: after a batch, or after a validation; a second signal stops at once")

    def _give_back(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def stopped(self, folder: Path) -> Stopped:
        """Return what to raise once all is saved in the ``folder`` of the run."""
        return Stopped(folder, BY_SIGNAL + (self.signal or signal.SIGTERM))


@contextlib.contextmanager
def leaving(folder: Path) -> Iterator[None]:
    """Let a signal stop the block at once; what it begins from is saved already.

    Args:
        folder: of the run.

    Raises:
        Stopped: a signal came, whatever Lightning made of it.
    """
    asked, before = Asked(), heard()

    def stop(number: int, frame: FrameType | None) -> None:
        asked.signal = number
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if asked.wanted():
            raise asked.stopped(folder) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
