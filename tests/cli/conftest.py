"""Commands at a terminal."""

import os
import signal
import subprocess
import sys

import pytest


class Terminal:
    """A command whose standard input and error are a terminal, and whose output is a pipe."""

    def __init__(self, *arguments, **environment):
        self.ours, theirs = os.openpty()
        own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
        command = [sys.executable, "-m", "gru_nlp", *arguments]
        # What a shell starts in the background ignores interrupts, and its children would too.
        kept = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=own)
        signal.signal(signal.SIGINT, kept)
        os.close(theirs)
        self.seen = b""

    def until(self, wanted):
        """Read what the terminal shows until ``wanted`` is there, which is taken off."""
        while wanted not in self.seen:
            self.seen += os.read(self.ours, 1000)
        before, _, self.seen = self.seen.partition(wanted)
        return before.decode(errors="replace")

    def typed(self, keys):
        os.write(self.ours, keys)

    def end(self):
        """Return the exit code and what is left of either stream."""
        try:
            while more := os.read(self.ours, 1000):
                self.seen += more
        except OSError:  # Linux says so that nobody holds the other end
            pass
        os.close(self.ours)
        left = self.process.communicate(timeout=60)[0]
        return self.process.returncode, left.decode(), self.seen.decode(errors="replace")


@pytest.fixture
def terminal():
    """Return what starts a command at a terminal, where the system has such."""
    pytest.importorskip("pty", reason="terminals of POSIX systems")
    return Terminal
