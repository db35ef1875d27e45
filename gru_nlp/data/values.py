"""The values of a record's columns, as texts and as labels.

JSON and Parquet have values of other kinds, which are taken where they can mean one thing only, whatever the format:

==================== ========================= =====================================================
value                as a text                 as a label
==================== ========================= =====================================================
a string             itself                    itself
nothing, or NaN      empty                     empty (a row without label)
a list of strings    joined by a blank         refused, unless a text may have several labels
a whole number       refused                   its digits
true, false, 1.5     refused                   refused, unless ``data.label_names`` has it as JSON writes it
anything else        refused                   refused
==================== ========================= =====================================================
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from numbers import Integral
from typing import Any

from gru_nlp.data.files import MOST_LINE
from gru_nlp.errors import UserError, nearest

#: What stands between fields in files that are called csv.
DELIMITERS = ";\t|,"
#: Characters of a value that a message shows.
LONGEST = 40
#: Most characters between two labels, and those that cannot stand there.
LONGEST_SEPARATOR, BREAKS = 8, frozenset("\r\n\0")


class Defect(Exception):
    """What is wrong with a record, or with one column of it; who knows where the record stands makes it a message."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.column = column


class Row(dict[str, Any]):
    """The fields of a table whose columns have an order, so that a number names one too."""


class Unusable:
    """A value that can be passed over, but not be used.

    Args:
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


def text_of(fields: Mapping[str, Any], columns: Sequence[str], place: str, option: str) -> str:
    """Return the text of a record that stands at ``place``: the values of ``columns``, joined by a blank.

    Raises:
        UserError: a column is missing, or holds no text.
    """
    try:
        return joined(fields, columns, option)
    except Defect as defect:
        raise UserError(f"{place}: {defect}") from None


def joined(fields: Mapping[str, Any], columns: Sequence[str], option: str) -> str:
    """Return the texts of ``columns``, joined by a blank.

    Raises:
        Defect: a column is missing, or holds no text; names ``option``.
    """
    text = " ".join(_text(value_of(fields, column, option), column, option) for column in columns)
    if len(text) > MOST_LINE:
        raise Defect(f"a text of more than {MOST_LINE >> 20} MiB: mend the row, or set {option}=<another column>")
    return text


def _text(value: Any, column: str, option: str) -> str:
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return " ".join(value)
    raise Defect(f"column '{column}' holds {shown(value)}, which is no text: mend it, or set {option}=<another column>")


def label_of(fields: Mapping[str, Any], column: str, option: str, names: Collection[str] = ()) -> str:
    """Return the label of a record; a row without one has an empty label.

    Args:
        fields: of the record.
        column: of the label.
        option: that names the column, for messages.
        names: labels that are taken as JSON writes them.

    Raises:
        Defect: the column is missing, or holds no label; names ``option``.
    """
    value = value_of(fields, column, option)
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bool | float) and json.dumps(value) in names:
        return json.dumps(value)
    if isinstance(value, list | tuple):
        several = "several labels a text are for task=multilabel"
        raise Defect(f"column '{column}' holds {shown(value)}, which is no label: {several}, or set {option}")
    known = ", or name it in data.label_names" if isinstance(value, bool | float) else ""
    raise Defect(f"column '{column}' holds {shown(value)}, which is no label: write it as text{known}, or set {option}")


def labels_of(
    fields: Mapping[str, Any], column: str, option: str, separator: str | None, names: Collection[str] = ()
) -> list[str]:
    """Return the labels of a record, as they stand there, without the blanks around them; there may be none.

    Args:
        fields: of the record.
        column: of the labels: a list of texts, or a text.
        option: that names the column, for messages.
        separator: of the labels in a text; None: a text is one label.
        names: labels that are taken as JSON writes them; whole numbers in a list too.

    Raises:
        Defect: the column is missing, or holds no labels, an empty one, or one twice; names ``option``.
    """
    value = value_of(fields, column, option)
    if isinstance(value, list | tuple):
        if separator is not None:
            raise Defect(f"column '{column}' holds a list, on which data.label_separator has no effect: leave it out")
        parts = [_in_list(item, column, names) for item in value]
    else:
        text = label_of(fields, column, option, names)
        parts = (text.split(separator) if separator else [text]) if text.strip() else []
    labels = [part.strip() for part in parts]
    if "" in labels:
        cut = (
            f" in '{shortened(text)}' (data.label_separator={separator})" if not isinstance(value, list | tuple) else ""
        )
        raise Defect(f"an empty label{cut}: mend the row", column)
    if len(set(labels)) != len(labels):
        twice = next(label for place, label in enumerate(labels) if label in labels[:place])
        raise Defect(f"the label '{shortened(twice)}' stands there twice: mend the row", column)
    return labels


def _in_list(item: Any, column: str, names: Collection[str]) -> str:
    if type(item) is int and str(item) in names:
        return str(item)
    if not isinstance(item, str):
        named = ", or name it in data.label_names" if type(item) is int else ""
        raise Defect(f"column '{column}' holds {shown(item)} in a list of labels: write it as text{named}")
    return item


def separator_of(given: object, option: str) -> str | None:
    """Return what stands between the labels of a text; a backslash and ``t`` are a tab; None: nothing does.

    Raises:
        UserError: it cannot stand there.
    """
    if given is None:
        return None
    separator = "\t" if given == "\\t" else str(given)
    if (
        not 1 <= len(separator) <= LONGEST_SEPARATOR
        or not isinstance(given, str | int | float)
        or set(separator) & BREAKS
    ):
        raise UserError(f"{option}={given!r} must be 1 to {LONGEST_SEPARATOR} characters, and no line's end")
    return separator


def column_names(given: Any, option: str) -> tuple[str, ...]:
    """Return the names of columns that an option gives: one, or a list; YAML reads the number of a column as such.

    Raises:
        UserError: there is none, or something else stands there.
    """
    columns = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    for column in columns:
        if not isinstance(column, str | int) or isinstance(column, bool):
            shown = "null" if column is None else str(column).lower()
            raise UserError(f"{option}={shown} names no column (a name that YAML takes for another value needs quotes)")
    if not columns:
        raise UserError(f"{option}=[] names no column")
    return tuple(map(str, columns))


def is_missing(value: Any) -> bool:
    """Return whether there is no value: None, or the NaN that tables of numbers have for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def shown(value: Any) -> str:
    """Return a value that cannot be used as a person knows it, cut short."""
    kinds = {dict: "an object", list: "a list", bool: "a switch", int: "a number", float: "a number", bytes: "bytes"}
    if value is None:
        return "nothing"
    kind = kinds.get(type(value), f"a value of type {type(value).__name__}")
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = str(value) if not isinstance(value, dict | list) else ""
    return f"{kind} ({shortened(text)})" if text else kind


