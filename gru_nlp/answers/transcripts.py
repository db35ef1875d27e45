"""The answers of recognisers: what is said in a recording, how sure that is, and when each word is said."""

from collections.abc import Sequence

from gru_nlp.answers.base import escaped, whole
from gru_nlp.answers.recordings import RecordingAnswer
from gru_nlp.errors import printable
from gru_nlp.preprocessing.rows import Record, Text


class TranscriptAnswer(RecordingAnswer):
    """Transcripts of recordings."""

    formats = ("jsonl", "csv", "tsv", "table", "lines", "html")
    ranked = ("jsonl",)
    further = "n_best"
    compared = 1
    writer = "a recogniser"
    text_name = "recording"

    def uncertainty(self, record: Record) -> float | None:
        """Return the probability that the transcript is another."""
        return None if record["score"] is None else 1.0 - float(record["score"])

    def columns(self) -> Sequence[str]:
        """Return ``transcript`` and ``score``."""
        return ["transcript", "score"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return both; no score of nothing."""
        return [record["transcript"], "" if record["score"] is None else f"{record['score']:.4f}"]

    def line(self, record: Record, text: Text) -> str:
        """Return the transcript alone."""
        return printable(str(record["transcript"]))

    def table(self, record: Record, text: Text) -> str:
        """Return the recording's name and score, and under it the words, each behind the seconds of its start."""
        words = "  ".join(f"{one['start']:.2f} {one['word']}" for one in record["words"])
        score = self.cells(record)[1]
        return printable(f"{score or '-':>8}  {whole(text)}: ") + printable(words)

    def html(self, record: Record, text: Text) -> str:
        """Return a paragraph: the recording's name, and what is said."""
        return f'<p dir="auto">{escaped(whole(text))}: {escaped(record["transcript"])}</p>'
