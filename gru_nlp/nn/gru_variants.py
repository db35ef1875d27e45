"""Gated recurrent units that no library runs: the reset gate before the product, and normalised gates.

How they work. As ``GRUFunction`` does: the inputs of all steps in one product before the loop (here outside of the
function, so that autograd and autocast see a plain linear layer), gates computed in place in a copy of it that has the
steps first, states in one tensor, and a backward pass that loops over the state's gradient alone and takes each
weight's as one product over all T B rows. The reset gate before the product makes two products a step that wait for
each other, forward and backward. Normalised gates keep the raw recurrent products with their means and scales, and go
back through the library's normalisation at each step, since its gradient depends on the carried one. Recurrent dropout
is one mask a sequence, ``(B, H)``: what the gates saw is the states times the mask, computed again in ``backward``, not
kept.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell, recurrent_mask
from gru_nlp.nn.cell_forms import GRUForm, NormalisedForm
from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.graph_forms import gru_weights

EPSILON = 1e-5  # of the layer normalisation


def in_format_of(weight: Tensor, projected: Tensor, initial: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return input products ``(B, T, ...)`` and first states ``(B, H)`` in the format of ``weight`` ``(..., H)``.

    Under autocast the products come in half precision, in which a long recurrence would add its errors up.
    """
    first = weight.new_zeros(len(projected), weight.shape[1]) if initial is None else initial.to(weight.dtype)
    return projected.to(weight.dtype), first


class ResetBeforeFunction(torch.autograd.Function):
    """``GRUResetBefore`` over a whole sequence, its input products given."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, initial: Tensor, mask: Tensor | None, of_gates: Tensor, of_candidate: Tensor
    ) -> Tensor:
        """``(B, T, 3 H)``, ``(B, H)``, ``(B, H)``, the recurrent matrices ``(2 H, H)``, ``(H, H)`` -> ``(B, T, H)``."""
        batch, steps, width = len(projected), projected.shape[1], len(of_candidate)
        gates = projected.transpose(0, 1).clone(memory_format=torch.contiguous_format)  # (T, B, 3 H), then r, z, n
        states = projected.new_empty(steps + 1, batch, width)
        states[0] = initial
        for gate, hidden, after in zip(gates, states[:-1], states[1:], strict=True):
            seen = hidden if mask is None else hidden * mask
            reset_update = gate[:, : 2 * width].addmm_(seen, of_gates.t()).sigmoid_()
            new = gate[:, 2 * width :].addmm_(reset_update[:, :width] * seen, of_candidate.t()).tanh_()
            torch.lerp(hidden, new, reset_update[:, width:], out=after)
        ctx.save_for_backward(gates, states, mask, of_gates, of_candidate)
        return states[1:].transpose(0, 1)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of ``forward``'s arguments."""
        gates, states, mask, of_gates, of_candidate = ctx.saved_tensors
        width = len(of_candidate)
        reset, update, new = gates.split(width, dim=2)
        seen = states[:-1] if mask is None else states[:-1] * mask
        kept = 1 - update
        by_new = (1 - new * new).mul_(update)
        by_update = torch.sub(new, states[:-1]).mul_(update).mul_(kept)
        by_reset = (1 - reset).mul_(reset).mul_(seen)
        at_gates = torch.empty_like(gates)  # before the gates' functions
        carried = gradient.new_zeros(gradient.shape[0], width)
        for step in range(len(gates) - 1, -1, -1):
            carried.add_(gradient[:, step])
            candidate = torch.mul(carried, by_new[step], out=at_gates[step, :, 2 * width :])
            at_seen = candidate @ of_candidate
            torch.mul(at_seen, by_reset[step], out=at_gates[step, :, :width])
            torch.mul(carried, by_update[step], out=at_gates[step, :, width : 2 * width])
            at_seen.mul_(reset[step]).addmm_(at_gates[step, :, : 2 * width], of_gates)
            carried.mul_(kept[step]).add_(at_seen if mask is None else at_seen.mul_(mask))
        flat = at_gates.flatten(0, 1)  # (T B, 3 H)
        of_gates_too = flat[:, : 2 * width].t() @ seen.flatten(0, 1)
        of_candidate_too = flat[:, 2 * width :].t() @ (reset * seen).flatten(0, 1)
        return at_gates.transpose(0, 1), carried, None, of_gates_too, of_candidate_too


