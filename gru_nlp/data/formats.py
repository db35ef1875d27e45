"""How a file is written: one small object a format, which reads files as records.

A record is a line, counted from 1, and its fields by name. A format that has no names of its own (lines, folders,
columns) is told them, so that a layout finds what it looks for whatever the file. ``tables`` lists the formats whose
fields have names; a corpus chooses among them and those of its own kind.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from gru_nlp.data import readers
from gru_nlp.data.columns import DOCUMENT_COLUMN, ColumnOptions, read_conll
from gru_nlp.data.copies import File
from gru_nlp.data.files import Lines, content_hash, lines
from gru_nlp.data.idx import read_idx
from gru_nlp.data.readers import Record
from gru_nlp.errors import UserError, nearest
from gru_nlp.plain import entries_of


class Format(ABC):
    """How the files of a split are written.

    Attributes:
        stride: lines between two items of a list in a record; 0: a record stands on one line.
    """

    stride = 0

    @abstractmethod
    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the records of a split's files, blank ones left out.

        Raises:
            UserError: naming file and line of what cannot be read.
        """

    def key(self, files: Sequence[File]) -> list[str]:
        """Return what changes whenever the content of the files does."""
        return [file.hash() for file in files]

    def place(self, files: Sequence[File], line: int, column: str | None) -> str:
        """Return where a record, or a column of it, stands."""
        return f"{files[0].path}:{line}" + (f", column '{column}'" if column else "")


@dataclass(frozen=True)
class TextFormat(Format):
    """A format of text in one file.

    Attributes:
        encoding: codec of the file.
    """

    encoding: str

    def lines(self, file: File) -> Lines:
        """Return the numbered lines of a file."""
        return lines(file.path, self.encoding, file.option, file.opener)


@dataclass(frozen=True)
class Csv(TextFormat):
    """Comma-separated values.

    Attributes:
        columns: names of the columns of a file without a header line; None: the first line names them.
        delimiter: between two fields.
    """

    columns: tuple[str, ...] | None
    delimiter: str

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the rows."""
        (file,) = files
        records = readers.read_csv(self.lines(file), str(file.path), self.columns, self.delimiter)
        return readers.filled(readers.once(records))


@dataclass(frozen=True)
class Tsv(TextFormat):
    """Tab-separated values without quoting.

    Attributes:
        columns: as in ``Csv``.
    """

    columns: tuple[str, ...] | None

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the rows."""
        (file,) = files
        return readers.filled(readers.once(readers.read_tsv(self.lines(file), str(file.path), self.columns)))


@dataclass(frozen=True)
class JsonLines(TextFormat):
    """One JSON object a line."""

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the objects."""
        (file,) = files
        return readers.filled(readers.read_jsonl(self.lines(file), str(file.path)))


@dataclass(frozen=True)
class Parquet(Format):
    """A Parquet table; the line is the row."""

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the rows."""
        (file,) = files
        source = file.copy.open(file.path) if file.copy else None
        return readers.filled(readers.read_parquet(file.path, file.option, source))


def tables(encoding: str, columns: tuple[str, ...] | None = None, delimiter: str = ",") -> dict[str, Format]:
    """Return the formats whose fields have names, by the value of ``data.format``."""
    return {
        "csv": Csv(encoding, columns, delimiter),
        "tsv": Tsv(encoding, columns),
        "jsonl": JsonLines(encoding),
        "parquet": Parquet(),
    }


@dataclass(frozen=True)
class LabelAndText(TextFormat):
    """A format of labels and texts that gives its two fields no names.

    Attributes:
        label, text: names of the two fields.
    """

    label: str
    text: str


@dataclass(frozen=True)
class LabelledLines(LabelAndText):
    """``label text`` on a line."""

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield label and text, cut at the first blanks or tab."""
        for line, content in self.lines(files[0]):
            if content.strip():
                parts = content.split(None, 1)
                yield line, {self.label: parts[0], self.text: parts[1] if len(parts) > 1 else ""}


@dataclass(frozen=True)
class Folders(LabelAndText):
    """A folder a class, a text a file: ``<path>/<label>/<any name>``; the line is the file's number.

    Attributes:
        folders: names of those that are read; None: all.
    """

    folders: tuple[str, ...] | None

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the texts, in the order of the files' names."""
        option = files[0].option
        for number, file in enumerate(class_files(files[0], self.folders), start=1):
            text = "\n".join(line for _, line in self.lines(File(file, option)))
            yield number, {self.label: file.parent.name, self.text: text}

    def key(self, files: Sequence[File]) -> list[str]:
        """Return names and content of the texts' files."""
        path, option, _ = files[0]
        return [
            f"{file.relative_to(path)} {content_hash(file, option)}" for file in class_files(files[0], self.folders)
        ]

    def place(self, files: Sequence[File], line: int, column: str | None) -> str:
        """Return the file that holds the text."""
        return str(class_files(files[0], self.folders)[line - 1])


