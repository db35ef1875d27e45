"""Texts in, records out: the files and streams of ``predict``."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from gru_nlp.data.columns import ColumnOptions, read_conll
from gru_nlp.data.files import decoded, open_bytes
from gru_nlp.data.readers import read_lines, text_of
from gru_nlp.errors import UserError, choose, printable
from gru_nlp.preprocessing.base import Text

Record = dict[str, Any]
INPUT_FORMATS = ("lines", "csv", "tsv", "jsonl", "conll")
OUTPUT_FORMATS = ("jsonl", "tsv", "table", "conll")


def input_format(given: str | None, path: str | None) -> str:
    """Return the format that is given, or that the file's ending tells; plain lines otherwise."""
    if given is not None:
        return choose("input_format", given, INPUT_FORMATS)
    ending = Path((path or "").removesuffix(".gz")).suffix.removeprefix(".")
    return ending if ending in INPUT_FORMATS else "lines"


def output_format(given: str | None, path: str | None) -> str:
    """Return the format that is given; else a table on a terminal, and JSON lines elsewhere."""
    if given is not None:
        return choose("format", given, OUTPUT_FORMATS)
    return "table" if path is None and sys.stdout.isatty() else "jsonl"


def check_apart(output: str | None, sources: Mapping[str, str | None]) -> None:
    """Refuse to write over what is read.

    Raises:
        UserError: naming the file and the option of ``sources`` that reads it.
    """
    for option, source in sources.items():
        if output and source and Path(output).is_file() and Path(source).exists() and os.path.samefile(output, source):
            raise UserError(f"{output}: is read as {option}, and would be written over: set output=<another file>")


@contextlib.contextmanager
def open_input(path: str | None) -> Iterator[IO[bytes]]:
    """Open a file (plain or gzip), or standard input.

    Raises:
        UserError: the file cannot be read.
    """
    if path is None:
        yield sys.stdin.buffer
    else:
        with open_bytes(Path(path), "input") as stream:
            yield stream


def read_texts(stream: IO[bytes], kind: str, column: str, encoding: str, name: str) -> Iterator[Text]:
    """Yield one text a record of the input, in order; a blank line gives an empty text.

    The sentences of conll, and lists in jsonl, come as lists of words.

    Args:
        stream: of bytes.
        kind: lines, csv, tsv, jsonl or conll.
        column: of the text, in all but plain lines.
        encoding: of the stream.
        name: of the stream, for messages.

    Raises:
        UserError: naming the line: wrong encoding, a missing column, broken CSV or JSON.
    """
    numbered = decoded(stream, encoding, name, "encoding")
    if kind == "lines":
        yield from (text for _, text in numbered)
        return
    if kind == "conll":
        options = ColumnOptions(encoding=encoding, columns=None, word="", tag="", option="input")
        yield from (sentence.words for sentence in read_conll(numbered, name, options, tagged=False))
        return
    for line, fields in read_lines(numbered, kind, name, None, ","):
        given = (fields or {}).get(column)
        if isinstance(given, list):
            yield [str(word) for word in given]
        else:
            yield "" if fields is None else text_of(fields, (column,), f"{name}:{line}", "text")


def joined(texts: Iterator[Text]) -> Iterator[str]:
    """Yield texts, those that came as words joined by blanks."""
    return (text if isinstance(text, str) else " ".join(text) for text in texts)


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[IO[str]]:
    """Open standard output, or a file that appears only once it is complete; a pipe or a device is written as it is.

    Raises:
        UserError: the file cannot be written.
    """
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(path).resolve()  # a link stays a link
    special = target.exists() and not target.is_file()
    temporary = target if special else target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        file = temporary.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror} (set output=...)") from None
    try:
        with file:
            yield file
        if not special:
            os.replace(temporary, target)
    finally:
        if not special:
            temporary.unlink(missing_ok=True)


def render(record: Record, text: str, kind: str) -> str:
    """Return a record as one line: label, score, further labels where asked for, text."""
    if kind == "jsonl":
        return json.dumps({**record, "text": text}, ensure_ascii=False)
    pairs = record.get("top") or [[record["label"], record["score"]]]
    labels = [("", "") if label is None else (label, f"{score:.4f}") for label, score in pairs]
    flat = " ".join(text.split())
    if kind == "tsv":
        return printable("\t".join([field for pair in labels for field in pair] + [flat]))
    shown = "  ".join(f"{label:<12} {score:>6}" for label, score in labels)
    return printable(f"{shown}  {flat[:100]}{'...' if len(flat) > 100 else ''}")
