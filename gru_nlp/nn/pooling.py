"""From the states of a sequence to one vector: last state, mean, max, attention, or several side by side."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import MakeCell, shown
from gru_nlp.nn.masking import last_steps, padding_mask


class Pooling(nn.Module, ABC):
    """States ``(B, T, H)``, the encoder's final state ``(B, H)``, lengths ``(B,)`` -> ``(B, output_size)``.

    Made from its input size H. Padding has no part in it.
    """

    output_size: int

    @abstractmethod
    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Pool the states of each sequence."""


#: Makes the pooling from the encoder's output size.
MakePooling = Callable[[int], Pooling]


class LastState(Pooling):
    """The encoder's final state: the last step of each direction."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Return ``final``."""
        return final


class MeanPooling(Pooling):
    """The mean over the real steps."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Average ``states`` over each sequence's own steps."""
        mask = padding_mask(lengths, states.shape[1])[:, :, None]
        return states.masked_fill(~mask, 0.0).sum(dim=1) / lengths[:, None]


class MaxPooling(Pooling):
    """The greatest value of each feature over the real steps (Conneau et al. 2017)."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Take the maximum of ``states`` over each sequence's own steps."""
        mask = padding_mask(lengths, states.shape[1])[:, :, None]
        return states.masked_fill(~mask, float("-inf")).amax(dim=1)


class AttentionPooling(Pooling):
    """A learned weighting of the real steps: ``softmax_t(v . tanh(W h_t + b))`` (Yang et al. 2016, eq. 5 to 7)."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size
        self.projection = nn.Linear(input_size, input_size)
        self.query = nn.Linear(input_size, 1, bias=False)

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Sum ``states`` by their attention weights."""
        scores = self.query(torch.tanh(self.projection(states))).squeeze(2)  # (B, T)
        scores = scores.masked_fill(~padding_mask(lengths, states.shape[1]), float("-inf"))
        weights = scores.softmax(dim=1)
        # Padded states are unspecified but finite, so their zero weight removes them.
        return torch.einsum("bt,bth->bh", weights, states)


class ConcatPooling(Pooling):
    """Final state, maximum and mean side by side (Howard and Ruder 2018, section 3.3); output size 3 H."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = 3 * input_size
        self.maximum = MaxPooling(input_size)
        self.mean = MeanPooling(input_size)

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Pool three ways and join the results."""
        return torch.cat([final, self.maximum(states, final, lengths), self.mean(states, final, lengths)], dim=1)


class RecurrentPooling(Pooling):
    """The last state of a further unit that reads the states forwards: a stack whose last layer is narrower.

    Args:
        input_size: H.
        cell: makes the unit.
        hidden_size: features of its state.
    """

    def __init__(self, input_size: int, *, cell: MakeCell, hidden_size: int) -> None:
        super().__init__()
        self.output_size = hidden_size
        self.unit = cell(input_size, hidden_size)

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        """Return the state after each sequence's last step."""
        return last_steps(shown(self.unit, states, lengths), lengths)
