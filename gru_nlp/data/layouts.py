"""What a record means: a labelled text, a sentence pair, an image; and how records become a table.

A layout turns the fields of one record into a row, or says what is wrong with them; it knows names of fields, never
files. The loop around it is written once, in ``Layout``: it says where a bad record stands, refuses data without rows,
and writes the rows into a memory-mapped Arrow table under a key of everything that they came from, so that a second run
reads nothing again. A layout whose rows need more than that (tag schemes, images of one size) adds it around the loop.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import datasets
import numpy as np
import numpy.typing as npt

from gru_nlp.data.readers import Record, described
from gru_nlp.data.tables import read_once
from gru_nlp.data.values import Defect, joined
from gru_nlp.data.where import Found, Split
from gru_nlp.errors import UserError

datasets.disable_progress_bars()

Row = dict[str, Any]
#: Raised whenever a reader gives other rows for the same file, so that no cached table of an older one is taken.
READER_VERSION = 8


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain values, and of arrays among them, under which a table is cached."""
    content = json.dumps([READER_VERSION, *parts], sort_keys=True, default=_of_array)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _of_array(array: npt.NDArray[Any]) -> str:
    """Return a hash of the bytes of an array, such as the samples of a recording."""
    return hashlib.sha256(array.tobytes()).hexdigest()


class Layout(ABC):
    """What a record means.

    Attributes:
        noun: what data without rows is said to lack.
        features: types of the columns of the table, ``line`` among them.
        stratify: column each of whose values gives its share to a carved validation split; None: no such column.
        label_separator: what stands between the labels of a text in the data; None: nothing does.
    """

    noun: ClassVar[str]
    features: ClassVar[datasets.Features]
    stratify: ClassVar[str | None] = None
    label_separator: str | None = None

    @abstractmethod
    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return the row of a record, without ``line``; None leaves it out.

        Raises:
            Defect: what is wrong with the record.
        """

    def label_order(self) -> Sequence[str] | None:
        """Return the label names in their given order; None: as found, sorted."""
        return None

    def giving(self, columns: Sequence[str]) -> "Layout":
        """Return a layout of the same records that makes ``columns`` of them, where they can be taken so.

        Raises:
            UserError: an option has no effect on these columns.
        """
        return self

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the rows of a split.

        Raises:
            UserError: naming where a bad record stands; there is no row.
        """
        empty = True
        for line, fields in found.read():
            try:
                row = self.row(fields)
            except Defect as defect:
                raise UserError(f"{found.place(line, defect.column)}: {defect}") from None
            if row is not None:
                empty = False
                yield {**row, "line": line}
        if empty:
            raise UserError(f"{found.name}: holds no {self.noun} (set {found.option}=...)")

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Read a split, or find what was read of it.

        Raises:
            UserError: as ``rows``.
        """
        content = found.key()
        key = fingerprint(described(self), content)
        return read_once(lambda: self._rows_of(found, content), self.features, key, cache_dir)

    def _rows_of(self, found: Found, content: Any) -> Iterator[Row]:
        """Yield the rows of a split; refuse what has changed since ``content``, its key, was taken.

        What was read would lie in the cache in the place of something else.

        Raises:
            UserError: as ``rows``.
        """
        yield from self.rows(found)
        if found.key() != content:
            raise UserError(f"{found.name}: has changed while it was read: start again once nothing writes to it")

    def compare(self, split: Split, found: Found, tables: Mapping[Split, datasets.Dataset]) -> None:
        """Look at a split that was just read beside the others.

        Args:
            split: its name.
            found: where it stands, for messages.
            tables: the splits that were read so far, itself among them.

        Raises:
            UserError: they do not go together.
        """
        return  # most splits go with any other


@dataclass(frozen=True)
class SentencePair(Layout):
    """A sentence and its translation: columns ``source`` and ``target``.

    A row also has ``left_out``: how many pairs before it, or behind the last row, were left out for an empty side.

    Attributes:
        source, target: fields of the two sentences; or languages of a field ``translation`` that holds several.
        skip_empty: leave out pairs with an empty side instead of refusing them.
    """

    noun = "sentence pairs"
    features = datasets.Features(
        {
            "source": datasets.Value("large_string"),
            "target": datasets.Value("large_string"),
            "left_out": datasets.Value("int64"),
            "line": datasets.Value("int64"),
        }
    )
    source: str
    target: str
    skip_empty: bool

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the rows of a split; errors as those of every layout."""
        read = told = 0

        def counted() -> Iterator[Record]:
            nonlocal read
            for record in found.read():
                read += 1
                yield record

        waiting: list[Row] = []
        for kept, row in enumerate(super().rows(replace(found, read=counted))):
            yield from waiting
            waiting = [{**row, "left_out": read - kept - 1 - told}]
            told = read - kept - 1
        for row in waiting:
            yield {**row, "left_out": row["left_out"] + read - kept - 1 - told}

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return both sides; blank on both sides is passed over."""
        nested = fields.get("translation")
        if isinstance(nested, Mapping):
            fields = {**nested, **{name: fields[name] for name in (self.source, self.target) if name in fields}}
        one = joined(fields, (self.source,), "data.source")
        other = joined(fields, (self.target,), "data.target")
        if one.strip() and other.strip():
            return {"source": one, "target": other}
        if self.skip_empty or not (one.strip() or other.strip()):
            return None
        column = self.target if one.strip() else self.source
        raise Defect("an empty sentence whose other side is not (mend it, or set data.skip_empty=true)", column)


class AsIs(Layout):
    """Rows that are right already, such as a sample's: a small table in memory."""

    noun = "rows"

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return the record itself."""
        return dict(fields)

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Return the rows; nothing is cached."""
        rows = list(self.rows(found))
        table = datasets.Dataset.from_list(rows)
        table._fingerprint = fingerprint(found.key())
        arrays = [name for name, value in rows[0].items() if isinstance(value, np.ndarray)]
        return table.with_format("numpy", columns=arrays, output_all_columns=True) if arrays else table
