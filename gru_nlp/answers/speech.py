"""The answers of synthesisers, which are files of sound; what is told beside them is how long they are."""

from collections.abc import Sequence

from gru_nlp.answers.base import Answer, whole
from gru_nlp.errors import printable
from gru_nlp.preprocessing.rows import Record, Text


class SpeechAnswer(Answer):
    """How long the speech of a text is."""

    command = "speak"
    formats = ("jsonl", "csv", "tsv", "lines")
    writer = "a synthesiser"

    def columns(self) -> Sequence[str]:
        """Return ``seconds`` and ``ended``."""
        return ["seconds", "ended"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return both."""
        return [f"{record['seconds']:.3f}", str(record["ended"]).lower()]

    def line(self, record: Record, text: Text) -> str:
        """Return the seconds and the text."""
        return printable(f"{record['seconds']:.3f} {whole(text)}")
