"""Readers of sentence pairs: two parallel files, or one file with two columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from gru_nlp.data.files import lines
from gru_nlp.data.readers import read_lines, text_of
from gru_nlp.errors import UserError

FORMATS = ("parallel", "csv", "tsv", "jsonl")


class Pair(NamedTuple):
    """A source sentence, its translation, and the line they come from, counted from 1."""

    source: str
    target: str
    line: int


@dataclass(frozen=True)
class PairOptions:
    """How pairs are read.

    Attributes:
        encoding: codec of the files.
        skip_empty: leave out pairs with an empty side instead of refusing them.
        source_option, target_option: names of the files' options, for messages.
    """

    encoding: str
    skip_empty: bool
    source_option: str
    target_option: str


def read_parallel(source: Path, target: Path, options: PairOptions) -> Iterator[Pair]:
    """Yield the pairs of two files, line by line.

    Raises:
        UserError: naming file and line: files of different length, an empty side, no pairs.
    """
    left = lines(source, options.encoding, options.source_option)
    right = lines(target, options.encoding, options.target_option)
    found = False
    for one, other in zip_longest(left, right):
        if one is None or other is None:
            longer, shorter = (target, source) if one is None else (source, target)
            line = (other or one)[0]
            raise UserError(
                f"{shorter}:{line - 1}: the file ends here, but {longer} goes on with line {line}: "
                "parallel files need one sentence a line on both sides"
            )
        if _whole(one[1], other[1], f"{source}:{one[0]}", f"{target}:{one[0]}", options):
            found = True
            yield Pair(one[1], other[1], one[0])
    if not found:
        raise UserError(f"{source}: holds no sentence pairs (set {options.source_option}=...)")


def read_columns(path: Path, format: str, source: str, target: str, options: PairOptions) -> Iterator[Pair]:
    """Yield the pairs of a csv, tsv or jsonl file from its columns ``source`` and ``target``.

    Raises:
        UserError: naming file and line: a missing column, an empty side, no pairs.
    """
    found = False
    numbered = lines(path, options.encoding, options.source_option)
    for line, fields in read_lines(numbered, format, str(path), None, ","):
        if fields is None:
            continue
        place = f"{path}:{line}"
        one = text_of(fields, (source,), place, "data.source")
        other = text_of(fields, (target,), place, "data.target")
        if _whole(one, other, f"{place}, column '{source}'", f"{place}, column '{target}'", options):
            found = True
            yield Pair(one, other, line)
    if not found:
        raise UserError(f"{path}: holds no sentence pairs (set {options.source_option}=...)")


def _whole(one: str, other: str, place: str, other_place: str, options: PairOptions) -> bool:
    """Return whether both sides hold text; lines that are blank on both sides are passed over."""
    if one.strip() and other.strip():
        return True
    if options.skip_empty or not (one.strip() or other.strip()):
        return False
    empty = other_place if one.strip() else place
    raise UserError(f"{empty}: an empty sentence whose other side is not (mend it, or set data.skip_empty=true)")
