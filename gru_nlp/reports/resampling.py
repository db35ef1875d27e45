"""Scores of rows that are drawn anew, with replacement (Efron 1979), and the intervals that they give.

How it works. Rows become units: documents, where rows share one, else the rows themselves; beyond ``MOST_UNITS`` they
are put together at random in groups of one size, which leaves the variance of a sum as it is. Each unit has the sums of
its rows, ``(U, K)``. A resample is how often each unit is drawn, ``(U,)``; a chunk of them times the sums, one product
of matrices, gives the sums of these, from which all scores are computed at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.metrics.tally import Score, Tally

RESAMPLES = 1000
#: Share of all samples whose intervals hold the true score.
CONFIDENCE = 0.95
SEED = 12345
#: Documents below which rows are drawn, since so few draws tell nothing.
LEAST_DOCUMENTS = 20
#: Units at most, and their sums.
MOST_UNITS, MOST_SUMS = 10_000, 10_000_000
#: Numbers of a chunk of resamples.
CHUNK = 4_000_000
#: How the names of scores begin that are of a hundred; other shares are fractions of one.
PERCENT = ("bleu", "chrf")
#: Quantile of the normal distribution at ``CONFIDENCE``.
NORMAL = 1.959964


class Interval(NamedTuple):
    """A score and where it lies in ``CONFIDENCE`` of all samples; None where too few units tell nothing."""

    value: float | None
    low: float | None
    high: float | None


class Units(NamedTuple):
    """What is drawn.

    Attributes:
        of_row: ``(N,)`` number of each row's unit, -1 where it is left out.
        number: of units.
        drawn: what they are: ``rows`` or ``documents``.
    """

    of_row: IntArray
    number: int
    drawn: str = "rows"


def units_of(chosen: AnyArray, documents: IntArray | None, width: int) -> Units:
    """Return the units of rows.

    Args:
        chosen: ``(N,)`` bool, which rows are drawn from.
        documents: ``(N,)`` number of each row's document; None: rows share none.
        width: most sums K that a unit has.
    """
    rows = np.flatnonzero(chosen)
    own, drawn = np.arange(len(rows)), "rows"
    if documents is not None:
        distinct, inverse = np.unique(documents[rows], return_inverse=True)
        if len(distinct) >= LEAST_DOCUMENTS:
            own, drawn = inverse, "documents"
    count = int(own.max(initial=-1)) + 1
    most = max(LEAST_DOCUMENTS, min(MOST_UNITS, MOST_SUMS // max(width, 1)))
    if count > most:
        own = (np.random.default_rng(SEED).permutation(count) % most)[own]
        count = most
    units = np.full(len(chosen), -1, dtype=np.int64)
    units[rows] = own
    return Units(units, count, drawn)


def draws(count: int, resamples: int = RESAMPLES) -> Iterator[AnyArray]:
    """Yield chunks of resamples ``(b, U)`` float64: how often each of ``count`` units is drawn; always the same."""
    random = np.random.default_rng(SEED)
    most = max(1, CHUNK // count)
    for start in range(0, resamples, most):
        number = min(most, resamples - start)
        cells = random.integers(count, size=(number, count)) + np.arange(number)[:, None] * count
        yield np.bincount(cells.ravel(), minlength=number * count).reshape(number, count).astype(np.float64)


def resampled(sums: AnyArray, score: Score, resamples: int = RESAMPLES) -> dict[str, AnyArray]:
    """Return the scores ``(B,)`` of units that are drawn anew.

    Args:
        sums: of each unit, ``(U, K)``.
        score: makes scores of sums.
        resamples: number B.
    """
    return merged([score(weights @ sums) for weights in draws(len(sums), resamples)])


def merged(parts: Sequence[Mapping[str, AnyArray]]) -> dict[str, AnyArray]:
    """Return the scores ``(B,)`` of several chunks one after the other, by name."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def between(value: float, drawn: AnyArray, count: int) -> Interval:
    """Return a number with the percentile interval of the same number in resamples ``(B,)`` of ``count`` units."""
    if not np.isfinite(value):
        return Interval(None, None, None)
    if count < 2 or not np.isfinite(drawn).all():
        return Interval(value, None, None)
    return Interval(value, *np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist())


def interval(name: str, value: float, drawn: AnyArray, count: int) -> Interval:
    """Return a score with its interval.

    Where all rows are right, or all wrong, every resample says the same; then the interval is that of a share of
    ``count`` units that is at its end (Wilson 1927).

    Args:
        name: of the score.
        value: of all rows.
        drawn: ``(B,)`` values of resamples.
        count: of units.
    """
    found, top = between(value, drawn, count), 100.0 if name.startswith(PERCENT) else 1.0
    if found.low is None or drawn.min() < drawn.max() or value not in (0.0, top):
        return found
    reach = top * NORMAL**2 / (count + NORMAL**2)
    return Interval(value, top - reach, top) if value else Interval(value, 0.0, reach)


def intervals(tally: Tally, units: Units, values: Mapping[str, float] | None = None) -> dict[str, Interval]:
    """Return the scores of the rows of some units, by name.

    Args:
        tally: of rows N.
        units: what is drawn of them.
        values: the scores where they are known already, to the last digit.
    """
    sums = tally.sums(units.of_row, units.number)
    found = tally.score(sums.sum(axis=0, keepdims=True))
    drawn = resampled(sums, tally.score) if units.number > 1 else found
    told = {}
    for name, (value,) in found.items():
        if values is None or name in values:
            known = float(value) if values is None else values[name]
            told[name] = interval(name, known, drawn[name], units.number)
    return told
