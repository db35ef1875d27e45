from functools import partial

import pytest
import torch
from torch import nn

from gru_nlp.nn import gru_variants, li_gru, min_gru
from gru_nlp.nn.cell import recurrent_mask
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.gru_variants import GRULayerNorm, GRUResetBefore
from gru_nlp.nn.li_gru import LiGRU
from gru_nlp.nn.masking import padding_mask
from gru_nlp.nn.min_gru import (
    SSRU,
    LinearRecurrence,
    MinGRU,
    MinLSTM,
    scan_loop,
    scan_loop_back,
    scan_parallel,
    scan_parallel_back,
)

CELLS = {
    "gru": GRU,
    "gru_reset_before": partial(GRUResetBefore, recurrent_dropout=0.0),
    "gru_layer_norm": partial(GRULayerNorm, recurrent_dropout=0.0),
    "min_gru": MinGRU,
    "min_lstm": MinLSTM,
    "ssru": SSRU,
    "li_gru": partial(LiGRU, recurrent_dropout=0.0),
}
D, H = 3, 4


def make(name):
    torch.manual_seed(0)
    cell = CELLS[name](D, H).double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.7)
    for kept in cell.buffers():
        kept.uniform_(0.5, 1.5)
    return cell.eval()  # where batches have no part in a sequence's states


def drawn(*shape, grad=False):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_(grad)


def by_steps(cell, sequence, state):
    states = []
    for inputs in sequence.unbind(dim=1):
        state = cell.step(inputs, state)
        states.append(state)
    return torch.stack(states, dim=1)


