"""By what an epoch is chosen: the monitored score, or what stands in for it while it cannot tell epochs apart.

A score that is better the higher it is has a floor, up to which it is that of a model which has learned nothing: 0, or
the accuracy of one answer for all. An error rate has one from which on it is so: 1, that of saying nothing. Epochs on
the floor come after all others, and among themselves by how far each falls short by another measure, such as its loss.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gru_nlp.errors import choose

#: How the name begins under which callbacks find what an epoch is chosen by; that of the monitored score follows.
CHOICE = "choice/"


class StandIn(NamedTuple):
    """Another measure of an epoch: its name, and by how much it falls short of the best there could be, from 0 on."""

    name: str
    shortfall: float


class Choice(NamedTuple):
    """What an epoch is chosen by: a number, better in the monitored score's own direction, and the name of its source.

    On the floor the number is minus the shortfall, and no floor lies below 0; where less is better, it is the floor
    plus the shortfall.
    """

    value: float
    name: str


def choose_by(
    scores: Mapping[str, float], monitor: str, mode: str, floor: float = 0.0, stand_in: StandIn | None = None
) -> Choice:
    """Return what an epoch is chosen by.

    Args:
        scores: of its validation.
        monitor: name of the score that was asked for.
        mode: ``max`` or ``min``: which is better.
        floor: see above; 0 where less is better: there is none.
        stand_in: what decides on the floor; None: there is nothing.

    Raises:
        UserError: there is no such score.
    """
    value = scores[choose("task.monitor", monitor, scores)]
    learned = value > floor if mode == "max" else floor == 0.0 or value < floor
    if learned or stand_in is None:
        return Choice(value, monitor)
    return Choice(-stand_in.shortfall if mode == "max" else floor + stand_in.shortfall, stand_in.name)
