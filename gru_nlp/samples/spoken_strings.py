"""Strings of the digits of ``spoken_digits``, with what is said as their text."""

from functools import cache

import numpy as np

from gru_nlp.samples.spoken_digits import DIGITS, RATE, SPEAKERS, Row, spoken

SIZES = {"train": 320, "validation": 60, "test": 60}
#: Fewest and most digits of a string.
LEAST, MOST = 2, 5


@cache
def made(split: str) -> list[Row]:
    """Return the recordings of a split: strings by chance, the speakers in turn."""
    random = np.random.default_rng(100 + sum(map(ord, split)))
    names, known = list(SPEAKERS), list(DIGITS)
    rows = []
    for number in range(SIZES[split]):
        name = names[number % len(names)]
        digits = random.choice(known, random.integers(LEAST, MOST + 1)).tolist()
        sound = {"recording": spoken(digits, name, random), "rate": RATE, "name": f"string_{name}_{number}"}
        rows.append({**sound, "text": " ".join(digits), "speaker": name})
    return rows


def rows(split: str) -> list[Row]:
    """Return recordings as samples, with their rate, name, text and speaker."""
    return [dict(row) for row in made(split)]
