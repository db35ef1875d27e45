"""The gated recurrent unit, reset gate after the recurrent product.

How it works. On a CPU, where a gradient is wanted, ``GRUFunction`` runs the unit. Forward: one product takes the inputs
of all steps to ``gates`` ``(T, B, 3 H)``; then a step is the recurrent product, into one buffer that stays in the
cache, and a few elementwise calls that turn its ``gates`` into r, z and n in place. Kept for the gradient: inputs,
gates, the candidate's recurrent product before the reset gate, states. Backward, from the end, in blocks of steps that
stay in the cache: the gates' derivatives of the block at once; a loop that carries the state's gradient, one product a
step; and the block's share of each weight's gradient as one product. It is fast because only what depends on the step
before stays in a loop, nothing is allocated there, and no array of the backward pass is as long as the text. Factors of
products may be rounded (``products``); then a rounded copy of the states is kept beside them. Elsewhere (no gradient, a
GPU, autocast) torch's own kernel runs the same parameters.
"""

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from gru_nlp.nn.cell import Cell, TakeStep
from gru_nlp.nn.cell_forms import GRUForm
from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.graph_forms import gru_weights
from gru_nlp.nn.gru_steps import GRUSteps
from gru_nlp.nn.products import add_product, multiply, product_format
from gru_nlp.nn.tanh import tanh_

BLOCK_ROWS = 2048  # steps times sequences that the backward pass takes at a time


def gru_unit(input_size: int, hidden_size: int) -> nn.GRU:
    """Return one direction of one layer: orthogonal recurrent gates, Xavier input gates, zero biases."""
    unit = nn.GRU(input_size, hidden_size, batch_first=True)
    for name, parameter in unit.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.data.chunk(3):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            for gate in parameter.data.chunk(3):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(parameter)
    return unit


