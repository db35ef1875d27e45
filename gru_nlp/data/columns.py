"""The reader of tagged sentences in columns, a word a line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gru_nlp.data.files import Lines
from gru_nlp.errors import UserError, nearest
from gru_nlp.text import schemes

DOCUMENT = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")


class Sentence(NamedTuple):
    """The words of a sentence, their tags, and the line of the first word."""

    words: list[str]
    tags: list[str]
    line: int


@dataclass(frozen=True)
class ColumnOptions:
    """How tagged files are read.

    Attributes:
        encoding: codec of the file.
        columns: names of the columns; None: the first is the word and the last the tag.
        word, tag: names of the two columns.
        option: that names the file, for messages.
    """

    encoding: str
    columns: tuple[str, ...] | None
    word: str
    tag: str
    option: str


def split_fields(line: str) -> list[str]:
    """Return the fields of a line: cut at tabs where there is one, else at runs of blanks."""
    return [field.strip(" ") for field in line.split("\t")] if "\t" in line else _BLANKS.split(line.strip(" "))


def read_conll(numbered: Lines, name: str, options: ColumnOptions, tagged: bool = True) -> Iterator[Sentence]:
    """Yield the sentences of a file of columns; a blank line, or a document's mark, ends a sentence.

    A line that starts with ``#`` and a blank is a comment where a sentence has not begun and its last field is no tag.

    Args:
        numbered: lines.
        name: of the file, for messages.
        options: how it is read.
        tagged: False: there may be no column of tags; every tag is O.

    Raises:
        UserError: naming file and line: ragged columns, a column that is not there, an empty word, no tag.
    """
    words: list[str] = []
    tags: list[str] = []
    first, wide = 1, 0
    see = ": see data.columns" if tagged else ""
    for number, line in numbered:
        fields = split_fields(line) if line.strip() else []
        if not fields or fields[0] == DOCUMENT:
            if words:
                yield Sentence(words, tags, first)
                words, tags = [], []
            continue
        if not words:
            first = number
            marked = line.startswith("# ") or (tagged and line == "#")
            if marked and not schemes.TAG.fullmatch(fields[-1]):
                continue
        wide = wide or len(options.columns or fields)
        if len(fields) != wide:
            named = f" ({' '.join(options.columns)})" if options.columns else ""
            raise UserError(f"{name}:{number}: {len(fields)} columns where {wide} are expected{named}{see}")
        word, tag = _pick(fields, f"{name}:{number}", options, tagged)
        words.append(word)
        tags.append(tag)
    if words:
        yield Sentence(words, tags, first)


def _pick(fields: list[str], place: str, options: ColumnOptions, tagged: bool) -> tuple[str, str]:
    """Return word and tag of a line."""
    if options.columns is None:
        word, tag = fields[0], fields[-1] if tagged else schemes.OUTSIDE
        if tagged and len(fields) < 2:
            raise UserError(f"{place}: one column only, where a word and its tag are expected: see data.columns")
    else:
        word = fields[_column(options.columns, options.word, "data.word")]
        tag = fields[_column(options.columns, options.tag, "data.tag")] if tagged else schemes.OUTSIDE
    if not word:
        raise UserError(f"{place}: an empty word (two tabs side by side?): mend the line")
    if not schemes.TAG.fullmatch(tag):
        raise UserError(f"{place}: '{tag}' is no tag like O, B-PER or I-LOC: see data.columns and data.tag")
    return word, tag


def _column(columns: Sequence[str], wanted: str, option: str) -> int:
    if wanted not in columns:
        known = ", ".join(columns)
        raise UserError(f"{option}={wanted} is not among data.columns=[{known}]{nearest(wanted, columns)}")
    return columns.index(wanted)
