"""Readers of tables: records with line numbers from csv, tsv, JSON lines and Parquet, and the values of their columns.

Every value of csv and tsv is the string that stands in the file: ``NA``, ``null`` and ``nan`` are texts like any other.
How values of other kinds are taken says ``values.py``.
"""

import csv
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gru_nlp.data.files import MOST_LINE, Lines
from gru_nlp.data.values import Defect as Defect
from gru_nlp.data.values import Row, Unusable, otherwise_cut
from gru_nlp.errors import UserError, is_broken

#: As long as a text may be; the module's own limit of 128 KiB is no error of the user's.
csv.field_size_limit(MOST_LINE)
#: Rows of Parquet that are read at a time.
PARQUET_ROWS = 4096


#: A record's line, counted from 1, and its fields by name.
Record = tuple[int, Mapping[str, Any]]
#: A record's line and its fields; None for a blank line.
Fields = tuple[int, Mapping[str, Any] | None]


def described(part: Any) -> list[Any]:
    """Return the name and the options of a format or a layout as plain values, for the key of what it read."""
    return [type(part).__name__, dataclasses.asdict(part)]


def filled(records: Iterator[Fields]) -> Iterator[Record]:
    """Leave out blank lines."""
    return ((line, fields) for line, fields in records if fields is not None)


def delimiter_of(given: object, option: str) -> str:
    """Return the character between the fields of csv; a backslash and ``t`` are a tab.

    Raises:
        UserError: it cannot stand between fields.
    """
    delimiter = "\t" if given == "\\t" else str(given)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise UserError(f"{option}={delimiter!r} must be one character, and neither a quote nor a line's end")
    return delimiter


def read_lines(
    numbered: Lines, format: str, name: str, columns: Sequence[str] | None, delimiter: str
) -> Iterator[Fields]:
    """Read csv, tsv or jsonl from numbered lines; ``name`` is that of the file, for messages."""
    if format == "csv":
        return read_csv(numbered, name, columns, delimiter)
    return read_tsv(numbered, name, columns) if format == "tsv" else read_jsonl(numbered, name)


class Header:
    """The names of a table's columns; one that occurs twice names no column.

    Args:
        names: in their order.
        name: of the file, for messages.
        line: of the header, for messages; None: the names were given.
    """

    def __init__(self, names: Sequence[str], name: str, line: int | None) -> None:
        self.names = list(names)
        self.name = name
        self.width = len(self.names)
        counts = Counter(self.names)
        place = "data.columns names it" if line is None else f"the header in line {line} has it"
        self.doubled = {name: Unusable(f"{place} {count} times") for name, count in counts.items() if count > 1}

    def row(self, values: Sequence[str], line: int) -> Row:
        """Return the fields of a row.

        Raises:
            UserError: there are more of them, or fewer, than names.
        """
        if len(values) != self.width:
            named = ", ".join(self.names)
            cut = otherwise_cut(self.names, "data")
            raise UserError(f"{self.name}:{line}: {len(values)} fields where {self.width} are expected ({named}){cut}")
        fields = Row(zip(self.names, values, strict=True))
        fields.update(self.doubled)
        return fields


def read_csv(numbered: Lines, name: str, columns: Sequence[str] | None, delimiter: str) -> Iterator[Fields]:
    """Comma-separated values with quotes (RFC 4180); a record's line is its first."""
    header = Header(columns, name, None) if columns is not None else None
    reader = csv.reader((text + "\n" for _, text in numbered), delimiter=delimiter, strict=True)
    start = 1
    try:
        for record in reader:
            if header is None:
                header = Header(record, name, start) if record else None
            else:
                yield start, header.row(record, start) if record else None
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{name}:{start}: not proper CSV: {error} (for tabs without quotes take tsv)") from None


def read_tsv(numbered: Lines, name: str, columns: Sequence[str] | None) -> Iterator[Fields]:
    """Tab-separated values without quoting: a quotation mark is a character like any other."""
    header = Header(columns, name, None) if columns is not None else None
    for line, text in numbered:
        values = text.split("\t")
        if header is None:
            header = Header(values, name, line)
        else:
            yield line, header.row(values, line) if text else None


def once(records: Iterator[Fields]) -> Iterator[Fields]:
    """Let no row of training or test data be used that is the header again, as files that were joined have it."""
    for line, fields in records:
        if fields and all(name == value for name, value in fields.items()):
            again = Unusable("the header stands here again; were files joined? take the line out")
            yield line, Row.fromkeys(fields, again)
        else:
            yield line, fields


def read_jsonl(numbered: Lines, name: str) -> Iterator[Fields]:
    """One JSON object a line."""
    for line, text in numbered:
        if not text.strip():
            yield line, None
            continue
        try:
            fields = json.loads(text, object_pairs_hook=_object)
            broken = "\\u" in text and is_broken(json.dumps(fields, ensure_ascii=False, default=str))
        except json.JSONDecodeError as error:
            raise UserError(
                f"{name}:{line}: not JSON: {error.msg} at place {error.colno} (one object a line)"
            ) from None
        except RecursionError:
            raise UserError(f"{name}:{line}: not JSON that can be read: nested too deeply") from None
        except ValueError:
            raise UserError(f"{name}:{line}: not JSON that can be read: a number of too many digits") from None
        if not isinstance(fields, dict):
            raise UserError(f'{name}:{line}: a JSON object is needed on every line, such as {{"text": ...}}')
        if broken:
            raise UserError(f"{name}:{line}: half a character (a lone surrogate such as \\ud800): mend the line")
        yield line, fields


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        fields |= {name: Unusable(f"the object has it {count} times") for name, count in counts.items() if count > 1}
    return fields


def read_parquet(path: Path, option: str, source: Any = None) -> Iterator[Fields]:
    """A Parquet table; the line is the row.

    Args:
        path: of the file, for messages.
        option: that names it, for messages.
        source: what is read instead, such as the copy of a pipe; None: the file.

    Raises:
        UserError: it cannot be read.
    """
    import pyarrow.parquet as pq  # a fifth of a second that predicting can do without

    line = 0
    batches: Iterator[Any] | None = None
    while True:
        try:
            if batches is None:
                batches = pq.ParquetFile(path if source is None else source).iter_batches(PARQUET_ROWS)
            batch = next(batches)
            names = batch.schema.names
            columns = [_plain(batch.column(place)) for place in range(len(names))]
        except StopIteration:
            return
        except Exception as error:  # whatever pyarrow makes of broken bytes: a dozen kinds, MemoryError among them
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{path}: not a Parquet file that can be read: {reason} (set {option}=...)") from None
        counts = Counter(names)
        doubled = {name: Unusable(f"the table has it {n} times") for name, n in counts.items() if n > 1}
        for values in zip(*columns, strict=True):
            line += 1
            yield (
                line,
                Row(zip(names, values, strict=True)) | doubled if doubled else Row(zip(names, values, strict=True)),
            )


def _plain(column: Any) -> list[Any]:
    """Return the values of a column of Parquet; those that Python has no value for can be passed over."""
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError) as error:  # dates before the year 1, texts that are no UTF-8
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [Unusable(reason)] * len(column)
    return values
