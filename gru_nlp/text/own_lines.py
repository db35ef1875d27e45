"""The lines of a file that a person has written for this program."""

from collections.abc import Iterator
from pathlib import Path

from gru_nlp.errors import UserError

#: Most bytes of such a file; the glossary of a whole trade, and the places of a continent, have fewer.
MOST_BYTES = 16 << 20


def own_lines(path: str | Path, option: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, each with its number, from 1.

    Args:
        path: of the file, UTF-8.
        option: that names it, for messages.

    Raises:
        UserError: it cannot be read, or a line is no UTF-8.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror} (see {option})") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: more than {MOST_BYTES >> 20} MB, which is too large (see {option})")
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            text = line.decode("utf-8-sig").rstrip("\r")
        except UnicodeDecodeError:
            raise UserError(f"{path}:{number}: not utf-8 (see {option})") from None
        if text.strip():
            yield number, text
