"""Words and letters that a tagger knows: id, look and letters of each word of a sentence.

A word is looked up in its normal form, its case and digits folded by option; its look and its letters are those of the
word as it is written. ``recased`` writes some sentences in capitals, or without any.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.forms import LACKING
from gru_nlp.preprocessing.rows import broken_state, distinct
from gru_nlp.text.shapes import shape
from gru_nlp.text.special import SPECIAL_TOKENS, UNK


class Vocabulary:
    """Ids of words and of letters, learned from training.

    Args:
        lowercase: look words up in lower case; their case shows in letters and shape.
        fold_digits: look words up with every digit as 0.
        min_frequency: times that a word must occur to have an id of its own.
        max_word_length: letters kept of a word.
        any_case: look a word that is unknown as it is written up as the most frequent one that it is in another case.

    Raises:
        UserError: ``any_case`` with ``lowercase``, which looks all words up so.
    """

    def __init__(
        self, *, lowercase: bool, fold_digits: bool, min_frequency: int, max_word_length: int, any_case: bool = False
    ) -> None:
        if any_case and lowercase:
            raise UserError(
                "preprocessing.any_case=true has no effect with lowercase: set preprocessing.lowercase=false"
            )
        self.lowercase = lowercase
        self.fold_digits = fold_digits
        self.min_frequency = min_frequency
        self.max_word_length = max_word_length
        self.any_case = any_case
        self.words: dict[str, int] = {}
        self.caseless: dict[str, int] = {}  # the first word of each lower-cased form, by ``any_case``
        self.unseen = 0  # of the last words, which only pretrained vectors know
        self.letters: dict[str, int] = {}

    def normal(self, word: str) -> str:
        """Return the form under which a word is looked up."""
        word = word.lower() if self.lowercase else word
        return "".join("0" if letter.isdigit() else letter for letter in word) if self.fold_digits else word

    def learn(self, raw: Counter[str], extra: Sequence[str], *, recased: bool = False) -> None:
        """Give ids to words and letters.

        Args:
            raw: words of training as they are written, and how often each occurs.
            extra: words of pretrained vectors.
            recased: whether training meets the letters of those words in both cases.
        """
        words = Counter[str]()
        for word, count in raw.items():
            words[self.normal(word)] += count
        known = (w for w, count in words.items() if count >= self.min_frequency and w not in SPECIAL_TOKENS)
        kept = sorted(known, key=lambda w: (-words[w], w))
        extra = [word for word in extra if word not in SPECIAL_TOKENS and self.normal(word) == word]
        rare = [word for word in extra if word in words]  # their vectors are known, and training meets them
        met = dict.fromkeys([*SPECIAL_TOKENS, *kept, *rare])
        self._number(dict.fromkeys([*met, *extra]))
        self.unseen = len(self.words) - len(met)
        written = [form for word in raw for form in (word, word.lower(), word.upper())] if recased else raw
        self._spell(sorted({letter for word in written for letter in word}))

    def _number(self, words: Iterable[str]) -> None:
        self.words = {word: index for index, word in enumerate(words)}
        if self.any_case:
            self.caseless = {}
            for word, index in self.words.items():
                self.caseless.setdefault(word.lower(), index)

    def _spell(self, letters: Sequence[str]) -> None:
        self.letters = {letter: index for index, letter in enumerate(letters, start=2)}  # after padding and unknown

    def encode(self, rows: Sequence[Sequence[str]]) -> dict[str, list[Any]]:
        """Return ``ids`` and ``shapes`` of the words of sentences, ``characters`` flat and ``character_lengths``."""
        seen: dict[str, tuple[int, int, list[int]]] = {}
        found = [[seen.get(word) or seen.setdefault(word, self._word(word)) for word in row] for row in rows]
        return {
            "ids": [[word[0] for word in row] for row in found],
            "shapes": [[word[1] for word in row] for row in found],
            "characters": [[letter for word in row for letter in word[2]] for row in found],
            "character_lengths": [[len(word[2]) for word in row] for row in found],
        }

    def _word(self, word: str) -> tuple[int, int, list[int]]:
        letters = [self.letters.get(letter, UNK) for letter in self.kept(word)]
        normal = self.normal(word)
        known = self.words.get(normal) or self.caseless.get(normal.lower(), UNK)
        # A person may well write <pad>, which is a word that nobody knows.
        return known if known >= len(SPECIAL_TOKENS) else UNK, shape(word), letters or [UNK]

    def written(self, batch: TaggingBatch[AnyArray]) -> list[list[str]]:
        """Return the words of a batch by the letters that are kept of each; ``LACKING`` for one that training lacks."""
        names = ["", LACKING, *self.letters]
        words = [
            "".join(names[letter] for letter in row[:length])
            for row, length in zip(batch.characters.tolist(), batch.character_lengths.tolist(), strict=True)
        ]
        rows = zip(batch.places.tolist(), batch.lengths.tolist(), strict=True)
        return [[words[place] for place in row[:length]] for row, length in rows]

    def kept(self, word: str) -> str:
        """Return the letters that are kept of a word."""
        return word[: self.max_word_length]

    def state(self) -> dict[str, Any]:
        """Return what was learned."""
        return {"words": list(self.words), "unseen": self.unseen, "characters": "".join(self.letters)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave; other entries are passed over.

        Raises:
            UserError: something in it is not as ``state`` gives it.
        """
        words, unseen, letters = distinct(state, "words"), state.get("unseen"), state.get("characters")
        if words[: len(SPECIAL_TOKENS)] != list(SPECIAL_TOKENS) or not isinstance(letters, str):
            raise broken_state("words")
        if len(set(letters)) != len(letters):
            raise broken_state("characters")
        if type(unseen) is not int or not 0 <= unseen <= len(words) - len(SPECIAL_TOKENS):
            raise broken_state("unseen")
        self._number(words)
        self.unseen = unseen
        self._spell(letters)

    def options(self) -> dict[str, Any]:
        """Return the options that bear on ``encode``."""
        options: dict[str, Any] = {
            "lowercase": self.lowercase,
            "fold_digits": self.fold_digits,
            "max_word_length": self.max_word_length,
        }
        return options | {"any_case": True} if self.any_case else options


def recased(rows: Sequence[Sequence[str]], share: float) -> dict[int, list[str]]:
    """Return the sentences that are written otherwise than they are: one half without capitals, one in capitals alone.

    The draw depends on the sentences alone, so that it is the same in a run which was stopped and resumed, and in any
    process. Other sentences stand beside a sentence in the next epoch, hence another draw.

    Args:
        rows: the words of each sentence of a batch.
        share: of the sentences that are written otherwise, on average.
    """
    random = np.random.default_rng(zlib.crc32("\0".join(" ".join(words) for words in rows).encode()))
    drawn = random.random(len(rows)).tolist()
    return {
        row: [word.lower() if chance < share / 2 else word.upper() for word in words]
        for row, (words, chance) in enumerate(zip(rows, drawn, strict=True))
        if chance < share
    }
