"""The reader of tagged sentences in columns, a word a line."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from gru_nlp.data.files import Lines
from gru_nlp.data.values import shortened
from gru_nlp.errors import UserError, choose, nearest
from gru_nlp.text import schemes

DOCUMENT = "-DOCSTART-"
#: The column of any data that says which rows are parts of one document.
DOCUMENT_COLUMN = "document"
#: What separates columns: tabs alone, or any blanks and tabs.
SEPARATORS = ("tab", "blank")
_BLANKS = re.compile(r"[ \t]+")


class Sentence(NamedTuple):
    """The words of a sentence, their tags, the line of the first word, and how many documents began before it."""

    words: list[str]
    tags: list[str]
    line: int
    document: int


@dataclass(frozen=True)
class ColumnOptions:
    """How tagged files are read.

    Attributes:
        encoding: codec of the file.
        columns: names of the columns; None: the first is the word and the last the tag.
        word, tag: names of the two columns.
        option: that names the file, for messages.
        separator: of the columns, one of ``SEPARATORS``; None: found by looking at each line.
    """

    encoding: str
    columns: tuple[str, ...] | None
    word: str
    tag: str
    option: str
    separator: str | None = None


def column_separator(given: str | None, option: str) -> str | None:
    """Return what separates columns; None: it is found by looking.

    Raises:
        UserError: it is no such word.
    """
    return given if given is None else choose(option, str(given), SEPARATORS)


def at_tabs(line: str) -> list[str]:
    """Return the fields of a line that is cut at tabs; blanks at their edges are left out."""
    return [field.strip(" ") for field in line.split("\t")]


def at_blanks(line: str) -> list[str]:
    """Return the fields of a line that is cut at runs of blanks and tabs."""
    return _BLANKS.split(line.strip(" \t"))


def split_fields(line: str, options: ColumnOptions, wide: int, tagged: bool) -> list[str] | None:
    """Return the fields of a line; None where both readings can be meant and give other words.

    A line without tabs is cut at blanks; one with tabs at these alone, unless a field then holds a blank, as in
    ``word POS<tab>tag``: then just one reading must fit the number of columns, or both give the same word and tag.

    Args:
        line: with at least one field.
        options: how the file is read.
        wide: number of columns, if it is known; 0: it is not.
        tagged: whether the last column is a tag, which holds no blank.
    """
    if options.separator == "blank" or (options.separator is None and "\t" not in line):
        return at_blanks(line)
    strict = at_tabs(line)
    if options.separator == "tab" or not any(" " in field for field in strict):
        return strict
    loose = at_blanks(line)
    if len(loose) == wide != len(strict):
        return loose
    if options.columns:
        return strict
    if " " in strict[0]:
        return None
    return loose if tagged and " " in strict[-1] else strict


def read_conll(numbered: Lines, name: str, options: ColumnOptions, tagged: bool = True) -> Iterator[Sentence]:
    """Yield the sentences of a file of columns; a blank line, or a document's mark, ends a sentence.

    A line that starts with ``#`` and a blank is a comment where a sentence has not begun and its last field is no tag.

    Args:
        numbered: lines.
        name: of the file, for messages.
        options: how it is read.
        tagged: False: there may be no column of tags; every tag is O.

    Raises:
        UserError: naming file and line: ragged columns, a column that is not there, an empty word, no tag, or a line
            whose columns can be told apart in two ways.
    """
    words: list[str] = []
    tags: list[str] = []
    seen: set[str] = set()
    first, wide, documents = 1, len(options.columns or ()), 0
    for number, line in numbered:
        if line.split(None, 1)[:1] in ([], [DOCUMENT]):
            if words:
                yield Sentence(words, tags, first, documents)
                words, tags = [], []
            documents += bool(line.split())
            continue
        if not words:
            first = number
            if _is_comment(line, seen if tagged else None):
                continue
        fields = split_fields(line, options, wide, tagged)
        wide = wide or len(fields or ())
        if fields is None or len(fields) != wide:
            raise UserError(f"{name}:{number}: {_not_cut(line, fields, wide, options, tagged)}")
        word, tag = _pick(fields, f"{name}:{number}", options, tagged)
        words.append(word)
        tags.append(tag)
        seen.add(tag)
    if words:
        yield Sentence(words, tags, first, documents)


def _is_comment(line: str, seen: Set[str] | None) -> bool:
    """Return whether a line before a sentence is a comment; ``seen``: tags so far, None where there need be none."""
    marked = line.startswith("# ") or (seen is not None and line == "#")
    last = (at_tabs(line) if "\t" in line else at_blanks(line))[-1]
    return marked and not schemes.TAG.fullmatch(last) and last not in (seen or ())


def _not_cut(line: str, fields: list[str] | None, wide: int, options: ColumnOptions, tagged: bool) -> str:
    """Return what is told of a line whose fields are not the columns of the file."""
    if fields is None:
        option = "data.separator" if tagged else "separator"
        return (
            f"'{shortened(at_tabs(line)[0])}' before the tab may be one word or several columns: "
            f"set {option}=tab (cut at tabs alone) or {option}=blank (cut at blanks and tabs)"
        )
    named = f" ({' '.join(options.columns)})" if options.columns else ""
    return f"{len(fields)} columns where {wide} are expected{named}{': see data.columns' if tagged else ''}"


def _pick(fields: list[str], place: str, options: ColumnOptions, tagged: bool) -> tuple[str, str]:
    """Return word and tag of a line."""
    if options.columns is None:
        word, tag = fields[0], fields[-1] if tagged else schemes.OUTSIDE
        if tagged and len(fields) < 2:
            cut = " and data.separator" if options.separator else ""
            raise UserError(f"{place}: one column only, where a word and its tag are expected: see data.columns{cut}")
    else:
        word = fields[_column(options.columns, options.word, "data.word")]
        tag = fields[_column(options.columns, options.tag, "data.tag")] if tagged else schemes.OUTSIDE
    if not word:
        raise UserError(f"{place}: an empty word (two tabs side by side?): mend the line")
    return word, tag


def _column(columns: Sequence[str], wanted: str, option: str) -> int:
    if wanted not in columns:
        known = ", ".join(columns)
        raise UserError(f"{option}={wanted} is not among data.columns=[{known}]{nearest(wanted, columns)}")
    return columns.index(wanted)
