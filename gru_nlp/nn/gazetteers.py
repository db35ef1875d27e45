"""From the places of a person's phrases to features of words."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ListFeatures(nn.Module):
    """Codes ``(B, T, L)`` of words in L lists -> features ``(B, T, output_size)``.

    Each code of each list has features of its own; 0 is that of a word in no phrase. In training whole phrases are left
    out at random, so that the model learns to find what no list names.

    Args:
        num_lists: L.
        num_codes: how many codes there are.
        begins: those that the first word of a phrase has.
        size: features of a code.
        dropout: share of phrases left out.
    """

    def __init__(self, num_lists: int, num_codes: int, begins: Sequence[int], *, size: int, dropout: float) -> None:
        super().__init__()
        self.output_size = num_lists * size
        self.dropout = dropout
        self.begins = tuple(begins)
        self.table = nn.Embedding(num_lists * num_codes, size)
        self.register_buffer("first", num_codes * torch.arange(num_lists), persistent=False)
        self.first: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        """Look up codes ``(B, T, L)`` int64."""
        if self.training and self.dropout > 0.0:
            codes = self._dropped(codes)
        features: Tensor = self.table(codes + self.first)  # (B, T, L, D)
        return features.flatten(2)

    def _dropped(self, codes: Tensor) -> Tensor:
        """Return codes without a share of the phrases, each drawn where it begins."""
        begins = torch.stack([codes == code for code in self.begins]).any(dim=0)
        places = torch.arange(codes.shape[1], device=codes.device)[:, None]
        begun = torch.where(begins, places, 0).cummax(dim=1).values  # where the phrase of each word begins
        dropped = torch.rand(codes.shape, device=codes.device) < self.dropout
        return codes.masked_fill(dropped.gather(1, begun), 0)
