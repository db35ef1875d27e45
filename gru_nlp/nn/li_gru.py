"""The light gated unit of speech recognisers: no reset gate, a relu, input products normalised over the batch.

How it works. As its relatives in ``gru_variants``: the input products of all steps in one, normalised there, and a loop
over the recurrent products alone, with its gradient written out by hand. The normalisation is the only one here that
sees other sequences: in training its mean and variance are those of all real steps of a batch, which is why this unit
is told lengths; afterwards they are kept numbers, so that an answer depends on its own sequence alone, and they and the
products are one linear layer.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell, recurrent_mask
from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.gru_variants import in_format_of
from gru_nlp.nn.masking import padding_mask

EPSILON = 1e-5  # of the normalisation
MOMENTUM = 0.05  # share of a batch in the kept mean and variance


class LiGRUFunction(torch.autograd.Function):
    """``LiGRU`` over a whole sequence, its normalised input products given."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, initial: Tensor, mask: Tensor | None, weight: Tensor) -> Tensor:
        """``(B, T, 2 H)``, ``(B, H)``, ``(B, H)``, the recurrent ``(2 H, H)`` -> states ``(B, T, H)``."""
        batch, steps, width = len(projected), projected.shape[1], weight.shape[1]
        gates = projected.transpose(0, 1).clone(memory_format=torch.contiguous_format)  # (T, B, 2 H), then z, candidate
        states = projected.new_empty(steps + 1, batch, width)
        states[0] = initial
        for gate, hidden, after in zip(gates, states[:-1], states[1:], strict=True):
            gate.addmm_(hidden if mask is None else hidden * mask, weight.t())
            torch.lerp(gate[:, width:].relu_(), hidden, gate[:, :width].sigmoid_(), out=after)
        ctx.save_for_backward(gates, states, mask, weight)
        return states[1:].transpose(0, 1)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of ``forward``'s arguments."""
        gates, states, mask, weight = ctx.saved_tensors
        width = weight.shape[1]
        update, candidate = gates.split(width, dim=2)
        by_gates = torch.empty_like(gates)  # what a state's gradient is multiplied by on its way before the gates
        torch.mul(torch.sub(states[:-1], candidate).mul_(update), 1 - update, out=by_gates[:, :, :width])
        torch.mul(1 - update, candidate > 0, out=by_gates[:, :, width:])
        at_gates = by_gates.view(*gates.shape[:2], 2, width)
        carried = gradient.new_zeros(gradient.shape[0], width)
        for step in range(len(gates) - 1, -1, -1):
            carried.add_(gradient[:, step])
            at_gates[step].mul_(carried[:, None])
            at_seen = at_gates[step].view(len(carried), 2 * width) @ weight
            carried.mul_(update[step]).add_(at_seen if mask is None else at_seen.mul_(mask))
        seen = states[:-1] if mask is None else states[:-1] * mask
        of_weight = by_gates.flatten(0, 1).t() @ seen.flatten(0, 1)
        return by_gates.transpose(0, 1), carried, None, of_weight


class LiGRU(Cell):
    """The light gated recurrent unit (Ravanelli, Brakel, Omologo and Bengio 2018, section III)::

        z_t = sigmoid(N(W_z x_t) + U_z h_{t-1})
        h_t = z_t h_{t-1} + (1 - z_t) relu(N(W x_t) + U h_{t-1})

    N is batch normalisation with gain and bias of its own (Ioffe and Szegedy 2015), over all real steps of a batch; the
    recurrent products have none. In training a sequence's states so depend on the others of its batch; in evaluation,
    where N has the mean and the variance kept from training, they do not. Cost: ``4 H (D + H)`` operations a step and
    sequence. A decoder has no such unit: its steps come one at a time, with no batch of all of them to normalise over.

    Args:
        input_size: D.
        hidden_size: H.
        recurrent_dropout: share of the state's features that the products do not see, the same ones at every step of
            a sequence (Gal and Ghahramani 2016); none in the step form.
    """

    steps_alone = False
    statistics = ("mean", "variance")
    mean: Tensor
    variance: Tensor

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.recurrent_dropout = recurrent_dropout
        self.inputs = nn.Linear(input_size, 2 * hidden_size, bias=False)  # z, candidate
        self.recurrent = nn.Linear(hidden_size, 2 * hidden_size, bias=False)
        for layer in (self.inputs, self.recurrent):
            for part in layer.weight.data.chunk(2):
                (nn.init.xavier_uniform_ if layer is self.inputs else nn.init.orthogonal_)(part)
        self.gain = nn.Parameter(torch.ones(2 * hidden_size))
        self.bias = nn.Parameter(torch.zeros(2 * hidden_size))
        self.register_buffer("mean", torch.zeros(2 * hidden_size))
        self.register_buffer("variance", torch.ones(2 * hidden_size))

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)``, all steps real -> states ``(B, T, H)``."""
        return self.read(sequence, None, initial)

    def read(self, sequence: Tensor, lengths: Tensor | None, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` of ``lengths`` ``(B,)`` -> states ``(B, T, H)``."""
        weight = self.recurrent.weight
        projected, first = in_format_of(weight, self._projected(sequence, lengths), initial)
        mask = recurrent_mask(first, self.recurrent_dropout, self.training)
        with torch.autocast(sequence.device.type, enabled=False):
            return apply_function(LiGRUFunction, projected, first, mask, weight)

    def _projected(self, sequence: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the normalised products ``(B, T, 2 H)`` of a sequence."""
        if not self.training:
            return nn.functional.linear(sequence, *self.input_map())
        products: Tensor = self.inputs(sequence)
        products = products.to(self.gain.dtype)  # half precision would blur the statistics of a batch
        real = products.flatten(0, 1) if lengths is None else products[padding_mask(lengths, products.shape[1])]
        variance, mean = torch.var_mean(real, dim=0, correction=0)
        with torch.no_grad():
            self.mean.lerp_(mean.to(self.mean.dtype), MOMENTUM)
            self.variance.lerp_(variance.to(self.variance.dtype), MOMENTUM)
        scale = self.gain * (variance + EPSILON).rsqrt()
        return products * scale + (self.bias - mean * scale)

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to update gate and candidate, normalised by the mean and the variance that are kept."""
        scale = self.gain * (self.variance + EPSILON).rsqrt()
        return self.inputs.weight * scale[:, None], self.bias - self.mean * scale

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return self.step_on(nn.functional.linear(inputs, *self.input_map()), hidden)

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 2 H)``, ``(..., H)`` -> ``(..., H)``."""
        update, candidate = (products + self.recurrent(hidden)).chunk(2, dim=-1)
        candidate = torch.relu(candidate)
        moved: Tensor = candidate + torch.sigmoid(update) * (hidden - candidate)
        return moved
