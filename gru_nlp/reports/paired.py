"""Whether one model is really better than another on the same rows, or over several runs of each.

How it works. Approximate randomisation (Noreen 1989; Riezler and Maxwell 2005): if the models were alike, it would not
matter which of them a unit's sums come from; so they are exchanged at random, and p is the share of trials that differ
at least as much as the models do. It is sacreBLEU's test (``--paired-ar``), for any score; but trials as far apart as
the models count, so that p of equal models is 1. The bootstrap (Efron 1979; Koehn 2004) draws units, the same for both,
around their difference; p is the share of resamples that lie as far from it as it lies from nothing. SacreBLEU's own
one (``--paired-bs``) halves that share where differences are large, and then rejects equal models twice too often.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Score, Tally
from gru_nlp.reports.resampling import CHUNK, SEED, Interval, between, interval, merged, resampled

#: Exchanges at random, as many as sacreBLEU's.
TRIALS = 10_000
#: Differences nearer than this are equal: sums in another order have other last digits.
EQUAL = 1e-9
#: Points at which a curve is measured.
POINTS = 20_001


class Difference(NamedTuple):
    """A score of two models, what the second has more of it, and how probable so much is by chance, by two tests."""

    first: Interval
    second: Interval
    apart: Interval
    bootstrap: float
    randomisation: float


def differences(first: AnyArray, second: AnyArray, score: Score, trials: int = TRIALS) -> dict[str, Difference]:
    """Return how the scores of two models differ, by name.

    Args:
        first, second: sums of each unit by each model, ``(U, K)``.
        score: makes scores of sums.
        trials: of randomisation.
    """
    totals = score(np.stack([first.sum(axis=0), second.sum(axis=0)]))
    one, other = resampled(first, score), resampled(second, score)
    exchanged = randomised(first, second, score, trials)
    found = {}
    for name, (before, after) in totals.items():
        apart, value = other[name] - one[name], float(after - before)
        found[name] = Difference(
            first=interval(name, float(before), one[name], len(first)),
            second=interval(name, float(after), other[name], len(first)),
            apart=between(value, apart, len(first)),
            bootstrap=probability(apart - value, value),
            randomisation=probability(exchanged[name], value),
        )
    return found


def randomised(first: AnyArray, second: AnyArray, score: Score, trials: int) -> dict[str, AnyArray]:
    """Return the differences ``(trials,)`` of models whose units ``(U, K)`` are exchanged at random, by name."""
    # Drawn at once and in this way, so that the trials are sacreBLEU's.
    kept = np.random.default_rng(SEED).integers(2, size=(trials, len(first)), dtype=np.bool_)
    base, apart = second.sum(axis=0), first - second
    total = first.sum(axis=0) + base
    parts = []
    for chunk in np.array_split(kept, -(-kept.size // CHUNK)):
        one = chunk.astype(np.float64) @ apart + base
        before, after = score(one), score(total - one)
        parts.append({name: after[name] - before[name] for name in before})
    return merged(parts)


def probability(chance: AnyArray, difference: float) -> float:
    """Return the share of differences by chance ``(B,)`` that are as large, whatever their sign; never 0."""
    reached = np.abs(chance) >= abs(difference) - EQUAL * max(1.0, abs(difference))
    return float((reached.sum() + 1) / (len(chance) + 1))


def row_scores(tally: Tally) -> dict[str, AnyArray]:
    """Return the scores of each row alone, ``(N,)`` by name."""
    step = max(1, CHUNK // max(tally.width, 1))
    found = []
    rows = np.arange(tally.size)
    for start in range(0, tally.size, step):
        groups = np.where((rows >= start) & (rows < start + step), rows - start, -1)
        found.append(tally.score(tally.sums(groups, min(step, tally.size - start))))
    return merged(found)


def mcnemar(first: AnyArray, second: AnyArray) -> float:
    """Return the exact two-sided p of McNemar's test (1947) of two models that are right, 1, or wrong, 0, ``(N,)``.

    Of rows that one alone has right, each model would have half, were they alike; p is that of the binomial.
    """
    only = [int((first > second).sum()), int((second > first).sum())]
    count = sum(only)
    logs = [math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(min(only) + 1)]
    tail = sum(math.exp(log - count * math.log(2)) for log in logs)
    return min(1.0, 2 * tail)


def welch(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return the two-sided p of Welch's t test (1947) of the scores of runs.

    None where a model has fewer than two runs, or no run differs from another.
    """
    if min(len(first), len(second)) < 2:
        return None
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (first, second)]
    if sum(parts) <= EQUAL**2:
        return None
    t = abs(float(np.mean(second) - np.mean(first))) / math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(p**2 / (len(s) - 1) for p, s in zip(parts, (first, second), strict=True))
    # With t = sqrt(freedom) tan x, the density of t becomes a power of the cosine.
    tail, whole = (
        np.trapezoid(np.cos(angles) ** (freedom - 1), angles)
        for angles in (np.linspace(start, math.pi / 2, POINTS) for start in (math.atan(t / math.sqrt(freedom)), 0.0))
    )
    return float(tail / whole)
