"""What was scored of a split: what each row adds to the scores, and which rows belong together."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.data.columns import DOCUMENT_COLUMN
from gru_nlp.data.module import DataModule, Split
from gru_nlp.errors import UserError
from gru_nlp.metrics.tally import Tally
from gru_nlp.processes.sharing import gathered
from gru_nlp.reports.resampling import Units, units_of
from gru_nlp.tasks.base import Task


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a split, in the order of its file.

    Attributes:
        split: of the data.
        stage: ``test`` or ``validation``, as the task that scored them calls it.
        tallies: what they add to the scores; rows are numbered as in the file.
        scored: ``(N,)`` bool.
        documents: ``(N,)`` number of the document that a row is part of; None: there are none.
    """

    split: Split
    stage: str
    tallies: list[Tally]
    scored: AnyArray
    documents: IntArray | None

    def units(self, chosen: AnyArray | None = None) -> Units:
        """Return what is drawn of the rows that were scored, or of those ``chosen`` ``(N,)`` among them."""
        widest = max((tally.width for tally in self.tallies), default=1)
        return units_of(self.scored if chosen is None else self.scored & chosen, self.documents, widest)


def rows_of(task: Task, data: DataModule, stage: str, split: Split) -> Rows:
    """Return what ``task`` has just scored; called once after it, in every process, which get the rows of all.

    Args:
        task: after the trainer's ``test`` or ``validate``.
        data: that was scored.
        stage: ``test`` or ``validation``, as the task calls it.
        split: of the data.
    """
    encoded = data.encoded[split]
    order = data.samplers[split].order()
    own = task.tallies(stage, encoded.scalars)
    # A stream has no order of rows: its tallies are numbered as the file is.
    placed = [(order[tally.rows] if len(order) else tally.rows, tally.columns, tally.values) for tally in own]
    seen = (order[: own[0].size] if own else order) if len(order) else np.arange(len(encoded))
    hands = gathered((placed, seen))
    scored = np.zeros(len(encoded), dtype=np.bool_)
    for _, rows in hands:
        scored[rows] = True
    hands = [hand for hand in hands if hand[0]]  # a process may have scored nothing
    tallies = []
    for place, tally in enumerate(own):
        rows, columns, values = (np.concatenate([hand[place][part] for hand, _ in hands]) for part in range(3))
        tallies.append(replace(tally, rows=rows, columns=columns, values=values, size=len(encoded)))
    return Rows(split, stage, tallies, scored, documents_of(data, split))


def documents_of(data: DataModule, split: Split) -> IntArray | None:
    """Return the number of each row's document, ``(N,)``: by a column of the data, or what the preprocessor knows."""
    with contextlib.suppress(UserError):  # what was read before may be gone by now, which takes no scores away
        if data.corpus.has_column(split, DOCUMENT_COLUMN):
            names = data.corpus.column(split, DOCUMENT_COLUMN, "data")
            return numbered(names)[1]
    return data.preprocessor.documents(data.encoded[split].scalars)


def numbered(values: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the values that there are, in order, and the number of each row's, ``(N,)``.

    One long value would make an array of texts as wide for all rows.
    """
    names = sorted(set(values))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[value] for value in values], dtype=np.int64)
