"""Sentences of words and their tags; raw text in, entities with offsets out.

How it works. ``encode`` finds id, shape and letters of each distinct word once a call (``vocabulary``) and joins them
by sentence; the letters of a sentence stand in one flat list beside the words' lengths, since a table of flat lists
stays mapped from disk. ``collate`` keeps the letters of the distinct words of a batch (``spelling``) with the
``places`` where each stands, so that the model spells a word once however often it occurs. ``decode`` reads entities
off a path of tags (``paths``); the probability of one is that of its first tag times that of each further tag given the
one before it, from the single and pair probabilities that come with it. Raw text is cut into words as training was
(``text.cuts``), sentences and windows of long ones before (``cut``), and put together after (``join``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, Tagging, TaggingBatch
from gru_nlp.console import remark
from gru_nlp.errors import UserError, choose, nearest
from gru_nlp.preprocessing import paths
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.forms import Forms, stored_forms
from gru_nlp.preprocessing.lists import Lists, cut_lists, stored_lists
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    Columns,
    Hints,
    Record,
    RowError,
    Rows,
    Text,
    broken_state,
    distinct,
    pad,
    sizes_of,
)
from gru_nlp.preprocessing.spelling import spelled
from gru_nlp.preprocessing.vocabulary import Vocabulary, recased
from gru_nlp.preprocessing.windows import Owner, located, merged, ruled, spots_of
from gru_nlp.text import schemes
from gru_nlp.text.cuts import Cut, learn
from gru_nlp.text.gazetteers import WordList
from gru_nlp.text.patterns import Patterns
from gru_nlp.text.shapes import SHAPES
from gru_nlp.text.shortening import shorten
from gru_nlp.text.words import Word, joined, make_splitter, sentences, split_words, stored_cut, windows

#: Schemes that tags are learned in.
INSIDE = ("bioes", "iob2")
#: Most entity types; with every pair of tags a transition, more of them make no small model.
MOST_LABELS = 2000
#: Words that neighbouring windows of a long sentence share.
OVERLAP = 32


class TaggingPreprocessor(Preprocessor):
    """Vocabularies of words and characters, and tags in one scheme.

    Args:
        scheme: of the tags that are learned: ``bioes`` or ``iob2``.
        lowercase: look words up in lower case; their case shows in characters and shape.
        fold_digits: look words up with every digit as 0.
        min_frequency: times that a word must occur to have an id of its own.
        max_word_length: characters kept of a word.
        max_words: words of a window of raw text; longer sentences are cut into overlapping ones.
        recase: share of sentences that training reads without capitals, or in capitals alone, half each, drawn anew
            every epoch, so that the model relies less on case (Mayhew et al. 2019); the tags stay.
        any_case: without ``lowercase``, look a word that is unknown as it is written up as the most frequent one that
            it is in another case.
    """

    answer = "gru_nlp.answers.entities.EntityAnswer"
    errors = "gru_nlp.reports.worst.EntityErrors"
    page = ("tags.js", "TagReader")
    data_columns = ("words", "tags")
    list_columns: tuple[str, ...] = ("ids", "shapes", "characters", "character_lengths", "target")
    length_columns = ("ids",)
    scalar_columns = ("tokens",)
    input_column = "words"
    takes_patterns = True
    blank: ClassVar[Record] = {"entities": []}

    def __init__(
        self,
        *,
        scheme: str,
        lowercase: bool,
        fold_digits: bool,
        min_frequency: int,
        max_word_length: int,
        max_words: int,
        recase: float = 0.0,
        any_case: bool = False,
    ) -> None:
        self.scheme = choose("preprocessing.scheme", scheme, INSIDE)
        self.vocabulary = Vocabulary(
            lowercase=lowercase,
            fold_digits=fold_digits,
            min_frequency=min_frequency,
            max_word_length=max_word_length,
            any_case=any_case,
        )
        self.recase = recase
        if recase:
            self.raw_columns = ("words",)
        if max_words <= OVERLAP:
            raise UserError(f"preprocessing.max_words={max_words} must be above {OVERLAP}, the overlap of two windows")
        self.max_words = max_words
        self._cut({})
        self.labels: list[str] = []
        self.tags: list[str] = []
        self.forms: Forms | None = None  # of an older checkpoint they are not known
        self._listed([])

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn words and characters from the column ``words``, what they are tagged with, and how words are cut."""
        raw = Counter[str]()
        for batch in rows.iter(FIT_BATCH):
            for sentence in batch["words"]:
                raw.update(sentence)
        self._learn_labels(rows)
        self.vocabulary.learn(raw, hints.extra_words, recased=self.recase > 0)
        learned = learn(raw)
        self._cut(learned.cut)
        if learned.remark:
            remark(learned.remark)

    def _learn_labels(self, rows: Rows) -> None:
        """Learn entity types and forms from ``tags``.

        Raises:
            UserError: there is no entity.
        """
        labels: set[str] = set()
        forms: set[tuple[str, ...]] = set()
        for batch in rows.iter(FIT_BATCH):
            for sentence, tags in zip(batch["words"], batch["tags"], strict=True):
                entities = schemes.spans(tags)
                labels.update(span.label for span in entities)
                forms.update(tuple(map(self.vocabulary.kept, sentence[span.start : span.end])) for span in entities)
        if not labels:
            raise UserError("the training data has no entity, only O (see data.tag=...)")
        self._labels(sorted(labels))
        self.forms = Forms.of(forms)

    def use_gazetteers(self, lists: Sequence[WordList]) -> None:
        """Keep the phrases of lists."""
        self._listed(cut_lists(lists, self.splitter))

    def _listed(self, lists: Sequence[WordList]) -> None:
        self.lists = Lists(lists, caseless=self.vocabulary.lowercase)
        self.list_columns = (*type(self).list_columns, *self.lists.columns())

    def told(self) -> dict[str, str]:
        """Return the word lists with their sizes."""
        return self.lists.told()

    def _cut(self, cut: Cut) -> None:
        self.scripts = cut
        self.splitter: Tokenizer = make_splitter(cut)

    def _labels(self, labels: list[str]) -> None:
        self.labels = labels
        prefixes = "BIES" if self.scheme == "bioes" else "BI"
        self.tags = [schemes.OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in prefixes)]

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``words`` -> ``ids``, ``shapes``, flat ``characters``; the column of tags -> ``target``."""
        result = self.vocabulary.encode(columns["words"])
        result["tokens"] = [len(row) for row in columns["words"]]
        result |= self.lists.encode(columns["words"])
        if self.data_columns[1] in columns:
            result["target"] = self._targets(columns[self.data_columns[1]])
        return result

    def _targets(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        ids = {tag: index for index, tag in enumerate(self.tags)}
        targets = []
        for row, tags in enumerate(rows):
            entities = schemes.spans(tags)
            for span in entities:
                if span.label not in self.labels:
                    known = ", ".join(self.labels)
                    hint = nearest(span.label, self.labels)
                    raise RowError(row, f"entities '{span.label}' do not occur in training (types: {known}){hint}")
            targets.append([ids[tag] for tag in schemes.write(entities, len(tags), self.scheme)])
        return targets

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

    def unseen(self, batch: TaggingBatch[AnyArray]) -> Callable[[int, schemes.Span], bool] | None:
        """Return what tells whether training lacks the form of an entity of a row; None: that is not known."""
        if self.forms is None:
            return None
        forms, rows = self.forms, self.vocabulary.written(batch)
        return lambda row, span: rows[row][span.start : span.end] not in forms

    def decode(self, outputs: Tagging[AnyArray], top_k: int = 1) -> list[Record]:
        """Paths -> ``tags`` as IOB2, and ``entities`` by word; with several, ``paths`` with the probability of each."""
        found = paths.told(outputs, self.tags)
        records: list[Record] = [{name: ranked[0][name] for name in ("tags", "entities")} for ranked in found]
        if top_k == 1:
            return records
        return [one | {"paths": ranked, "asked": top_k} for one, ranked in zip(records, found, strict=True)]

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

    def join(self, texts: Sequence[Text], owners: Sequence[Any], records: Sequence[Record]) -> list[Record]:
        """Put the entities of sentences and windows together; offsets index the text, or the words joined by blanks."""
        joined = []
        for given, record in zip(texts, merged(len(texts), owners, records), strict=True):
            text = given if isinstance(given, str) else " ".join(given)
            joined.append(located(record, self.spots(given), text))
        return joined

    def ruled(self, text: Text, record: Record, patterns: Patterns) -> Record:
        """Return a record with the entities of patterns in the place of those that they overlap or rule out."""
        given = text if isinstance(text, str) else " ".join(text)
        return ruled(record, patterns.found(given, self.spots(text)), given)

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

    def describe(self, record: Record) -> str:
        """Return the words with the entities found in brackets, and how many of the true ones those are."""
        words = list(record["words"])
        for entity in record["entities"]:
            words[entity["start"]] = f"[{entity['label']} {words[entity['start']]}"
            words[entity["end"] - 1] += "]"
        true = set(schemes.spans(record["target"]))
        right = len(true & set(schemes.spans(record["tags"])))
        return f"{right} of {len(true)}: {shorten(' '.join(words), 100)}"

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the vocabularies, and which tag may follow which."""
        return {
            "vocabulary_size": len(self.vocabulary.words),
            "unseen_words": self.vocabulary.unseen,
            "num_shapes": len(SHAPES),
            **self.lists.sizes(),
            "num_characters": len(self.vocabulary.letters) + 2,
            "allowed": schemes.moves(self.scheme, self.tags),
        }

    def tokens(self) -> list[str]:
        """Return the words in the order of their ids."""
        return list(self.vocabulary.words)

    def label_names(self) -> list[str]:
        """Return the entity types."""
        return list(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return vocabularies, types, hashes of the entities, how the scripts of raw text are cut, and word lists."""
        forms = {} if self.forms is None else {"forms": self.forms.state()}
        parts = {**self.vocabulary.state(), **forms, **self.lists.state()}
        return {**parts, "labels": list(self.labels), "cut": dict(self.scripts)}

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
        self.forms = stored_forms(state)
        self._cut(stored_cut(state))
        self._listed(stored_lists(state))

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode`` beside the learned state."""
        return {"scheme": self.scheme, **self.vocabulary.options()}
