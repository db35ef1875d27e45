"""What a person meets who starts a command at a terminal and types."""

import io
import signal

import pytest

from gru_nlp.answers import prompt


def test_predict_answers_each_line_at_once_and_ends_without_a_word(trained, terminal):
    here = terminal("predict", f"checkpoint={trained}", "format=lines")
    assert here.until(b"> ").endswith("a text a line; Ctrl-D ends\r\n")
    here.typed(b"a wonderful film\n")
    assert here.process.stdout.readline() == b"positive\n"
    here.typed("zäh \udcff\n".encode("utf-8", "surrogateescape"))
    here.until(b"this line is not utf-8: type it again, or set encoding=<the terminal's>\r\n> ")
    here.typed(b"a boring film\n")
    assert here.process.stdout.readline() == b"negative\n"
    here.until(b"> ")
    here.typed(b"\x04")
    assert here.end() == (0, "", "\r\n")


def test_an_interrupt_ends_the_line_and_the_command(trained, terminal):
    here = terminal("predict", f"checkpoint={trained}")
    here.until(b"> ")
    here.process.send_signal(signal.SIGINT)
    assert here.end() == (130, "", "\r\ngru-nlp: interrupted\r\n")


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
