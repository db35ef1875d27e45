"""How far off ratings are, from a matrix of counts: a near miss is better than a wide one."""

from collections.abc import Sequence

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.metrics.tally import Tally, dense, ratio


def mean_absolute_error(confusion: AnyArray, values: Sequence[float]) -> float:
    """Return the mean distance between true and predicted ratings; 0 where there are none.

    Args:
        confusion: ``(C, C)`` counts, true ratings down, predicted ones across.
        values: ``(C,)`` of the ratings.
    """
    counts = confusion.astype(np.float64)
    return float((counts * np.abs(_distances(values))).sum() / max(counts.sum(), 1.0))


def quadratic_kappa(confusion: AnyArray, values: Sequence[float]) -> float:
    """Return the agreement beyond chance with squared distances as weights (Cohen 1968), at most 1.

    The distances are those of the values, so that 1 to 4 and 7 to 10 stars are as far apart as they say. Where chance
    cannot disagree, since all ratings are one, it is 0.

    Args:
        confusion, values: as in ``mean_absolute_error``.
    """
    counts = confusion.astype(np.float64)
    weights = _distances(values) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1.0)
    expected = (weights * chance).sum()
    return float(1.0 - (weights * counts).sum() / expected) if expected > 0 else 0.0


def _distances(values: Sequence[float]) -> AnyArray:
    column = np.asarray(values, dtype=np.float64)
    distances: AnyArray = column[:, None] - column[None, :]
    return distances


def tally(said: IntArray, true: IntArray, values: Sequence[float]) -> Tally:
    """Return what each row adds to the count, the distances, and the first two moments of both ratings.

    Quadratic kappa needs no matrix: squared distances of independent ratings have the mean that the moments give.

    Args:
        said, true: ids of ratings ``(N,)``; a true one of -1, which training does not have, adds nothing.
        values: ``(C,)`` of the ratings.
    """
    middle = np.asarray(values) - np.mean(values)  # squares of years would lose what tells them apart
    one, other = middle[true], middle[said]
    moments = (np.ones(len(true)), abs(one - other), (one - other) ** 2, one, one**2, other, other**2)
    return dense(np.stack(moments, axis=1) * (true >= 0)[:, None], sum_scores)


def sum_scores(sums: AnyArray) -> dict[str, AnyArray]:
    """Return mean absolute error and quadratic kappa, ``(B,)`` each, of sums ``(B, 7)``."""
    count, distance, squared, one, one_squared, other, other_squared = sums.T
    expected = one_squared + other_squared - ratio(2 * one * other, count)
    known = expected > 1e-9 * count
    kappa = np.where(known, 1.0 - squared / np.where(known, expected, 1.0), 0.0)
    return {"mae": ratio(distance, count), "quadratic_kappa": kappa}
