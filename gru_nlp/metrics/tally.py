"""What each row adds to the sums that scores are made of.

Every score here is a function of sums over rows: of right answers, of found and true entities, of matching n-grams, of
losses. Whoever keeps what each row adds can score any part of the rows, rows that are drawn anew, or rows that two
models exchange, without asking either model again; that is what slices, intervals and paired tests are made of.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray, IntArray

#: From sums ``(B, K)`` to scores ``(B,)`` by name.
Score = Callable[[AnyArray], dict[str, AnyArray]]


@dataclass(frozen=True, eq=False)
class Tally:
    """What rows add to sums; an entry is a row, a sum and a number, since most rows add to few of many sums.

    Attributes:
        rows: ``(M,)`` int64, from 0.
        columns: ``(M,)`` int64, the sum that an entry is added to, from 0.
        values: ``(M,)`` float64, what is added.
        size: number of rows N.
        width: number of sums K.
        score: makes scores of sums.
        view: how their names end, which tells of what part of a model they are; of the model itself, nothing.
    """

    rows: IntArray
    columns: IntArray
    values: AnyArray
    size: int
    width: int
    score: Score
    view: str = ""

    def names(self) -> tuple[str, ...]:
        """Return the names of the scores."""
        return tuple(self.score(np.zeros((1, self.width))))

    def sums(self, groups: IntArray, count: int) -> AnyArray:
        """Return the sums of each group of rows, ``(G, K)`` float64.

        Args:
            groups: ``(N,)`` number of each row's group; rows of a negative one are left out.
            count: number of groups G.
        """
        own = groups[self.rows]
        kept = own >= 0
        cells = own[kept] * self.width + self.columns[kept]
        return np.bincount(cells, self.values[kept], minlength=count * self.width).reshape(count, self.width)

    def total(self) -> AnyArray:
        """Return the sums of all rows, ``(1, K)``."""
        return self.sums(np.zeros(self.size, dtype=np.int64), 1)

    def viewed(self, view: str) -> "Tally":
        """Return the same rows as those of a part of a model."""
        return replace(self, score=partial(_ended, self.score, view), view=view) if view else self


def _ended(score: Score, end: str, sums: AnyArray) -> dict[str, AnyArray]:
    return {f"{name}{end}": values for name, values in score(sums).items()}


def sparse(entries: Iterable[tuple[Any, Any, Any]], size: int, width: int, score: Score) -> Tally:
    """Return a tally of groups of entries: rows, columns and values, ``(M,)`` each, or one for all of a group."""
    groups = [np.broadcast_arrays(*entry) for entry in entries]
    rows, columns, values = (np.concatenate([group[place] for group in groups]) for place in range(3))
    return Tally(rows, columns, values.astype(np.float64), size, width, score)


def dense(states: AnyArray, score: Score) -> Tally:
    """Return a tally of rows that add to every sum, ``(N, K)``."""
    size, width = states.shape
    rows, columns = np.divmod(np.arange(size * width, dtype=np.int64), max(width, 1))
    return Tally(rows, columns, states.ravel().astype(np.float64), size, width, score)


def averaged(name: str, values: AnyArray) -> Tally:
    """Return a tally of one score that is the mean of the rows' values ``(N,)``."""
    return dense(np.stack([values, np.ones(len(values))], axis=1), partial(_mean, name))


def _mean(name: str, sums: AnyArray) -> dict[str, AnyArray]:
    return {name: ratio(sums[:, 0], sums[:, 1])}


def joined(parts: Sequence[Tally]) -> Tally:
    """Return the rows of tallies of one kind, one after the other."""
    starts = np.cumsum([0, *(part.size for part in parts)])
    return replace(
        parts[0],
        rows=np.concatenate([part.rows + start for part, start in zip(parts, starts.tolist(), strict=False)]),
        columns=np.concatenate([part.columns for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        size=int(starts[-1]),
    )


def ratio(above: AnyArray, below: AnyArray) -> AnyArray:
    """Return a quotient; 0 where there is nothing below the line."""
    quotient: AnyArray = np.where(below > 0, above, 0.0) / np.where(below > 0, below, 1.0)
    return quotient
