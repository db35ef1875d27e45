"""Learning-rate schedules, counted in optimiser steps; ``conf/schedule`` names them."""

import math
from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

#: What a plateau has come to; its other values are those of the config.
COME_TO = {"best": float, "num_bad_epochs": int, "cooldown_counter": int, "last_epoch": int}


def constant(optimizer: Optimizer, total_steps: int, *, warmup: float) -> LRScheduler:
    """Rise linearly over the first ``warmup`` share of the steps, then stay."""
    rise = round(total_steps * warmup)
    return LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (rise + 1)))


def cosine(optimizer: Optimizer, total_steps: int, *, warmup: float, floor: float) -> LRScheduler:
    """Rise linearly, then fall along half a cosine to ``floor`` of the rate (Loshchilov and Hutter 2017, eq. 5)."""
    rise = round(total_steps * warmup)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / (rise + 1)
        done = min(1.0, (step - rise) / max(1, total_steps - rise))
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done))

    return LambdaLR(optimizer, factor)


def plateau(optimizer: Optimizer, total_steps: int, *, factor: float, patience: int, mode: str) -> ReduceLROnPlateau:
    """Multiply the rate by ``factor`` after ``patience`` validations without a better score, whatever the steps."""
    return ReduceLROnPlateau(optimizer, mode="max" if mode == "max" else "min", factor=factor, patience=patience)


def take_back(schedule: ReduceLROnPlateau, state: Mapping[str, Any]) -> None:
    """Let a plateau go on from what it had come to.

    Raises:
        KeyError, OverflowError, TypeError, ValueError: ``state``, which may be a stranger's, is of another kind.
    """
    schedule.load_state_dict({name: kind(state[name]) for name, kind in COME_TO.items()})
