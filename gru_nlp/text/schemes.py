"""Tag schemes of entities: looked for, checked, mended, and turned into one another.

A tag is ``O`` or a prefix and a type, ``B-PER``. IOB1 (Ramshaw and Marcus 1995) writes B only between neighbours of one
type, IOB2 at every start; BIOES closes an entity with E and writes a single word as S (BILOU: L and U), and BMES
writes M for the middle.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SCHEMES = ("iob1", "iob2", "bioes", "bmes")
OUTSIDE = "O"
TAG = re.compile(r"O|[BIESMLU]-\S+")
#: Share of sentences with tags that break the scheme above which a file is refused.
MIXED = 0.02
#: How other letters of the same meaning are read.
_CANONICAL = {"L": "E", "U": "S", "M": "I"}


class Span(NamedTuple):
    """An entity of the words from ``start`` up to ``end``, which is not part of it."""

    start: int
    end: int
    label: str


class Usage(NamedTuple):
    """What the tags of a file show of its scheme.

    Attributes:
        closing: E, S, L or U occurs, as in BIOES.
        middle: M occurs, as in BMES.
        inside_start: I starts an entity, as in IOB1.
        plain_start: B starts an entity that follows no neighbour of its type, as in all but IOB1.
    """

    closing: bool
    middle: bool
    inside_start: bool
    plain_start: bool


def split_tag(tag: str) -> tuple[str, str]:
    """Return prefix and type; BILOU's and BMES's letters as those of BIOES; ``("O", "")`` outside."""
    prefix, _, label = tag.partition("-")
    return _CANONICAL.get(prefix, prefix), label


def look(sentences: Iterable[Sequence[str]]) -> Usage:
    """Go through the tags of ``sentences``."""
    closing = middle = inside_start = plain_start = False
    for tags in sentences:
        before = (OUTSIDE, "")
        for tag in tags:
            prefix, label = split_tag(tag)
            closing |= prefix in ("E", "S")
            middle |= tag[:2] == "M-"
            inside_start |= prefix == "I" and not (before[1] == label and before[0] in ("B", "I"))
            plain_start |= prefix == "B" and before[1] != label
            before = (prefix, label)
    return Usage(closing, middle, inside_start, plain_start)


def guess(usage: Usage) -> str:
    """Return the scheme that ``usage`` fits best; IOB2 where nothing tells."""
    if usage.middle:
        return "bmes"
    if usage.closing:
        return "bioes"
    return "iob1" if usage.inside_start and not usage.plain_start else "iob2"


def starts(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Return whether an entity starts at a tag, by the rules of the CoNLL evaluation (broken tags included)."""
    if now[0] == OUTSIDE:
        return False
    return now[0] in ("B", "S") or before[0] in (OUTSIDE, "E", "S") or before[1] != now[1]


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities of the tags of a sentence, in any scheme, by the rules of the CoNLL evaluation."""
    found: list[Span] = []
    begun: int | None = None
    before = (OUTSIDE, "")
    for place, tag in enumerate([*tags, OUTSIDE]):
        now = split_tag(tag)
        if begun is not None and (now[0] == OUTSIDE or starts(before, now)):
            found.append(Span(begun, place, before[1]))
            begun = None
        if starts(before, now):
            begun = place
        before = now
    return found


def write(entities: Sequence[Span], words: int, scheme: str) -> list[str]:
    """Return the tags of ``words`` words in a scheme."""
    tags = [OUTSIDE] * words
    before: Span | None = None
    for span in entities:
        first, last = span.start, span.end - 1
        middle = "M" if scheme == "bmes" else "I"
        tags[first : span.end] = [f"{middle}-{span.label}"] * (span.end - first)
        neighbours = before is not None and before.end == first and before.label == span.label
        if scheme != "iob1" or neighbours:
            tags[first] = f"B-{span.label}"
        if scheme in ("bioes", "bmes"):
            tags[last] = f"{'S' if first == last else 'E'}-{span.label}"
        before = span
    return tags


def broken(tags: Sequence[str], scheme: str) -> int | None:
    """Return the place of the first tag that a scheme does not allow where it stands; None: there is none."""
    right = write(spans(tags), len(tags), scheme)
    for place, (tag, expected) in enumerate(zip(tags, right, strict=True)):
        if split_tag(tag) != split_tag(expected):
            return place
    return None


def moves(scheme: str, tags: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return ``(C + 1, C + 1)`` which of C ``tags`` of ``bioes`` or ``iob2`` may follow which; start and end last.

    A tag that goes on needs one of its type before it; in ``bioes`` nothing else may follow one that is still open.
    """
    pairs = [split_tag(tag) for tag in (*tags, OUTSIDE)]
    prefixes = np.array([prefix for prefix, _ in pairs])
    labels = np.unique([label for _, label in pairs], return_inverse=True)[1]
    begun = np.isin(prefixes, ["B", "I"])[:, None]  # (C + 1, 1): before
    goes_on = np.isin(prefixes, ["I", "E"])[None]  # (1, C + 1): after
    same = labels[:, None] == labels[None]
    return np.where(goes_on, begun & same, ~begun if scheme == "bioes" else True)
