"""Steps of the gated recurrent unit in a loop that trains it, as decoders have that read their context again.

How it works. Two products a step, whose weights are rounded once and whose gradients are formed after the loop
(``products.Repeated``), and one function for all that is elementwise, with its gradient written out.
"""

from typing import Any

import torch
from torch import Tensor

from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.products import Repeated
from gru_nlp.nn.tanh import tanh_


class GatesFunction(torch.autograd.Function):
    """From the products of inputs and of states to the states after them; equations as of ``gru.GRU``."""

    @staticmethod
    def forward(ctx: Any, of_inputs: Tensor, of_states: Tensor, before: Tensor) -> Tensor:
        """``(N, 3 H)`` of r, z, n twice, ``(N, H)`` -> ``(N, H)``."""
        width = before.shape[1]
        gates = torch.add(of_inputs[:, : 2 * width], of_states[:, : 2 * width]).sigmoid_()
        new = tanh_(torch.addcmul(of_inputs[:, 2 * width :], gates[:, :width], of_states[:, 2 * width :]))
        ctx.save_for_backward(gates, new, of_states, before)
        return torch.lerp(new, before, gates[:, width:])

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of ``forward``'s arguments."""
        gates, new, of_states, before = ctx.saved_tensors
        width = before.shape[1]
        reset, update = gates.chunk(2, dim=1)
        slopes = torch.mul(gates, 1 - gates)
        at_inputs = gradient.new_empty(of_states.shape)
        of_reset, of_update, of_new = at_inputs.chunk(3, dim=1)
        torch.mul(gradient, 1 - update, out=of_new).mul_(1 - new * new)
        torch.mul(of_new, of_states[:, 2 * width :], out=of_reset).mul_(slopes[:, :width])
        torch.sub(before, new, out=of_update).mul_(gradient).mul_(slopes[:, width:])
        at_states = at_inputs.clone()
        at_states[:, 2 * width :].mul_(reset)
        return at_inputs, at_states, gradient * update


class GRUSteps:
    """The step form of one batch; takes and returns what ``GRU.step`` does.

    Args:
        weight_ih, weight_hh, bias_ih, bias_hh: of ``torch.nn.GRU``.
    """

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> None:
        self.of_inputs, self.of_states = Repeated(weight_ih, bias_ih), Repeated(weight_hh, bias_hh)

    def __call__(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        before = hidden.flatten(0, -2)
        products = self.of_inputs(inputs.flatten(0, -2)), self.of_states(before)
        return apply_function(GatesFunction, *products, before).view_as(hidden)
