"""What every recurrent unit has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn.graph_forms import Exportable, scan

#: From inputs ``(..., D)`` and states ``(..., H)`` of a unit to the states after them.
TakeStep = Callable[[Tensor, Tensor], Tensor]


class Cell(Exportable, ABC):
    """One direction of one recurrent layer, made from its input size D and its hidden size H.

    A sequence form for training and a step form for decoding, equal to it. The state ``(B, H)`` is all that a unit
    hands on from step to step; what others see of it is ``show`` of it, by default the state itself.

    Attributes:
        hidden_size: H; a unit that is to be exported tells it.
    """

    hidden_size: int
    #: Whether its step form trains it as its sequence form does, as decoders that train step by step need.
    steps_alone: ClassVar[bool] = True
    #: Buffers that training changes.
    statistics: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """Run over inputs ``(B, T, D)`` from states ``(B, H)``, zero by default; return states ``(B, T, H)``."""

    @abstractmethod
    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """Take one step on inputs ``(..., D)`` from states ``(..., H)``; return the states after it."""

    def stepping(self) -> TakeStep:
        """Return the step form for a loop over the steps of one batch in training; by default ``step`` itself."""
        return self.step

    def read(self, sequence: Tensor, lengths: Tensor | None, initial: Tensor | None = None) -> Tensor:
        """Run over sequences of ``lengths`` ``(B,)``, None: all steps are real; else as ``forward``.

        By default lengths are not looked at: states at padded steps are unspecified, and touch no others.
        """
        return cast(Tensor, self(sequence, initial))

    def show(self, states: Tensor) -> Tensor:
        """Return what layers above, attention and readout see of states ``(..., H)``, of the same shape."""
        return states

    def input_map(self) -> tuple[Tensor, Tensor] | None:
        """Return the weight ``(G, D)`` and bias ``(G,)`` that take inputs to the products which the step goes on from.

        None, the default: they are not told, and whoever decodes calls ``step``.
        """
        return None

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """Take one step on input products ``(N, G)`` from states ``(N, H)``; return the states after it."""
        raise NotImplementedError(f"{type(self).__name__} tells no input_map")

    def graph_form(self) -> "Cell":
        """Return what stands for the unit in a graph: by default, a scan over its step form.

        Raises:
            UserError: it does not tell its size.
        """
        return ScannedForm(self)


class CellForm(Cell):
    """Stands for a unit, of which it keeps the step form and what it shows.

    Args:
        cell: the unit.

    Raises:
        UserError: it does not tell its size.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        if type(getattr(cell, "hidden_size", None)) is not int:
            raise UserError(f"the unit {type(cell).__name__} is not exported: let its constructor set hidden_size")
        self.cell = cell
        self.hidden_size = cell.hidden_size

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """Take the unit's step."""
        return self.cell.step(inputs, hidden)

    def show(self, states: Tensor) -> Tensor:
        """Show what the unit shows."""
        return self.cell.show(states)


class ScannedForm(CellForm):
    """A scan over the unit's step form."""

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        first = sequence.new_zeros(sequence.shape[0], self.hidden_size) if initial is None else initial
        own = self.cell.input_map()
        if own is None:
            return scan(self.cell.step, sequence.transpose(0, 1), first).transpose(0, 1)
        products = nn.functional.linear(sequence, *own)
        return scan(self.cell.step_on, products.transpose(0, 1), first).transpose(0, 1)


def shown(cell: nn.Module, sequence: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return what a unit shows ``(B, T, H)`` of its states over inputs ``(B, T, D)`` of ``lengths``, from zeros."""
    unit = cast(Cell, cell)
    return unit.show(unit.read(sequence, lengths))


#: Makes one direction of one layer from (input size, hidden size).
MakeCell = Callable[[int, int], Cell]


def recurrent_mask(hidden: Tensor, dropout: float, training: bool) -> Tensor | None:
    """Return a mask ``(B, H)`` of the features that the next steps see, scaled; None where all are seen."""
    if not training or dropout == 0.0:
        return None
    return torch.empty_like(hidden).bernoulli_(1.0 - dropout).div_(1.0 - dropout)
