"""A prompt: what a person types at a terminal is answered line by line."""

import sys
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from gru_nlp.answers.reading import Entry, input_format
from gru_nlp.console import ask, say
from gru_nlp.data.files import check_encoding
from gru_nlp.errors import is_broken

PROMPT = "> "
ENDS = "Ctrl-Z and Enter end" if sys.platform == "win32" else "Ctrl-D ends"


def is_wanted(config: Mapping[str, Any]) -> bool:
    """Return whether a person sits at a terminal, and lines are read from it.

    Raises:
        UserError: there is no such ``input_format``.
    """
    return config["input"] is None and input_format(config["input_format"], None) == "lines" and sys.stdin.isatty()


def entries(encoding: str) -> Iterator[Entry]:
    """Yield what a person types, until the end of input; a line that cannot be read is asked for again.

    Args:
        encoding: of the terminal.

    Raises:
        UserError: there is no such encoding.
    """
    codec = check_encoding(encoding, "encoding")
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding=codec, errors="surrogateescape")
    say(f"a text a line; {ENDS}")
    for number in count(1):
        if not (line := _typed()):
            return
        text = line.rstrip("\r\n")
        if is_broken(text):
            say(f"this line is not {encoding}: type it again, or set encoding=<the terminal's>")
        else:
            yield Entry(text, text, f"standard input:{number}")


def _typed() -> str:
    """Return the next line; nothing at the end of input, where what follows then begins a line of its own."""
    line = ""
    try:
        ask(PROMPT)
        line = sys.stdin.readline()
    except OSError:  # the terminal has gone
        pass
    finally:
        if not line:
            ask("\n")
    return line