def written(value: Any) -> str:
    """Return a value of any kind as one text, by which rows are told apart."""
    if isinstance(value, str | int | float):
        return str(value)
    return "(nothing)" if value is None else shown(value)


def shortened(text: str) -> str:
    """Return a text as messages show it: its first ``LONGEST`` characters."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def value_of(fields: Mapping[str, Any], column: str, option: str) -> Any:
    """Return the value of a column, by its name or, in tables, by its number from 0 where none is named so.

    Raises:
        Defect: it is missing, or its header is doubled; names ``option``.
    """
    if column not in fields:
        names = list(fields)
        if isinstance(fields, Row) and column.isdecimal() and int(column) < len(names):
            column = names[int(column)]
        else:
            hint = nearest(column, map(str, fields))
            known = ", ".join(map(str, fields))
            cut = otherwise_cut(names, option.rpartition(".")[0])
            parts = [part.strip() for part in column.split(",")]
            if len(parts) > 1 and option.endswith("text") and all(part in fields for part in parts):
                hint = f"; several columns are {option}=[{column}]"
            raise Defect(f"no column '{column}'; the columns are: {known} (set {option}=...){cut or hint}")
    value = fields[column]
    if isinstance(value, Unusable):
        raise Defect(f"column '{column}' cannot be used: {value.reason} (set {option}=<another column>)")
    return value


def otherwise_cut(names: Sequence[str], group: str) -> str:
    """Return the remark that a table of one column seems to be cut at another character; else an empty string.

    Args:
        names: of the columns.
        group: of the option ``delimiter``, for messages; empty: it has none.
    """
    found = [mark for mark in DELIMITERS if len(names) == 1 and mark in names[0]]
    if not found:
        return ""
    option = f"{group}.delimiter" if group else "delimiter"
    mark = found[0]
    if mark == ",":
        return "; the fields seem to be cut at commas: read it as csv"
    typed = {"\t": "'\\t'", ";": "';'", "|": "'|'"}[mark]
    return f"; the fields seem to be cut at {'tabs' if mark == chr(9) else typed}: read it as csv with {option}={typed}"
