"""Rows of csv and tsv: the columns of the input, and after them those of the answer."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gru_nlp.data.values import Unusable
from gru_nlp.errors import UserError, printable


class Table:
    """A table of one head and many rows.

    Args:
        kept: columns of the input.
        added: columns of the answer; one whose name the input has already is called ``predicted_...``.
        delimiter: between fields; a tab means no quotes, and blanks for tabs and line ends inside a field.
    """

    def __init__(self, kept: Sequence[str], added: Sequence[str], delimiter: str) -> None:
        self.kept = list(kept)
        self.names = [*self.kept]
        for name in added:
            while name in self.names:
                name = f"predicted_{name}"
            self.names.append(name)
        self.delimiter = delimiter

    def head(self) -> str:
        """Return the names of the columns as a row."""
        return self._joined(self.names)

    def row(self, kept: Mapping[str, Any], added: Sequence[str], place: str) -> str:
        """Return a row; ``place`` is that of the record in the input, for messages.

        Raises:
            UserError: the record has a column that the first one did not have, or a value that cannot be written.
        """
        for name, value in kept.items():
            if isinstance(value, Unusable):
                raise UserError(f"{place}: column '{name}' cannot be kept: {value.reason} (format=jsonl keeps none)")
        for name in kept.keys() - self.names[: len(self.kept)]:
            raise UserError(
                f"{place}: a column '{name}', which the first record has not: rows need the same columns (format=jsonl)"
            )
        return self._joined([*(cell(kept.get(name)) for name in self.kept), *added])

    def _joined(self, fields: Sequence[str]) -> str:
        # Nothing in a file may steer the terminal that a table is shown on.
        safe = [printable(field.replace("\r\n", "\n")) for field in fields]
        if self.delimiter == "\t":
            return "\t".join(field.replace("\t", " ").replace("\n", " ") for field in safe)
        line = io.StringIO()
        # Python before 3.13 puts a field into quotes for those ends of lines alone that the writer writes.
        csv.writer(line, delimiter=self.delimiter, lineterminator="\r\n").writerow(safe)
        return line.getvalue().removesuffix("\r\n")


def cell(value: Any) -> str:
    """Return a value of the input as text: one that JSON knows as JSON, another, such as a date, as it is shown."""
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)
