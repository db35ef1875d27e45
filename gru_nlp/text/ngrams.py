"""N-grams of words and of characters as ids: what a bag-of-words model knows of a text.

How it works. A text in lower case is cut into words, or its blanks are made single ones; each word, or character, has a
number that depends on its letters alone. The hash of n neighbours is made from that of the first n - 1 and the number
of the last, for whole batches of texts at a time. What is learned is a sorted list of the 32-bit hashes that occur in
two texts of training or more; the id of an n-gram is the rank of its hash there, and an n-gram without one is left out.
So the cost is that of the n-grams which occur, and the hashes are the same in every process and on every machine.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gru_nlp.text.cuts import SCRIPTS

Hashes = npt.NDArray[np.uint32]
Units = npt.NDArray[np.uint64]

KINDS = ("auto", "words", "characters", "both", "none")
#: Shortest and longest n-grams.
WORDS, CHARACTERS = (1, 3), (1, 4)
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


class Ngrams(NamedTuple):
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

    def encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """Return the ids of each text's known n-grams, each once and ascending."""
        found = []
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            parts = []
            if len(self.words):
                parts.append(_known(self.words, _distinct(_words(chunk), WORDS), 0))
            if len(self.characters):
                parts.append(_known(self.characters, _distinct(_characters(chunk), CHARACTERS), len(self.words)))
            found += _by_row(parts, len(chunk))
        return found

    def state(self) -> dict[str, str]:
        """Return the hashes as plain values."""
        return {name: base64.b64encode(part.astype("<u4").tobytes()).decode() for name, part in self._asdict().items()}


def bags(rows: Sequence[npt.NDArray[np.int32]], num_words: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the ids of ``rows`` one after the other, ``(M,)``, and where each row's words and characters begin.

    Args:
        rows: of B texts, as ``Ngrams.encode`` gives them.
        num_words: the number V_w of n-grams of words; ids from there on are of characters.

    Returns:
        Ids ``(M,)`` and starts ``(2 B,)``, int32 both.
    """
    ids = np.concatenate(rows).astype(np.int32)
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    words = np.concatenate([[0], np.cumsum(ids < num_words, dtype=np.int64)])  # how many before each place
    begins = np.concatenate([[0], ends[:-1]])
    return ids, np.stack([begins, begins + words[ends] - words[begins]], axis=1).reshape(-1).astype(np.int32)


def from_state(state: object) -> Ngrams | None:
    """Take back what ``Ngrams.state`` gave; None: it is something else."""
    if not isinstance(state, Mapping) or set(state) != set(Ngrams._fields):
        return None
    parts = [_hashes(state[name]) for name in Ngrams._fields]
    return None if any(part is None for part in parts) else Ngrams(*(part for part in parts if part is not None))


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
    words = _frequent(texts, _words, WORDS, share) if kind in ("words", "both") else nothing
    characters = _frequent(texts, _characters, CHARACTERS, share) if kind in ("characters", "both") else nothing
    return Ngrams(words, characters)


class _Cut(NamedTuple):
    """The units of a batch of texts one after the other, and where each text begins; ``(T,)`` and ``(B + 1,)``."""

    units: Units
    offsets: npt.NDArray[np.int64]


class _Found(NamedTuple):
    """Hashes and the rows that they stand in, sorted by row, then hash; ``(M,)`` each."""

    rows: npt.NDArray[np.int64]
    hashes: Hashes


def _words(texts: Sequence[str]) -> _Cut:
    found = [_WORD.findall(text[:LONGEST].lower()) for text in texts]
    numbers = {word: _number(word) for word in {word for words in found for word in words}}
    units = np.array([numbers[word] for words in found for word in words], dtype=np.uint64)
    return _Cut(units, np.cumsum([0, *map(len, found)], dtype=np.int64))


def _characters(texts: Sequence[str]) -> _Cut:
    found = [f" {' '.join(text[:LONGEST].lower().split())} " for text in texts]
    codes = np.frombuffer("".join(found).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return _Cut(_mixed(codes.astype(np.uint64) + np.uint64(1)), np.cumsum([0, *map(len, found)], dtype=np.int64))


def _number(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _mixed(values: Units) -> Units:
    """Spread every bit over all others (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _distinct(cut: _Cut, sizes: tuple[int, int]) -> _Found:
    """Return the hashes of all n-grams of each text, each once."""
    rows = np.repeat(np.arange(len(cut.offsets) - 1, dtype=np.uint64), np.diff(cut.offsets))  # (T,)
    hashes, named, owners = cut.units, [rows[:0]], [rows[:0]]
    for size in range(1, sizes[1] + 1):
        if size > 1:
            hashes = _mixed(hashes[:-1] * _ODD + cut.units[size - 1 :])
        if size < sizes[0]:
            continue
        within = rows[size - 1 :] == rows[: len(hashes)]  # no n-gram reaches into the next text
        named.append(hashes[within] + np.uint64(size))
        owners.append(rows[: len(hashes)][within])
        if len(hashes) < 2:
            break
    both = np.concatenate(owners) << np.uint64(32) | _mixed(np.concatenate(named)) >> np.uint64(32)
    both.sort()
    both = both[np.append(True, both[1:] != both[:-1])] if len(both) else both  # numpy.unique is slower, and loads more
    return _Found((both >> np.uint64(32)).astype(np.int64), both.astype(np.uint32))


def _frequent(texts: Iterable[str], cut: Any, sizes: tuple[int, int], most: int) -> Hashes:
    """Return the sorted hashes that at least ``LEAST`` texts have, of more than ``most`` the commonest."""
    known, counts = np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64)
    for chunk in _chunks(texts):
        hashes, numbers = np.unique(_distinct(cut(chunk), sizes).hashes, return_counts=True)
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


def _known(table: Hashes, found: _Found, first: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return rows and ids, from ``first`` on, of those hashes that ``table`` holds."""
    places = np.searchsorted(table, found.hashes)
    places[places == len(table)] = 0
    kept = table[places] == found.hashes
    return found.rows[kept], (places[kept] + first).astype(np.int32)


def _by_row(
    parts: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]], rows: int
) -> list[npt.NDArray[np.int32]]:
    """Return the ids of each row, those of the first part before those of the second."""
    owners = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
    ids = np.concatenate([np.zeros(0, np.int32), *(part[1] for part in parts)])
    ids = ids[np.argsort(owners, kind="stable")]
    return np.split(ids, np.cumsum(np.bincount(owners, minlength=rows))[:-1])
