"""Token embedding with word dropout and variational embedding dropout."""

import torch
from torch import Tensor, nn

from gru_nlp.nn.masking import variational_dropout


class TokenEmbedding(nn.Module):
    """Token ids ``(B, T)`` -> vectors ``(B, T, output_size)``.

    Args:
        vocabulary_size: number of rows; row ``padding_id`` stays zero.
        size: features of a vector.
        trainable: False freezes the table (for pretrained vectors).
        dropout: share of features dropped, the same ones at every step of a text (Gal and Ghahramani 2016).
        word_dropout: share of tokens replaced by ``unknown_id`` in training, so that the unknown token is learned
            (Iyyer et al. 2015 drop whole words likewise).
        padding_id: id of padding.
        unknown_id: id of the unknown token.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        size: int,
        trainable: bool,
        dropout: float,
        word_dropout: float,
        padding_id: int,
        unknown_id: int,
    ) -> None:
        super().__init__()
        self.output_size = size
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.unknown_id = unknown_id
        self.padding_id = padding_id
        self.table = nn.Embedding(vocabulary_size, size, padding_idx=padding_id)
        nn.init.normal_(self.table.weight, std=0.1)
        self.table.weight.requires_grad_(trainable)
        with torch.no_grad():
            self.table.weight[padding_id].zero_()

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Copy pretrained ``vectors`` ``(V, D)`` into the rows where ``found`` ``(V,)`` is True.

        The random rows are scaled to the spread of the pretrained ones; padding stays zero.
        """
        with torch.no_grad():
            spread = vectors[found].std() if bool(found.any()) else torch.tensor(0.1)
            self.table.weight.normal_(std=float(spread))
            self.table.weight[found] = vectors[found].to(self.table.weight.dtype)
            self.table.weight[self.padding_id].zero_()

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up ``tokens`` ``(B, T)`` int64 -> ``(B, T, output_size)``."""
        if self.training and self.word_dropout > 0.0:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(dropped & (tokens != self.padding_id), self.unknown_id)
        return variational_dropout(self.table(tokens), self.dropout, self.training)  # (B, T, D)
