"""The tuples that travel from the data module to a model, one a task kind."""

from typing import NamedTuple

from torch import Tensor


class SequenceBatch(NamedTuple):
    """A padded batch of sequences with at most one target each.

    Attributes:
        inputs: token ids ``(B, T)`` int64, or frames ``(B, T, F)`` float32; padding after each sequence's end.
        lengths: ``(B,)`` int64, each at least 1.
        targets: label ids ``(B,)`` int64, or None where the labels are unknown.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor | None
