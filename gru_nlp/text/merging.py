"""Byte-pair merges that are skipped at random (BPE dropout, Provilkov et al. 2020), by random numbers that keys give.

The library's own dropout takes its random numbers from the thread that happens to run, so no two runs draw alike. Here
the trained merges are read from the tokenizer's JSON and applied by this program.

How it works. In each step every merge that a word allows is skipped with probability p, and the best-ranked of those
left is applied (section 3, algorithm 1); a step that skips them all is the last. So the number that are skipped before
the best one left is distributed geometrically: one draw a step says it, and the draws of a whole batch are made at
once. A word whose draws are all 0 is what it is without dropout, which is known; only the others are merged anew.
"""

import json
import math
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.errors import UserError
from gru_nlp.text.draws import Keys, failures

#: Most characters of a word that is drawn; longer ones, which nobody writes, stay whole: time goes with the square.
MOST_DRAWN = 1000
#: Most characters of a word that is kept, and most such words; the commonest are met, and so kept, early.
MOST_KEPT = 32
MOST_WORDS = 1 << 16
#: Rank of a pair that is no merge.
NEVER = math.inf
#: Parts of the library's model that no tokenizer of ``gru_nlp.text.tokenizer`` has, and that would change its merges.
ABSENT = ("continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges")


class _Word(NamedTuple):
    """What is known of a word before anything is drawn.

    Attributes:
        ids: of its n characters.
        ranks: of its n - 1 pairs of neighbours; a draw is made for each, since a word has no more steps than pairs.
        whole: its ids when no merge is skipped.
    """

    ids: list[int]
    ranks: list[float]
    whole: list[int]


class Merges:
    """The merges of a trained byte-pair tokenizer, over characters or over bytes.

    Args:
        tokenizer: whose normaliser and words are used as they are.

    Raises:
        UserError: the tokenizer merges nothing.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        model = json.loads(tokenizer.to_str())["model"]
        if model["type"] != "BPE" or any(model.get(name) for name in ABSENT):
            raise UserError("bpe_dropout needs tokenizer=bpe or tokenizer=byte_bpe")
        self._normalizer, self._cutter, self._model = tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.model
        self._vocabulary: dict[str, int] = model["vocab"]
        self._unknown: int | None = self._vocabulary.get(model["unk_token"])
        self._ranks: dict[tuple[int, int], float] = {}
        self._merged: list[int] = []
        for rank, (left, right) in enumerate(model["merges"]):
            self._ranks[self._vocabulary[left], self._vocabulary[right]] = rank
            self._merged.append(self._vocabulary[left + right])
        self._words: dict[str, _Word] = {}

    def encode(self, texts: Sequence[str], share: float, keys: Keys) -> list[list[int]]:
        """Turn texts into lists of ids; what becomes of a text depends on it and its key alone.

        Args:
            texts: B of them.
            share: of merges skipped, from 0, which gives what the tokenizer itself does, to 1, which leaves characters.
            keys: ``(B,)``; a draw is made for each pair of neighbouring characters of each word.

        Returns:
            B lists.
        """
        rows = [self._cut(text) for text in texts]
        words = list(chain.from_iterable(rows))
        ends = np.cumsum([len(word.ranks) for word in words], dtype=np.int64)  # (W,)
        if 0.0 < share < 1.0:
            counts = np.array([sum(len(word.ranks) for word in row) for row in rows], dtype=np.int64)
            skips = failures(keys, counts, share)
        else:
            skips = np.full(int(ends[-1]) if words else 0, MOST_DRAWN * int(share))
        found = [word.whole for word in words]
        for place in np.unique(np.searchsorted(ends, np.flatnonzero(skips), side="right")).tolist():
            word, end = words[place], ends[place]
            found[place] = self._merge(word.ids, word.ranks, skips[end - len(word.ranks) : end].tolist())
        following = iter(found)
        return [[index for _ in row for index in next(following)] for row in rows]

    def _cut(self, text: str) -> list[_Word]:
        normal = self._normalizer.normalize_str(text)
        known, pieces = self._words, self._cutter.pre_tokenize_str(normal)
        return [known.get(piece) or self._read(piece) for piece, _ in pieces]

    def _read(self, piece: str) -> _Word:
        if len(piece) > MOST_DRAWN:
            return _Word([], [], [token.id for token in self._model.tokenize(piece)])
        all_ids: list[Any] = [self._vocabulary.get(character, self._unknown) for character in piece]
        ids: list[int] = [index for index in all_ids if index is not None]  # without <unk> the library leaves it out
        ranks = [self._ranks.get(pair, NEVER) for pair in pairwise(ids)]
        word = _Word(ids, ranks, self._merge(ids, ranks, [0] * len(ranks)))
        if len(piece) <= MOST_KEPT and len(self._words) < MOST_WORDS:
            self._words[piece] = word
        return word

    def _merge(self, characters: list[int], pairs: list[float], skips: list[int]) -> list[int]:
        """Return what becomes of n characters when each step skips so many of the best merges; ``skips`` has n - 1."""
        ids, ranks, known = characters.copy(), pairs.copy(), self._ranks
        for skip in skips:
            if skip >= len(ranks):
                break
            if skip:
                place = sorted(range(len(ranks)), key=ranks.__getitem__)[skip]  # of equals the first
                best = ranks[place]
            else:
                best = min(ranks)
                place = ranks.index(best)
            if best == NEVER:
                break
            merged = self._merged[int(best)]
            ids[place : place + 2] = [merged]
            del ranks[place]
            if place:
                ranks[place - 1] = known.get((ids[place - 1], merged), NEVER)
            if place < len(ranks):
                ranks[place] = known.get((merged, ids[place + 1]), NEVER)
        return ids
