"""From the characters of a word to its features."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn.cell import MakeCell, shown
from gru_nlp.nn.masking import gather_steps, last_steps, padding_mask, reversal_index

#: Of the hashes of n-grams, which stay small enough for a product in int64.
FACTOR, PRIME = 1_000_003, 2_147_483_647


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


class CharacterNgrams(Characters):
    """The mean of learned vectors of a word's n-grams of characters (Bojanowski et al. 2017, section 3.2).

    N-grams share the rows of a table by a hash, and a word begins and ends with marks of its own.

    Args:
        num_characters: number of character ids, 0 being padding.
        size: features of a word.
        buckets: rows of the table.
        shortest, longest: characters of an n-gram, the marks counted.
        dropout: share of a word's features dropped.

    Raises:
        UserError: no n-gram is that long, or a word of one character has none.
    """

    def __init__(
        self, num_characters: int, *, size: int, buckets: int, shortest: int, longest: int, dropout: float
    ) -> None:
        super().__init__()
        if not 1 <= shortest <= min(longest, 3):
            raise UserError(f"characters.shortest={shortest} must be from 1 to 3, and at most longest={longest}")
        self.output_size = size
        self.begin, self.end = num_characters, num_characters + 1
        self.shortest, self.longest = shortest, longest
        self.table = nn.Embedding(buckets, size)
        nn.init.uniform_(self.table.weight, -(size**-0.5), size**-0.5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Ids ``(U, L)`` and lengths ``(U,)`` -> ``(U, size)``."""
        marked = nn.functional.pad(characters, (1, self.longest))  # (U, M), wide enough for the longest n-gram
        places = torch.arange(marked.shape[1], device=marked.device)[None]
        marked = torch.where(places == 0, self.begin, marked)
        marked = torch.where(places == lengths[:, None] + 1, self.end, marked)
        begins = marked.shape[1] - self.longest + 1
        places, hashes = places[:, :begins], marked[:, :begins]
        summed = torch.zeros(1, device=marked.device)
        count = torch.zeros(1, device=marked.device)
        for size in range(1, self.longest + 1):
            if size > 1:  # the hash of an n-gram goes on from that of the one before it
                hashes = (hashes * FACTOR + marked[:, size - 1 : size - 1 + begins]) % PRIME
            if size >= self.shortest:
                inside = (places + size <= lengths[:, None] + 2).to(self.table.weight.dtype)[:, :, None]
                summed = summed + (self.table(hashes % self.table.num_embeddings) * inside).sum(dim=1)  # (U, size)
                count = count + inside.sum(dim=1)
        return cast(Tensor, self.dropout(summed / count))


class NoCharacters(Characters):
    """No features from characters: whatever their number, a word of them has size 0."""

    output_size = 0

    def __init__(self, num_characters: int) -> None:
        super().__init__()

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Return ``(U, 0)``."""
        return characters.new_zeros(characters.shape[0], 0, dtype=torch.float32)
