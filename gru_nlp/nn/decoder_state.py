"""What a decoder keeps between steps."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from gru_nlp.nn.attention import Memory


def keep_rows(fields: Iterable[Tensor], rows: Tensor) -> list[Tensor]:
    """Return the ``rows`` ``(B',)`` of fields ``(B, ...)``, which must not be used afterwards.

    Where most of them keep their places, the others are moved within the fields, which are not copied.
    """
    parts = list(fields)
    moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero()[:, 0]
    if len(rows) > len(parts[0]) or 2 * len(moved) > len(rows):
        return [field.index_select(0, rows) for field in parts]
    origins = rows[moved]
    for field in parts:
        field[moved] = field[origins]
    return [field[: len(rows)] for field in parts]


class DecoderState(NamedTuple):
    """What a decoder keeps between steps; batch first, so that a reordering is one ``index_select`` a field.

    Attributes:
        hidden: ``(B, K, P)`` states of every hypothesis, those of several recurrent layers side by side.
        fed: ``(B, K, R)`` the last features, for input feeding; ``(B, K, 0)`` without it.
        keys, values, mask: as in ``Memory``, one a sentence, shared by its hypotheses.
    """

    hidden: Tensor
    fed: Tensor
    keys: Tensor
    values: Tensor
    mask: Tensor

    @property
    def memory(self) -> Memory:
        """The memory of the sentences."""
        return Memory(self.keys, self.values, self.mask)

    def select_sentences(self, rows: Tensor) -> "DecoderState":
        """Keep the sentences ``rows`` ``(B',)``; this state must not be used afterwards."""
        return DecoderState(*keep_rows(self, rows))

    def select_hypotheses(self, places: Tensor) -> "DecoderState":
        """Take hypotheses ``places`` ``(B, K')`` of every sentence, in their order."""
        count = self.hidden.shape[1]
        rows = (places + count * torch.arange(len(places), device=places.device)[:, None]).flatten()
        hidden, fed = (
            field.flatten(0, 1).index_select(0, rows).view(*places.shape, field.shape[2])
            for field in (self.hidden, self.fed)
        )
        return self._replace(hidden=hidden, fed=fed)


class Step(NamedTuple):
    """Features ``(B, K, R)``, the state after them, and attention weights ``(B, K, S)``."""

    features: Tensor
    state: DecoderState
    weights: Tensor
