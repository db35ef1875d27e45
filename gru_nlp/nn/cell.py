"""What every recurrent unit has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn.graph_forms import Exportable


class Cell(Exportable, ABC):
    """One direction of one recurrent layer, made from its input size D and its hidden size H.

    A sequence form for training and a step form for decoding, equal to it. The state ``(B, H)`` is all that a unit
    shows and all that it hands on from step to step.
    """

    @abstractmethod
    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """Run over inputs ``(B, T, D)`` from states ``(B, H)``, zero by default; return states ``(B, T, H)``."""

    @abstractmethod
    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """Take one step on inputs ``(..., D)`` from states ``(..., H)``; return the states after it."""

    def graph_form(self) -> nn.Module:
        """Return what stands for the unit in a graph.

        Raises:
            UserError: it has no such form.
        """
        raise UserError(f"the unit {type(self).__name__} has no form in a graph: give its class a graph_form")


#: Makes one direction of one layer from (input size, hidden size).
MakeCell = Callable[[int, int], Cell]


def recurrent_mask(hidden: Tensor, dropout: float, training: bool) -> Tensor | None:
    """Return a mask ``(B, H)`` of the features that the next steps see, scaled; None where all are seen."""
    if not training or dropout == 0.0:
        return None
    return torch.empty_like(hidden).bernoulli_(1.0 - dropout).div_(1.0 - dropout)
