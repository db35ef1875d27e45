"""Sentences of words, each with a tag in one sense or another: what readers of entities and of single tags share.

How it works. ``encode`` finds id, shape and letters of each distinct word once a call (``vocabulary``) and joins them
by sentence; the letters of a sentence stand in one flat list beside the words' lengths, since a table of flat lists
stays mapped from disk. ``collate`` keeps the letters of the distinct words of a batch (``spelling``) with the
``places`` where each stands, so that the model spells a word once however often it occurs. Raw text is cut into words
as training was (``text.cuts``), sentences and windows of long ones before (``cut``).
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.console import remark
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Flat, Preprocessor
from gru_nlp.preprocessing.lists import Lists, cut_lists, stored_lists
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    Columns,
    Hints,
    Record,
    Rows,
    Text,
    broken_state,
    distinct,
    pad,
    sizes_of,
)
from gru_nlp.preprocessing.spelling import spelled
from gru_nlp.preprocessing.vocabulary import Vocabulary, recased
from gru_nlp.preprocessing.windows import Owner, spots_of
from gru_nlp.text import schemes
from gru_nlp.text.cuts import Cut, learn
from gru_nlp.text.gazetteers import WordList
from gru_nlp.text.shapes import SHAPES
from gru_nlp.text.word_habits import learn_rules
from gru_nlp.text.word_pattern import Rules
from gru_nlp.text.words import (
    Word,
    joined,
    make_splitter,
    sentences,
    split_words,
    stored_cut,
    stored_word_rules,
    windows,
)

#: Words that neighbouring windows of a long sentence share.
OVERLAP = 32
#: Most labels; with every pair of tags a transition, more of them make no small model.
MOST_LABELS = 2000


class WordsPreprocessor(Preprocessor):
    """Vocabularies of words and characters, and names of tags; what a tag says is for those below.

    Args:
        lowercase: look words up in lower case; their case shows in characters and shape.
        fold_digits: look words up with every digit as 0.
        min_frequency: times that a word must occur to have an id of its own.
        max_word_length: characters kept of a word.
        max_words: words of a window of raw text; longer sentences are cut into overlapping ones.
        recase: share of sentences that training reads without capitals, or in capitals alone, half each, drawn anew
            every epoch, so that the model relies less on case (Mayhew et al. 2019); the tags stay.
        oversample: share of the sentences below which those that hold a tag or type are rare: training reads them more
            often, by the root of what they lack of it (repeat factor sampling, Gupta et al. 2019, section 5); 0: none.
        any_case: without ``lowercase``, look a word that is unknown as it is written up as the most frequent one that
            it is in another case.
    """

    list_columns: tuple[str, ...] = ("ids", "shapes", "characters", "character_lengths", "target")
    length_columns = ("ids",)
    scalar_columns = ("tokens",)
    input_column = "words"

    def __init__(
        self,
        *,
        lowercase: bool,
        fold_digits: bool,
        min_frequency: int,
        max_word_length: int,
        max_words: int,
        recase: float,
        any_case: bool,
        oversample: float = 0.0,
    ) -> None:
        self.vocabulary = Vocabulary(
            lowercase=lowercase,
            fold_digits=fold_digits,
            min_frequency=min_frequency,
            max_word_length=max_word_length,
            any_case=any_case,
        )
        self.recase = recase
        self.oversample = oversample
        if recase:
            self.raw_columns = ("words",)
        if max_words <= OVERLAP:
            raise UserError(f"preprocessing.max_words={max_words} must be above {OVERLAP}, the overlap of two windows")
        self.max_words = max_words
        self._cut({})
        self.labels: list[str] = []
        self.tags: list[str] = []
        self._listed([])

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn words and characters from the column ``words``, what they are tagged with, and how words are cut.

        Raises:
            UserError: there is nothing to learn from the tags, or there are too many of them.
        """
        raw = Counter[str]()
        for batch in rows.iter(FIT_BATCH):
            for sentence in batch["words"]:
                raw.update(sentence)
        self._learn_labels(rows)
        if len(self.labels) > MOST_LABELS:
            told = f"the training data has {len(self.labels):,} different tags, and at most {MOST_LABELS:,} are learned"
            raise UserError(f"{told}: see data.columns and data.tag")
        self.vocabulary.learn(raw, hints.extra_words, recased=self.recase > 0)
        learned = learn(raw)
        self._cut(learned.cut, learn_rules(raw, learned.cut))
        if learned.remark:
            remark(learned.remark)

    @abstractmethod
    def _learn_labels(self, rows: Rows) -> None:
        """Learn labels and tags from the rows, in whose sentences words are looked up as they were learned."""

    @abstractmethod
    def _labels(self, labels: list[str]) -> None:
        """Keep the labels, and the tags that they make."""

    @abstractmethod
    def _targets(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return the ids of the tags of sentences.

        Raises:
            RowError: training does not have one.
        """

    def use_gazetteers(self, lists: Sequence[WordList]) -> None:
        """Keep the phrases of lists."""
        self._listed(cut_lists(lists, self.splitter))

    def _listed(self, lists: Sequence[WordList]) -> None:
        self.lists = Lists(lists, caseless=self.vocabulary.lowercase)
        self.list_columns = (*type(self).list_columns, *self.lists.columns())

    def told(self) -> dict[str, str]:
        """Return the word lists with their sizes."""
        return self.lists.told()

    def _cut(self, cut: Cut, rules: Rules | None = None) -> None:
        self.scripts, self.rules = cut, rules
        self.splitter: Tokenizer = make_splitter(cut, rules)

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``words`` -> ``ids``, ``shapes``, flat ``characters``; the column of tags -> ``target``."""
        result = self.vocabulary.encode(columns["words"])
        result["tokens"] = [len(row) for row in columns["words"]]
        result |= self.lists.encode(columns["words"])
        if self.data_columns[1] in columns:
            result["target"] = self._targets(columns[self.data_columns[1]])
        return result

    def collate(self, columns: Columns, training: bool) -> TaggingBatch[AnyArray]:
        """Pad; spell each distinct word once; in training write a share of the sentences in another case."""
        if training and self.recase:
            columns = self._recased(columns)
        lengths = sizes_of(columns["ids"])
        words = spelled(columns["characters"], columns["character_lengths"])
        ends = np.cumsum(lengths)[:-1]
        targets = pad(columns["target"], lengths) if "target" in columns else None
        return TaggingBatch(
            inputs=pad(columns["ids"], lengths),
            lengths=lengths,
            shapes=pad(columns["shapes"], lengths),
            characters=words.letters,
            character_lengths=words.lengths,
            places=pad(np.split(words.places, ends), lengths),
            targets=targets,
            lists=self.lists.padded(columns, lengths),
        )

    def _recased(self, columns: Columns) -> dict[str, list[Any]]:
        """Return encoded columns, a share of the sentences as they are in another case."""
        chosen = recased(columns["words"], self.recase)
        written = self.encode({"words": list(chosen.values())})
        result = {name: list(values) for name, values in columns.items()}
        for place, row in enumerate(chosen):
            for name, values in written.items():
                result[name][row] = values[place]
        return result

    def repeats(self, flat: Flat, rows: int) -> AnyArray | None:
        """Return how often training reads each sentence: the more often, the rarer the rarest of its types is."""
        if not self.oversample:
            return None
        labels = np.array([self.label_of(tag) for tag in self.tags])
        owners, tags = flat("target")
        inside = labels[tags] >= 0
        sentences, held = np.unique(np.stack([owners, labels[tags]])[:, inside], axis=1)  # (M,) both, each pair once
        shares = np.bincount(held, minlength=len(self.labels)) / rows
        factors = np.sqrt(self.oversample / np.maximum(shares, 1 / rows))
        repeats = np.ones(rows)
        np.maximum.at(repeats, sentences, factors[held])
        return repeats

    @abstractmethod
    def label_of(self, tag: str) -> int:
        """Return the number of the label that a tag is of; -1: of none."""

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Owner]]:
        """Split texts into words, sentences, and windows of long ones; a list is taken as words already."""
        raw = [text if isinstance(text, str) else "" for text in texts]
        pieces: list[list[str]] = []
        owners: list[Owner] = []
        for number, (text, words) in enumerate(zip(texts, split_words(self.splitter, raw), strict=True)):
            given = list(text) if not isinstance(text, str) else [word.text for word in words]
            parts = sentences(words, text, bool(self.scripts)) if isinstance(text, str) else [range(len(given))]
            for part in parts:
                for window in windows(len(part), self.max_words, OVERLAP):
                    chosen = part[window.start : window.stop]
                    pieces.append([given[place] for place in chosen])
                    owners.append((number, chosen.start))
        return {"words": pieces}, owners

    def searches(self) -> list[Tokenizer]:
        """Return what cuts raw text into words."""
        return [self.splitter]

    def typed(self, text: Text) -> str | None:
        """Return words as raw text: without blanks where it is cut into the same words, as letters of Chinese are."""
        return joined(self.splitter, [str(word) for word in text])

    def spots(self, text: Text) -> list[Word]:
        """Return the words of a text with their places; those of a list as if they were joined by blanks."""
        return split_words(self.splitter, [text])[0] if isinstance(text, str) else spots_of(text)

    def truth(self, columns: Columns) -> list[Record]:
        """Return ``words`` and ``target``."""
        pairs = zip(columns["words"], columns[self.data_columns[1]], strict=True)
        return [{"words": words, "target": tags} for words, tags in pairs]

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the vocabularies."""
        return {
            "vocabulary_size": len(self.vocabulary.words),
            "unseen_words": self.vocabulary.unseen,
            "num_shapes": len(SHAPES),
            **self.lists.sizes(),
            "num_characters": len(self.vocabulary.letters) + 2,
        }

    def tokens(self) -> list[str]:
        """Return the words in the order of their ids."""
        return list(self.vocabulary.words)

    def label_names(self) -> list[str]:
        """Return the entity types."""
        return list(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return vocabularies, labels, how raw text is cut, and word lists."""
        parts = {**self.vocabulary.state(), **self.lists.state()}
        rules = {} if self.rules is None else {"rules": self.rules.state()}
        return {**parts, "labels": list(self.labels), "cut": dict(self.scripts), **rules}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        labels = distinct(state, "labels")
        if not 0 < len(labels) <= MOST_LABELS or not all(schemes.TAG.fullmatch(f"B-{label}") for label in labels):
            raise broken_state("labels")
        self.vocabulary.load(state)
        self._labels(labels)
        self._cut(stored_cut(state), stored_word_rules(state))
        self._listed(stored_lists(state))

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode`` beside the learned state."""
        return self.vocabulary.options()
