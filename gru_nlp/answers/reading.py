"""Texts in: lines, tables, JSON lines and columns of words, from a file, a pipe or standard input."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from gru_nlp.answers import pipes
from gru_nlp.data.columns import ColumnOptions, column_separator, read_conll
from gru_nlp.data.files import decoded, open_bytes
from gru_nlp.data.readers import Fields, delimiter_of, read_lines, read_parquet
from gru_nlp.data.signatures import table_of
from gru_nlp.data.values import column_names, text_of
from gru_nlp.errors import UserError, choose
from gru_nlp.preprocessing.rows import Text

#: Formats whose records have columns with names.
TABLES = ("csv", "tsv", "jsonl", "parquet")
INPUT_FORMATS = ("lines", *TABLES, "conll")


class Entry(NamedTuple):
    """A record of the input.

    Attributes:
        text: what is predicted from.
        shown: the text as it stands in the answer, or the name of an image or a recording.
        place: file and line, for messages.
        columns: all columns of the record, ``text``'s own among them; None where the input has none. A blank line
            has no values.
    """

    text: Text
    shown: Text
    place: str
    columns: Mapping[str, Any] | None = None


class Input(NamedTuple):
    """How a person's input is read.

    Attributes:
        path: of the file; None: standard input.
        kind: one of ``INPUT_FORMATS``.
        column: of the text, in tables; several are joined by a blank.
        encoding: of the bytes.
        delimiter: of csv.
        separator: of the columns of conll; None: found by looking.
    """

    path: str | None
    kind: str
    column: str | tuple[str, ...]
    encoding: str
    delimiter: str
    separator: str | None = None

    @property
    def name(self) -> str:
        """Return what the input is called in messages."""
        return self.path or "standard input"


def input_of(config: Mapping[str, Any]) -> Input:
    """Return how the input of a command's config is read.

    Raises:
        UserError: an option that is not known.
    """
    return Input(
        path=config["input"],
        kind=input_format(config["input_format"], config["input"]),
        column=column_names(config["text"], "text"),
        encoding=config["encoding"],
        delimiter=delimiter_of(config["delimiter"], "delimiter"),
        separator=column_separator(config["separator"], "separator"),
    )


def input_format(given: str | None, path: str | None) -> str:
    """Return the format that is given, or that the file's ending, in any case, tells; plain lines otherwise."""
    if given is not None:
        return choose("input_format", given, INPUT_FORMATS)
    name = path or ""
    conll = name.lower().removesuffix(".gz").endswith(".conll")
    return table_of(name) or ("conll" if conll else "lines")


@contextlib.contextmanager
def open_input(path: str | None, pause: pipes.Pause) -> Iterator[IO[bytes]]:
    """Open a file (plain or gzip), a pipe, or standard input; ``pause`` is called before a pipe is waited for.

    Raises:
        UserError: the file cannot be read.
    """
    if path is None:
        yield pipes.standard_input(pause)
    else:
        with open_bytes(Path(path), "input", lambda file: pipes.opened(file, pause)) as stream:
            yield stream


def read(stream: IO[bytes], source: Input) -> Iterator[Entry]:
    """Yield one entry a record of the input, in order; a blank line gives an empty text.

    The sentences of conll, and lists in jsonl, come as lists of words.

    Raises:
        UserError: naming the line: wrong encoding, a missing column, broken CSV or JSON.
    """
    name = source.name
    if source.kind == "parquet":
        yield from table_entries(parquet_of(source), source)
        return
    numbered = decoded(stream, source.encoding, name, "encoding")
    if source.kind == "lines":
        yield from (Entry(text, text, f"{name}:{line}") for line, text in numbered)
    elif source.kind == "conll":
        options = ColumnOptions(source.encoding, None, word="", tag="", option="input", separator=source.separator)
        sentences = read_conll(numbered, name, options, tagged=False)
        yield from (Entry(sentence.words, sentence.words, f"{name}:{sentence.line}") for sentence in sentences)
    else:
        yield from table_entries(read_lines(numbered, source.kind, name, None, source.delimiter), source)


def table_entries(records: Iterator[Fields], source: Input) -> Iterator[Entry]:
    """Yield one entry a record of a table.

    Raises:
        UserError: naming the line that has no such column.
    """
    columns = column_names(source.column, "text")
    for line, fields in records:
        place = f"{source.name}:{line}"
        text = field_text(fields, columns, place)
        yield Entry(text, text, place, {} if fields is None else fields)


def parquet_of(source: Input) -> Iterator[Fields]:
    """Return the rows of a Parquet file, which is read from its end and so from no pipe.

    Raises:
        UserError: there is no file.
    """
    if source.path is None or not os.path.isfile(source.path):
        raise UserError(f"{source.name}: Parquet is read from a file, not from a pipe: set input=<file>")
    return read_parquet(Path(source.path), "input")


def field_text(fields: Mapping[str, Any] | None, columns: Sequence[str], place: str) -> Text:
    """Return the text of a record, or its words.

    Raises:
        UserError: it has no such column.
    """
    if fields is None:
        return ""
    given = fields.get(columns[0]) if len(columns) == 1 else None
    return [str(word) for word in given] if isinstance(given, list) else text_of(fields, columns, place, "text")
