"""Token embedding with word dropout and variational embedding dropout."""

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from gru_nlp.nn.graph_forms import Exportable
from gru_nlp.nn.masking import variational_dropout


class TokenEmbedding(Exportable):
    """Token ids ``(B, T)`` -> vectors ``(B, T, output_size)``.

    Args:
        vocabulary_size: number of rows; row ``padding_id`` stays zero.
        unseen: how many of the last rows training never meets: they keep their (pretrained) vectors, and cost no
            optimiser step.
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
        unseen: int,
        size: int,
        trainable: bool,
        dropout: float,
        word_dropout: float,
        padding_id: int,
        unknown_id: int,
    ) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.output_size = size
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.unknown_id = unknown_id
        self.padding_id = padding_id
        self.table = nn.Embedding(vocabulary_size - unseen, size, padding_idx=padding_id)
        nn.init.normal_(self.table.weight, std=0.1)
        self.table.weight.requires_grad_(trainable)
        self.unseen = nn.Parameter(torch.zeros(unseen, size), requires_grad=False) if unseen else None
        with torch.no_grad():
            self.table.weight[padding_id].zero_()

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Copy pretrained ``vectors`` ``(V, D)`` into the rows where ``found`` ``(V,)`` is True.

        The random rows are scaled to the spread of the pretrained ones; padding stays zero.
        """
        with torch.no_grad():
            spread = vectors[found].std() if bool(found.any()) else torch.tensor(0.1)
            table = self.table.weight
            seen = len(table)
            table.normal_(std=float(spread))
            table[found[:seen]] = vectors[:seen][found[:seen]].to(table.dtype)
            table[self.padding_id].zero_()
            if self.unseen is not None:
                self.unseen.copy_(vectors[seen:])

    def take_over(self, vectors: Tensor, known: Tensor) -> None:
        """Copy ``vectors`` ``(V, D)`` into the rows that training may meet where ``known`` ``(V,)`` is True."""
        with torch.no_grad():
            table = self.table.weight
            seen = known[: len(table)]
            table[seen] = vectors[: len(table)][seen].to(table.dtype)

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up ``tokens`` ``(B, T)`` int64 -> ``(B, T, output_size)``."""
        if self.training and self.word_dropout > 0.0:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(dropped & (tokens != self.padding_id), self.unknown_id)
        return variational_dropout(self._look_up(tokens), self.dropout, self.training)  # (B, T, D)

    def _look_up(self, tokens: Tensor) -> Tensor:
        if self.unseen is None:
            return cast(Tensor, self.table(tokens))
        seen = self.table.num_embeddings
        rows = self.table(tokens.clamp(max=seen - 1))
        return torch.where((tokens < seen)[:, :, None], rows, self.unseen[(tokens - seen).clamp(min=0)])

    def graph_form(self) -> nn.Module:
        """Return one table of all rows."""
        if self.unseen is None:
            return self
        rows = torch.cat([self.table.weight.detach(), self.unseen])
        return nn.Embedding(len(rows), self.output_size, _weight=rows)


class MakeEmbedding(Protocol):
    """Makes an embedding from what the data and the model know of its rows; the other options are a person's."""

    def __call__(self, vocabulary_size: int, *, unseen: int, padding_id: int, unknown_id: int) -> TokenEmbedding:
        """See ``TokenEmbedding``."""
