"""How a number of vowels is written."""

from collections.abc import Sequence

from gru_nlp.answers.base import Answer, whole
from gru_nlp.preprocessing.rows import Record, Text


class CountAnswer(Answer):
    """A number a text."""

    formats = ("jsonl", "csv", "tsv", "table", "lines", "html")
    writer = "a counter"

    def columns(self) -> Sequence[str]:
        """Return the one column."""
        return ["count"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return the number."""
        return [f"{record['count']:.2f}"]

    def line(self, record: Record, text: Text) -> str:
        """Return the number, and a stroke for each."""
        return f"{record['count']:.0f} {'|' * round(record['count'])}"

    def table(self, record: Record, text: Text) -> str:
        """Return the number and the text."""
        return f"{record['count']:6.2f}  {whole(text)}"
