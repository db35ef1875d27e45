"""Running text: plain files, or folders of them, whose lines are one stream or several documents."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from gru_nlp.data.copies import File
from gru_nlp.data.corpus import Carving
from gru_nlp.data.file_kinds import FileCorpus
from gru_nlp.data.files import content_hash, pieces
from gru_nlp.data.formats import Format, TextFormat
from gru_nlp.data.layouts import Layout, Row, fingerprint
from gru_nlp.data.readers import Record
from gru_nlp.data.where import Split
from gru_nlp.errors import UserError, choose

#: Characters of a row at most: rows are encoded a thousand at a time.
LONGEST = 1 << 12
#: What a document is; at its first row a model's state begins anew.
DOCUMENTS = ("stream", "file", "blank_line")


class Piece(NamedTuple):
    """A line or a piece of one, whether the line ends with it, and the number of its file."""

    line: int
    text: str
    ended: bool
    file: int


#: Pieces, and whether a document starts with each.
Parted = Iterator[tuple[Piece, bool]]


def _nowhere(pieces: Iterator[Piece]) -> Parted:
    return ((piece, False) for piece in pieces)


def _by_file(pieces: Iterator[Piece]) -> Parted:
    last = -1
    for piece in pieces:
        yield piece, piece.file > last
        last = piece.file


def _after_blank_lines(pieces: Iterator[Piece]) -> Parted:
    after_blank = said = False  # whether a blank line stands before, and whether this line holds anything so far
    for piece in pieces:
        now = bool(piece.text.strip())
        yield piece, now and after_blank
        after_blank, said = after_blank and not now, said or now
        if piece.ended:
            after_blank, said = after_blank or not said, False


@dataclass(frozen=True)
class Prose(TextFormat):
    """A file, or all files of a folder and those below it by their names; a blank line stands between two files.

    Attributes:
        documents: one of ``DOCUMENTS``: all text is one, each file is, or what stands between blank lines. A blank line
            ends the document before it, so that the tokens are the same however text is parted.
    """

    documents: str = "stream"

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the lines, long ones in pieces; they are numbered through all files."""
        parting = {"stream": _nowhere, "file": _by_file, "blank_line": _after_blank_lines}[self.documents]
        for row, starts in parting(self._rows(files)):
            yield row.line, {"text": row.text, "ended": row.ended, "starts": starts}

    def _rows(self, files: Sequence[File]) -> Iterator[Piece]:
        base, told = 0, -1  # lines so far, and the last file that had some
        for place, file in enumerate(text_files(files[0])):
            if place:
                base += 1
                yield Piece(base, "", True, told)
            last = 0
            for last, text, ended in pieces(file.path, self.encoding, file.option, file.opener):
                parts = list(short(text))
                for part in parts[:-1]:
                    yield Piece(base + last, part, False, place)
                yield Piece(base + last, parts[-1], ended, place)
                told = place
            base += last

    def key(self, files: Sequence[File]) -> list[str]:
        """Return names and content of the files."""
        found = text_files(files[0])
        if len(found) == 1:
            return [found[0].hash()]
        return [f"{file.path.relative_to(files[0].path)} {content_hash(file.path, file.option)}" for file in found]


def short(text: str) -> Iterator[str]:
    """Yield a text in parts of at most ``LONGEST`` characters, cut before a blank where there is one."""
    start = 0
    while len(text) - start > LONGEST:
        end = text.rfind(" ", start + 1, start + LONGEST)
        end = start + LONGEST if end < 0 else end
        yield text[start:end]
        start = end
    yield text[start:]


def text_files(given: File) -> list[File]:
    """Return the files of a folder, hidden ones left out, in the order of their names; of a file itself.

    Raises:
        UserError: the folder has none, or is the whole file system.
    """
    path = given.path
    if not os.path.isdir(path):
        return [given]
    if path.resolve() == Path(path.resolve().anchor):
        raise UserError(f"{path}: the whole file system: set {given.option}=<a folder of texts>")
    below = (file for file in path.rglob("*") if os.path.isfile(file))
    found = sorted(file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts))
    if not found:
        raise UserError(f"{path}: holds no files (set {given.option}=...)")
    return [File(file, given.option) for file in found]


@dataclass(frozen=True)
class Line(Layout):
    """A line, or a piece of one: columns ``text``, and whether the line is ``ended`` and a document ``starts`` here."""

    noun = "text"
    features = datasets.Features(
        {
            "text": datasets.Value("large_string"),
            "ended": datasets.Value("bool"),
            "starts": datasets.Value("bool"),
            "line": datasets.Value("int64"),
        }
    )

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return the line."""
        return {"text": fields["text"], "ended": fields["ended"], "starts": fields["starts"]}


def split_at(table: datasets.Dataset, share: float) -> int:
    """Return the first row of the last ``share`` of a table's text, counted in characters."""
    ends = np.cumsum(np.asarray(pc.utf8_length(table.data.column("text"))) + 1)
    return int(np.searchsorted(ends, (1.0 - share) * ends[-1])) if len(ends) else 0


@dataclass(frozen=True)
class LastPart(Carving):
    """Validation is the last part of training, not rows drawn from all of it: text goes on from line to line."""

    def part(self, train: datasets.Dataset, split: Split, stratify: str | None, instead: str) -> datasets.Dataset:
        """Return what stands before the last part, or that part."""
        return part_of(train, self.share, split == "validation", f"a validation split: set {instead}")


def part_of(table: datasets.Dataset, share: float, last: bool, wanted: str) -> datasets.Dataset:
    """Return the last ``share`` of a table, or what stands before it.

    Raises:
        UserError: one of them would be empty.
    """
    cut = split_at(table, share)
    rows: npt.NDArray[np.int64] = np.arange(cut, len(table)) if last else np.arange(cut)
    if not 0 < cut < len(table):
        raise UserError(f"{len(table)} lines of training are too few to carve out {wanted}")
    return table.select(rows, new_fingerprint=fingerprint(table._fingerprint, share, last))


@dataclass(kw_only=True, eq=False)
class TextCorpus(FileCorpus):
    """Running text.

    Attributes:
        test_share: share of the training file, at its end, that is the test split where there is no other; 0: none.
        documents: as in ``Prose``; older checkpoints do not state it.
    """

    test_share: float
    documents: str = "stream"
    split_seed: int = field(init=False, default=0)

    @property
    def carving(self) -> Carving:
        """How validation is carved out."""
        return LastPart(self.validation_share, self.split_seed)

    def formats(self) -> dict[str, Format]:
        """Return the one format.

        Raises:
            UserError: documents cannot be told apart so.
        """
        choose("data.documents", self.documents, DOCUMENTS)
        if self.documents == "file" and (os.path.isfile(self.train) if self.train else self.dir):
            raise UserError(
                "data.documents=file needs several files: set data.train=<folder>, or another data.documents"
            )
        return {"text": Prose(self.encoding, self.documents)}

    def layout(self) -> Line:
        """Return lines."""
        return Line()

    def on_hub(self, instead: str) -> None:
        """There is no such data set on the hub."""
        return

    def _whole(self, split: Split) -> datasets.Dataset | None:
        """Return a split; where the test split is the end of the training file, one of the two parts of that."""
        table = super()._whole("train" if self._is_shared() and split == "test" else split)
        if table is None or split == "validation" or not self._is_shared():
            return table
        return part_of(table, self.test_share, split == "test", "a test split: set data.test=<file>")

    def _is_shared(self) -> bool:
        return self.test_share > 0.0 and self._recipe.where.find("test") is None