def class_files(folder: File, names: Sequence[str] | None) -> list[Path]:
    """Return the files of a folder a class, in the order of their numbers.

    Args:
        folder: that holds the folders.
        names: of those that are read; None: all.

    Raises:
        UserError: it is no folder, or the whole file system, whose files are not all to be opened; or one of ``names``
            is not there.
    """
    path = folder.path
    if not os.path.isdir(path):
        raise UserError(f"{path}: not a folder; data=folders needs one folder a class (set {folder.option}=...)")
    if path.resolve() == Path(path.resolve().anchor):
        raise UserError(f"{path}: the whole file system; data=folders needs one folder a class (set {folder.option})")
    for name in names or ():
        if not os.path.isdir(path / name):
            there = [entry.name for entry in entries_of(path, folder.option) if os.path.isdir(entry)]
            told = f"{path}: no folder '{name}' (folders: {', '.join(there)}){nearest(name, there)}"
            raise UserError(f"{told} (set data.folders=[...])")
    entries_of(path, folder.option)  # glob passes over what it may not read
    files = (file for file in path.glob("*/*") if names is None or file.parent.name in names)
    return sorted(file for file in files if os.path.isfile(file) and not file.name.startswith("."))


@dataclass(frozen=True)
class Parallel(TextFormat):
    """Two files with one sentence a line, a line of one being the translation of the other's.

    Attributes:
        sides: names of the two fields, that of the source first.
    """

    sides: tuple[str, str]

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the pairs line by line."""
        left, right = files
        for one, other in zip_longest(self.lines(left), self.lines(right)):
            if one is None or other is None:
                longer, shorter = (right, left) if one is None else (left, right)
                line = (other or one)[0]
                raise UserError(
                    f"{shorter.path}:{line - 1}: the file ends here, but {longer.path} goes on with line {line}: "
                    "parallel files need one sentence a line on both sides"
                )
            yield one[0], dict(zip(self.sides, (one[1], other[1]), strict=True))

    def place(self, files: Sequence[File], line: int, column: str | None) -> str:
        """Return the line in the file of a side; a pair stands in the source file."""
        return f"{files[column == self.sides[1]].path}:{line}"


@dataclass(frozen=True)
class Conll(TextFormat):
    """A word a line with its tag in another column, a blank line after a sentence.

    Attributes:
        columns: names of the columns; None: the first is the word and the last the tag.
        word, tag: names of the two columns, and of the two fields.
        separator: of the columns, ``tab`` or ``blank``; None: found by looking.
    """

    stride = 1
    columns: tuple[str, ...] | None
    word: str
    tag: str
    separator: str | None

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the words and tags of the sentences; the line is that of the first word."""
        (file,) = files
        options = ColumnOptions(self.encoding, self.columns, self.word, self.tag, file.option, self.separator)
        for sentence in read_conll(self.lines(file), str(file.path), options):
            fields = {self.word: sentence.words, self.tag: sentence.tags}
            yield sentence.line, {DOCUMENT_COLUMN: sentence.document, **fields}


@dataclass(frozen=True)
class Idx(Format):
    """A file of images and one of labels, as MNIST's; the line is the image's number."""

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield images ``(height, width)`` uint8 with their labels."""
        images, labels = (read_idx(file.path, size, file.option) for file, size in zip(files, (3, 1), strict=True))
        if len(images) != len(labels):
            raise UserError(f"{files[1].path}: {len(labels)} labels for the {len(images)} images of {files[0].path}")
        for line, (image, label) in enumerate(zip(images, labels, strict=True), start=1):
            yield line, {"image": image, "label": label}

    def place(self, files: Sequence[File], line: int, column: str | None) -> str:
        """Return the file and the image's number."""
        return f"{files[0].path}, image {line}"
