"""N-grams of words and of characters as ids: what a bag-of-words model knows of a text.

How it works. A text in lower case is cut into words, or its blanks are made single ones; each word, or character, has a
number that depends on its letters alone. The hash of n neighbours is made from that of the first n - 1 and the number
of the last, for whole batches of texts at a time, words and characters one after the other. What is learned is a sorted
list of the 32-bit hashes that occur in two texts of training or more; the id of an n-gram is the rank of its hash
there, and an n-gram without one is left out. So the cost is that of the n-grams which occur, and the hashes are the
same in every process and on every machine.

An n-gram of a batch is one number, by which it is sorted, told from others and looked up: from its upper bits, the row
of its text, its kind (a word's 0, a character's 1), and its hash of 32 bits.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gru_nlp.text.cuts import SCRIPTS

Hashes = npt.NDArray[np.uint32]
Units = npt.NDArray[np.uint64]

KINDS = ("auto", "words", "characters", "both", "none")
#: Units of the longest n-grams; the shortest have one.
WORDS, CHARACTERS = 3, 4
#: Texts of training that must have an n-gram.
LEAST = 2
#: Characters read of a text; nothing that is written by hand is longer.
LONGEST = 1 << 18
#: Texts taken at a time.
CHUNK = 1000
#: Mean characters of a text up to which its characters are worth their cost beside its words (see scripts/LOG.md).
SHORT = 500
#: Share of characters in scripts without blanks from which on there are no words to find.
UNCUT = 0.3

_WORD = re.compile(r"\w+|[^\w\s]")
_UNCUT = re.compile(f"[{''.join(SCRIPTS.values())}]")
_ODD = np.uint64(0x9E3779B97F4A7C15)
#: Of SplitMix64's finaliser: bits that it shifts by, and what it multiplies by.
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
#: Of an n-gram as one number: where kind and row begin, and what is not its row.
_KIND, _ROW, _WITHIN = np.uint64(32), np.uint64(33), np.uint64((1 << 33) - 1)
_NONE = np.uint64((1 << 64) - 1)
#: Words whose numbers are kept.
REMEMBERED = 1 << 16


@dataclass(frozen=True, eq=False)
class Ngrams:
    """The n-grams that training knows, as sorted hashes; ids count through the words' first.

    Attributes:
        words: hashes of n-grams of words, ``(V_w,)``.
        characters: of n-grams of characters, ``(V_c,)``.
    """

    words: Hashes
    characters: Hashes

    @property
    def sizes(self) -> tuple[int, int]:
        """The numbers ``(V_w, V_c)``."""
        return len(self.words), len(self.characters)

    @cached_property
    def _table(self) -> Units:
        """All of them as numbers of a row 0, ``(V_w + V_c + 1,)``: the place of each is its id; the last is none."""
        characters = self.characters.astype(np.uint64) | np.uint64(1) << _KIND
        return np.concatenate([self.words.astype(np.uint64), characters, [_NONE]])

    def encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """Return the ids of each text's known n-grams, each once and ascending."""
        found = []
        for start in range(0, len(texts), CHUNK):
            found += self._encode(texts[start : start + CHUNK])
        return found

    def _encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        cuts = [cut(texts) for cut, known in ((_words, self.words), (_characters, self.characters)) if len(known)]
        if not cuts:
            return [np.zeros(0, dtype=np.int32)] * len(texts)
        found = _distinct(cuts)
        wanted = found & _WITHIN
        places = self._table.searchsorted(wanted)
        kept = self._table[places] == wanted
        ids = places[kept].astype(np.int32)
        if len(texts) == 1:
            return [ids]
        ends = np.cumsum(np.bincount((found[kept] >> _ROW).astype(np.int64), minlength=len(texts))).tolist()
        return [ids[start:end] for start, end in pairwise([0, *ends])]

    def state(self) -> dict[str, str]:
        """Return the hashes as plain values."""
        parts = {"words": self.words, "characters": self.characters}
        return {name: base64.b64encode(part.astype("<u4").tobytes()).decode() for name, part in parts.items()}


