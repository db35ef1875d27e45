"""Readers of labelled text: rows of strings with line numbers from every format a person may bring.

Every value is the string that stands in the file: ``NA``, ``null`` and ``nan`` are texts like any other.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.data.files import Lines, is_broken, lines
from gru_nlp.errors import UserError, nearest

#: Larger than any field that fits in memory; the module's own limit of 128 KiB is no error of the user's.
csv.field_size_limit(2**31 - 1)


class Row(NamedTuple):
    """A labelled text and the line (or row, or file) it comes from, counted from 1."""

    text: str
    label: str
    line: int


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read; ``option`` names the file's own option in messages.

    Attributes:
        text: columns whose values, joined by a blank, are the text.
        label: column of the label.
        columns: names of the columns of a file without a header line; None: the first line names them.
        delimiter: between the fields of csv.
        encoding: codec of the file.
        label_names: readable name of each label in the file; None: labels stay as they are.
        label_cut: a label ends before this string; None: it is taken whole.
        skip_empty: leave out rows without text instead of refusing the file.
        option: for messages, such as ``data.train``.
    """

    text: tuple[str, ...]
    label: str
    columns: tuple[str, ...] | None
    delimiter: str
    encoding: str
    label_names: Mapping[str, str] | None
    label_cut: str | None
    skip_empty: bool
    option: str


#: A record's line and its fields; None for a blank line.
Fields = tuple[int, Mapping[str, Any] | None]


def read(path: Path, format: str, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a file (of a folder, for ``folders``).

    Raises:
        UserError: naming file and line: a missing column, a row without text or label, an unknown label, no rows.
    """
    found = False
    for line, fields in _records(path, format, options):
        if fields is None:
            continue
        place = f"{path}:{line}"
        text = text_of(fields, options.text, place, "data.text")
        if not text.strip():
            if options.skip_empty:
                continue
            raise UserError(f"{place}: a row without text (mend it, or set data.skip_empty=true)")
        found = True
        yield Row(text, _label(_value(fields, options.label, place, "data.label"), place, options), line)
    if not found:
        raise UserError(f"{path}: holds no rows (set {options.option}=...)")


def _records(path: Path, format: str, options: ReadOptions) -> Iterator[Fields]:
    if format == "parquet":
        return read_parquet(path, options.option)
    if format == "folders":
        return read_folders(path, options)
    numbered = lines(path, options.encoding, options.option)
    if format == "labelled_lines":
        return read_labelled_lines(numbered, options)
    return read_lines(numbered, format, str(path), options.columns, options.delimiter)


def read_lines(
    numbered: Lines, format: str, name: str, columns: Sequence[str] | None, delimiter: str
) -> Iterator[Fields]:
    """Read csv, tsv or jsonl from numbered lines; ``name`` is that of the file, for messages."""
    if format == "csv":
        return read_csv(numbered, name, columns, delimiter)
    return read_tsv(numbered, name, columns) if format == "tsv" else read_jsonl(numbered, name)


def text_of(fields: Mapping[str, Any], columns: Sequence[str], place: str, option: str) -> str:
    """Return the text of a record: the values of ``columns``, joined by a blank.

    Raises:
        UserError: a column is missing.
    """
    return " ".join(_value(fields, column, place, option) for column in columns)


def _value(fields: Mapping[str, Any], column: str, place: str, option: str) -> str:
    if column not in fields:
        known = ", ".join(map(str, fields))
        hint = nearest(column, map(str, fields))
        raise UserError(f"{place}: no column '{column}'; the columns are: {known} (set {option}=...){hint}")
    value = fields[column]
    return value if isinstance(value, str) else "" if value is None else str(value)


def _label(raw: str, place: str, options: ReadOptions) -> str:
    label = raw.strip()
    if options.label_cut:
        label = label.partition(options.label_cut)[0]
    if not label:
        raise UserError(f"{place}: a row without label (mend it, or set data.label=<column>)")
    if options.label_names is None:
        return label
    if label not in options.label_names:
        known = ", ".join(options.label_names)
        raise UserError(f"{place}: the label '{label}' is not among those of data.label_names: {known}")
    return options.label_names[label]


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


def read_labelled_lines(numbered: Lines, options: ReadOptions) -> Iterator[Fields]:
    """``label text`` on a line, blanks or a tab after the label."""
    for line, text in numbered:
        if text.strip():
            parts = text.split(None, 1)
            yield line, {options.label: parts[0], options.text[0]: parts[1] if len(parts) > 1 else ""}


def folder_files(path: Path) -> list[Path]:
    """Return the files of a folder a class, in the order of their numbers."""
    return sorted(file for file in path.glob("*/*") if file.is_file() and not file.name.startswith("."))


def read_folders(path: Path, options: ReadOptions) -> Iterator[Fields]:
    """A folder a class, a text a file: ``<path>/<label>/<any name>``; the line is the file's number."""
    if not path.is_dir():
        raise UserError(f"{path}: not a folder; data=folders needs one folder a class (set {options.option}=...)")
    for number, file in enumerate(folder_files(path), start=1):
        text = "\n".join(line for _, line in lines(file, options.encoding, options.option))
        yield number, {options.label: file.parent.name, options.text[0]: text}


FORMATS = ("csv", "tsv", "jsonl", "parquet", "labelled_lines", "folders")
