"""What makes batches of an encoded split: a data set that is asked for whole batches, and the order of these."""

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

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next pass gives."""
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
