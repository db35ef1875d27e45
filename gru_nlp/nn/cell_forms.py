"""Recurrent units in the form that they have in a graph: what runs over a sequence is an operator."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell, CellForm
from gru_nlp.nn.graph_forms import function, gru, two_way_gru


class GRUForm(CellForm):
    """ONNX's operator GRU.

    Args:
        cell: the unit.
        weights: as ``graph_forms.gru_weights`` gives them.
        reset_after: whether the reset gate stands after the recurrent product.
    """

    def __init__(self, cell: Cell, weights: Sequence[Tensor], *, reset_after: bool) -> None:
        super().__init__(cell)
        self.names = ("of_inputs", "of_states", "biases")
        for name, weight in zip(self.names, weights, strict=True):
            self.register_buffer(name, weight)
        self.reset_after = reset_after

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        weights = [self.get_buffer(name) for name in self.names]
        return gru(sequence, weights, initial, reset_after=self.reset_after)


class TwoWayGRUForm(nn.Module):
    """An encoder of layers in both directions, each one operator GRU.

    Args:
        forms: of its units, the first layer's first, of each layer the one that reads forwards first.
    """

    def __init__(self, forms: Sequence[GRUForm]) -> None:
        super().__init__()
        self.reset_after = forms[0].reset_after
        self.names = forms[0].names
        self.layers = nn.ModuleList()
        for both in zip(forms[::2], forms[1::2], strict=True):
            layer = nn.Module()
            for name in self.names:
                layer.register_buffer(name, torch.cat([form.get_buffer(name) for form in both]))
            self.layers.append(layer)

    def forward(self, sequence: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, T, D)`` of ``lengths`` ``(B,)`` -> states ``(B, T, 2 H)``, the last layer's final one ``(B, 2 H)``."""
        final = sequence
        for layer in self.layers:
            weights = [layer.get_buffer(name) for name in self.names]
            sequence, final = two_way_gru(sequence, lengths, weights, reset_after=self.reset_after)
        return sequence, final


class LinearForm(CellForm):
    """``h_t = a_t h_{t-1} + b_t`` as a scan.

    Args:
        cell: the unit.
        terms: of it; gives a and b, ``(B, T, H)`` each, of inputs ``(B, T, D)``.
    """

    def __init__(self, cell: Cell, terms: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__(cell)
        self.terms = terms

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        decays, inputs = (part.transpose(0, 1) for part in self.terms(sequence))
        first = inputs.new_zeros(inputs.shape[1:]) if initial is None else initial
        return function("LinearRecurrence", [decays, inputs, first], inputs.shape).transpose(0, 1)


class NormalisedForm(CellForm):
    """The normalised unit as a scan.

    Args:
        cell: the unit.
        project: of it; gives the normalised input products ``(B, T, 3, H)`` of inputs ``(B, T, D)``.
        weight: of the recurrent products, ``(3 H, H)``.
        gain: of their normalisation, ``(3, H)``.
        bias: of it, ``(3, H)``.
    """

    def __init__(
        self, cell: Cell, project: Callable[[Tensor], Tensor], weight: Tensor, gain: Tensor, bias: Tensor
    ) -> None:
        super().__init__(cell)
        self.project = project
        self.register_buffer("weight", weight.detach().t().contiguous())
        self.register_buffer("one", torch.ones_like(gain[0]))
        self.register_buffer("gain", gain.detach())
        self.register_buffer("bias", bias.detach())

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        projected = self.project(sequence).transpose(0, 1)  # (T, B, 3, H)
        steps, batch, _, width = projected.shape
        first = projected.new_zeros(batch, 1, width) if initial is None else initial[:, None]
        constants = [self.get_buffer(name) for name in ("weight", "one", "gain", "bias")]
        states = function("NormalisedRecurrence", [projected, first, *constants], (steps, batch, 1, width))
        return states.squeeze(2).transpose(0, 1)
