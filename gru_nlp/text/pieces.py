"""Texts that hold a word without end, in pieces: what is made for words breaks off there, or takes for ever."""

import re
from collections.abc import Iterator

#: Most letters between two blanks; trainers of subwords take the square of it in time.
MOST_LETTERS = 10_000
_ENDLESS = re.compile(rf"\S{{{MOST_LETTERS + 1},}}")


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each piece of a text: one, unless it has a word of more than ``MOST_LETTERS``."""
    start = 0
    if len(text) > MOST_LETTERS:
        for run in _ENDLESS.finditer(text):
            for cut in range(run.start() + MOST_LETTERS, run.end(), MOST_LETTERS):
                yield start, cut
                start = cut
    yield start, len(text)
