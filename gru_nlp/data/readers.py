"""Readers of tables: records with line numbers from csv, tsv, JSON lines and Parquet, and the values of their columns.

Every value is the string that stands in the file: ``NA``, ``null`` and ``nan`` are texts like any other.
"""

import csv
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gru_nlp.data.files import Lines, is_broken
from gru_nlp.errors import UserError, nearest

#: Larger than any field that fits in memory; the module's own limit of 128 KiB is no error of the user's.
csv.field_size_limit(2**31 - 1)


class Defect(Exception):
    """What is wrong with a record, or with one column of it; who knows where the record stands makes it a message."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.column = column


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


def read_lines(
    numbered: Lines, format: str, name: str, columns: Sequence[str] | None, delimiter: str
) -> Iterator[Fields]:
    """Read csv, tsv or jsonl from numbered lines; ``name`` is that of the file, for messages."""
    if format == "csv":
        return read_csv(numbered, name, columns, delimiter)
    return read_tsv(numbered, name, columns) if format == "tsv" else read_jsonl(numbered, name)


def text_of(fields: Mapping[str, Any], columns: tuple[str, ...], place: str, option: str) -> str:
    """Return the text of a record that stands at ``place``: the values of ``columns``, joined by a blank.

    Raises:
        UserError: a column is missing.
    """
    try:
        return joined(fields, columns, option)
    except Defect as defect:
        raise UserError(f"{place}: {defect}") from None


def joined(fields: Mapping[str, Any], columns: Sequence[str], option: str) -> str:
    """Return the values of ``columns``, joined by a blank.

    Raises:
        Defect: a column is missing; names ``option``.
    """
    values = (value_of(fields, column, option) for column in columns)
    return " ".join(value if isinstance(value, str) else "" if value is None else str(value) for value in values)


def value_of(fields: Mapping[str, Any], column: str, option: str) -> Any:
    """Return the value of a column.

    Raises:
        Defect: it is missing; names ``option``.
    """
    if column not in fields:
        known = ", ".join(map(str, fields))
        hint = nearest(column, map(str, fields))
        raise Defect(f"no column '{column}'; the columns are: {known} (set {option}=...){hint}")
    return fields[column]


def _named(columns: Sequence[str], values: Sequence[str], place: str) -> dict[str, str]:
    if len(values) != len(columns):
        raise UserError(f"{place}: {len(values)} fields where {len(columns)} are expected ({', '.join(columns)})")
    return dict(zip(columns, values, strict=True))


def read_csv(numbered: Lines, name: str, columns: Sequence[str] | None, delimiter: str) -> Iterator[Fields]:
    """Comma-separated values with quotes (RFC 4180); a record's line is its first."""
    if len(delimiter) != 1:
        raise UserError(f"data.delimiter={delimiter!r} must be one character")
    reader = csv.reader((text + "\n" for _, text in numbered), delimiter=delimiter, strict=True)
    start = 1
    try:
        for record in reader:
            if columns is None:
                columns = record or None
            else:
                yield start, _named(columns, record, f"{name}:{start}") if record else None
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{name}:{start}: not proper CSV: {error} (for tabs without quotes take tsv)") from None


def read_tsv(numbered: Lines, name: str, columns: Sequence[str] | None) -> Iterator[Fields]:
    """Tab-separated values without quoting: a quotation mark is a character like any other."""
    for line, text in numbered:
        values = text.split("\t")
        if columns is None:
            columns = values
        else:
            yield line, _named(columns, values, f"{name}:{line}") if text else None


def read_jsonl(numbered: Lines, name: str) -> Iterator[Fields]:
    """One JSON object a line."""
    for line, text in numbered:
        if not text.strip():
            yield line, None
            continue
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(
                f"{name}:{line}: not JSON: {error.msg} at place {error.colno} (one object a line)"
            ) from None
        except RecursionError:
            raise UserError(f"{name}:{line}: not JSON that can be read: nested too deeply") from None
        if not isinstance(fields, dict):
            raise UserError(f'{name}:{line}: a JSON object is needed on every line, such as {{"text": ...}}')
        if "\\u" in text and is_broken(json.dumps(fields, ensure_ascii=False)):
            raise UserError(f"{name}:{line}: half a character (a lone surrogate such as \\ud800): mend the line")
        yield line, fields


def read_parquet(path: Path, option: str) -> Iterator[Fields]:
    """A Parquet table; the line is the row."""
    import pyarrow as pa  # a fifth of a second that predicting can do without
    import pyarrow.parquet as pq

    try:
        line = 0
        for batch in pq.ParquetFile(path).iter_batches():
            for fields in batch.to_pylist():
                line += 1
                yield line, fields
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a Parquet file that can be read: {reason} (set {option}=...)") from None
