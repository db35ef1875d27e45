"""What makes batches of an encoded split: a data set that is asked for whole batches, and the order of these."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset, Sampler

from gru_nlp.data.encoded import EncodedColumns, EncodedSplit
from gru_nlp.data.where import Split


class Plan(NamedTuple):
    """How batches are to be made.

    Attributes:
        batch_size: most sequences in a batch.
        batch_tokens: most tokens in a batch, padding counted; None: sequences alone count.
        seed: of the shuffling.
        shuffle: True for training.
        rank: number of this process.
        world_size: number of processes.
    """

    batch_size: int
    batch_tokens: int | None
    seed: int
    shuffle: bool = False
    rank: int = 0
    world_size: int = 1


class Order(Sampler[list[int]]):
    """The batches of an epoch, as many in each process; one that has fewer to score gets empty ones at the end."""

    epoch = 0
    #: An epoch, and how many of its batches were trained on before the run was broken off in it.
    begun = (0, 0)

    @property
    def sampler(self) -> "Order":
        """Return itself: Lightning tells the epoch to the ``sampler`` of a batch sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next pass gives."""
        self.epoch = epoch

    def go_on(self, epoch: int, batches: int) -> None:
        """Leave out the first ``batches`` in an ``epoch``; they count in its length."""
        self.begun = (epoch, batches)

    def __iter__(self) -> Iterator[list[int]]:
        return islice(self.batches(), self.begun[1] if self.begun[0] == self.epoch else 0, None)

    def __len__(self) -> int:
        """Return the number of batches in the epoch."""
        raise NotImplementedError

    def planned(self, epoch: int) -> int:
        """Return the number of batches in an epoch, as near as it can be told beforehand."""
        self.set_epoch(epoch)
        return len(self)

    def batches(self) -> Iterator[list[int]]:
        """Yield all batches of the epoch."""
        raise NotImplementedError

    def order(self) -> npt.NDArray[np.int64]:
        """Return the numbers of the rows that have an answer each, in the order in which this process sees them."""
        raise NotImplementedError


class Batching(Protocol):
    """Makes the batches of a split."""

    def __call__(
        self, split: EncodedSplit, preprocessor: Any, plan: Plan, name: Split
    ) -> tuple[Dataset[EncodedColumns], Order]:
        """Return the data set and the order of its batches; ``name`` is the split's."""