class GRUFunction(torch.autograd.Function):
    """The unit over a whole sequence, with a backward pass written out.

    torch's own backward on a CPU multiplies and adds up the weights' gradients step by step;
    ``scripts/benchmark_cells.py`` compares the two.
    """

    @staticmethod
    def forward(
        ctx: Any,
        sequence: Tensor,
        initial: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
    ) -> Tensor:
        """``(B, T, D)``, ``(B, H)`` and the four parameters of ``torch.nn.GRU`` -> states ``(B, T, H)``."""
        batch, steps, size = sequence.shape
        width = weight_hh.shape[1]
        form = product_format(weight_hh)
        inputs = sequence.to(form).transpose(0, 1).reshape(steps * batch, size)
        of_inputs, of_states = weight_ih.to(form), weight_hh.to(form)
        gates = sequence.new_empty(steps * batch, 3 * width)
        gates = multiply(inputs, of_inputs.t(), gates, bias_ih).view(steps, batch, 3 * width)
        states = sequence.new_empty(steps + 1, batch, width)
        states[0] = initial
        seen = states.to(form)  # what the products see of the states, which may be the states themselves
        product = sequence.new_empty(batch, 3 * width)  # one for all steps: it stays in the processor's cache
        recurrent_new = torch.empty_like(states[1:])
        for step, (gate, kept) in enumerate(zip(gates, recurrent_new, strict=True)):
            multiply(seen[step], of_states.t(), product, bias_hh)
            reset_update = gate[:, : 2 * width].add_(product[:, : 2 * width]).sigmoid_()
            kept.copy_(product[:, 2 * width :])
            new = gate[:, 2 * width :].addcmul_(reset_update[:, :width], kept).tanh_()
            torch.lerp(new, states[step], reset_update[:, width:], out=states[step + 1])
            if seen is not states:
                seen[step + 1] = states[step + 1]
        ctx.save_for_backward(inputs, of_inputs, of_states, gates, recurrent_new, states, seen)
        return states[1:].transpose(0, 1)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of ``forward``'s arguments."""
        inputs, weight_ih, weight_hh, gates, recurrent_new, states, seen = ctx.saved_tensors
        steps, batch, width = recurrent_new.shape
        weight_ih = weight_ih.roll(width, 0)  # of n, r, z, in the order of the gradients of a block
        carried = gradient.new_zeros(batch, width)
        of_inputs = gates.new_empty(inputs.shape) if ctx.needs_input_grad[0] else None
        of_weight_ih, of_weight_hh = gates.new_zeros(weight_ih.shape), gates.new_zeros(weight_hh.shape)
        of_biases = gates.new_zeros(4 * width)
        size = max(1, BLOCK_ROWS // batch)
        for start in reversed(range(0, steps, size)):
            span, rows = slice(start, start + size), slice(start * batch, (start + size) * batch)
            block = (gradient[:, span], gates[span], recurrent_new[span], states[:-1][span])
            at_products, factors = _back_through_block(carried, *block, weight_hh)  # (rows, 4 H) each
            of_biases += at_products.sum(0)
            at_inputs, at_recurrent = factors[:, : 3 * width], factors[:, width:]
            if of_inputs is not None:
                multiply(at_inputs, weight_ih, of_inputs[rows])
            add_product(of_weight_ih, at_inputs.t(), inputs[rows])
            add_product(of_weight_hh, at_recurrent.t(), seen[:-1][span].flatten(0, 1))
        of_sequence = None if of_inputs is None else of_inputs.view(steps, batch, -1).transpose(0, 1)
        of_bias_ih, of_bias_hh = of_biases[: 3 * width].roll(-width), of_biases[width:]
        return of_sequence, carried, of_weight_ih.roll(-width, 0), of_weight_hh, of_bias_ih, of_bias_hh


def _back_through_block(
    carried: Tensor, gradient: Tensor, gates: Tensor, recurrent_new: Tensor, states: Tensor, weight_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """Take the state's gradient ``carried`` in place from a block's end to its begin.

    ``(B, H)``, ``(B, S, H)``, ``(S, B, 3 H)``, ``(S, B, H)``, the states before ``(S, B, H)`` -> the gradients before
    the gates' functions ``(S B, 4 H)``, and the same as factors of products: of the candidate's input product, of r, of
    z, which are one for input and recurrent products, and of the candidate's recurrent product.
    """
    width = carried.shape[1]
    reset, update, new = gates.chunk(3, dim=2)
    by_update = torch.sub(states, new).mul_(update).mul_(1 - update)
    by_new = (1 - new * new).mul_(1 - update)
    by_reset = (1 - reset).mul_(reset).mul_(recurrent_new)
    found = gates.new_empty(*gates.shape[:2], 4 * width)
    factors = found.to(weight_hh.dtype)  # may be the same memory
    for step in reversed(range(len(gates))):
        carried.add_(gradient[:, step])
        of_new, of_reset, of_update, of_product = found[step].chunk(4, dim=1)
        candidate = torch.mul(carried, by_new[step], out=of_new)
        torch.mul(candidate, by_reset[step], out=of_reset)
        torch.mul(carried, by_update[step], out=of_update)
        torch.mul(candidate, reset[step], out=of_product)
        if factors is not found:
            factors[step] = found[step]
        add_product(carried.mul_(update[step]), factors[step, :, width:], weight_hh)
    return found.flatten(0, 1), factors.flatten(0, 1)


def _single_step(parameters: tuple[Tensor, ...], inputs: Tensor, hidden: Tensor) -> Tensor:
    return torch.gru_cell(inputs.flatten(0, -2), hidden.flatten(0, -2), *parameters).view_as(hidden)


class GRU(Cell):
    """One direction of one layer, equal to ``torch.nn.GRU`` and run by it, but for training on a CPU.

    The unit is due to Cho et al. 2014; the reset gate stands after the recurrent product, as in ``torch.nn.GRU``::

        r_t = sigmoid(W_r x_t + b_r + U_r h_{t-1} + c_r)
        z_t = sigmoid(W_z x_t + b_z + U_z h_{t-1} + c_z)
        n_t = tanh(W x_t + b + r_t * (U h_{t-1} + c))
        h_t = (1 - z_t) n_t + z_t h_{t-1}

    Cost: ``6 H (D + H)`` floating-point operations a step and sequence.

    Args:
        input_size: D.
        hidden_size: H.
        weight_dropout: share of the recurrent weights that are left out of a whole sequence in training (Merity et al.
            2018, section 2).
    """

    def __init__(self, input_size: int, hidden_size: int, *, weight_dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.unit = gru_unit(input_size, hidden_size)
        self.weight_dropout = weight_dropout

    def _parameters_in_order(self) -> tuple[Tensor, ...]:
        unit = self.unit
        return cast(tuple[Tensor, ...], (unit.weight_ih_l0, unit.weight_hh_l0, unit.bias_ih_l0, unit.bias_hh_l0))

    def stepping(self) -> TakeStep:
        """Return the step with what all steps of a batch share, where training on a CPU gains by it."""
        of_inputs, of_states, *biases = self._parameters_in_order()
        dropped = self.training and self.weight_dropout > 0.0
        kept = dropout(of_states, self.weight_dropout) if dropped else of_states
        if of_inputs.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and torch.is_grad_enabled():
            return GRUSteps(of_inputs, kept, *biases)
        return partial(_single_step, (of_inputs, kept, *biases)) if dropped else self.step

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        on_cpu = sequence.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        dropped = self.training and self.weight_dropout > 0.0
        if torch.is_grad_enabled() and (on_cpu or dropped):
            first = sequence.new_zeros(len(sequence), self.unit.hidden_size) if initial is None else initial
            of_inputs, of_states, *biases = self._parameters_in_order()
            kept = dropout(of_states, self.weight_dropout) if dropped else of_states
            if on_cpu:
                return apply_function(GRUFunction, sequence, first, of_inputs, kept, *biases)
            weights = [of_inputs, kept, *biases]
            return torch.gru(sequence, first[None], weights, True, 1, 0.0, True, False, True)[0]
        return cast(Tensor, self.unit(sequence, None if initial is None else initial[None].contiguous())[0])

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return _single_step(self._parameters_in_order(), inputs, hidden)

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to reset gate, update gate and candidate."""
        weight, _, bias, _ = self._parameters_in_order()
        return weight, bias

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(N, 3 H)``, ``(N, H)`` -> ``(N, H)``: one product for all gates."""
        width = self.hidden_size
        _, weight, _, bias = self._parameters_in_order()
        recurrent = torch.addmm(bias, hidden, weight.t())
        reset_update = recurrent[:, : 2 * width].add_(products[:, : 2 * width]).sigmoid_()
        new = tanh_(recurrent[:, 2 * width :].mul_(reset_update[:, :width]).add_(products[:, 2 * width :]))
        return torch.lerp(new, hidden, reset_update[:, width:])

    def graph_form(self) -> Cell:
        """Return the operator of the same name."""
        return GRUForm(self, gru_weights(*self._parameters_in_order()), reset_after=True)
