"""The one error type that a person sees as a single line, and the search for the word they may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in what the user gave: the message is one line that names the place and the option to change."""


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the candidate most like ``word``, or an empty string."""
    found = get_close_matches(word, list(candidates), n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else ""


def printable(text: str) -> str:
    """Return a text with its control characters written out, so that no name in a file steers a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter in "\n\t" or not is_control(letter) else f"\\x{ord(letter):02x}" for letter in text)


def is_control(letter: str) -> bool:
    """Return whether a character is a control character (C0, DEL or C1)."""
    return letter < " " or "\x7f" <= letter <= "\x9f"


def choose(option: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises:
        UserError: naming the option, the choices and the nearest of them.
    """
    known = list(choices)
    if value not in known:
        raise UserError(f"{option}={value} is not known: choose from {', '.join(known)}{nearest(value, known)}")
    return value
