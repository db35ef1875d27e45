"""A lexical short-list: the target tokens that each source token may become, learned from pairs of sentences.

How it works. IBM Model 1 (Brown et al. 1993, section 4.1): every target token is the translation of one source token of
its sentence, whichever. From equal probabilities on, rounds of expectation maximisation share each target token out
among the source tokens by what they are so far, and count. Kept are the likeliest target tokens of each source token,
and the most frequent ones of all, which may stand in any sentence. All pairs of tokens are arrays, so that a round is
a few passes over them. Jean et al. 2015, section 3.2, choose candidates like this.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.text.special import SPECIAL_TOKENS

ROUNDS = 5
#: Frequent target tokens that any sentence may hold, beside the special ones.
ALWAYS = 200
#: Most pairs of tokens that are looked at; of more, sentences are left out evenly.
MOST_PAIRS = 20_000_000


class Lexicon(NamedTuple):
    """Target ids, sorted: those of each source id, and those of any sentence, the special ones among them."""

    each: list[list[int]]
    always: list[int]


class Pairs(NamedTuple):
    """Source and target id of every pair of tokens that stand in one pair of sentences, and which target token it is.

    All ``(P,)``; target tokens are numbered through all sentences.
    """

    sources: IntArray
    targets: IntArray
    places: IntArray


def learn(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], sizes: tuple[int, int], best: int
) -> Lexicon:
    """Learn it.

    Args:
        sources, targets: ids of sentences that translate each other.
        sizes: of the vocabularies.
        best: target ids kept of each source id.
    """
    pairs = _pairs(sources, targets)
    cells, inverse = np.unique(pairs.sources * sizes[1] + pairs.targets, return_inverse=True)  # (C,), (P,)
    owners, likely = cells // sizes[1], np.ones(len(cells))
    for _ in range(ROUNDS):
        weights = likely[inverse]
        weights /= np.bincount(pairs.places, weights)[pairs.places]
        counts = np.bincount(inverse, weights, minlength=len(cells))
        likely = counts / np.bincount(owners, counts, minlength=sizes[0])[owners]
    order = np.lexsort((cells, -likely, owners))
    ranks = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
    kept = order[ranks < best]
    each: list[list[int]] = [[] for _ in range(sizes[0])]
    for owner, found in zip(owners[kept].tolist(), (cells[kept] % sizes[1]).tolist(), strict=True):
        each[owner].append(found)
    counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *map(np.asarray, targets)]).astype(np.int64))
    frequent = np.argsort(-counts, kind="stable")[:ALWAYS].tolist()
    return Lexicon([sorted(row) for row in each], sorted({*range(len(SPECIAL_TOKENS)), *frequent}))


def _pairs(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Pairs:
    """Pair the tokens of every two sentences."""
    total = sum(len(source) * len(target) for source, target in zip(sources, targets, strict=True))
    every = -(-total // MOST_PAIRS) or 1
    sources, targets = sources[::every], targets[::every]
    lengths, sizes = (np.array([len(row) for row in side], dtype=np.int64) for side in (sources, targets))
    flat, own = (
        np.concatenate([np.zeros(0, np.int64), *(np.asarray(row, np.int64) for row in side)])
        for side in (sources, targets)
    )
    times = np.repeat(lengths, sizes)  # of each target token: the source tokens of its sentence
    places = np.repeat(np.arange(len(own)), times)
    begins = np.repeat(np.cumsum(lengths) - lengths, sizes)  # where its sentence's source begins
    inside = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
    return Pairs(flat[begins[places] + inside], own[places], places)


def candidates(lexicon: Lexicon, rows: Sequence[Sequence[int]], *, joint: bool) -> list[AnyArray]:
    """Return the sorted target ids that may stand in the translations of sources, one array a source.

    Args:
        lexicon: learned.
        rows: source ids of each sentence.
        joint: whether source ids are target ids too, so that names and numbers may be copied.
    """
    found = []
    for row in rows:
        ids = set(lexicon.always)
        for token in set(row):
            ids.update(lexicon.each[token])
            if joint:
                ids.add(token)
        found.append(np.array(sorted(ids)))
    return found


def read(stored: Any, sizes: tuple[int, int]) -> Lexicon | None:
    """Return a stored lexicon for vocabularies of ``sizes``; None where it is none."""
    if not isinstance(stored, Mapping) or set(stored) != set(Lexicon._fields):
        return None
    each, always = stored["each"], stored["always"]
    if not isinstance(each, list) or len(each) != sizes[0]:
        return None
    for row in [*each, always]:
        if not isinstance(row, list) or not all(type(token) is int and 0 <= token < sizes[1] for token in row):
            return None
    return Lexicon(each, always) if set(range(len(SPECIAL_TOKENS))) <= set(always) else None
