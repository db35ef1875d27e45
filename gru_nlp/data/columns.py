"""Readers of tagged sentences: CoNLL columns, JSON lines with tokens and tags, or with text and spans."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.data.files import Lines, lines
from gru_nlp.data.readers import read_jsonl
from gru_nlp.errors import UserError, nearest
from gru_nlp.text import schemes
from gru_nlp.text.words import Word

FORMATS = ("conll", "jsonl")
DOCUMENT = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")


class Sentence(NamedTuple):
    """The words of a sentence, their tags, the line of the first word, and the first broken tag as ``line: tag``."""

    words: list[str]
    tags: list[str]
    line: int
    broken: str = ""


@dataclass(frozen=True)
class ColumnOptions:
    """How tagged files are read.

    Attributes:
        encoding: codec of the file.
        columns: names of the columns; None: the first is the word and the last the tag.
        word, tag: names of the two columns, or of the two fields of JSON lines.
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


def read_json(
    numbered: Lines, name: str, options: ColumnOptions, split: Callable[[str], list[Word]]
) -> Iterator[Sentence]:
    """Yield sentences of JSON lines: words and tags, or ``text`` and ``spans`` of ``[start, end, label]``.

    Args:
        numbered: lines.
        name: of the file, for messages.
        options: names of the fields of words and tags.
        split: finds the words of a text.

    Raises:
        UserError: naming file and line.
    """
    for number, row in read_jsonl(numbered, name):
        if row is None:
            continue
        place = f"{name}:{number}"
        if "text" in row and "spans" in row:
            words, tags = _from_spans(str(row["text"]), row["spans"], place, split)
        else:
            words, tags = _from_lists(row, place, options)
        if words:
            yield Sentence(words, tags, number)


def _from_lists(row: Mapping[str, Any], place: str, options: ColumnOptions) -> tuple[list[str], list[str]]:
    pair = []
    for field, option in ((options.word, "data.word"), (options.tag, "data.tag")):
        value = row.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UserError(f"{place}: no list of strings '{field}' (set {option}=..., or give text and spans)")
        pair.append(value)
    words, tags = pair
    if len(words) != len(tags):
        raise UserError(f"{place}: {len(words)} words but {len(tags)} tags")
    for word, tag in zip(words, tags, strict=True):
        if not word.strip():
            raise UserError(f"{place}: an empty word")
        if not schemes.TAG.fullmatch(tag):
            raise UserError(f"{place}: '{tag}' is no tag like O, B-PER or I-LOC (see data.tag)")
    return words, tags


def _from_spans(text: str, given: Any, place: str, split: Callable[[str], list[Word]]) -> tuple[list[str], list[str]]:
    """Return words and IOB2 tags; a word that a span touches belongs to it."""
    words = split(text)
    found: list[schemes.Span] = []
    for start, end, label in sorted(_triples(given, place)):
        if not 0 <= start < end <= len(text):
            raise UserError(
                f"{place}: the span {start} to {end} is not inside the text, which has {len(text)} characters"
            )
        inside = [spot for spot, word in enumerate(words) if word.start < end and word.end > start]
        if not inside:
            raise UserError(f"{place}: the span {start} to {end} holds no word")
        if found and inside[0] < found[-1].end:
            raise UserError(f"{place}: the span {start} to {end} shares a word with the one before it")
        found.append(schemes.Span(inside[0], inside[-1] + 1, label))
    return [word.text for word in words], schemes.write(found, len(words), "iob2")


def _triples(given: Any, place: str) -> Iterator[tuple[int, int, str]]:
    for span in given if isinstance(given, list) else [None]:
        values = [span.get(key) for key in ("start", "end", "label")] if isinstance(span, dict) else span
        if isinstance(values, list) and len(values) == 3:
            start, end, label = values
            if isinstance(start, int) and isinstance(end, int) and str(label).strip():
                yield start, end, "_".join(str(label).split())
                continue
        raise UserError(f'{place}: spans need [start, end, label] or {{"start": 0, "end": 4, "label": "PER"}}')


def read_tagged(
    path: Path, format: str, options: ColumnOptions, split: Callable[[str], list[Word]]
) -> Iterator[Sentence]:
    """Yield the sentences of a file as they stand, tags in whatever scheme.

    Raises:
        UserError: naming file and line; or there is no sentence.
    """
    numbered = lines(path, options.encoding, options.option)
    some = False
    found = (
        read_conll(numbered, str(path), options)
        if format == "conll"
        else read_json(numbered, str(path), options, split)
    )
    for sentence in found:
        some = True
        yield sentence
    if not some:
        raise UserError(f"{path}: holds no tagged sentence (set {options.option}=...)")
