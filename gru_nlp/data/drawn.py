"""Rows of which training draws in every epoch what becomes of them, in batches of like lengths.

How it works. How long a row is depends on what is drawn. So all is drawn once when an epoch begins, for the lengths
alone, by which batches are made, and once more where a batch is put together: what is drawn for a row depends on its
number and the seed, and nothing has to be kept. Batches that were made by the lengths before drawing would be a fifth
longer than they have to be.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from gru_nlp.batch import AnyArray
from gru_nlp.data.batching import Order, Plan
from gru_nlp.data.bucketing import BucketBatchSampler, bucketed
from gru_nlp.data.encoded import EncodedColumns, EncodedSplit
from gru_nlp.data.where import Split
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.text.draws import mixed

#: Rows that are drawn at once for their lengths.
CHUNK = 512


class DrawnSplit(Dataset[EncodedColumns]):
    """The rows of a split, each epoch's by numbers of their own: row r of N in epoch e is number ``e N + r``.

    So a draw is the same in a run that was stopped and goes on, in any process, and whatever stands beside the row.

    Args:
        split: encoded.
        preprocessor: that draws.
        seed: of the draws.
    """

    def __init__(self, split: EncodedSplit, preprocessor: Preprocessor, seed: int) -> None:
        self.split = split
        self.preprocessor = preprocessor
        self.seed = mixed(np.array([seed], dtype=np.uint64))

    def __len__(self) -> int:
        return len(self.split)

    def numbers(self, epoch: int, rows: npt.NDArray[np.int64]) -> list[int]:
        """Return the numbers of ``rows`` in an epoch."""
        return cast(list[int], (rows + epoch * len(self)).tolist())

    def sizes(self, epoch: int) -> npt.NDArray[np.int32]:
        """Return how long the rows are in an epoch, ``(N,)``."""
        found: list[AnyArray] = [np.zeros(0, np.int32)]
        for start in range(0, len(self), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(self)))
            columns = {**self.split.strings(rows), **self._draws(self.numbers(epoch, rows))}
            found.append(self.preprocessor.drawn_sizes(columns))
        return np.concatenate(found).astype(np.int32)

    def __getitems__(self, numbers: Sequence[int]) -> EncodedColumns:
        """Return the columns of the rows with these numbers, and what is drawn by; none where there are none."""
        if not numbers:
            return {}
        return {**self.split.__getitems__([number % len(self) for number in numbers]), **self._draws(numbers)}

    def _draws(self, numbers: Sequence[int]) -> EncodedColumns:
        return {"draws": mixed(np.array(numbers, dtype=np.uint64) + self.seed)}


class DrawnBatchSampler(BucketBatchSampler):
    """Yield batches of the numbers of a ``DrawnSplit``, rows together that are of like lengths in the epoch."""

    def __init__(self, drawn: DrawnSplit, plan: Plan) -> None:
        super().__init__(drawn.split.lengths, **plan._asdict())
        self.drawn = drawn

    def planned(self, epoch: int) -> int:
        """Return that of the first epoch, since the others' lengths are drawn when they begin."""
        return super().planned(0)

    def batches(self) -> Iterator[list[int]]:
        """Yield numbers."""
        for batch in self._own():
            yield self.drawn.numbers(self.epoch, batch)

    def _lengths(self) -> npt.NDArray[np.int32]:
        return self.drawn.sizes(self.epoch)


def drawn(
    split: EncodedSplit, preprocessor: Preprocessor, plan: Plan, name: Split
) -> tuple[Dataset[EncodedColumns], Order]:
    """Return the rows of a split in batches of like lengths, as they are drawn in training, else as they are."""
    if not (plan.shuffle and preprocessor.draws):
        return bucketed(split, preprocessor, plan, name)
    numbered = DrawnSplit(split, preprocessor, plan.seed)
    return numbered, DrawnBatchSampler(numbered, plan)
