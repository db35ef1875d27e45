r"""Characters as Python and the tokenizer library know them, written out for a browser, which has ideas of its own.

How it works. What ``\w``, a digit, a capital letter or a normal form is depends on a version of Unicode, and of those
Python, the tokenizer library's regular expressions, small letters and normal forms, and a browser have five. So the
page is given no property to look up, but the characters themselves: every class that a pattern holds is tried on every
character here, and written as the ranges of those that it takes, which any regular expression understands.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from tokenizers import Regex, normalizers, pre_tokenizers

#: A class of a pattern: brackets, which may hold others, a property, or a letter. ``web/characters.js`` has it too.
CLASS = re.compile(r"\[(?:\\.|\[[^\]]*\]|[^\]\\])*\]|\\p\{\w+\}|\\[wsS]")
#: What in brackets does not mean the same to every regular expression.
UNLIKE = re.compile(r"\\[pwsS]|&&")
#: The pieces of byte-level tokenizers (Radford et al. 2019), in whose JSON it does not stand.
BYTE_LEVEL = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
#: Characters tried at a time; the library takes the square of a longer text's length in time.
BLOCK = 4096
#: A mark that goes behind nearly every other (combining class 240).
LAST_MARK = "\u0345"
#: Characters that stand for all from there on to another: planes that nothing is in, and those for private use.
STANDING = {0x40000: 0xDFFFF, 0xE1000: 0xEFFFF, 0xF0000: 0x10FFFF}


def tables(patterns: Iterable[str]) -> dict[str, Any]:
    """Return what ``web/characters.js`` knows of characters, as plain values.

    Args:
        patterns: regular expressions of the tokenizer library that the page is to search with.
    """
    sources = {source for pattern in patterns for source in CLASS.findall(pattern) if UNLIKE.search(source)}
    letters = _every()
    return {
        "classes": {source: _taken(source) for source in sorted(sources)},
        "sets": {
            "word": ranges(re.findall(r"\w+", letters)),
            "space": ranges(re.findall(r"\s+", letters)),
            "alpha": ranges(filter(str.isalpha, letters)),
            "digit": ranges(filter(str.isdigit, letters)),
            "lower": ranges(filter(str.islower, letters)),
            "title": ranges(filter(str.istitle, letters)),
            "upper": ranges(filter(str.isupper, letters)),
            "mark": ranges(_marks()),
        },
        "lower": {
            "python": _changed(str.lower),
            "library": _changed(normalizers.Lowercase().normalize_str),
        },
        "inert": ranges(_inert()),
    }


def ranges(runs: Iterable[str]) -> str:
    """Return what stands in the brackets of a regular expression for characters.

    Args:
        runs: ascending, each of one character or of several that follow one another in ``_every``.
    """
    found: list[list[int]] = []
    for run in runs:
        first, last = ord(run[0]), ord(run[-1])
        if not found or found[-1][1] != first - 1:
            found.append([first, last])
        found[-1][1] = STANDING.get(last, last)
    return "".join(rf"\u{{{first:x}}}" + (rf"-\u{{{last:x}}}" if last > first else "") for first, last in found)


@cache
def _every() -> str:
    """Return every character there is, in order; of those that are nothing but alike the first."""
    return "".join(map(chr, (*range(0xD800), *range(0xE000, 0x40001), *range(0xE0000, 0xE1001), 0xF0000)))


def _blocks() -> Iterable[str]:
    letters = _every()
    return (letters[start : start + BLOCK] for start in range(0, len(letters), BLOCK))


@cache
def _taken(source: str) -> str:
    """Return the ranges of what a class takes in the tokenizer library's regular expressions."""
    split = pre_tokenizers.Split(Regex(f"{source}+"), "removed", invert=True)
    return ranges(piece for block in _blocks() for piece, _ in split.pre_tokenize_str(block))


@cache
def _marks() -> str:
    """Return what a tokenizer of word pieces cuts out by itself."""
    split = pre_tokenizers.BertPreTokenizer()
    found = (piece for block in _blocks() for piece, _ in split.pre_tokenize_str("a".join(["", *block])))
    return "".join(piece for piece in found if len(piece) == 1 and piece != "a")


def _changed(change: Callable[[str], str]) -> dict[str, str]:
    """Return the characters that ``change``, which treats each by itself, turns into others, and these."""
    pairs = zip(_every(), _each(change, _every()), strict=True)
    return {letter: other for letter, other in pairs if other != letter}


def _each(change: Callable[[str], str], letters: str, before: str = "") -> list[str]:
    """Return what becomes of each character, with ``before`` before it, by one call a block."""
    found: list[str] = []
    for start in range(0, len(letters), BLOCK):
        block = letters[start : start + BLOCK]
        found += (
            change("\0".join(before + letter for letter in block)).split("\0")
            if "\0" not in block
            else map(change, block)
        )
    return found


@cache
def _inert() -> str:
    """Return the characters whose normal form the library does not know, though a browser may.

    They have none there, go behind no mark, and join no neighbour. Python says which characters may have one: those of
    its Unicode, and those that it does not know itself. Of two that make a new one, at least one is new; it is taken to
    be newer than Unicode 3.2.
    """
    asked = "".join(letter for letter in _every() if unicodedata.category(letter) == "Cn" or _composed(letter))
    alone = _each(normalizers.NFKD().normalize_str, asked)
    behind = _each(normalizers.NFKD().normalize_str, asked, LAST_MARK)
    places = zip(asked, alone, behind, strict=True)
    unknown = {letter for letter, one, two in places if one == letter and two == LAST_MARK + letter} - {LAST_MARK}
    parts = {part for letter in unknown for part in unicodedata.normalize("NFD", letter)}
    return "".join(sorted(unknown | {part for part in parts if unicodedata.ucd_3_2_0.category(part) == "Cn"}))


def _composed(letter: str) -> bool:
    return bool(unicodedata.combining(letter)) or not unicodedata.is_normalized("NFKD", letter)
