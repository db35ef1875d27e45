"""Texts asked, records answered, whatever computes between them; knows neither torch nor another runtime."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor, Record, Text
from gru_nlp.ranges import check_confidence


class Alignment(NamedTuple):
    """Tokens of source and translation, end marks among them, and a row of weights over the source a target token."""

    source: list[str]
    target: list[str]
    weights: list[list[float]]


class Askable(ABC):
    """What is called with texts and answers with records.

    Attributes:
        truncated: texts cut to the model's max_length so far.
        abstained: texts without a label, since the model was not sure enough, so far.

    Args:
        preprocessor: fitted.
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor
        self.truncated = 0
        self.abstained = 0

    @abstractmethod
    def _outputs(self, batch: Batch[AnyArray], top_k: int) -> Any:
        """Return what the model says of a batch, as the preprocessor's ``decode`` takes it."""

    @abstractmethod
    def _attended(self, batch: Batch[AnyArray]) -> AnyArray:
        """Return what the model attended to, ``(B, T, S)``, as it read the targets of a batch."""

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, batch_size: int = 64, top_k: int = 1, *, abstain_below: float | None = None
    ) -> Record: ...

    @overload
    def __call__(
        self, texts: Sequence[Text], batch_size: int = 64, top_k: int = 1, *, abstain_below: float | None = None
    ) -> list[Record]: ...

    def __call__(
        self, texts: str | Sequence[Text], batch_size: int = 64, top_k: int = 1, *, abstain_below: float | None = None
    ) -> Record | list[Record]:
        """Predict one record a text, in order, whatever ``batch_size``; of a single text its record alone.

        A classifier gives ``label`` and ``score``, and ``top`` where ``top_k`` is above 1; a blank text gets None for
        both. A classifier of ratings adds ``expected``, their mean; one of several labels a text gives ``labels`` and
        ``scores`` instead, both of which may be empty. A translator gives ``translation`` and ``score``; a blank text
        gets an empty translation. A tagger gives ``entities``, and ``paths`` where ``top_k`` is above 1; it takes lists
        of words too.

        With ``abstain_below`` a model that says one label of a text says None where its score is lower.

        Raises:
            UserError: ``abstain_below`` is no number from 0 to 1, or the model does not say one label of a text.
        """
        check_confidence("abstain_below", abstain_below)
        if abstain_below is not None and not self.preprocessor.one_label:
            raise UserError("abstain_below is for models that say one label of a text: leave it out")
        records = self._records([texts] if isinstance(texts, str) else texts, batch_size, top_k)
        if abstain_below is not None:
            records = [self._sure(record, abstain_below) for record in records]
        return records[0] if isinstance(texts, str) else records

    def _sure(self, record: Record, least: float) -> Record:
        """Return a record, without its label where the score is lower than ``least``."""
        if record["label"] is None or record["score"] >= least:
            return record
        self.abstained += 1
        return {**record, "label": None}

    def _records(self, texts: Sequence[Text], batch_size: int, top_k: int) -> list[Record]:
        filled = [place for place, text in enumerate(texts) if not self.preprocessor.is_blank(text)]
        records: list[Record] = [copy.deepcopy(self.preprocessor.blank) for _ in texts]
        if not filled:
            return records
        given = [texts[place] for place in filled]
        rows, owners = self.preprocessor.cut(given)
        columns = self.preprocessor.encode(rows)
        ids = columns[self.preprocessor.list_columns[0]]
        self.truncated += sum(tokens > len(row) for tokens, row in zip(columns["tokens"], ids, strict=True))
        predicted: list[Record] = [{} for _ in ids]
        for chosen in batches_by_length([len(row) for row in ids], batch_size):
            for row, record in zip(chosen, self._predict(columns, chosen, top_k), strict=True):
                predicted[row] = record
        for spot, record in zip(filled, self.preprocessor.join(given, owners, predicted), strict=True):
            records[spot] = record
        return records

    def _predict(self, columns: dict[str, list[Any]], rows: list[int], top_k: int) -> list[Record]:
        chosen = {name: [values[row] for row in rows] for name, values in columns.items()}
        batch = self.preprocessor.collate(chosen, training=False)
        return self.preprocessor.decode(self._outputs(batch, top_k), top_k)

    def align(self, source: str, translation: str) -> Alignment:
        """Return what a translator attended to while it read a translation of ``source``.

        Raises:
            UserError: the model translates nothing, or is several models.
        """
        pair = self.preprocessor.pair(source, translation)
        return Alignment(pair.source, pair.target, self._attended(pair.batch)[0].tolist())


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield rows in batches of like lengths, so that little is padded."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
