"""Texts made short enough for a line: cut at a blank where there is one near the end, else between two letters.

A width is counted in columns of a terminal, where letters of East Asian scripts take two and marks on a letter none.
"""

import unicodedata

#: What stands for the rest of a text that was cut.
REST = "..."
#: What joins the character before it with the one after it: an emoji of several people is one character to a person.
JOINER = "\u200d"
#: Colours of skin, which belong to the emoji before them.
TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def shorten(text: str, width: int) -> str:
    """Return a text on one line of at most ``width`` columns; ``...`` stands for what was cut off.

    It is cut at its last blank that fits, unless that would throw away more than half of what fits, as in scripts
    without blanks; then at the last character that fits, never between a letter and its marks.

    Args:
        text: runs of blanks and line ends count as one blank.
        width: at least 5.
    """
    text = " ".join(text[: 8 * width].split()) + REST if len(text) > 8 * width else " ".join(text.split())
    if columns(text) <= width:
        return text
    room = width - len(f" {REST}")
    fits = text[: end(text, room)]
    words = fits if text[len(fits) : len(fits) + 1] == " " else fits.rpartition(" ")[0]
    if 2 * columns(words) >= room:
        return f"{words.rstrip()} {REST}"
    return text[: end(text, width - len(REST))].rstrip() + REST


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def end(text: str, room: int) -> int:
    """Return where the longest start of a text that takes at most ``room`` columns ends, after a whole character."""
    used, place = 0, 0
    for number, letter in enumerate(text):
        if not _joined(text, number):
            place = number
        used += _columns(letter)
        if used > room:
            return place
    return len(text)


def _columns(letter: str) -> int:
    if letter == JOINER or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _joined(text: str, number: int) -> bool:
    """Return whether a character belongs to the one before it."""
    letter = text[number]
    marks = letter == JOINER or letter in TONES or unicodedata.category(letter).startswith("M")
    return number > 0 and (marks or text[number - 1] == JOINER)
