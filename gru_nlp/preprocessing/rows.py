"""What goes into a preprocessor and comes out of it: rows, columns, records, and lists of ids as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gru_nlp.batch import AnyArray, Batch, IntArray
from gru_nlp.errors import UserError
from gru_nlp.text.special import PAD

Columns = Mapping[str, Sequence[Any]]
Record = dict[str, Any]
#: What a person gives to predict: raw text, its words where the task takes them, an image as grey bytes, or the path
#: or the samples of a recording.
Text = str | Sequence[str] | npt.NDArray[np.uint8] | npt.NDArray[np.float32]
FIT_BATCH = 1000


class Rows(Protocol):
    """What ``fit`` reads: a table that can be gone through several times, in batches of columns."""

    def iter(self, batch_size: int) -> Iterator[Mapping[str, Any]]:
        """Yield the columns of ``batch_size`` rows at a time."""


class Hints(NamedTuple):
    """What else than the rows may shape what is learned.

    Attributes:
        label_order: names of the labels in the order of their ids; None: sorted as found.
        extra_words: words of pretrained vectors that join the vocabulary.
        label_separator: what stands between the labels of a text in the data; None: nothing does.
        tokenizer: of the language model that a model begins from, as JSON; None: one is trained.
    """

    label_order: Sequence[str] | None = None
    extra_words: Sequence[str] = ()
    label_separator: str | None = None
    tokenizer: str | None = None


class RowError(ValueError):
    """A row that cannot be encoded: its place in the batch of columns, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.reason = reason


class Texts:
    """Columns of ``rows`` as one stream of texts, to go through as often as a tokenizer wants."""

    def __init__(self, rows: Rows, *columns: str) -> None:
        self.rows = rows
        self.columns = columns

    def __iter__(self) -> Iterator[str]:
        for batch in self.rows.iter(FIT_BATCH):
            for column in self.columns:
                yield from batch[column]


class Pair(NamedTuple):
    """A source and its translation as one batch, and the names of the tokens of both."""

    batch: Batch[AnyArray]
    source: list[str]
    target: list[str]


def broken_state(name: str) -> UserError:
    """Return the error that tells of a learned state which is not as it was saved."""
    return UserError(f"the learned state is broken: see '{name}' of its preprocessing")


def distinct(state: Mapping[str, Any], name: str) -> list[str]:
    """Return a stored list of texts, no two of them equal.

    Raises:
        UserError: it is no such list.
    """
    values = state.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise broken_state(name)
    if len(set(values)) != len(values):
        raise broken_state(name)
    return list(values)


def sizes_of(rows: Sequence[Sequence[int] | AnyArray]) -> IntArray:
    """Return the lengths of lists of ids, ``(B,)`` int64."""
    return np.array([len(row) for row in rows], dtype=np.int64)


def pad(rows: Sequence[Sequence[int] | AnyArray], lengths: IntArray) -> IntArray:
    """Pad lists of ids of ``lengths`` ``(B,)`` to ``(B, T)`` int64 in one vectorised scatter."""
    if len(rows) == 1:
        return np.array(rows, dtype=np.int64)
    padded = np.full((len(rows), lengths.max()), PAD, dtype=np.int64)  # (B, T)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return padded


def target_ids(columns: Columns) -> IntArray | None:
    """Return the column ``target`` of one id a row as ``(B,)`` int64; None where there is none."""
    return np.array(columns["target"], dtype=np.int64) if "target" in columns else None


class LabelColumns(NamedTuple):
    """The columns of a row's label, or list of labels: as in the data, and as ids, ``UNKNOWN`` where there is none."""

    raw: str
    encoded: str


#: The id of a label that training does not have.
UNKNOWN = -1