def bags(rows: Sequence[npt.NDArray[np.int32]], num_words: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the ids of ``rows`` one after the other, ``(M,)``, and where each row's words and characters begin.

    Args:
        rows: of B texts, as ``Ngrams.encode`` gives them.
        num_words: the number V_w of n-grams of words; ids from there on are of characters.

    Returns:
        Ids ``(M,)`` and starts ``(2 B,)``, int32 both.
    """
    starts: list[int] = []
    end = 0
    for row in map(np.asarray, rows):
        starts += (end, end + int(row.searchsorted(num_words)))
        end += len(row)
    return np.concatenate(rows).astype(np.int32), np.array(starts, dtype=np.int32)


def from_state(state: object) -> Ngrams | None:
    """Take back what ``Ngrams.state`` gave; None: it is something else."""
    if not isinstance(state, Mapping) or set(state) != {"words", "characters"}:
        return None
    words, characters = _hashes(state["words"]), _hashes(state["characters"])
    return None if words is None or characters is None else Ngrams(words, characters)


def _hashes(stored: object) -> Hashes | None:
    try:
        content = base64.b64decode(stored, validate=True) if isinstance(stored, str) else b"?"
        found = np.frombuffer(content, dtype="<u4").astype(np.uint32)
    except (binascii.Error, ValueError):
        return None
    return found if bool((found[1:] > found[:-1]).all()) else None


def choose_kind(texts: Iterable[str]) -> str:
    """Return which n-grams suit texts: ``characters`` without blanks, ``both`` in short ones, else ``words``."""
    letters = uncut = count = 0
    for text in islice(texts, 10 * CHUNK):
        shown = text[:LONGEST]
        letters, uncut, count = letters + len(shown), uncut + len(_UNCUT.findall(shown)), count + 1
    if uncut > UNCUT * letters:
        return "characters"
    return "both" if letters <= SHORT * count else "words"


def learn(texts: Iterable[str], kind: str, most: int) -> Ngrams:
    """Learn the n-grams of training.

    Args:
        texts: gone through once a kind of n-gram.
        kind: ``words``, ``characters`` or ``both``.
        most: n-grams that are kept at most, those of the most texts.
    """
    nothing = np.zeros(0, dtype=np.uint32)
    share = most // 2 if kind == "both" else most
    words = _frequent(texts, _words, share) if kind in ("words", "both") else nothing
    characters = _frequent(texts, _characters, share) if kind in ("characters", "both") else nothing
    return Ngrams(words, characters)


class _Cut(NamedTuple):
    """The units of a batch of texts one after the other.

    Attributes:
        units: ``(T,)``.
        rows: which text each is of, and its kind, as the upper bits of an n-gram's number have them, ``(T,)``.
        longest: units of the longest n-grams.
    """

    units: Units
    rows: Units
    longest: int


def _words(texts: Sequence[str]) -> _Cut:
    found = [_WORD.findall(text[:LONGEST].lower()) for text in texts]
    units = np.array([_number(word) for words in found for word in words], dtype=np.uint64)
    return _Cut(units, _rows(found, 0), WORDS)


def _characters(texts: Sequence[str]) -> _Cut:
    found = [f" {' '.join(text[:LONGEST].lower().split())} " for text in texts]
    codes = np.frombuffer("".join(found).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return _Cut(_mixed(codes + np.uint64(1)), _rows(found, 1), CHARACTERS)


def _rows(found: Sequence[Sequence[str]], kind: int) -> Units:
    return np.repeat(np.arange(kind, 2 * len(found), 2, dtype=np.uint64), [len(units) for units in found])


@lru_cache(REMEMBERED)
def _number(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _mixed(values: Units) -> Units:
    """Spread every bit over all others (the finaliser of SplitMix64, Steele et al. 2014)."""
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        shifted = values >> shift
        shifted ^= values
        shifted *= factor
        values = shifted
    return values ^ (values >> _SHIFTS[2])


def _distinct(cuts: Sequence[_Cut]) -> Units:
    """Return all n-grams of each text, each once, as numbers in ascending order.

    Args:
        cuts: of the same texts, in the order of their longest n-grams.
    """
    units, rows = (np.concatenate(parts) for parts in zip(*(cut[:2] for cut in cuts), strict=True))  # (T,)
    hashes, named, owners = units, [], []
    left = list(cuts)
    for size in range(1, cuts[-1].longest + 1):
        if size > 1:
            hashes = _mixed(hashes[:-1] * _ODD + units[size - 1 :])
        while left[0].longest < size:  # whose units stand first
            done = len(left.pop(0).units)
            hashes, units, rows = hashes[done:], units[done:], rows[done:]
        within = rows[size - 1 :] == rows[: len(hashes)]  # no n-gram reaches into the next text
        named.append(hashes[within] + np.uint64(size))
        owners.append(rows[: len(hashes)][within])
        if len(hashes) < 2:
            break
    found = np.concatenate(owners) << _KIND | _mixed(np.concatenate(named)) >> _KIND
    found.sort()
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found  # numpy.unique loads more


def _frequent(texts: Iterable[str], cut: Callable[[Sequence[str]], _Cut], most: int) -> Hashes:
    """Return the sorted hashes that at least ``LEAST`` texts have, of more than ``most`` the commonest."""
    known, counts = np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64)
    for chunk in _chunks(texts):
        hashes, numbers = np.unique(_distinct([cut(chunk)]).astype(np.uint32), return_counts=True)
        joined, places = np.unique(np.concatenate([known, hashes]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, numbers]), len(joined)).astype(np.int64)
        known = joined
    least = LEAST
    if int((counts >= least).sum()) > most:
        least = int(np.partition(counts, -most - 1)[-most - 1]) + 1
    return known[counts >= least]


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    stream = iter(texts)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk
