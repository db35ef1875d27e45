"""How far off ratings are, from a matrix of counts: a near miss is better than a wide one."""

from collections.abc import Sequence

import numpy as np

from gru_nlp.batch import AnyArray


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
