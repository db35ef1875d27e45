"""Texts longer than a model reads, in pieces: at sentence ends, else at blanks, else after so many tokens.

A sentence ends after ``.``, ``!``, ``?`` or an ellipsis, and closing quotes and brackets, where a blank follows and no
small letter after it; but not after the period of a single letter or of one or two digits (``z. B.``, ``am 3. Mai``).
It ends after the marks of writing without such a rule wherever they stand: those of Chinese and Japanese, Arabic and
Urdu, Devanagari and its neighbours, Armenian, Ethiopic, Khmer and Burmese.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from gru_nlp.text.text_tokenizer import TextTokenizer

#: Share of texts that may have several sentences, or an abbreviation that looks like an end, where all others have one.
FEW = 0.01
_CLOSING = "[\"'”’»›)\\]」』）】》]{0,5}"
#: Runs are bounded, so that no text takes the square of its length.
_SPACED = rf"(?:(?<!\b[^\W_])(?<!\b\d\d)\.|[!?…])[.!?…]{{0,9}}{_CLOSING}\s+(?=(\S))"
_ANYWHERE = rf"[。！？｡؟۔।॥։።။។]+{_CLOSING}\s*"
_END = re.compile(f"{_SPACED}|{_ANYWHERE}")
#: Writing whose words have no blanks between them, and its marks.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, the blanks behind each among it; together they are the text."""
    start = 0
    for found in _END.finditer(text):
        if found[1] is None or not found[1].islower():
            yield text[start : found.end()]
            start = found.end()
    if start < len(text):
        yield text[start:]


def are_single(texts: Iterable[str]) -> bool:
    """Return whether nearly every text is a single sentence."""
    counts = Counter(sum(1 for _ in islice(sentences(text.strip()), 2)) > 1 for text in texts)
    return counts[True] <= FEW * counts.total()


def divided(text: str, tokenizer: TextTokenizer, most: int, whole: int) -> list[str]:
    """Return a text, or its sentences if it has more than ``whole`` tokens; these in pieces if they have over ``most``.

    Together the pieces are the text.
    """
    if tokenizer.count(text) <= whole:
        return [text]
    return [piece for sentence in sentences(text) for piece in _shorter(sentence, tokenizer, most)]


def _shorter(text: str, tokenizer: TextTokenizer, most: int) -> Iterator[str]:
    """Yield the pieces of a sentence, each with as many words as fit."""
    ends, start, first = [end for _, end in tokenizer.offsets(text)], 0, 0
    while len(ends) - first > most:
        last = max(ends[first + most - 1], start + 1)
        blank = text.rfind(" ", start + 1, last + 1)
        cut = blank + 1 if blank > start and text[start:blank].strip() else last
        yield from _halves(text[start:cut], tokenizer, most)
        start, first = cut, bisect_right(ends, cut, lo=first)
    yield from _halves(text[start:], tokenizer, most)


def _halves(text: str, tokenizer: TextTokenizer, most: int) -> Iterator[str]:
    """Yield a piece; halves of it if it has more tokens by itself than it had in its sentence."""
    if len(text) < 2 or tokenizer.count(text) <= most:
        if text:
            yield text
        return
    middle = text.find(" ", len(text) // 2) + 1
    middle = middle if 0 < middle < len(text) else len(text) // 2
    yield from _halves(text[:middle], tokenizer, most)
    yield from _halves(text[middle:], tokenizer, most)


def joined(before: str, blanks: str, after: str) -> str:
    """Return two translations as one; ``blanks`` stand between their sources.

    Where those are none, and the writing has blanks between words, one blank does; where it has none, none does, but
    line ends stay.
    """
    if "\n" in blanks or not before or not after:
        return before + blanks + after
    unspaced = _UNSPACED.match(before[-1]) or _UNSPACED.match(after[0])
    return before + ("" if unspaced else blanks or " ") + after
