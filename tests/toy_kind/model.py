"""A sum over characters, of what an encoder of the program says about each."""

from collections.abc import Callable
from typing import Generic, NamedTuple

import torch
from torch import Tensor, nn

from gru_nlp.batch import Array, Other, SequenceBatch
from gru_nlp.models.base import Model
from gru_nlp.nn.encoder import Encoder
from gru_nlp.nn.masking import padding_mask


class Counts(NamedTuple, Generic[Array]):
    """One number a row, ``(B,)``."""

    values: Array

    def map(self, change: Callable[[Array], Other]) -> "Counts[Other]":
        """Return the same with the array changed."""
        return Counts(change(self.values))


class VowelCounter(Model[SequenceBatch[Tensor]]):
    """Embedding, encoder, and one number a character, which are summed."""

    def __init__(self, *, vocabulary_size: int, size: int, encoder: Callable[..., Encoder]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, size, padding_idx=0)
        self.encoder = encoder(input_size=size)
        self.output = nn.Linear(self.encoder.output_size, 1)

    def forward(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return a number a row, ``(B,)``."""
        states, _ = self.encoder(self.embedding(batch.inputs), batch.lengths)
        each = self.output(states).squeeze(2)  # (B, T)
        return torch.where(padding_mask(batch.lengths, each.shape[1]), each, 0.0).sum(dim=1)

    def predict(self, batch: SequenceBatch[Tensor], top_k: int = 1) -> Counts[Tensor]:
        """Return the numbers."""
        return Counts(self(batch))
