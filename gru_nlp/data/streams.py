"""Batches of one long text: read side by side from several places, a stretch at a time, each going on where it was.

How it works. The ids of all rows, in the order in which the model reads them, are one stream of N tokens. For training
it is cut into B columns of equal width, the rows of every batch; the k-th batch holds the k-th stretch of each, so that
a model's state can be carried from batch to batch. Where columns begin, and how long stretches are, is drawn anew every
epoch (Merity et al. 2018, section 4), but their number is not, since Lightning counts batches once. For scores the
stream is read as it stands: the test split in one column, so that every token has all the text before it whatever the
batch size; validation in a fixed number of columns, which is many times as fast and a little worse.

Where the text has several documents, each is read from its own start alone: a stretch that holds such starts is cut
there into rows of its own, beside each other. The last row of a column goes on in the next stretch, and those of all
columns come first, so that the column's number is also that of the row.

Of several processes each trains on columns of its own, B of them. The first one scores alone, while the others wait: a
stream cannot be cut without its tokens losing what stands before them.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from gru_nlp.batch import AnyArray
from gru_nlp.data.batching import Order, Plan
from gru_nlp.data.encoded import EncodedColumns, EncodedSplit
from gru_nlp.data.where import Split
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.language_model import SIZES, LanguageModelPreprocessor
from gru_nlp.text.special import EOS

#: Columns in which validation is read.
COLUMNS = 16
#: Steps of a stretch that is scored, over all columns.
SCORED_STEPS = 4096
#: And most of a column where there are documents: a stretch is padded to the longest of its rows.
DOCUMENT_STEPS = 1024
#: A column has at least so many tokens.
LEAST = 32
#: Share of the mean length by which a stretch's ends may be off.
JITTER = 0.25


class Stream(Dataset[EncodedColumns]):
    """The tokens of a split, and of each column those from one step to another.

    Args:
        split: encoded.
        ids: of its tokens, ``(N,)``, in the order in which they are read.
        starts: places among them at which documents start, ``(D,)``, in order and 0 the first.
        columns: how many are read side by side, in all processes.
        reach: tokens by which the columns' beginnings may be moved; they are missing at the end.
        own: numbers of the columns that this process reads, ``(B,)``; None: all.
    """

    def __init__(
        self,
        split: EncodedSplit,
        ids: AnyArray,
        starts: AnyArray,
        columns: int,
        reach: int,
        own: AnyArray | None = None,
    ) -> None:
        self.split = split  # keeps the file mapped
        self.ids = ids
        self.starts = starts
        self.sizes = {name: int(split.scalars[name].sum(dtype=np.int64)) for name in SIZES}
        self.columns = columns
        self.own: AnyArray = np.arange(columns) if own is None else own
        usable = len(self.ids) - reach
        self.width = usable // columns if reach else -(-usable // columns)

    def __len__(self) -> int:
        return self.width

    def __getitems__(self, place: Sequence[int]) -> EncodedColumns:
        """Return the stretches of this process's columns, nothing at an empty ``place``.

        Args:
            place: their offset, the first step and that after the last.
        """
        if not place:
            return {}
        offset, first, last = place
        starts = offset + self.width * self.own
        ends = np.minimum(np.minimum(starts + last, starts + self.width), len(self.ids))
        begins = np.minimum(starts + first, len(self.ids))
        borders, sources = self._rows(begins, np.maximum(begins, ends), first == 0)
        before = [int(self.ids[begin - 1]) if begin else EOS for begin, _ in borders]
        counted = np.zeros(len(borders), dtype=np.int64)
        counted[: len(self.own)] = (self.own == 0) & (first == 0)
        columns: EncodedColumns = {"ids": [self.ids[slice(*row)] for row in borders], "before": before}
        columns |= {"sources": sources, "places": [begin for begin, _ in borders]}
        return columns | {name: counted * size for name, size in self.sizes.items()}

    def _rows(self, begins: AnyArray, ends: AnyArray, fresh: bool) -> tuple[list[tuple[int, int]], list[int]]:
        """Cut the stretch of each column ``(B,)`` where documents start.

        Returns:
            Begin and end of each row, the columns' last rows first; and of each the row before that it goes on from.
        """
        rows, others, sources, further = [], [], [], []
        firsts, lasts = np.searchsorted(self.starts, begins), np.searchsorted(self.starts, ends)
        for column, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
            inner = self.starts[firsts[column] : lasts[column]].tolist()
            anew = fresh or begin in inner[:1]
            borders = [begin, *(start for start in inner if start > begin), end]
            *parts, last = list(pairwise(borders))
            goes_on = [-1 if anew else column, *[-1] * len(parts)]
            rows.append(last)
            sources.append(goes_on[-1])
            others += parts
            further += goes_on[:-1]
        return rows + others, sources + further


class StreamOrder(Order):
    """The stretches of an epoch, from the first to the last.

    Args:
        stream: what is read.
        length: mean number of steps of a stretch.
        plan: its seed, and whether chance has a part.
        reach: most offset of the columns.
    """

    def __init__(self, stream: Stream, length: int, plan: Plan, reach: int) -> None:
        self.stream = stream
        self.length = length
        self.plan = plan
        self.reach = reach

    def __len__(self) -> int:
        return -(-self.stream.width // self.length)

    def batches(self) -> Iterator[list[int]]:
        """Yield offset, first step and that after the last of each stretch."""
        # Stretches of one length, so that none is left over that a moved end would leave empty.
        borders: AnyArray = np.arange(len(self) + 1) * self.stream.width // len(self)
        offset = 0
        if self.plan.shuffle:
            random = np.random.default_rng((self.plan.seed, self.epoch))
            offset = int(random.integers(self.reach + 1))
            most = int(self.stream.width / len(self) * JITTER)
            borders[1:-1] += random.integers(-most, most + 1, size=len(borders) - 2)
        idle = self.plan.rank > 0 and not self.plan.shuffle
        for first, last in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            yield [] if idle else [offset, first, last]

    def order(self) -> npt.NDArray[np.int64]:
        """Return nothing: a stream's rows have no answers of their own."""
        return np.zeros(0, dtype=np.int64)


