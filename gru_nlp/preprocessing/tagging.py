"""Sentences of words and their tags; raw text in, entities with offsets out.

How it works. Words are read as ``words`` says. ``decode`` reads entities off a path of tags (``paths``); the
probability of one is that of its first tag times that of each further tag given the one before it, from the single and
pair probabilities that come with it. ``join`` puts the entities of sentences and windows together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.errors import UserError, choose, nearest
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing import paths
from gru_nlp.preprocessing.forms import Forms, stored_forms
from gru_nlp.preprocessing.rows import FIT_BATCH, Record, RowError, Rows, Text
from gru_nlp.preprocessing.windows import located, merged, ruled
from gru_nlp.preprocessing.words import WordsPreprocessor
from gru_nlp.text import schemes
from gru_nlp.text.patterns import Patterns
from gru_nlp.text.shortening import shorten

#: Schemes that tags are learned in.
INSIDE = ("bioes", "iob2")


class TaggingPreprocessor(WordsPreprocessor):
    """Vocabularies of words and characters, and tags in one scheme.

    Args:
        scheme: of the tags that are learned: ``bioes`` or ``iob2``.
        lowercase, fold_digits, min_frequency, max_word_length, max_words, recase, any_case, oversample: see
            ``WordsPreprocessor``.
    """

    answer = "gru_nlp.answers.entities.EntityAnswer"
    errors = "gru_nlp.reports.worst.EntityErrors"
    page = ("tags.js", "TagReader")
    data_columns = ("words", "tags")
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
        oversample: float = 0.0,
    ) -> None:
        self.scheme = choose("preprocessing.scheme", scheme, INSIDE)
        super().__init__(
            lowercase=lowercase,
            fold_digits=fold_digits,
            min_frequency=min_frequency,
            max_word_length=max_word_length,
            max_words=max_words,
            recase=recase,
            any_case=any_case,
            oversample=oversample,
        )
        self.forms: Forms | None = None  # of an older checkpoint they are not known

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

    def _labels(self, labels: list[str]) -> None:
        self.labels = labels
        prefixes = "BIES" if self.scheme == "bioes" else "BI"
        self.tags = [schemes.OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in prefixes)]

    def _targets(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        ids = {tag: index for index, tag in enumerate(self.tags)}
        targets = []
        for row, tags in enumerate(rows):
            entities = schemes.spans(tags)
            for span in entities:
                if span.label not in self.labels:
                    told = f"entities '{span.label}' do not occur in training (types: {', '.join(self.labels)})"
                    remedy = f"; data.tag_map={{{span.label}: O}} leaves them out"
                    raise RowError(row, told + remedy + nearest(span.label, self.labels))
            targets.append([ids[tag] for tag in schemes.write(entities, len(tags), self.scheme)])
        return targets

    def label_of(self, tag: str) -> int:
        """Return the number of the type that a tag is of; -1: of none."""
        return -1 if tag == schemes.OUTSIDE else self.labels.index(tag[2:])

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
        return {**super().sizes(), "allowed": schemes.moves(self.scheme, self.tags)}

    def state_dict(self) -> dict[str, Any]:
        """Return what all readers of words learn, and hashes of the entities."""
        return {**super().state_dict(), **({} if self.forms is None else {"forms": self.forms.state()})}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        super().load_state_dict(state)
        self.forms = stored_forms(state)

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode`` beside the learned state."""
        return {"scheme": self.scheme, **super().options()}
