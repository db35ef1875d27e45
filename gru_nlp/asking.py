"""Texts asked, records answered, whatever computes between them; knows neither torch nor another runtime."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

from gru_nlp.abandoning import go_on
from gru_nlp.batch import AnyArray, Batch
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.demands import filled
from gru_nlp.preprocessing.rows import Record, RowError, Text
from gru_nlp.ranges import check_confidence, check_log_probability
from gru_nlp.text.patterns import Patterns
from gru_nlp.text.terms import Wishes

#: Most sentences that are searched together for what is demanded, each with several hypotheses a phrase.
MOST_FORCED = 32


class Alignment(NamedTuple):
    """Tokens of source and translation, end marks among them, and a row of weights over the source a target token."""

    source: list[str]
    target: list[str]
    weights: list[list[float]]


class TextError(UserError):
    """A text that cannot be read: its number, from 0, among those that were given, and why."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class Askable(ABC):
    """What is called with texts and answers with records.

    Attributes:
        truncated: texts cut to the model's max_length so far.
        divided: texts longer than that whose pieces were answered one by one, so far.
        abstained: texts without a label, since the model was not sure enough, so far.
        doubtful: translations marked so, so far.
        lacking: translations, or pieces of them, that lack what was wished for all the same, so far.

    Args:
        preprocessor: fitted.
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor
        self.patterns: Patterns | None = None
        self.truncated = 0
        self.divided = 0
        self.abstained = 0
        self.doubtful = 0
        self.lacking = 0

    def use_patterns(self, paths: Sequence[str | Path]) -> None:
        """Let files of a person's say from now on what always is an entity and what never is (``text.patterns``).

        What they say comes before the model, with a score of 1 and ``"source": "pattern"``.

        Raises:
            UserError: the model finds no entities, or a file is none of patterns; the message names its line.
        """
        if not self.preprocessor.takes_patterns:
            raise UserError("patterns are for taggers, which find entities: leave them out")
        if isinstance(paths, str) or not all(isinstance(path, str | Path) and str(path) for path in paths):
            raise UserError(f"patterns={paths} must be a list of files: patterns=[{paths}]")
        self.patterns = Patterns.read(paths)

    @abstractmethod
    def _outputs(self, batch: Batch[AnyArray], top_k: int) -> Any:
        """Return what the model says of a batch, as the preprocessor's ``decode`` takes it."""

    @abstractmethod
    def _forced(self, batch: Batch[AnyArray], demands: Sequence[Demand]) -> Any:
        """Return hypotheses that hold what is demanded of each row of a batch, as ``decode`` takes them."""

    @abstractmethod
    def _attended(self, batch: Batch[AnyArray]) -> AnyArray:
        """Return what the model attended to, ``(B, T, S)``, as it read the targets of a batch."""

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self,
        texts: str,
        batch_size: int = 64,
        top_k: int = 1,
        *,
        abstain_below: float | None = None,
        min_log_probability: float | None = None,
        wishes: Wishes | None = None,
    ) -> Record: ...

    @overload
    def __call__(
        self,
        texts: Sequence[Text],
        batch_size: int = 64,
        top_k: int = 1,
        *,
        abstain_below: float | None = None,
        min_log_probability: float | None = None,
        wishes: Wishes | None = None,
    ) -> list[Record]: ...

    def __call__(
        self,
        texts: str | Sequence[Text],
        batch_size: int = 64,
        top_k: int = 1,
        *,
        abstain_below: float | None = None,
        min_log_probability: float | None = None,
        wishes: Wishes | None = None,
    ) -> Record | list[Record]:
        """Predict one record a text, in order, whatever ``batch_size``; of a single text its record alone.

        A classifier gives ``label`` and ``score``, and ``top`` where ``top_k`` is above 1; a blank text gets None for
        both. A classifier of ratings adds ``expected``, their mean; one of several labels a text gives ``labels`` and
        ``scores`` instead, both of which may be empty. A translator gives ``translation`` and ``score``; a blank text
        gets an empty translation, and one that was longer than the model reads ``pieces``, each with its translation.
        A tagger gives ``entities``, or words with a tag each as ``tagged``, and where ``top_k`` is above 1 as many
        ``paths`` over the whole text; it takes lists of words too.

        With ``abstain_below`` a model that says one label of a text says None where its score is lower. With
        ``min_log_probability`` a translator gives ``log_probability``, the mean natural logarithm a token, and
        ``doubtful``, whether that is lower. With ``wishes`` a translation that lacks what is wished for is searched for
        anew with it, and stays as it is where it has all of it.

        Raises:
            UserError: ``abstain_below`` is no number from 0 to 1, or the model does not say one label of a text; or
                ``min_log_probability`` is no number, or there are wishes, but the model translates nothing; or, as a
                ``TextError``, a recording cannot be read.
        """
        check_log_probability("min_log_probability", min_log_probability)
        check_confidence("abstain_below", abstain_below)
        if abstain_below is not None and not self.preprocessor.one_label:
            raise UserError("abstain_below is for models that say one label of a text: leave it out")
        records = self._records([texts] if isinstance(texts, str) else texts, batch_size, top_k, wishes)
        records = [self.preprocessor.marked(record, min_log_probability) for record in records]
        self.divided += sum("pieces" in record for record in records)
        self.doubtful += sum(record.get("doubtful", False) for record in records)
        if abstain_below is not None:
            records = [self._sure(record, abstain_below) for record in records]
        return records[0] if isinstance(texts, str) else records

    def _sure(self, record: Record, least: float) -> Record:
        """Return a record, without its label where the score is lower than ``least``."""
        if record["label"] is None or record["score"] >= least:
            return record
        self.abstained += 1
        return {**record, "label": None}

    def _records(
        self, texts: Sequence[Text], batch_size: int, top_k: int, wishes: Wishes | None = None
    ) -> list[Record]:
        filled = [place for place, text in enumerate(texts) if not self.preprocessor.is_blank(text)]
        records: list[Record] = [copy.deepcopy(self.preprocessor.blank) for _ in texts]
        if not filled:
            return records
        given = [texts[place] for place in filled]
        each = None if wishes is None else wishes.sentences
        rows, owners = self.preprocessor.cut(given) if each is None else self.preprocessor.sentences(given, each=each)
        try:
            columns = self.preprocessor.encode(rows)
        except RowError as error:  # of what has a row a text, such as recordings
            raise TextError(filled[error.row], error.reason) from None
        ids = columns[self.preprocessor.list_columns[0]]
        self.truncated += sum(tokens > len(row) for tokens, row in zip(columns["tokens"], ids, strict=True))
        predicted: list[Record] = [{} for _ in ids]
        for chosen in batches_by_length([len(row) for row in ids], batch_size):
            for row, record in zip(chosen, self._predict(columns, chosen, top_k), strict=True):
                predicted[row] = record
        if wishes is not None:
            demands = self.preprocessor.lacking(rows, owners, predicted, wishes)
            places = list(demands)
            for some in batches_by_length([len(ids[place]) for place in places], min(batch_size, MOST_FORCED)):
                chosen = [places[one] for one in some]
                for row, record in zip(chosen, self._predict(columns, chosen, top_k, demands), strict=True):
                    if record["score"] > float("-inf"):
                        predicted[row] = record
            if demands:
                self.lacking += len(self.preprocessor.lacking(rows, owners, predicted, wishes))
        for spot, record in zip(filled, self.preprocessor.join(given, owners, predicted), strict=True):
            ruled = self.patterns and self.preprocessor.ruled(texts[spot], record, self.patterns)
            records[spot] = ruled or record
        return records

    def _predict(
        self, columns: dict[str, list[Any]], rows: list[int], top_k: int, demands: Mapping[int, Demand] | None = None
    ) -> list[Record]:
        go_on()
        chosen = {name: [values[row] for row in rows] for name, values in columns.items()}
        batch = self.preprocessor.collate(chosen, training=False)
        if demands is None:
            return self.preprocessor.decode(self._outputs(batch, top_k), top_k)
        found = self.preprocessor.decode(self._forced(batch, [demands[row] for row in rows]), top_k)
        return [filled(record, demands[row].slots) for row, record in zip(rows, found, strict=True)]

    def align(self, source: str, translation: str) -> Alignment:
        """Return what a translator attended to while it read a translation of ``source``.

        Raises:
            UserError: the model translates nothing, or is several models.
        """
        go_on()
        pair = self.preprocessor.pair(source, translation)
        return Alignment(pair.source, pair.target, self._attended(pair.batch)[0].tolist())

    def aligned(self, source: str, record: Record) -> Alignment:
        """Return the same of the record of a text; of one in pieces each translation attends to its own piece alone.

        Raises:
            UserError: as ``align``.
        """
        pairs = record.get("pieces") or [(source, record["translation"])]
        parts = [self.align(*pair) for pair in pairs]
        whole = Alignment([], [], [])
        width, start = sum(len(part.source) for part in parts), 0
        for part in parts:
            rest = width - start - len(part.source)
            start += len(part.source)
            whole.source.extend(part.source)
            whole.target.extend(part.target)
            whole.weights.extend([0.0] * (width - rest - len(row)) + row + [0.0] * rest for row in part.weights)
        return whole


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield rows in batches of like lengths, so that little is padded."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
