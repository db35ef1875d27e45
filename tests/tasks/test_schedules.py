import math

import pytest
import torch

from gru_nlp.tasks import schedules


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = make(optimizer, steps)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_constant_rises_and_stays():
    found = rates(lambda o, n: schedules.constant(o, n, warmup=0.3), 10)
    assert found == pytest.approx([0.5, 1.0, 1.5] + [2.0] * 7)
    assert rates(lambda o, n: schedules.constant(o, n, warmup=0.0), 3) == [2.0] * 3


def test_cosine_follows_its_equation_down_to_the_floor():
    found = rates(lambda o, n: schedules.cosine(o, n, warmup=0.2, floor=0.1), 10)
    assert found[:2] == pytest.approx([2 / 3, 4 / 3])
    expected = [2.0 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / 8))) for step in range(8)]
    assert found[2:] == pytest.approx(expected)
    assert min(found[2:]) >= 0.2


def test_plateau_halves_after_its_patience():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = schedules.plateau(optimizer, 100, factor=0.5, patience=1, mode="max")
    for value in (0.5, 0.5, 0.5):
        schedule.step(value)
    assert optimizer.param_groups[0]["lr"] == 1.0
