"""Whether a model is right as often as it says, and how much it answers where it may leave the rest out."""

from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.confidence import Judged

#: Equally wide bins of confidence, as published figures have it (Guo et al. 2017, section 4).
BINS = 15
#: Shares of all answers for which coverage is told.
SHARES = tuple(place / 20 for place in range(20, 0, -1))


def curve(confidence: AnyArray, right: AnyArray) -> list[dict[str, float]]:
    """Return the reliability curve (Guo et al. 2017, section 2): of each bin that is not empty its bounds and figures.

    Args:
        confidence: of each answer ``(N,)``, from 0 to 1.
        right: whether it is ``(N,)``.
    """
    places = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)  # a bin holds its upper bound
    counts = np.bincount(places, minlength=BINS)
    sure, found = (np.bincount(places, weights=values, minlength=BINS) for values in (confidence, right))
    return [
        {
            "low": place / BINS,
            "high": (place + 1) / BINS,
            "count": int(counts[place]),
            "confidence": float(sure[place] / counts[place]),
            "accuracy": float(found[place] / counts[place]),
        }
        for place in np.flatnonzero(counts).tolist()
    ]


def calibration_error(bins: list[dict[str, float]]) -> float:
    """Return the expected calibration error (Naeini et al. 2015): the mean gap of the bins, each by its answers."""
    answers = sum(each["count"] for each in bins)
    return sum(each["count"] * abs(each["accuracy"] - each["confidence"]) for each in bins) / max(1, answers)


def coverage(confidence: AnyArray, right: AnyArray) -> list[dict[str, float]]:
    """Return how accurate the surest answers are: for each share of them, what to abstain below, and how many are left.

    Answers that are as sure as the last one of a share belong to it (El-Yaniv and Wiener 2010, risk and coverage).

    Args:
        confidence, right: as in ``curve``.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, found = confidence[order], np.cumsum(right[order])
    rows: list[dict[str, float]] = []
    for share in SHARES if len(sure) else ():
        least = float(sure[max(1, round(share * len(sure))) - 1])
        kept = int(np.count_nonzero(sure >= least))
        row = {"abstain_below": least, "coverage": kept / len(sure), "accuracy": float(found[kept - 1]) / kept}
        rows += [row] if not rows or row != rows[-1] else []
    return rows


def calibration(judged: Judged) -> dict[str, Any]:
    """Return calibration error before and after, temperature, both curves, and coverage against accuracy."""
    after, before = (curve(sure, judged.right) for sure in (judged.confidence, judged.before))
    return {
        "ece": calibration_error(after),
        "ece_before": calibration_error(before),
        "temperature": judged.temperature,
        "answers": len(judged.right),
        "curve": after,
        "curve_before": before,
        "coverage": coverage(judged.confidence, judged.right),
    }
