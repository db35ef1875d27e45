import pytest
import torch

from gru_nlp.nn import products
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.products import Linear, Repeated, product_format
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


def through_steps(sequence, initial):
    torch.manual_seed(1)
    unit = GRU(6, 8)
    take, state, states = unit.stepping(), initial, []
    for inputs in sequence.unbind(1):
        state = take(inputs, state)
        states.append(state)
    weighting = torch.linspace(-1, 1, 20 * 8).view(4, 5, 8)
    states = torch.stack(states, dim=1)
    return states, torch.autograd.grad((states * weighting).sum(), (sequence, initial, *unit.parameters()))


@pytest.mark.parametrize("through", [through_unit, through_loss, through_layer, through_steps])
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


def used(weight, bias, inputs):
    layer, found = Repeated(weight, bias), inputs
    for _ in range(3):
        found = layer(found).sigmoid()
    return found.square().sum()


def test_a_repeated_layer_has_the_gradients_of_one_that_is_called_each_time():
    torch.manual_seed(0)
    weight, bias, inputs = (
        torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in ((3, 3), (3,), (2, 3))
    )
    found = inputs
    for _ in range(3):
        found = torch.nn.functional.linear(found, weight, bias).sigmoid()
    expected = torch.autograd.grad(found.square().sum(), (weight, bias, inputs))
    loss = used(weight, bias, inputs)
    first = torch.autograd.grad(loss, (weight, bias, inputs), retain_graph=True)
    again = torch.autograd.grad(loss, (weight, bias, inputs))
    for one, other, true in zip(first, again, expected, strict=True):
        torch.testing.assert_close(one, true, rtol=0, atol=1e-14)
        assert torch.equal(one, other)
    loss = used(weight, bias, inputs)
    torch.autograd.grad(loss, inputs, retain_graph=True)  # does not reach the parameters
    torch.testing.assert_close(torch.autograd.grad(loss, weight)[0], expected[0], rtol=0, atol=1e-14)
    with pytest.raises(RuntimeError, match="leave out create_graph"):
        torch.autograd.grad(used(weight, bias, inputs), weight, create_graph=True)


def test_notes_of_steps_that_a_later_pass_leaves_out_are_not_counted():
    torch.manual_seed(0)
    weight, bias, inputs = (torch.randn(*size, requires_grad=True) for size in ((3, 3), (3,), (2, 3)))
    layer = Repeated(weight, bias)
    first = layer(inputs)
    second = layer(first)
    torch.autograd.grad(second.sum(), inputs, retain_graph=True)
    with pytest.raises(RuntimeError, match="make a new graph"):
        torch.autograd.grad(first.sum(), weight)


@pytest.mark.parametrize(
    "frozen", [("weight",), ("bias",), ("weight", "bias"), ("inputs",), ("weight", "bias", "inputs")]
)
def test_a_repeated_layer_leaves_alone_what_is_frozen(frozen):
    given = {"weight": torch.randn(3, 3), "bias": torch.randn(3), "inputs": torch.randn(2, 3)}
    for name, tensor in given.items():
        tensor.requires_grad_(name not in frozen)
    loss = used(**given)
    assert loss.requires_grad == (len(frozen) < 3)
    if loss.requires_grad:
        loss.backward()
    assert {name for name, tensor in given.items() if tensor.grad is None} == set(frozen)
