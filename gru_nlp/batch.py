"""The tuples that travel from the data module to a model, one a task kind."""

from typing import NamedTuple, TypeVar

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


class TaggingBatch(NamedTuple):
    """A padded batch of sentences as words, each word spelled once however often it occurs.

    Attributes:
        inputs: word ids ``(B, T)`` int64.
        lengths: ``(B,)`` int64.
        shapes: ids of the words' shapes ``(B, T)`` int64.
        characters: character ids of the U distinct words ``(U, L)`` int64.
        character_lengths: ``(U,)`` int64.
        places: which of the U words stands at a step, ``(B, T)`` int64; 0 at padding.
        targets: tag ids ``(B, T)`` int64, or None where the tags are unknown.
    """

    inputs: Tensor
    lengths: Tensor
    shapes: Tensor
    characters: Tensor
    character_lengths: Tensor
    places: Tensor
    targets: Tensor | None


AnyBatch = TypeVar("AnyBatch", bound=SequenceBatch | SequencePairBatch | TaggingBatch)


def to_device(batch: AnyBatch, device: str) -> AnyBatch:
    """Return a batch with all its tensors on ``device``."""
    return type(batch)(*(part.to(device) if isinstance(part, Tensor) else part for part in batch))  # type: ignore[arg-type]
