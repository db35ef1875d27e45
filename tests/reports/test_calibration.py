import numpy as np
import pytest

from gru_nlp.metrics.confidence import Judged
from gru_nlp.reports.calibration import calibration, calibration_error, coverage, curve


def test_the_error_is_that_of_its_definition():
    random = np.random.default_rng(1)
    sure = np.append(random.random(500), [0.0, 1.0, 1 / 15, 2 / 15])
    right = random.random(504) < sure**2
    wanted = 0.0
    for place in range(15):
        held = (sure > place / 15) & (sure <= (place + 1) / 15) | ((place == 0) & (sure == 0.0))
        if held.any():
            wanted += held.mean() * abs(right[held].mean() - sure[held].mean())
    bins = curve(sure, right)
    assert calibration_error(bins) == pytest.approx(wanted)
    assert sum(each["count"] for each in bins) == 504


def test_a_hand_made_curve():
    bins = curve(np.array([0.9, 0.9, 0.9, 0.5]), np.array([True, True, False, True]))
    assert [(each["count"], round(each["accuracy"], 4)) for each in bins] == [(1, 1.0), (3, 0.6667)]
    assert calibration_error(bins) == pytest.approx((0.5 + 3 * (0.9 - 2 / 3)) / 4)
    assert calibration_error([]) == 0.0


def test_coverage_counts_answers_that_are_as_sure_together():
    sure, right = np.array([0.9, 0.6, 0.9, 0.3]), np.array([True, False, True, False])
    rows = [tuple(row.values()) for row in coverage(sure, right)]
    assert rows == [(0.3, 1.0, 0.5), (0.6, 0.75, pytest.approx(2 / 3)), (0.9, 0.5, 1.0)]
    assert coverage(sure[:0], right[:0]) == []


def test_the_figures_hold_both_sides():
    sure, right = np.linspace(0.5, 1.0, 100), np.arange(100) % 4 > 0
    found = calibration(Judged(sure, np.ones(100), right, 1.5))
    assert found["ece_before"] == pytest.approx(0.25)
    assert found["ece"] == pytest.approx(calibration_error(found["curve"])) != found["ece_before"]
    assert (found["temperature"], found["answers"]) == (1.5, 100)
    assert found["coverage"][0]["accuracy"] == 0.75