class GRUResetBefore(Cell):
    """The unit as it was introduced, the reset gate before the recurrent product (Cho et al. 2014, section 2.3).

    Introduced by Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio (2014). With the *update gate*
    z and the *reset gate* r, which are the names that the literature uses::

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)
        h_t = (1 - z_t) h_{t-1} + z_t tanh(W x_t + U (r_t * h_{t-1}) + b)

    (the first paper writes z for 1 - z). Popular write-ups rename them: z an "input gate" i, r a "forget gate" f, and
    add an "output gate" ``o_t``, which influences nothing in those equations, and a "memory", which ``memory`` gives.
    Cost: ``6 H (D + H)`` floating-point operations a step and sequence, in two products that wait for each other.

    Args:
        input_size: D.
        hidden_size: H.
        recurrent_dropout: share of the state's features that the gates and the product do not see, the same ones at
            every step of a sequence (Gal and Ghahramani 2016); none in the step form.
    """

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.recurrent_dropout = recurrent_dropout
        self.inputs = nn.Linear(input_size, 3 * hidden_size)  # r, z, candidate
        self.gates = nn.Linear(hidden_size, 2 * hidden_size, bias=False)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias=False)
        for layer in (self.inputs, self.gates, self.candidate):
            for part in layer.weight.data.chunk(len(layer.weight) // hidden_size):
                (nn.init.xavier_uniform_ if layer is self.inputs else nn.init.orthogonal_)(part)
        nn.init.zeros_(self.inputs.bias)

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        return self._states(sequence, initial, self.recurrent_dropout)

    def _states(self, sequence: Tensor, initial: Tensor | None, dropout: float) -> Tensor:
        projected, first = in_format_of(self.gates.weight, self.inputs(sequence), initial)
        mask = recurrent_mask(first, dropout, self.training)
        with torch.autocast(sequence.device.type, enabled=False):
            return apply_function(ResetBeforeFunction, projected, first, mask, self.gates.weight, self.candidate.weight)

    def _gates(self, projected: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return reset gate, update gate and candidate ``(..., H)`` of input products ``(..., 3 H)``."""
        for_gates, for_candidate = projected.tensor_split([2 * self.hidden_size], dim=-1)
        reset, update = torch.sigmoid(for_gates + self.gates(hidden)).chunk(2, dim=-1)
        return reset, update, torch.tanh(for_candidate + self.candidate(reset * hidden))

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to reset gate, update gate and candidate."""
        return self.inputs.weight, self.inputs.bias

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 3 H)``, ``(..., H)`` -> ``(..., H)``."""
        _, update, candidate = self._gates(products, hidden)
        return hidden + update * (candidate - hidden)

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return self.step_on(self.inputs(inputs), hidden)

    def graph_form(self) -> Cell:
        """Return the operator, whose update gate is what this one's leaves: its sigmoid takes the negative."""
        signs = torch.tensor([1.0, -1.0, 1.0]).repeat_interleave(self.hidden_size)[:, None]
        of_states = torch.cat([self.gates.weight, self.candidate.weight])
        bias = self.inputs.bias * signs[:, 0]
        weights = gru_weights(self.inputs.weight * signs, of_states * signs, bias, torch.zeros_like(bias))
        return GRUForm(self, weights, reset_after=False)

    def memory(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """Return the "memory" of the write-ups, ``(B, T, H)``, which the states do not depend on.

        ``c_t = (1 - f_t) c_{t-1} + f_t tanh(W x_t + U (h_{t-1} * f_t) + b)`` with f the reset gate and c_0 = h_0;
        without recurrent dropout.
        """
        states = self._states(sequence, initial, dropout=0.0)
        first = torch.zeros_like(states[:, 0]) if initial is None else initial
        before = torch.cat([first[:, None], states[:, :-1]], dim=1)
        resets, _, candidates = self._gates(self.inputs(sequence), before)
        memory, memories = first, []
        for candidate, forget in zip(candidates.unbind(dim=1), resets.unbind(dim=1), strict=True):
            memory = memory + forget * (candidate - memory)
            memories.append(memory)
        return torch.stack(memories, dim=1)


class LayerNormFunction(torch.autograd.Function):
    """``GRULayerNorm`` over a whole sequence, its normalised input products given."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, initial: Tensor, mask: Tensor | None, weight: Tensor, gain: Tensor, bias: Tensor
    ) -> Tensor:
        """``(B, T, 3, H)``, ``(B, H)``, ``(B, H)``, the recurrent ``(3 H, H)``, ``(3, H)`` twice -> ``(B, T, H)``."""
        batch, steps, _, width = projected.shape
        gates = projected.transpose(0, 1).clone(memory_format=torch.contiguous_format)  # (T, B, 3, H), then r, z, n
        products = torch.empty_like(gates)
        means, scales = [], []  # in the format that the library's normalisation chooses
        states = projected.new_empty(steps + 1, batch, width)
        states[0] = initial
        for gate, product, hidden, after in zip(gates, products, states[:-1], states[1:], strict=True):
            torch.mm(hidden if mask is None else hidden * mask, weight.t(), out=product.view(batch, 3 * width))
            normal, mean, scale = torch.native_layer_norm(product, [width], None, None, EPSILON)
            means.append(mean)
            scales.append(scale)
            recurrent = torch.addcmul(bias, normal, gain)
            reset, update = gate[:, :2].add_(recurrent[:, :2]).sigmoid_().unbind(dim=1)
            new = gate[:, 2].addcmul_(reset, recurrent[:, 2]).tanh_()
            torch.lerp(new, hidden, update, out=after)
        statistics = torch.stack(means), torch.stack(scales)
        ctx.save_for_backward(gates, products, *statistics, states, mask, weight, gain, bias)
        return states[1:].transpose(0, 1)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of ``forward``'s arguments."""
        gates, products, means, scales, states, mask, weight, gain, bias = ctx.saved_tensors
        batch, width = gates.shape[1], gates.shape[3]
        reset, update, new = gates.unbind(dim=2)
        normal = (products - means).mul_(scales)
        by_new = (1 - new * new).mul_(1 - update)
        by_update = torch.sub(states[:-1], new).mul_(update).mul_(1 - update)
        by_reset = torch.addcmul(bias[2], normal[:, :, 2], gain[2]).mul_(reset).mul_(1 - reset)
        at_recurrent, at_products, at_new = torch.empty_like(gates), torch.empty_like(gates), torch.empty_like(new)
        carried = gradient.new_zeros(batch, width)
        for step in range(len(gates) - 1, -1, -1):
            carried.add_(gradient[:, step])
            own = at_recurrent[step]
            candidate = torch.mul(carried, by_new[step], out=at_new[step])
            torch.mul(candidate, by_reset[step], out=own[:, 0])
            torch.mul(carried, by_update[step], out=own[:, 1])
            torch.mul(candidate, reset[step], out=own[:, 2])
            at_products[step] = torch.ops.aten.native_layer_norm_backward(
                own * gain, products[step], [width], means[step], scales[step], None, None, [True, False, False]
            )[0]
            at_seen = at_products[step].view(batch, 3 * width) @ weight
            carried.mul_(update[step]).add_(at_seen if mask is None else at_seen.mul_(mask))
        seen = states[:-1] if mask is None else states[:-1] * mask
        of_weight = at_products.view(-1, 3 * width).t() @ seen.flatten(0, 1)
        of_gain, of_bias = (at_recurrent * normal).sum(dim=(0, 1)), at_recurrent.sum(dim=(0, 1))
        at_recurrent[:, :, 2] = at_new  # the gradient of the input products differs there alone
        return at_recurrent.transpose(0, 1), carried, None, of_weight, of_gain, of_bias


class GRULayerNorm(Cell):
    """The unit of ``torch.nn.GRU`` with every product normalised over its H features::

        r_t = sigmoid(N(W_r x_t) + N(U_r h_{t-1}))
        z_t = sigmoid(N(W_z x_t) + N(U_z h_{t-1}))
        n_t = tanh(N(W x_t) + r_t * N(U h_{t-1}))
        h_t = (1 - z_t) n_t + z_t h_{t-1}

    Each N is a layer normalisation with gain and bias of its own (Ba et al. 2016, who state it for the plain recurrent
    layer in section 3.1; their own GRU normalises the products of both gates together). Cost: the ``6 H (D + H)``
    operations of the plain unit, and about ``40 H`` for the six normalisations.

    Args:
        input_size: D.
        hidden_size: H.
        recurrent_dropout: share of the state's features that the products do not see, the same ones at every step of
            a sequence (Gal and Ghahramani 2016); none in the step form.
    """

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.recurrent_dropout = recurrent_dropout
        self.inputs = nn.Linear(input_size, 3 * hidden_size, bias=False)  # r, z, candidate
        self.recurrent = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        for layer in (self.inputs, self.recurrent):
            for part in layer.weight.data.chunk(len(layer.weight) // hidden_size):
                (nn.init.xavier_uniform_ if layer is self.inputs else nn.init.orthogonal_)(part)
        self.input_gain, self.recurrent_gain = (nn.Parameter(torch.ones(3, hidden_size)) for _ in range(2))
        self.input_bias, self.recurrent_bias = (nn.Parameter(torch.zeros(3, hidden_size)) for _ in range(2))

    def _normalised(self, products: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """Normalise each of the three products ``(..., 3 H)`` over its H features -> ``(..., 3, H)``."""
        split = products.view(*products.shape[:-1], 3, self.hidden_size)
        return nn.functional.layer_norm(split, (self.hidden_size,), eps=EPSILON) * gain + bias

    def _projected(self, inputs: Tensor) -> Tensor:
        """Return the normalised products ``(..., 3, H)`` of inputs ``(..., D)``."""
        return self._normalised(self.inputs(inputs), self.input_gain, self.input_bias)

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to reset gate, update gate and candidate, before they are normalised."""
        return self.inputs.weight, self.inputs.weight.new_zeros(3 * self.hidden_size)

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        own = self._projected(sequence)
        weight = self.recurrent.weight
        projected, first = in_format_of(weight, own, initial)
        mask = recurrent_mask(first, self.recurrent_dropout, self.training)
        with torch.autocast(sequence.device.type, enabled=False):
            return apply_function(
                LayerNormFunction, projected, first, mask, weight, self.recurrent_gain, self.recurrent_bias
            )

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return self.step_on(self.inputs(inputs), hidden)

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 3 H)``, ``(..., H)`` -> ``(..., H)``."""
        projected = self._normalised(products, self.input_gain, self.input_bias)
        recurrent = self._normalised(self.recurrent(hidden), self.recurrent_gain, self.recurrent_bias)
        reset, update = torch.sigmoid(projected[..., :2, :] + recurrent[..., :2, :]).unbind(dim=-2)
        candidate = torch.tanh(projected[..., 2, :] + reset * recurrent[..., 2, :])
        return candidate + update * (hidden - candidate)

    def graph_form(self) -> Cell:
        """Return the recurrence as a scan."""
        of_states = self.recurrent.weight, self.recurrent_gain, self.recurrent_bias
        return NormalisedForm(self, self._projected, *of_states)
