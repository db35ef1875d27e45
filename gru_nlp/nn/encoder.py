"""The recurrent encoder that every task shares."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn.cell import Cell, MakeCell, shown
from gru_nlp.nn.cell_forms import GRUForm, TwoWayGRUForm
from gru_nlp.nn.dropout import Dropout
from gru_nlp.nn.graph_forms import Exportable
from gru_nlp.nn.masking import gather_steps, last_steps, reversal_index, variational_dropout


class Encoder(nn.Module, ABC):
    """``(B, T, D)``, lengths ``(B,)`` -> states ``(B, T, output_size)``, final ``(B, output_size)``.

    Made from its input size D. What stands at padded steps is unspecified, and touches no real state.
    """

    output_size: int

    @abstractmethod
    def forward(self, sequence: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``sequence`` ``(B, T, D)`` of ``lengths`` ``(B,)``; return its states and the final one."""

    def carry(self, sequence: Tensor, before: Tensor | None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read ``sequence`` ``(B, T, D)`` on from the states ``before`` ``(L, B, H)`` of L layers; None: from zeros.

        Args:
            sequence: what is read.
            before: the states; None: zeros.
            lengths: ``(B,)``; None: all T steps are real.

        Returns:
            The last layer's states ``(B, T, H)``, and those of all layers after the last real step ``(L, B, H)``, which
            are unspecified where there is none.

        Raises:
            UserError: it does not read in one direction alone.
        """
        raise UserError("what foretells text reads in one direction: set encoder.bidirectional=false")

    def step(self, inputs: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Read one step ``(B, D)``; as ``carry``, with ``(B, H)`` for the last layer."""
        raise UserError("what foretells text reads in one direction: set encoder.bidirectional=false")

    def directions(self) -> tuple[int, int]:
        """Return how many of a state's first features read forwards alone, and how many of its last backwards alone.

        Raises:
            UserError: there are none such.
        """
        needed = "task.language_model_weight needs a direction that reads alone"
        raise UserError(f"{needed}: set encoder.layers=1, or encoder.bidirectional=false")

    def floors(self) -> list[list[nn.Module]]:
        """Return the layers, the last one first, each with all that belongs to it."""
        return [[self]]

    def forward_layers(self) -> nn.ModuleList:
        """Return the layers that read forwards, the first one first; none where there are no such layers."""
        return nn.ModuleList()

    def begin_from(self, forward: nn.ModuleList | None, backward: nn.ModuleList | None) -> int:
        """Copy the weights of layers of one direction or both, as ``take_over`` does; return how many fit."""
        taken = self.take_over(forward, "forward") if forward is not None else 0
        return taken + (self.take_over(backward, "backward") if backward is not None else 0)

    def take_over(self, cells: nn.ModuleList, direction: str) -> int:
        """Copy the weights of layers, as far as they fit, from the first on; return how many do.

        Args:
            cells: the first layer first.
            direction: ``forward`` or ``backward``, which they are to read here.

        Raises:
            UserError: not even the first fits, or nothing reads in this direction.
        """
        raise UserError("pretrained needs an encoder of recurrent layers: leave it out")


def _fits(cell: nn.Module, given: Mapping[str, Tensor], *, widened: bool) -> bool:
    """Return whether the weights of another layer fit; ``widened``: their input may be the first part of this one's."""
    own = cell.state_dict()
    if own.keys() != given.keys():
        return False
    differing = [(own[name], weight) for name, weight in given.items() if own[name].shape != weight.shape]
    return not differing or (
        widened
        and all(
            mine.ndim == other.ndim == 2 and len(mine) == len(other) and mine.shape[1] > other.shape[1]
            for mine, other in differing
        )
    )


#: Makes the encoder from its input size.
MakeEncoder = Callable[[int], Encoder]


class RecurrentEncoder(Encoder, Exportable):
    """A stack of recurrent layers, in one direction or both.

    Padding touches no real state: the forward direction reads padding only after a sequence has ended, and the
    backward direction (Schuster and Paliwal 1997) is a second cell over each sequence reversed within its own length.
    That is exact without packing, which costs 20 to 45 % of a training step on a CPU. States at padded steps are
    unspecified.

    Args:
        input_size: D.
        cell: makes one direction of one layer from (input size, hidden size).
        hidden_size: H, features of a state in one direction.
        layers: number of stacked layers.
        bidirectional: True doubles ``output_size`` to 2 H.
        dropout: share of features dropped between layers.
    """

    def __init__(
        self,
        input_size: int,
        *,
        cell: MakeCell,
        hidden_size: int,
        layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size] + [self.output_size] * (layers - 1)
        self.forward_cells = nn.ModuleList(cell(size, hidden_size) for size in sizes)
        self.backward_cells = nn.ModuleList(cell(size, hidden_size) for size in sizes) if bidirectional else None
        self.dropout = Dropout(dropout)

    def forward(self, sequence: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``sequence`` ``(B, T, D)`` of ``lengths`` ``(B,)``; return its states and the last layer's final."""
        index = reversal_index(lengths, sequence.shape[1])  # (B, T)
        final = sequence
        for layer, forward_cell in enumerate(self.forward_cells):
            if layer:
                sequence = self.dropout(sequence)
            states = shown(forward_cell, sequence, lengths)  # (B, T, H)
            final = last_steps(states, lengths)
            if self.backward_cells is not None:
                mirrored = shown(self.backward_cells[layer], gather_steps(sequence, index), lengths)
                final = torch.cat([final, last_steps(mirrored, lengths)], dim=1)
                states = torch.cat([states, gather_steps(mirrored, index)], dim=2)  # (B, T, 2H)
            sequence = states
        return sequence, final

    def graph_form(self) -> nn.Module:
        """Return one operator a layer where there is one for both directions; else itself, for its units to have."""
        if self.backward_cells is None:
            return self
        layers = [
            [cast(Cell, cell).graph_form() for cell in both]
            for both in zip(self.forward_cells, self.backward_cells, strict=True)
        ]
        forms = [form for both in layers for form in both if isinstance(form, GRUForm)]
        return TwoWayGRUForm(forms) if len(forms) == 2 * len(layers) else self

    def carry(self, sequence: Tensor, before: Tensor | None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read on; between layers the same features are dropped at every step (Gal and Ghahramani 2016)."""
        if self.backward_cells is not None:
            return super().carry(sequence, before, lengths)
        after = []
        for layer, cell in enumerate(self.forward_cells):
            if layer:
                sequence = variational_dropout(sequence, self.dropout.p, self.training)
            unit = cast(Cell, cell)
            states = unit.read(sequence, lengths, None if before is None else before[layer])
            after.append(states[:, -1] if lengths is None else last_steps(states, lengths))
            sequence = unit.show(states)
        return sequence, torch.stack(after)

    def directions(self) -> tuple[int, int]:
        """Tell them apart; from the second layer on, each direction has read the other's states below it."""
        if self.backward_cells is None:
            return self.output_size, 0
        if len(self.forward_cells) > 1:
            return super().directions()
        return self.output_size // 2, self.output_size // 2

    def floors(self) -> list[list[nn.Module]]:
        """Return the layers, the last one first, each in all its directions."""
        directions = [cells for cells in (self.forward_cells, self.backward_cells) if cells is not None]
        return [list(layer) for layer in reversed(list(zip(*directions, strict=True)))]

    def forward_layers(self) -> nn.ModuleList:
        """Return the layers that read forwards."""
        return self.forward_cells

    def take_over(self, cells: nn.ModuleList, direction: str) -> int:
        """Copy weights.

        The first layer's inputs may go on with features of other kinds; from the second layer on weights fit only where
        both read in one direction.
        """
        taken, owned = 0, self.forward_cells if direction == "forward" else self.backward_cells
        if owned is None:
            raise UserError("its layers read backwards, the encoder forwards alone: set encoder.bidirectional=true")
        for own, other in zip(owned, cells, strict=False):
            given = other.state_dict()
            if not _fits(own, given, widened=not taken):
                break
            with torch.no_grad():
                for name, weight in own.state_dict(keep_vars=True).items():
                    part = weight[:, : given[name].shape[1]] if weight.ndim == 2 else weight
                    part.copy_(given[name])
            taken += 1
        if not taken:
            sizes = [tuple(next(iter(part[0].parameters())).shape) for part in (cells, owned)]
            told = f"its first layer has weights of {sizes[0]}, the encoder's of {sizes[1]}"
            raise UserError(f"{told}: set encoder=... and encoder.hidden_size=... as the language model's")
        return taken

    def step(self, inputs: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Read one step."""
        if self.backward_cells is not None:
            return super().step(inputs, before)
        after = []
        for cell, state in zip(self.forward_cells, before, strict=True):
            unit = cast(Cell, cell)
            after.append(unit.step(inputs, state))
            inputs = unit.show(after[-1])
        return inputs, torch.stack(after)
