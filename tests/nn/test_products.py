import pytest
import torch

from gru_nlp.nn import products
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.products import Linear, product_format
from gru_nlp.nn.projection import projected_cross_entropy
from gru_nlp.precision import multiplying


@pytest.fixture(autouse=True)
def _any_size(monkeypatch):
    monkeypatch.setattr(products, "_pays", lambda: True)
    monkeypatch.setattr(products, "LARGE", 0)


def through_unit(sequence, initial):
    torch.manual_seed(1)
    unit = GRU(6, 8)
    states = unit(sequence, initial)
    weighting = torch.linspace(-1, 1, states.numel()).view_as(states)
    return states, torch.autograd.grad((states * weighting).sum(), (sequence, initial, *unit.parameters()))


def through_loss(sequence, initial):
    torch.manual_seed(1)
    weight, bias = torch.randn(30, 6, requires_grad=True), torch.randn(30, requires_grad=True)
    loss = projected_cross_entropy(sequence.flatten(0, 1), weight, bias, torch.arange(20), 0.1)
    return loss, torch.autograd.grad(loss, (sequence, weight, bias))


def through_layer(sequence, initial):
    torch.manual_seed(1)
    layer = Linear(6, 4)
    found = layer(sequence)
    return found, torch.autograd.grad(found.square().sum(), (sequence, *layer.parameters()))


@pytest.mark.parametrize("through", [through_unit, through_loss, through_layer])
def test_rounded_products_are_near_the_exact_ones_and_the_same_each_time(through):
    torch.manual_seed(0)
    given = torch.randn(4, 5, 6, requires_grad=True), torch.randn(4, 8, requires_grad=True)
    exact, exact_gradients = through(*given)
    with multiplying("medium"):
        rounded, gradients = through(*given)
        again, gradients_again = through(*given)
    assert not torch.equal(exact, rounded)
    pairs = zip((rounded, *gradients), (exact, *exact_gradients), (again, *gradients_again), strict=True)
    for one, other, same in pairs:
        assert one.dtype == torch.float32
        assert torch.equal(one, same)
        assert (one - other).norm() < 0.02 * other.norm()


def test_what_is_small_or_asks_for_no_gradient_or_is_not_float32_stays_exact(monkeypatch):
    layer, inputs = Linear(6, 4), torch.randn(3, 6)
    exact = layer(inputs)
    with multiplying("medium"):
        with torch.inference_mode():
            assert torch.equal(layer(inputs), exact)
        assert product_format(layer.weight) == torch.bfloat16
        assert product_format(layer.weight.double()) == torch.float64
        monkeypatch.setattr(products, "LARGE", 25)
        assert product_format(layer.weight) == torch.float32
        assert torch.equal(layer(inputs), exact)
    monkeypatch.setattr(products, "LARGE", 0)
    assert product_format(layer.weight) == torch.float32
