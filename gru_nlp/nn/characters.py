"""From the characters of a word to its features."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import MakeCell, shown
from gru_nlp.nn.masking import gather_steps, last_steps, padding_mask, reversal_index


class Characters(nn.Module, ABC):
    """Character ids ``(U, L)`` and lengths ``(U,)`` of words -> their features ``(U, output_size)``.

    Made from the number of character ids, 0 being padding.
    """

    output_size: int

    @abstractmethod
    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Return the features of the words."""


#: Makes the features of a word's characters from the number of character ids.
MakeCharacters = Callable[[int], Characters]


class CharacterCNN(Characters):
    """Filters over neighbouring characters, the largest value of each over the word (Ma and Hovy 2016, section 2.1).

    Args:
        num_characters: number of character ids, 0 being padding.
        size: D.
        filters: features of a word.
        width: characters that a filter sees.
        dropout: share of the characters' features dropped.
    """

    def __init__(self, num_characters: int, *, size: int, filters: int, width: int, dropout: float) -> None:
        super().__init__()
        self.output_size = filters
        self.table = nn.Embedding(num_characters, size, padding_idx=0)
        bound = (3.0 / size) ** 0.5
        nn.init.uniform_(self.table.weight, -bound, bound)
        with torch.no_grad():
            self.table.weight[0].zero_()
        self.dropout = nn.Dropout(dropout)
        self.filters = nn.Conv1d(size, filters, width, padding=width // 2)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Ids ``(U, L)`` and lengths ``(U,)`` -> ``(U, filters)``."""
        inputs = self.dropout(self.table(characters)).transpose(1, 2)  # (U, D, L)
        found = self.filters(inputs)[:, :, : characters.shape[1]]
        outside = ~padding_mask(lengths, characters.shape[1])[:, None]
        return torch.tanh(found.masked_fill(outside, float("-inf")).amax(dim=2))


class CharacterRNN(Characters):
    """The final states of a recurrent unit run both ways over the word (Lample et al. 2016, section 4.1).

    Args:
        num_characters: number of character ids, 0 being padding.
        size: D.
        cell: makes the units.
        hidden_size: features of a state; a word has twice as many.
        dropout: share of the characters' features dropped.
    """

    def __init__(self, num_characters: int, *, size: int, cell: MakeCell, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.output_size = 2 * hidden_size
        self.table = nn.Embedding(num_characters, size, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.ahead, self.back = cell(size, hidden_size), cell(size, hidden_size)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Ids ``(U, L)`` and lengths ``(U,)`` -> ``(U, 2 hidden_size)``."""
        inputs = self.dropout(self.table(characters))
        mirrored = gather_steps(inputs, reversal_index(lengths, characters.shape[1]))
        states = shown(self.ahead, inputs, lengths), shown(self.back, mirrored, lengths)
        return torch.cat([last_steps(direction, lengths) for direction in states], dim=1)


class NoCharacters(Characters):
    """No features from characters: whatever their number, a word of them has size 0."""

    output_size = 0

    def __init__(self, num_characters: int) -> None:
        super().__init__()

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Return ``(U, 0)``."""
        return characters.new_zeros(characters.shape[0], 0, dtype=torch.float32)
