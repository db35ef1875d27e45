"""Texts with spans of characters, as tags of their words."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gru_nlp.data.values import Defect
from gru_nlp.text import schemes
from gru_nlp.text.words import Word

#: What can be done with spans that share a word.
OVERLAPS = ("refuse", "longest")


class Marked(NamedTuple):
    """A text whose spans are tags of its words.

    Attributes:
        words, tags: of the text, in IOB2.
        widened: the first span that cuts a word, which belongs to it as a whole; empty: none does.
        dropped: spans that were left out.
    """

    words: list[str]
    tags: list[str]
    widened: str
    dropped: int


def from_spans(text: str, words: Sequence[Word], given: Any, overlap: str = "refuse") -> Marked:
    """Return words and IOB2 tags of a text with spans.

    Args:
        text: as it was given.
        words: of the text.
        given: spans of characters with their types.
        overlap: ``refuse`` spans that share a word, or keep the ``longest``, of equally long ones the first.

    Raises:
        Defect: a span has no such form, lies outside the text, touches no word, or one of another span that is refused.
    """
    found: list[tuple[schemes.Span, int, int]] = []
    starts, ends = [word.start for word in words], [word.end for word in words]
    for start, end, label in sorted(_triples(given)):
        if not 0 <= start < end <= len(text):
            raise Defect(f"the span {start} to {end} is not inside the text, which has {len(text)} characters")
        first, after = bisect_right(ends, start), bisect_left(starts, end)
        if first == after:
            raise Defect(f"the span {start} to {end} holds no word")
        if found and first < found[-1][0].end and overlap == "refuse":
            raise Defect(
                f"the span {start} to {end} shares a word with the one before it "
                "(mend it, or keep the longest: data.overlap=longest)"
            )
        found.append((schemes.Span(first, after, label), start, end))
    kept = _longest(found, len(words)) if overlap == "longest" else found
    widened = (
        f"the span {start} to {end} cuts a word"
        for span, start, end in kept
        if words[span.start].start < start or words[span.end - 1].end > end
    )
    tags = schemes.write([span for span, _, _ in kept], len(words), "iob2")
    return Marked([word.text for word in words], tags, next(widened, ""), len(found) - len(kept))


def _longest(found: Sequence[tuple[schemes.Span, int, int]], count: int) -> list[tuple[schemes.Span, int, int]]:
    """Return, in their order, the spans that share no word with a longer one that is kept, by characters as given."""
    free = [True] * count
    kept = []
    for place, (span, _, _) in sorted(enumerate(found), key=lambda one: one[1][1] - one[1][2]):
        if all(free[span.start : span.end]):
            free[span.start : span.end] = [False] * (span.end - span.start)
            kept.append(place)
    return [found[place] for place in sorted(kept)]


def _triples(given: Any) -> Iterator[tuple[int, int, str]]:
    for span in given if isinstance(given, list) else [None]:
        values = [span.get(key) for key in ("start", "end", "label")] if isinstance(span, dict) else span
        if isinstance(values, list) and len(values) == 3:
            start, end, label = values
            named = (isinstance(label, str) and label.strip()) or type(label) is int
            if type(start) is type(end) is int and named:
                yield start, end, "_".join(str(label).split())
                continue
        raise Defect('spans need [start, end, label] or {"start": 0, "end": 4, "label": "PER"}')