def streamed(
    split: EncodedSplit, preprocessor: LanguageModelPreprocessor, plan: Plan, name: Split
) -> tuple[Stream, StreamOrder]:
    """Return the stream of a split and its stretches.

    Raises:
        UserError: sequences are to be counted by tokens.
    """
    if plan.batch_tokens is not None:
        raise UserError(
            "batch_tokens has no effect on a stream of text: leave it out; set preprocessing.sequence_length"
        )
    tokens = int(split.lengths.sum(dtype=np.int64))
    wanted = plan.batch_size * plan.world_size if plan.shuffle else COLUMNS if name == "validation" else 1
    columns = max(1, min(wanted, tokens // LEAST))
    ids, begins = split.lists["ids"].flat()[1], np.cumsum(split.lengths, dtype=np.int64) - split.lengths
    starts = np.union1d([0], begins[split.scalars["starts"] > 0])
    scored = SCORED_STEPS // columns if len(starts) == 1 else min(SCORED_STEPS // columns, DOCUMENT_STEPS)
    length = preprocessor.sequence_length if plan.shuffle else scored
    reach = min(length, tokens // columns // 2) if plan.shuffle else 0
    own = own_columns(columns, plan) if plan.shuffle else None
    read = preprocessor.as_read(ids), preprocessor.starts_as_read(starts, ids)
    stream = Stream(split, *read, columns, reach, own)
    return stream, StreamOrder(stream, length, plan, reach)


def own_columns(columns: int, plan: Plan) -> AnyArray:
    """Return the numbers of the columns that a process trains on; where there are too few, several share one."""
    if columns < plan.world_size:
        return np.array([plan.rank % columns])
    return np.array_split(np.arange(columns), plan.world_size)[plan.rank]
