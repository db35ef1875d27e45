import math

import pytest
import torch

from gru_nlp.nn import temperature
from gru_nlp.nn.temperature import any_label_temperature, fit_temperature, one_label_temperature
from gru_nlp.ranges import is_temperature


def drawn(rows, labels, true, seed=1):
    """Return logits, and labels drawn as if they had been divided by ``true``."""
    random = torch.Generator().manual_seed(seed)
    logits = 4.0 * torch.randn(rows, labels, generator=random)
    return logits, torch.multinomial((logits / true).softmax(dim=1), 1, generator=random)[:, 0]


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("labels", [2, 20])
def test_the_temperature_of_the_labels_is_found(true, labels):
    assert one_label_temperature(*drawn(4000, labels, true)) == pytest.approx(true, rel=0.1)


def test_so_is_that_of_several_labels_a_text():
    random = torch.Generator().manual_seed(1)
    logits = 3.0 * torch.randn(3000, 4, generator=random)
    wanted = (torch.rand(3000, 4, generator=random) < (logits / 2.5).sigmoid()).long()
    assert any_label_temperature(logits, wanted) == pytest.approx(2.5, rel=0.1)


def test_labels_that_are_not_known_say_nothing():
    logits, targets = drawn(1000, 3, 2.0)
    unknown = torch.cat([targets, targets.new_full((500,), -1)])
    assert one_label_temperature(torch.cat([logits, 9 * logits[:500]]), unknown) == one_label_temperature(
        logits, targets
    )


def test_a_model_that_is_always_right_is_as_sure_as_so_many_texts_can_tell():
    targets = torch.arange(200) % 2
    logits = 5.0 * torch.nn.functional.one_hot(targets, 2).float()
    sure = (logits / one_label_temperature(logits, targets)).softmax(dim=1)[0, 0]
    assert float(sure) == pytest.approx(201 / 202, abs=1e-4)


def test_the_bounds_hold():
    targets = torch.arange(100) % 2
    logits = 5.0 * torch.nn.functional.one_hot(targets, 2).float()
    assert one_label_temperature(logits.flip(1), targets) == pytest.approx(temperature.MOST, rel=1e-3)
    assert fit_temperature(lambda value: value) == pytest.approx(temperature.LEAST, rel=1e-3)
    assert one_label_temperature(0.0 * logits, targets) <= temperature.MOST


def test_few_rows_change_nothing_and_many_are_thinned(monkeypatch):
    logits, targets = drawn(49, 2, 3.0)
    assert one_label_temperature(logits, targets) == 1.0
    assert any_label_temperature(logits, logits > 0) == 1.0
    monkeypatch.setattr(temperature, "MOST_ROWS", 300)
    assert len(temperature.thinned(torch.zeros(1000))) == 250
    assert len(temperature.thinned(torch.zeros(300))) == 300


def test_a_valley_is_found_wherever_it_lies():
    for place in (0.06, 0.9, 17.0):
        found = fit_temperature(lambda value, place=place: abs(math.log(value / place)))
        assert found == pytest.approx(place, rel=1e-5)


@pytest.mark.parametrize("value", [1, True, "1.0", None, math.nan, math.inf, -1.0, 0.0, 0.04, 20.1, [1.0]])
def test_what_is_no_temperature(value):
    assert not is_temperature(value)
