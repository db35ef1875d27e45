"""Texts of any length for a translator: the blanks around them, the pieces of long ones, and one record of all."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.sentences import divided, joined
from gru_nlp.text.text_tokenizer import TextTokenizer


class Piece(NamedTuple):
    """What is translated at a time, and the blanks behind it."""

    text: str
    blanks: str


class Cut(NamedTuple):
    """A text, taken apart.

    Attributes:
        before: the blanks that it begins with.
        pieces: one, unless the text is too long; their last blanks end the text.
    """

    before: str
    pieces: list[Piece]


def cut(text: str, tokenizer: TextTokenizer, most: int, whole: int) -> Cut:
    """Take a text apart that is not blank.

    Args:
        text: with the blanks around it.
        tokenizer: of sources.
        most: tokens of a piece.
        whole: tokens of a text that stays whole, whatever sentences it has.
    """
    inner = text.lstrip()
    short = len(inner) < whole and inner.isascii()  # no token has less than a character
    pieces: list[Piece] = []
    for part in [inner] if short else divided(inner, tokenizer, most, whole):
        core = part.rstrip()
        if core:
            pieces.append(Piece(core.lstrip(), part[len(core) :]))
        else:
            pieces[-1] = pieces[-1]._replace(blanks=pieces[-1].blanks + part)
    return Cut(text[: len(text) - len(inner)], pieces)


def together(text: Cut, records: Sequence[Record]) -> Record:
    """Return the record of a text, out of those of its pieces.

    The ``score`` of a text in several pieces is the mean of theirs, weighted by the tokens of the translations; sums of
    log-probabilities, and tokens, are added up. Its n-th best translation joins the n-th best of each piece, or the
    last that a piece has. ``pieces`` are the sources and translations that it was made of.
    """
    record = dict(records[0])
    if len(records) > 1:
        record = _several(text, records)
    after = text.pieces[-1].blanks
    if text.before or after:
        record["translation"] = text.before + record["translation"] + after
        if "n_best" in record:
            record["n_best"] = [[text.before + found + after, score] for found, score in record["n_best"]]
    return record


def _several(text: Cut, records: Sequence[Record]) -> Record:
    weights = [record.get("tokens", 1) for record in records]
    translation, score = _one([(record["translation"], record["score"]) for record in records], text, weights)
    pieces = [[piece.text, record["translation"]] for piece, record in zip(text.pieces, records, strict=True)]
    whole: Record = {"translation": translation, "score": score}
    summed = [name for name in ("log_probability", "tokens") if name in records[0]]
    whole |= {name: sum(record[name] for record in records) for name in summed}
    if "n_best" in records[0]:
        whole["n_best"] = [list(_one(rank, text, weights)) for rank in _ranks(records)]
    return {**whole, "pieces": pieces}


def _ranks(records: Sequence[Record]) -> Iterator[list[tuple[str, float]]]:
    """Yield the n-th best translation of each piece with its score, the best first."""
    last: list[tuple[str, float]] = [("", float("-inf"))] * len(records)
    for found in zip_longest(*(record["n_best"] for record in records)):
        last = [tuple(new) if new is not None else old for new, old in zip(found, last, strict=True)]
        yield last


def _one(parts: Sequence[tuple[str, float]], text: Cut, weights: Sequence[int]) -> tuple[str, float]:
    whole = parts[0][0]
    for (translation, _), piece in zip(parts[1:], text.pieces, strict=False):
        whole = joined(whole, piece.blanks, translation)
    return whole, sum(score * weight for (_, score), weight in zip(parts, weights, strict=True)) / sum(weights)
