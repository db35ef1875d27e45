import copy

import pytest
import torch
from torch import nn

from gru_nlp.nn.gru import GRU, GRUFunction


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    ours, theirs = GRU(3, 4).double(), nn.GRU(3, 4, batch_first=True).double()
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    theirs.load_state_dict(ours.unit.state_dict())
    return ours, theirs


@pytest.mark.parametrize(("steps", "rows"), [(1, 2048), (2, 2048), (30, 2048), (30, 35), (30, 50), (30, 1)])
def test_states_and_gradients_are_those_of_torch(pair, monkeypatch, steps, rows):
    monkeypatch.setattr("gru_nlp.nn.gru.BLOCK_ROWS", rows)
    ours, theirs = pair
    sequence = torch.randn(5, steps, 3, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    weighting = torch.randn(5, steps, 4, dtype=torch.float64)
    found, (expected, _) = ours(sequence, initial), theirs(sequence, initial[None])
    torch.testing.assert_close(found, expected)
    places = (sequence, initial)
    for one, other in zip(
        torch.autograd.grad((found * weighting).sum(), (*places, *ours.parameters())),
        torch.autograd.grad((expected * weighting).sum(), (*places, *theirs.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_the_written_gradient_is_the_numerical_one(pair):
    sequence = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(GRUFunction.apply, (sequence, initial, *pair[0].unit.parameters()))


@pytest.mark.parametrize("dims", [(), (2,)])
def test_steps_of_a_loop_have_the_gradients_of_single_steps(pair, dims):
    ours = pair[0]
    inputs = torch.randn(6, 5, *dims, 3, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(5, *dims, 4, dtype=torch.float64, requires_grad=True)
    found = []
    for take in (ours.step, ours.stepping()):
        state, total = initial, 0.0
        for place, given in enumerate(inputs):
            state = take(given, state)
            total = total + (state * torch.linspace(-1, 1 + place, 4, dtype=torch.float64)).sum()
        found.append((state, *torch.autograd.grad(total, (inputs, initial, *ours.parameters()))))
    assert ours.stepping() != ours.step
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


def test_steps_that_train_nothing_and_those_in_mixed_precision_are_single_ones(pair):
    ours = pair[0]
    with torch.no_grad():
        assert ours.stepping() == ours.step
    with torch.autocast("cpu"):
        assert ours.stepping() == ours.step


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("single", [True, False])
def test_all_steps_of_a_loop_leave_out_the_same_recurrent_weights(single, training):
    torch.manual_seed(0)
    ours = GRU(3, 4, weight_dropout=0.5).double().train(training)
    sequence = torch.randn(5, 7, 3, dtype=torch.float64)
    torch.manual_seed(1)
    expected = ours(sequence, torch.zeros(5, 4, dtype=torch.float64))
    torch.manual_seed(1)
    with torch.set_grad_enabled(not single):
        take, state, states = ours.stepping(), torch.zeros(5, 4, dtype=torch.float64), []
        for inputs in sequence.unbind(1):
            state = take(inputs, state)
            states.append(state)
    torch.testing.assert_close(torch.stack(states, dim=1), expected, rtol=0, atol=1e-13)
    whole = ours.eval()(sequence, torch.zeros(5, 4, dtype=torch.float64))
    assert torch.allclose(whole, expected) == (not training)


def test_frozen_weights_and_inputs_stay_without_gradients(pair):
    ours = GRU(3, 4)
    ours.unit.weight_hh_l0.requires_grad_(False)
    ours(torch.randn(2, 3, 3)).sum().backward()
    assert ours.unit.weight_hh_l0.grad is None
    assert ours.unit.weight_ih_l0.grad.any()


def test_training_and_inference_give_the_same_states(pair):
    ours = copy.deepcopy(pair[0])
    sequence = torch.randn(5, 7, 3, dtype=torch.float64)
    with torch.inference_mode():
        quick = ours(sequence)
    torch.testing.assert_close(ours(sequence).detach(), quick, rtol=0, atol=1e-14)
    with torch.autocast("cpu"):
        torch.testing.assert_close(
            ours.float()(sequence.float()), quick.float(), rtol=0.1, atol=0.05, check_dtype=False
        )


def test_steps_give_the_sequence(pair):
    ours = pair[0]
    sequence = torch.randn(5, 7, 3, dtype=torch.float64)
    state, states = torch.zeros(5, 4, dtype=torch.float64), []
    for place in range(7):
        state = ours.step(sequence[:, place], state)
        states.append(state)
    torch.testing.assert_close(torch.stack(states, dim=1), ours(sequence), rtol=0, atol=1e-14)
