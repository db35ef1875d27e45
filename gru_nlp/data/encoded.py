"""Encoded rows: ids stay in the mapped Arrow file until a batch asks for them; images, a byte a pixel, in memory."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from torch.utils.data import Dataset

from gru_nlp.data.tables import encoded_once
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import RowError

EncodedColumns = dict[str, Any]


class ListColumn:
    """One list of integers a row, spread over the chunks of a memory-mapped Arrow column.

    Args:
        column: the Arrow column; its values are never copied as a whole.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.values = [np.asarray(chunk.values) for chunk in column.chunks]
        self.offsets = [np.asarray(chunk.offsets) for chunk in column.chunks]
        self.starts = np.cumsum([0] + [len(offsets) - 1 for offsets in self.offsets])
        self.lengths: npt.NDArray[np.int32] = np.concatenate(
            [np.diff(offsets) for offsets in self.offsets] or [np.zeros(0, np.int32)]
        ).astype(np.int32)

    def flat(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """Return all values and, beside each, its row, ``(M,)`` both."""
        chunks = zip(self.values, self.offsets, strict=True)
        parts = [values[offsets[0] : offsets[-1]] for values, offsets in chunks]
        values = np.concatenate([np.zeros(0, np.int32), *parts])
        return np.repeat(np.arange(len(self.lengths)), self.lengths), values

    def shares(self, value: int) -> npt.NDArray[np.float64]:
        """Return the share of each list that is ``value``, ``(N,)``; 0 of an empty one."""
        counts = [np.zeros(0, np.int64)]
        for values, offsets in zip(self.values, self.offsets, strict=True):
            sums = np.concatenate([[0], np.cumsum(values[offsets[0] : offsets[-1]] == value)])
            counts.append(np.diff(sums[offsets - offsets[0]]))
        shares: npt.NDArray[np.float64] = np.concatenate(counts) / np.maximum(self.lengths, 1)
        return shares

    def take(self, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[Any]]:
        """Return the lists of ``rows`` as views."""
        chunks = np.searchsorted(self.starts, rows, side="right") - 1
        places = rows - self.starts[chunks]
        taken = []
        for chunk, place in zip(chunks.tolist(), places.tolist(), strict=True):
            offsets = self.offsets[chunk]
            taken.append(self.values[chunk][offsets[place] : offsets[place + 1]])
        return taken


class EncodedSplit(Dataset[EncodedColumns]):
    """The encoded rows of one split; ``__getitems__`` hands a whole batch of columns to ``collate``.

    Args:
        table: the encoded data set.
        raw: the rows as strings.
        preprocessor: names the columns.
    """

    def __init__(self, table: datasets.Dataset, raw: datasets.Dataset, preprocessor: Preprocessor) -> None:
        self.table = table  # keeps the file mapped
        self.raw = raw.select_columns(list(preprocessor.raw_columns)) if preprocessor.raw_columns else None
        arrow = table.data
        self.lists = {name: ListColumn(arrow.column(name)) for name in preprocessor.list_columns}
        self.scalars = {name: np.asarray(arrow.column(name)) for name in preprocessor.scalar_columns}
        self.cut_columns = preprocessor.cut_columns
        sized = preprocessor.length_columns or preprocessor.list_columns
        self.lengths = np.maximum.reduce([self.lists[name].lengths for name in sized]) // preprocessor.step_size
        self.label_rows, self.label_ids = self._labels(preprocessor)
        #: ``(N,)`` whether training does not have a label of a row.
        self.unknown = np.zeros(len(table), dtype=np.bool_)
        self.unknown[self.label_rows[self.label_ids < 0]] = True

    def _labels(self, preprocessor: Preprocessor) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """Return the rows that have a label, and the id of each, ``(M,)`` both; none where a row has no labels."""
        label = preprocessor.label_columns
        if label is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int32)
        if label.encoded in self.lists:
            return self.lists[label.encoded].flat()
        return np.arange(len(self)), self.scalars[label.encoded]

    def cut(self) -> int:
        """Return how many rows have a text that was cut to the length that is kept."""
        longer = [self.scalars[count] > self.lists[ids].lengths for count, ids in self.cut_columns.items()]
        return int(np.logical_or.reduce(longer).sum()) if longer else 0

    def missing(self, preprocessor: Preprocessor) -> list[str]:
        """Return the labels of training that no row has."""
        if preprocessor.label_columns is None:
            return []
        ids = set(np.unique(self.label_ids).tolist())
        return [name for index, name in enumerate(preprocessor.label_names()) if index not in ids]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitems__(self, rows: Sequence[int]) -> EncodedColumns:
        """Return the columns of ``rows``; none where there are no rows."""
        if not rows:
            return {}
        places = np.asarray(rows, dtype=np.int64)
        columns: EncodedColumns = {name: column.take(places) for name, column in self.lists.items()}
        columns |= {name: values[places] for name, values in self.scalars.items()}
        return columns | self.strings(places)

    def strings(self, rows: npt.NDArray[np.int64]) -> EncodedColumns:
        """Return the raw columns of ``rows`` that collation wants."""
        return {} if self.raw is None else cast(EncodedColumns, self.raw[rows])


def encode(raw: datasets.Dataset, preprocessor: Preprocessor) -> EncodedSplit:
    """Encode a split once; a second call on the same rows and preprocessor finds the cached file.

    Raises:
        RowError: a row cannot be encoded; its ``row`` counts from the start of the split.
    """
    features = datasets.Features(
        {name: datasets.List(datasets.Value(preprocessor.list_type)) for name in preprocessor.list_columns}
        | {name: datasets.Value("int32") for name in preprocessor.scalar_columns}
    )

    def encode_batch(columns: Any, rows: list[int]) -> dict[str, list[Any]]:
        try:
            return preprocessor.encode({name: columns[name] for name in raw.column_names})
        except RowError as error:
            raise RowError(rows[error.row], error.reason) from None

    table = encoded_once(raw, encode_batch, features, f"{raw._fingerprint}-{preprocessor.fingerprint()}")
    return EncodedSplit(table, raw, preprocessor)


def encode_split(
    raw: datasets.Dataset, preprocessor: Preprocessor, place: Callable[[int], str], *, takes_unknown: bool = False
) -> EncodedSplit:
    """Encode a split; a row that cannot be encoded is reported where ``place`` says it stands.

    Args:
        raw: the rows as strings.
        preprocessor: fitted.
        place: says where a line stands.
        takes_unknown: whether rows may have labels that training does not have.

    Raises:
        UserError: naming file and line.
    """
    try:
        split = encode(raw, preprocessor)
        unknown = np.flatnonzero(split.label_ids < 0)
        if len(unknown) and preprocessor.label_columns and not takes_unknown:
            row = int(split.label_rows[unknown[0]])
            said = raw[row][preprocessor.label_columns.raw]
            label = said if isinstance(said, str) else said[unknown[0] - np.searchsorted(split.label_rows, row)]
            raise RowError(row, preprocessor.unknown_label(label))
        return split
    except RowError as error:
        raise UserError(f"{place(int(raw[error.row]['line']))}: {error.reason}") from None
