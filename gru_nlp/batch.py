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


class SequencePairBatch(NamedTuple):
    """A padded batch of source sequences with at most one target sequence each.

    Attributes:
        inputs: source ids ``(B, S)`` int64, the end mark included.
        lengths: ``(B,)`` int64.
        targets: target ids ``(B, T)`` int64, the end mark included, or None where there is nothing to learn from.
        target_lengths: ``(B,)`` int64, or None.
        references: the targets as they stand in the data, to score against; None in training.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor | None
    target_lengths: Tensor | None
    references: list[str] | None
