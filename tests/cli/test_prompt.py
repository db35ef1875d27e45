"""What a person meets who starts a command at a terminal and types."""

import io
import os
import signal
import subprocess
import sys

import pytest

from gru_nlp.answers import prompt

pty = pytest.importorskip("pty", reason="terminals of POSIX systems")


class Terminal:
    """A command whose standard input and error are a terminal, and whose output is a pipe."""

    def __init__(self, *arguments, **environment):
        self.ours, theirs = pty.openpty()
        own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
        command = [sys.executable, "-m", "gru_nlp", *arguments]
        self.process = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=own)
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
        left = self.process.communicate(timeout=60)[0]
        try:
            while more := os.read(self.ours, 1000):
                self.seen += more
        except OSError:  # Linux says so that nobody holds the other end
            pass
        os.close(self.ours)
        return self.process.returncode, left.decode(), self.seen.decode(errors="replace")


def test_predict_answers_each_line_at_once_and_ends_without_a_word(trained):
    terminal = Terminal("predict", f"checkpoint={trained}", "format=lines")
    assert terminal.until(b"> ").endswith("a text a line; Ctrl-D ends\r\n")
    terminal.typed(b"a wonderful film\n")
    assert terminal.process.stdout.readline() == b"positive\n"
    terminal.typed("zäh \udcff\n".encode("utf-8", "surrogateescape"))
    terminal.until(b"this line is not utf-8: type it again, or set encoding=<the terminal's>\r\n> ")
    terminal.typed(b"a boring film\n")
    assert terminal.process.stdout.readline() == b"negative\n"
    terminal.until(b"> ")
    terminal.typed(b"\x04")
    assert terminal.end() == (0, "", "\r\n")


def test_an_interrupt_ends_the_line_and_the_command(trained):
    terminal = Terminal("predict", f"checkpoint={trained}")
    terminal.until(b"> ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == (130, "", "\r\ngru-nlp: interrupted\r\n")


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"input": None, "input_format": None}, True),
        ({"input": None, "input_format": "lines"}, True),
        ({"input": None, "input_format": "csv"}, False),
        ({"input": "a.txt", "input_format": None}, False),
    ],
)
def test_only_lines_from_a_terminal_are_asked_for(config, wanted, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not prompt.is_wanted(config)
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    assert prompt.is_wanted(config) == wanted


def test_a_terminal_that_goes_away_is_the_end_of_input(monkeypatch, capsys):
    class Gone(io.StringIO):
        def readline(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", Gone())
    assert list(prompt.entries("utf-8")) == []
    assert capsys.readouterr().err.endswith("> \n")
