"""Temperature scaling (Guo et al. 2017, section 4.2): one number by which logits are divided, fitted on validation.

What a model says is most likely stays so; how sure it says to be comes to be what is right as often. As Platt (1999,
section 2.2) does, labels are smoothed by what N texts can tell, or a model that is always right on them would be fitted
to a certainty without end.

Shapes: N texts, C labels.
"""

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gru_nlp.ranges import LEAST_TEMPERATURE, MOST_TEMPERATURE

#: What a temperature may be.
LEAST, MOST = LEAST_TEMPERATURE, MOST_TEMPERATURE
#: Texts that it is fitted to: with fewer it says little, and more change nothing that is seen.
LEAST_ROWS, MOST_ROWS = 50, 20_000
#: Places that the golden section looks at; each leaves 0.618 of the interval.
PLACES = 32
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

Cost = Callable[[float], float]


def fit_temperature(cost: Cost) -> float:
    """Return the temperature from ``LEAST`` to ``MOST`` with the least cost, by golden-section search of its logarithm.

    The negative log-likelihood is convex in the inverse temperature, so that it has one valley whatever the scale.
    """
    low, high = math.log(LEAST), math.log(MOST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    costs = cost(math.exp(left)), cost(math.exp(right))
    for _ in range(PLACES):
        if costs[0] <= costs[1]:
            high, right = right, left
            left = high - GOLDEN * (high - low)
            costs = cost(math.exp(left)), costs[0]
        else:
            low, left = left, right
            right = low + GOLDEN * (high - low)
            costs = costs[1], cost(math.exp(right))
    return min(MOST, max(LEAST, math.exp((low + high) / 2.0)))


def one_label_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the temperature of a softmax; 1 where fewer than ``LEAST_ROWS`` texts have a known label.

    Args:
        logits: ``(N, C)``, C from 2 on.
        targets: ``(N,)``; below 0 it is not known.
    """
    known = targets >= 0
    logits, targets = thinned(logits[known]).cpu().double(), thinned(targets[known]).cpu()
    if len(targets) < LEAST_ROWS:
        return 1.0
    labels = logits.shape[1]
    share = labels / (labels - 1) / (len(targets) + 2)  # of which the true label keeps 1 / labels
    return fit_temperature(lambda value: float(cross_entropy(logits / value, targets, label_smoothing=share)))


def any_label_temperature(logits: Tensor, wanted: Tensor) -> float:
    """Return the temperature of sigmoids; 1 where there are fewer than ``LEAST_ROWS`` texts.

    Args:
        logits: ``(N, C)``.
        wanted: ``(N, C)`` 1 where a text has a label, else 0.
    """
    logits, wanted = (thinned(part).cpu().double() for part in (logits, wanted))  # no GPU of Apple's has float64
    if len(wanted) < LEAST_ROWS:
        return 1.0
    share = 1.0 / (len(wanted) + 2)
    smoothed = wanted * (1.0 - 2.0 * share) + share
    return fit_temperature(lambda value: float(binary_cross_entropy_with_logits(logits / value, smoothed)))


def thinned(rows: Tensor) -> Tensor:
    """Return at most ``MOST_ROWS`` of the rows, evenly spread."""
    return rows[:: -(-len(rows) // MOST_ROWS)] if len(rows) > MOST_ROWS else rows
