"""Batches of like lengths, by a budget of sentences or of tokens."""

import math
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt

from gru_nlp.data.batching import Order, Plan
from gru_nlp.data.encoded import EncodedSplit
from gru_nlp.data.where import Split
from gru_nlp.preprocessing.base import Preprocessor

#: Batches in a pool: rows are sorted by length inside a pool, so a larger one pads less and shuffles less.
POOL = 50
#: The rows of an empty batch.
NONE: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)


class BucketBatchSampler(Order):
    """Yield batches of row numbers, rows of like lengths together.

    In training the rows are shuffled, sorted by length inside pools of ``POOL`` batches, and the batches shuffled
    again; the order depends on the lengths and ``(seed, epoch)`` alone. In evaluation the rows are sorted by length, in
    an order that is always the same. The batches are those of one process, dealt to all: where the count does not
    divide, the last ones are given out again in training, and come with empty ones in evaluation, so that each row is
    scored once.

    Args:
        lengths: ``(N,)`` length of each row.
        batch_size: most rows in a batch.
        batch_tokens: most tokens in a batch, padding counted; None: no such budget. A row longer than it goes alone.
        shuffle: True for training.
        seed: of the shuffling.
        rank: number of this process.
        world_size: number of processes.
        repeats: ``(N,)`` how often each row stands in an epoch of training on average, from 1 on; None: once.
    """

    def __init__(
        self,
        lengths: npt.NDArray[np.int32],
        *,
        batch_size: int,
        batch_tokens: int | None,
        shuffle: bool,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        repeats: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.row_lengths = lengths
        self.repeats = repeats
        self.batch_size = batch_size
        self.batch_tokens = batch_tokens
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self._made: tuple[int, list[npt.NDArray[np.int64]]] | None = None

    def batches(self) -> Iterator[list[int]]:
        """Yield row numbers."""
        for batch in self._own():
            yield batch.tolist()

    def __len__(self) -> int:
        if self.batch_tokens is None and self.repeats is None:  # whatever the lengths of this epoch are
            return math.ceil(math.ceil(len(self.row_lengths) / self.batch_size) / self.world_size)
        return len(self._own())

    def order(self) -> npt.NDArray[np.int64]:
        """Return the row numbers in the order in which this process sees them."""
        own = self._own()
        return np.concatenate(own) if own else NONE

    def padding_share(self) -> float:
        """Return the share of padding among all the steps of this epoch's batches."""
        steps = sum(len(batch) * int(self.row_lengths[batch].max()) for batch in self._own() if len(batch))
        tokens = sum(int(self.row_lengths[batch].sum()) for batch in self._own())
        return 1.0 - tokens / steps if steps else 0.0

    def _own(self) -> list[npt.NDArray[np.int64]]:
        if self._made is None or self._made[0] != self.epoch:
            self.row_lengths = self._lengths()
            self._made = (self.epoch, self._shuffled() if self.shuffle else self._sorted())
        return self._made[1]

    def _lengths(self) -> npt.NDArray[np.int32]:
        """Return how long the rows are in this epoch, ``(N,)``."""
        return self.row_lengths

    def _sorted(self) -> list[npt.NDArray[np.int64]]:
        batches = self._cut(np.argsort(self.row_lengths, kind="stable"))
        return [*batches, *[NONE] * (-len(batches) % self.world_size)][self.rank :: self.world_size]

    def _shuffled(self) -> list[npt.NDArray[np.int64]]:
        batches = self._all_shuffled()
        given_again = islice(cycle(batches), -len(batches) % self.world_size)
        return [*batches, *given_again][self.rank :: self.world_size]

    def _all_shuffled(self) -> list[npt.NDArray[np.int64]]:
        random = np.random.default_rng((self.seed, self.epoch))
        rows = _repeated(random.permutation(len(self.row_lengths)), self.repeats, random)
        pool = self.batch_size * POOL
        batches: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(rows), pool):
            members = rows[start : start + pool]
            batches += self._cut(members[np.argsort(self.row_lengths[members], kind="stable")])
        return [batches[place] for place in random.permutation(len(batches))]

    def _cut(self, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        """Cut rows of rising length into batches within both budgets."""
        if self.batch_tokens is None:
            return [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        batches, start = [], 0
        lengths = self.row_lengths[rows].tolist()
        for end in range(1, len(rows) + 1):
            full = end - start == self.batch_size
            if end == len(rows) or full or (end - start + 1) * lengths[end] > self.batch_tokens:
                batches.append(rows[start:end])
                start = end
        return batches


def _repeated(
    rows: npt.NDArray[np.int64], repeats: npt.NDArray[np.float64] | None, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return shuffled rows as often as they are to stand in an epoch, shuffled again; epochs have as many each.

    A share of a repetition falls to as large a share of the epochs, by systematic sampling.
    """
    if repeats is None:
        return rows
    wanted = repeats[rows]
    ends = np.floor(np.cumsum(wanted) * (round(wanted.sum()) / wanted.sum()) + random.random() * (1 - 1e-6) + 1e-7)
    times = np.diff(ends, prepend=0.0).astype(np.int64)
    return random.permutation(np.repeat(rows, times))


def bucketed(
    split: EncodedSplit, preprocessor: Preprocessor, plan: Plan, name: Split
) -> tuple[EncodedSplit, BucketBatchSampler]:
    """Return the rows of a split in batches of like lengths."""
    repeats = preprocessor.repeats(lambda column: split.lists[column].flat(), len(split)) if plan.shuffle else None
    return split, BucketBatchSampler(split.lengths, **plan._asdict(), repeats=repeats)
