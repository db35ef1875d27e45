"""Layers in the form that they have in a graph of ONNX's operators.

How it works. ``torch.onnx.export`` follows what a model computes on an example, so that a loop over time would become
as many copies of its body as the example has steps. On a copy of a model, each layer with such a loop therefore gives
its place to another (``Exportable``), which names an operator, what goes into it and of which shape what comes out is,
and computes nothing. A recurrence that ONNX has no operator for is one of ``FUNCTIONS``: its body, a ``Scan`` over what
depends on the step before, is written here in ONNX's own text form.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

#: The version of ONNX's operators, and the domain that those of ``FUNCTIONS`` stand in until their bodies take their
#: place.
OPSET = 18
DOMAIN = "gru_nlp"
#: Bodies of operators by their names. ``h_t = a_t h_{t-1} + b_t`` over ``(T, B, H)``; and the normalised unit, whose
#: input products are ``(T, B, 3, H)`` and whose states are ``(B, 1, H)``.
FUNCTIONS = {
    "LinearRecurrence": """LinearRecurrence (decays, inputs, initial) => (states) {
  last, states = Scan <num_scan_inputs = 2, body = step (hidden, decay, own) => (after, state) {
    kept = Mul (decay, hidden)
    after = Add (kept, own)
    state = Identity (after)
  }> (initial, decays, inputs)
}""",
    "NormalisedRecurrence": """NormalisedRecurrence (projected, initial, weight, one, gain, bias) => (states) {
  each = Constant <value_ints = [0, 3, -1]> ()
  parts = Constant <value_ints = [2, 1]> ()
  last, states = Scan <num_scan_inputs = 1, body = step (hidden, own) => (after, state) {
    product = MatMul (hidden, weight)
    split = Reshape (product, each)
    normal = LayerNormalization <axis = -1, epsilon = 0.00001> (split, one)
    scaled = Mul (normal, gain)
    recurrent = Add (scaled, bias)
    own_gates, own_new = Split <axis = 1> (own, parts)
    gates, new = Split <axis = 1> (recurrent, parts)
    sum = Add (own_gates, gates)
    open = Sigmoid (sum)
    reset, update = Split <axis = 1, num_outputs = 2> (open)
    seen = Mul (reset, new)
    whole = Add (own_new, seen)
    candidate = Tanh (whole)
    way = Sub (hidden, candidate)
    moved = Mul (update, way)
    after = Add (candidate, moved)
    state = Identity (after)
  }> (initial, projected)
}""",
}


class Exportable(nn.Module, ABC):
    """A layer that another one may stand for where a model becomes a graph."""

    @abstractmethod
    def graph_form(self) -> nn.Module:
        """Return the other one, which is called as this one is.

        Raises:
            UserError: there is none.
        """


def function(name: str, inputs: Sequence[Tensor], shape: Sequence[int]) -> Tensor:
    """Name an operator of ``FUNCTIONS`` for ``inputs``; return what stands for its result, of ``shape``."""
    from torch.onnx.ops import symbolic  # registers operators, which nothing else needs

    return symbolic(f"{DOMAIN}::{name}", inputs, dtype=inputs[0].dtype, shape=shape, version=1)


def scan(step: Callable[[Tensor, Tensor], Tensor], sequence: Tensor, initial: Tensor) -> Tensor:
    """Return the states ``(T, B, H)`` that ``step`` makes of each input and the state before it, in a graph of torch.

    Args:
        step: ``(B, D)``, ``(B, H)`` -> ``(B, H)``.
        sequence: ``(T, B, D)``.
        initial: ``(B, H)``.
    """
    from torch._higher_order_ops.scan import scan as scanned  # of no public name yet

    def body(hidden: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        after = step(inputs, hidden)
        return after, after.clone()

    return cast(Tensor, scanned(body, initial, sequence.contiguous())[1])


def gru(sequence: Tensor, weights: Sequence[Tensor], initial: Tensor | None, *, reset_after: bool) -> Tensor:
    """Name ONNX's operator GRU; return what stands for its states ``(B, T, H)``.

    Args:
        sequence: ``(B, T, D)``.
        weights: as ``gru_weights`` gives them.
        initial: states ``(B, H)``; None: zeros.
        reset_after: whether the reset gate stands after the recurrent product.
    """
    from torch.onnx.ops import symbolic_multi_out

    batch, steps, _ = sequence.shape
    width = weights[1].shape[2]
    first = [] if initial is None else [None, initial[None]]
    states, _ = symbolic_multi_out(
        "GRU",
        [sequence.transpose(0, 1), *weights, *first],
        {"hidden_size": width, "linear_before_reset": int(reset_after)},
        dtypes=[sequence.dtype, sequence.dtype],
        shapes=[(steps, 1, batch, width), (1, batch, width)],
    )
    return states.squeeze(1).transpose(0, 1)


def two_way_gru(
    sequence: Tensor, lengths: Tensor, weights: Sequence[Tensor], *, reset_after: bool
) -> tuple[Tensor, Tensor]:
    """Name ONNX's operator GRU in both directions, which reads each sequence backwards within its own length.

    Args:
        sequence: ``(B, T, D)``.
        lengths: ``(B,)``.
        weights: those of both directions, as ``gru_weights`` gives them, along their first axis.
        reset_after: whether the reset gate stands after the recurrent product.

    Returns:
        What stands for its states ``(B, T, 2 H)``, zeros at padded steps, and for the last ones ``(B, 2 H)``.
    """
    from torch.onnx.ops import symbolic_multi_out

    batch, steps, _ = sequence.shape
    width = weights[1].shape[2]
    states, last = symbolic_multi_out(
        "GRU",
        [sequence.transpose(0, 1), *weights, lengths.int()],
        {"hidden_size": width, "linear_before_reset": int(reset_after), "direction": "bidirectional"},
        dtypes=[sequence.dtype, sequence.dtype],
        shapes=[(steps, 2, batch, width), (2, batch, width)],
    )
    return states.permute(2, 0, 1, 3).flatten(2), last.transpose(0, 1).flatten(1)


def gru_weights(of_inputs: Tensor, of_states: Tensor, input_bias: Tensor, state_bias: Tensor) -> tuple[Tensor, ...]:
    """Return the weights of ONNX's operator GRU, ``(1, 3 H, D)``, ``(1, 3 H, H)`` and ``(1, 6 H)``.

    There the update gate comes first; it is the share of the old state that stays.

    Args:
        of_inputs: ``(3 H, D)``, reset gate, update gate and candidate, as in the others.
        of_states: ``(3 H, H)``.
        input_bias: ``(3 H,)``.
        state_bias: ``(3 H,)``.
    """

    def turned(part: Tensor) -> Tensor:
        reset, update, new = part.detach().chunk(3)
        return torch.cat([update, reset, new])

    biases = torch.cat([turned(input_bias), turned(state_bias)])
    return turned(of_inputs)[None], turned(of_states)[None], biases[None]
