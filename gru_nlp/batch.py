"""The tuples that travel from preprocessing to model: batches, one a task kind; what comes back is in ``outputs``.

Each holds either numpy arrays, which preprocessing makes and reads, or a runtime's own tensors. ``map`` takes all of a
tuple across, so that no one else lists its fields. Nothing here imports torch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
#: What preprocessing computes with.
AnyArray = npt.NDArray[Any]
Array = TypeVar("Array")
Array_co = TypeVar("Array_co", covariant=True)
Other = TypeVar("Other")


class Batch(Protocol[Array_co]):
    """What every batch has: padded ``inputs`` ``(B, T, ...)`` and ``lengths`` ``(B,)``."""

    @property
    def inputs(self) -> Array_co:
        """The padded inputs, ``(B, T)`` ids or ``(B, T, D)`` frames."""

    @property
    def lengths(self) -> Array_co:
        """The real steps of each row, ``(B,)``."""

    def map(self, change: Callable[[Array_co], Other]) -> "Batch[Other]":
        """Return the batch with every array changed."""

    def rows(self, first: int, last: int) -> "Batch[Array_co]":
        """Return the rows from one to before another, padded as they are."""


class SequenceBatch(NamedTuple, Generic[Array]):
    """A padded batch of sequences with a label, or several, each.

    Attributes:
        inputs: token ids ``(B, T)`` int64, or frames ``(B, T, D)`` float32; padding after each sequence's end.
        lengths: ``(B,)`` int64, each at least 1.
        targets: label ids ``(B,)`` int64, or which labels a row has ``(B, C + 1)`` int64, the last column counting
            those that training does not have; None where the labels are unknown.
        ngrams: ids ``(M,)`` int32 of the n-grams of all texts, bag by bag; None where the model has no wide part.
        bags: ``(2 B,)`` int32, where the n-grams of each text's words begin, and those of its characters; or None.
    """

    inputs: Array
    lengths: Array
    targets: Array | None
    ngrams: Array | None = None
    bags: Array | None = None

    def map(self, change: Callable[[Array], Other]) -> "SequenceBatch[Other]":
        """Return the batch with every array changed."""
        return SequenceBatch(
            change(self.inputs),
            change(self.lengths),
            optional(change, self.targets),
            optional(change, self.ngrams),
            optional(change, self.bags),
        )

    def rows(self, first: int, last: int) -> "SequenceBatch[Array]":
        """Return the rows from one to before another, with their n-grams."""
        rows = self._replace(ngrams=None, bags=None).map(partial(between, first, last))
        if self.ngrams is None or self.bags is None:
            return rows
        starts: Any = self.bags
        begin, end = (int(starts[2 * row]) if row < len(starts) // 2 else None for row in (first, last))
        bags = between(2 * first, 2 * last, starts)
        return rows._replace(ngrams=between(begin, end, self.ngrams), bags=bags - begin)


class SequencePairBatch(NamedTuple, Generic[Array]):
    """A padded batch of source sequences with at most one target sequence each.

    Attributes:
        inputs: source ids ``(B, S)`` int64, the end mark included; or frames ``(B, S, D)`` float32.
        lengths: ``(B,)`` int64.
        targets: target ids ``(B, T)`` int64, of translations the end mark included, or None where there is nothing to
            learn from.
        target_lengths: ``(B,)`` int64, or None.
        references: the targets as they stand in the data, to score against; None in training.
        candidates: ``(B, C)`` int64, the only target ids that a translation may hold, padded; None: it may hold all.
    """

    inputs: Array
    lengths: Array
    targets: Array | None
    target_lengths: Array | None
    references: list[str] | None
    candidates: Array | None = None

    def map(self, change: Callable[[Array], Other]) -> "SequencePairBatch[Other]":
        """Return the batch with every array changed; the references stay."""
        return SequencePairBatch(
            change(self.inputs),
            change(self.lengths),
            optional(change, self.targets),
            optional(change, self.target_lengths),
            self.references,
            optional(change, self.candidates),
        )

    def rows(self, first: int, last: int) -> "SequencePairBatch[Array]":
        """Return the rows from one to before another."""
        references = None if self.references is None else self.references[first:last]
        return self.map(partial(between, first, last))._replace(references=references)


class TaggingBatch(NamedTuple, Generic[Array]):
    """A padded batch of sentences as words, each word spelled once however often it occurs.

    Attributes:
        inputs: word ids ``(B, T)`` int64.
        lengths: ``(B,)`` int64.
        shapes: ids of the words' shapes ``(B, T)`` int64.
        characters: character ids of the U distinct words ``(U, L)`` int64.
        character_lengths: ``(U,)`` int64.
        places: which of the U words stands at a step, ``(B, T)`` int64; 0 at padding.
        targets: tag ids ``(B, T)`` int64, or None where the tags are unknown.
        lists: codes of the words in L word lists of a person's own, ``(B, T, L)`` int64; None where there are none.
    """

    inputs: Array
    lengths: Array
    shapes: Array
    characters: Array
    character_lengths: Array
    places: Array
    targets: Array | None
    lists: Array | None = None

    def map(self, change: Callable[[Array], Other]) -> "TaggingBatch[Other]":
        """Return the batch with every array changed."""
        return TaggingBatch(
            change(self.inputs),
            change(self.lengths),
            change(self.shapes),
            change(self.characters),
            change(self.character_lengths),
            change(self.places),
            optional(change, self.targets),
            optional(change, self.lists),
        )

    def rows(self, first: int, last: int) -> "TaggingBatch[Array]":
        """Return the rows from one to before another; the distinct words stay all there."""
        words = {"characters": self.characters, "character_lengths": self.character_lengths}
        return self.map(partial(between, first, last))._replace(**words)


class StreamBatch(NamedTuple, Generic[Array]):
    """Stretches of text, each token to be foretold from those before it.

    Attributes:
        inputs: ``(B, T)`` int64, the token before each target.
        lengths: ``(B,)`` int64; 0 where a stream of text has ended before the others.
        targets: ``(B, T)`` int64.
        sources: ``(B,)`` int64, the row of the batch before that ended where a stretch goes on; -1 where nothing is
            known of what stands before it.
        sizes: ``(B, 3)`` int64, the characters, bytes and words of the text, counted where it begins.
        places: ``(B,)`` int64, where each begins among all tokens, in the order in which they are read.
    """

    inputs: Array
    lengths: Array
    targets: Array
    sources: Array
    sizes: Array
    places: Array

    def map(self, change: Callable[[Array], Other]) -> "StreamBatch[Other]":
        """Return the batch with every array changed."""
        return StreamBatch(*map(change, self))

    def rows(self, first: int, last: int) -> "StreamBatch[Array]":
        """Return the stretches from one to before another."""
        return self.map(partial(between, first, last))


class SpeakingBatch(NamedTuple, Generic[Array]):
    """A padded batch of texts, who speaks them, and at most one recording of each.

    Attributes:
        inputs: character ids ``(B, S)`` int64, the end mark included.
        lengths: ``(B,)`` int64.
        speakers: ``(B,)`` int64.
        frames: ``(B, T, M)`` float32, normalised by band; None where there is nothing to learn from.
        frame_lengths: ``(B,)`` int64, or None.
    """

    inputs: Array
    lengths: Array
    speakers: Array
    frames: Array | None
    frame_lengths: Array | None

    def map(self, change: Callable[[Array], Other]) -> "SpeakingBatch[Other]":
        """Return the batch with every array changed."""
        known = change(self.inputs), change(self.lengths), change(self.speakers)
        return SpeakingBatch(*known, optional(change, self.frames), optional(change, self.frame_lengths))

    def rows(self, first: int, last: int) -> "SpeakingBatch[Array]":
        """Return the rows from one to before another."""
        return self.map(partial(between, first, last))


def optional(change: Callable[[Array], Other], array: Array | None) -> Other | None:
    """Change an array that may be absent."""
    return None if array is None else change(array)


def between(first: int | None, last: int | None, array: Array) -> Array:
    """Return the rows of an array from one to before another."""
    rows: Any = array
    part: Array = rows[first:last]
    return part
