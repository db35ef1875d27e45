"""The answers of language models: how likely a text is."""

from collections.abc import Sequence

from gru_nlp.answers.base import Answer, flat, whole
from gru_nlp.errors import UserError, printable
from gru_nlp.preprocessing.rows import Record, Text

#: Characters of a text that a table shows.
SHOWN = 100


class SurpriseAnswer(Answer):
    """Log-probabilities of texts."""

    formats = ("jsonl", "csv", "tsv", "table", "lines")
    writer = "a language model"

    def _kind(self) -> str:
        """Return the format; a text has one answer."""
        if self.style.top_k > 1:
            raise UserError(f"top_k={self.style.top_k} has no effect on a language model: leave it out")
        return super()._kind()

    def columns(self) -> Sequence[str]:
        """Return the names of the three numbers."""
        return ["log_probability", "perplexity", "tokens"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return them as text."""
        return [f"{record['log_probability']:.4f}", f"{record['perplexity']:.4f}", str(record["tokens"])]

    def line(self, record: Record, text: Text) -> str:
        """Return the log-probability alone."""
        return self.cells(record)[0]

    def table(self, record: Record, text: Text) -> str:
        """Return log-probability and perplexity, and the beginning of the text."""
        line = flat(whole(text))
        likely, perplexity, _ = self.cells(record)
        return printable(f"{likely:>12} {perplexity:>12}  {line[:SHOWN]}{'...' if len(line) > SHOWN else ''}")