@pytest.mark.parametrize("steps", [1, 2, 17, 300])
@pytest.mark.parametrize("name", CELLS)
def test_the_sequence_form_equals_the_step_form(name, steps):
    cell, sequence, initial = make(name), drawn(2, steps, D), drawn(2, H)
    for first in (torch.zeros_like(initial), initial):
        expected = by_steps(cell, sequence, first)
        torch.testing.assert_close(cell(sequence, first), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(cell(sequence), by_steps(cell, sequence, torch.zeros_like(initial)))


@pytest.mark.parametrize("name", CELLS)
def test_a_run_goes_on_from_its_final_state(name):
    cell, sequence = make(name), drawn(2, 9, D)
    whole, first = cell(sequence), cell(sequence[:, :5])
    torch.testing.assert_close(cell(sequence[:, 5:], first[:, -1]), whole[:, 5:])


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_the_numerical_ones(name):
    cell = make(name)
    names = [parameter for parameter, _ in cell.named_parameters()]

    def run(sequence, initial, *weights):
        return torch.func.functional_call(cell, dict(zip(names, weights, strict=True)), (sequence, initial))

    weights = [parameter.detach().clone().requires_grad_() for parameter in cell.parameters()]
    assert torch.autograd.gradcheck(run, (drawn(2, 4, D, grad=True), drawn(2, H, grad=True), *weights))


@pytest.mark.parametrize("name", CELLS)
def test_padding_has_no_part_in_either_direction(name):
    torch.manual_seed(0)
    encoder = RecurrentEncoder(D, cell=CELLS[name], hidden_size=H, layers=2, bidirectional=True, dropout=0.0).double()
    lengths, sequence = torch.tensor([6, 1, 4]), drawn(3, 8, D)
    states, final = encoder.eval()(sequence, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, last = encoder(sequence[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(states[row, :length], alone[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(final[row], last[0], rtol=0, atol=1e-12)


def test_reset_before_follows_its_equations():
    cell, sequence, hidden = make("gru_reset_before"), drawn(1, 3, D)[0], torch.zeros(H, dtype=torch.float64)
    w, b = cell.inputs.weight.split(H), cell.inputs.bias.split(H)
    u_r, u_z = cell.gates.weight.split(H)
    memory, expected, memories = hidden, [], []
    for x in sequence:
        r = torch.sigmoid(w[0] @ x + u_r @ hidden + b[0])
        z = torch.sigmoid(w[1] @ x + u_z @ hidden + b[1])
        candidate = torch.tanh(w[2] @ x + cell.candidate.weight @ (r * hidden) + b[2])
        memory = (1 - r) * memory + r * candidate
        hidden = (1 - z) * hidden + z * candidate
        expected.append(hidden)
        memories.append(memory)
    torch.testing.assert_close(cell(sequence[None])[0], torch.stack(expected))
    torch.testing.assert_close(cell.memory(sequence[None])[0], torch.stack(memories))


def test_layer_norm_is_the_plain_unit_over_normalised_products():
    cell = make("gru_layer_norm")
    x, h = drawn(D), drawn(H)

    def normalised(layer, inputs, gain, bias):
        parts = (layer.weight @ inputs).view(3, H)
        centred = parts - parts.mean(dim=1, keepdim=True)
        return centred / (centred.square().mean(dim=1, keepdim=True) + 1e-5).sqrt() * gain + bias

    own = normalised(cell.inputs, x, cell.input_gain, cell.input_bias)
    rec = normalised(cell.recurrent, h, cell.recurrent_gain, cell.recurrent_bias)
    r, z = torch.sigmoid(own[0] + rec[0]), torch.sigmoid(own[1] + rec[1])
    torch.testing.assert_close(cell.step(x[None], h[None])[0], (1 - z) * torch.tanh(own[2] + r * rec[2]) + z * h)


def test_the_simpler_simple_unit_keeps_c_and_shows_h():
    cell, sequence, c = make("ssru"), drawn(1, 3, D), torch.zeros(H, dtype=torch.float64)
    w_f, w = cell.inputs.weight.split(H)
    kept = []
    for x in sequence[0]:
        f = torch.sigmoid(w_f @ x + cell.forget_bias)
        c = f * c + (1 - f) * (w @ x)
        kept.append(c)
    torch.testing.assert_close(cell(sequence)[0], torch.stack(kept))
    assert (torch.stack(kept) < 0).any()
    assert torch.equal(cell.show(torch.stack(kept)), torch.stack(kept).clamp(min=0))


def test_an_encoder_gives_what_its_units_show_and_goes_on_from_what_they_keep():
    torch.manual_seed(0)
    options = {"cell": SSRU, "hidden_size": H, "layers": 2, "bidirectional": False, "dropout": 0.0}
    encoder, sequence = RecurrentEncoder(D, **options).double(), drawn(2, 7, D)
    first, second = encoder.forward_cells
    kept = second(torch.relu(first(sequence)))
    states, final = encoder(sequence, torch.tensor([7, 4]))
    torch.testing.assert_close(states, torch.relu(kept))
    torch.testing.assert_close(final, torch.stack([states[0, 6], states[1, 3]]))
    begun, after = encoder.carry(sequence[:, :5], None)
    torch.testing.assert_close(after[1], kept[:, 4])
    torch.testing.assert_close(encoder.carry(sequence[:, 5:], after)[0], states[:, 5:])
    stepped, _ = encoder.step(sequence[:, 5], after)
    torch.testing.assert_close(stepped, states[:, 5])
    torch.testing.assert_close(begun, states[:, :5])


def test_li_gru_normalises_over_the_real_steps_of_a_batch():
    cell, sequence, lengths = make("li_gru").train(), drawn(2, 4, D), torch.tensor([4, 2])
    products = (sequence @ cell.inputs.weight.t()).detach()
    real = torch.cat([products[0], products[1, :2]])
    mean, variance = real.mean(dim=0), real.var(dim=0, correction=0)
    kept = 0.95 * cell.mean + 0.05 * mean, 0.95 * cell.variance + 0.05 * variance
    states = cell.read(sequence, lengths)
    torch.testing.assert_close((cell.mean, cell.variance), kept)
    normal = (products - mean) / (variance + 1e-5).sqrt() * cell.gain + cell.bias
    for row, length in enumerate(lengths):
        h = torch.zeros(H, dtype=torch.float64)
        for step in range(length):
            z, candidate = (normal[row, step] + cell.recurrent.weight @ h).split(H)
            h = torch.sigmoid(z) * h + (1 - torch.sigmoid(z)) * torch.relu(candidate)
            torch.testing.assert_close(states[row, step], h)


def test_what_stands_at_padded_steps_never_enters_the_statistics_of_a_batch():
    torch.manual_seed(0)
    options = {"cell": CELLS["li_gru"], "hidden_size": H, "layers": 2, "bidirectional": True, "dropout": 0.0}
    encoder, lengths = RecurrentEncoder(D, **options).double(), torch.tensor([6, 1, 4])
    fresh, real = {name: kept.clone() for name, kept in encoder.named_buffers()}, padding_mask(lengths, 8)
    found = []
    for filling in (0.0, 1e6):
        encoder.load_state_dict(fresh, strict=False)
        sequence = drawn(3, 8, D).masked_fill(~real[:, :, None], filling).requires_grad_()
        states, final = encoder(sequence, lengths)
        final.sum().backward()
        found.append((states[real], final, sequence.grad, *(kept.clone() for kept in encoder.buffers())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
    assert not found[0][2][~real].any()
    assert not torch.equal(found[0][3], fresh["forward_cells.0.mean"])


def test_gradients_through_the_statistics_of_a_batch_are_the_numerical_ones():
    cell = make("li_gru").train()
    names, weights = zip(*cell.named_parameters(), strict=True)

    def run(sequence, initial, *weights):
        given = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(cell, given, (sequence, initial))

    assert torch.autograd.gradcheck(run, (drawn(2, 4, D, grad=True), drawn(2, H, grad=True), *weights))


@pytest.mark.parametrize("steps", [1, 2, 7, 64, 300])
def test_the_parallel_scan_equals_the_loop(steps):
    decays, inputs, initial = torch.sigmoid(3 * drawn(steps, 2, H)), drawn(steps, 2, H).flip(0), drawn(2, H)
    torch.testing.assert_close(scan_parallel(decays, inputs, initial), scan_loop(decays, inputs, initial))
    back = scan_parallel_back(decays, inputs)
    torch.testing.assert_close(back, scan_loop_back(decays, inputs))
    torch.testing.assert_close(back[0], inputs[0] + (decays[1] * back[1] if steps > 1 else 0.0))


@pytest.mark.parametrize("loop", [True, False])
def test_the_gradient_of_the_recurrence_is_the_numerical_one(loop, monkeypatch):
    monkeypatch.setattr(min_gru, "loops", lambda tensor: loop)
    places = (torch.sigmoid(drawn(6, 2, H)).requires_grad_(), drawn(6, 2, H, grad=True), drawn(2, H, grad=True))
    assert torch.autograd.gradcheck(LinearRecurrence.apply, places)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm", "ssru"])
def test_loop_and_parallel_form_agree_over_four_thousand_steps_masked_and_both_ways(name, monkeypatch):
    torch.manual_seed(0)
    encoder = RecurrentEncoder(D, cell=CELLS[name], hidden_size=H, layers=2, bidirectional=True, dropout=0.0).double()
    lengths = torch.tensor([4096, 17, 3000])
    found = []
    for loop in (True, False):
        monkeypatch.setattr(min_gru, "loops", lambda tensor, loop=loop: loop)
        sequence = drawn(3, 4096, D, grad=True)
        states, final = encoder(sequence, lengths)
        real = padding_mask(lengths, 4096)[:, :, None]
        (states * real).sum().backward()
        found.append((states * real, final, sequence.grad))
    assert not found[0][2][1, 17:].any()
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_a_second_derivative_is_refused_not_wrong(name):
    cell, sequence = make(name), drawn(2, 4, D, grad=True)
    with pytest.raises(RuntimeError, match="leave out create_graph"):
        torch.autograd.grad(cell(sequence).sum(), sequence, create_graph=True)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
def test_four_thousand_steps_neither_overflow_nor_vanish(name):
    torch.manual_seed(0)
    cell = CELLS[name](D, H)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(20.0)
    sequence = torch.randn(2, 4096, D, requires_grad=True)
    states = cell(sequence)
    assert torch.isfinite(states).all()
    assert states.abs().max() <= cell.candidate(sequence).abs().max() + 1e-3
    states.sum().backward()
    assert torch.isfinite(sequence.grad).all()
    share = torch.full((4096, 1, 1), 0.999)
    assert scan_parallel(share, torch.ones(4096, 1, 1), torch.zeros(1, 1))[-1].item() == pytest.approx(983.4, rel=1e-3)
    gone = scan_parallel(torch.zeros(4096, 1, 1), torch.ones(4096, 1, 1), torch.ones(1, 1))
    assert torch.equal(gone, torch.ones(4096, 1, 1))


@pytest.mark.parametrize("kind", [GRUResetBefore, GRULayerNorm, LiGRU])
def test_recurrent_dropout_hides_the_same_features_at_every_step_and_only_in_training(kind):
    torch.manual_seed(0)
    cell = kind(D, 50, recurrent_dropout=0.5)
    sequence = torch.randn(2, 6, D)
    torch.manual_seed(1)
    once = cell(sequence)
    torch.manual_seed(1)
    assert torch.equal(once, cell(sequence))
    assert not torch.equal(once, cell(sequence))
    assert torch.equal(cell.eval()(sequence), cell(sequence))
    mask = recurrent_mask(torch.zeros(40, 50), 0.25, training=True)
    assert mask.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert mask.mean().item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", [GRUResetBefore, GRULayerNorm, LiGRU])
def test_recurrent_dropout_hides_features_from_the_products_alone(kind, monkeypatch):
    torch.manual_seed(0)
    mask = torch.tensor([2.0, 0.0, 2.0, 0.0], dtype=torch.float64)
    for module in (gru_variants, li_gru):
        monkeypatch.setattr(module, "recurrent_mask", lambda hidden, *_: mask.expand_as(hidden))
    dropped = kind(D, H, recurrent_dropout=0.5).double()
    sequence, initial = drawn(2, 5, D, grad=True), drawn(2, H, grad=True)
    names, weights = zip(*dropped.named_parameters(), strict=True)

    def run(sequence, initial, *weights):
        return torch.func.functional_call(dropped, dict(zip(names, weights, strict=True)), (sequence, initial))

    assert torch.autograd.gradcheck(run, (sequence, initial, *weights))
    states = dropped(sequence, initial)
    # What a matrix does not see of a state might as well be zero in the matrix.
    for module in (gru_variants, li_gru):
        monkeypatch.setattr(module, "recurrent_mask", lambda *_: None)
    with torch.no_grad():
        for name in ("gates", "candidate") if kind is GRUResetBefore else ("recurrent",):
            getattr(dropped, name).weight.mul_(mask)
    torch.testing.assert_close(states, dropped(sequence, initial))


@pytest.mark.parametrize("name", CELLS)
def test_half_precision_trains_and_decodes(name):
    torch.manual_seed(0)
    cell = CELLS[name](D, H)
    with torch.autocast("cpu"):
        states = cell(torch.randn(2, 5, D), torch.zeros(2, H, dtype=torch.bfloat16))
        stepped = cell.step(torch.randn(2, D), torch.zeros(2, H))
    states.float().sum().backward()
    assert torch.isfinite(stepped).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in cell.parameters())


@pytest.mark.parametrize("name", CELLS)
def test_a_unit_all_in_half_precision_keeps_its_format(name):
    torch.manual_seed(0)
    cell = CELLS[name](D, H).bfloat16()
    sequence = torch.randn(2, 5, D, dtype=torch.bfloat16)
    states = cell(sequence)
    assert states.dtype == cell.step(sequence[:, 0], states[:, 0]).dtype == torch.bfloat16
    states.float().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in cell.parameters())


@pytest.mark.parametrize("name", CELLS)
def test_a_step_goes_on_from_the_products_of_its_inputs(name):
    cell, inputs, hidden = make(name), torch.randn(5, D, dtype=torch.float64), torch.randn(5, H, dtype=torch.float64)
    with torch.no_grad():
        found = cell.step_on(nn.functional.linear(inputs, *cell.input_map()), hidden)
        torch.testing.assert_close(found, cell.step(inputs, hidden), rtol=0, atol=1e-12)
