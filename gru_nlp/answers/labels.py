"""The answers of classifiers: a label and its score, and further labels where they are asked for."""

from collections.abc import Sequence
from typing import ClassVar

from gru_nlp.answers.base import Answer, escaped, flat, whole
from gru_nlp.errors import printable
from gru_nlp.preprocessing.rows import Record, Text

#: Characters of a text that a table shows.
SHOWN = 100


class LabelAnswer(Answer):
    """Labels of texts."""

    formats = ("jsonl", "csv", "tsv", "table", "lines", "html")
    ranked: ClassVar[tuple[str, ...]] = ("jsonl", "csv", "tsv", "table", "html")
    writer = "a classifier"
    compared = 2

    def uncertainty(self, record: Record) -> float | None:
        """Return what the likeliest label's lead over the next lacks of 1 (Scheffer et al. 2001)."""
        if "top" not in record:
            return None
        (_, first), (_, second) = record["top"][:2]
        return 1.0 - float(first - second)

    def columns(self) -> Sequence[str]:
        """Return ``label`` and ``score``, and ``label_2`` and so on for the further labels."""
        count = min(self.style.top_k, len(self.preprocessor.label_names()))
        further = [f"{name}_{place}" for place in range(2, count + 1) for name in ("label", "score")]
        return ["label", "score", *further]

    def cells(self, record: Record) -> Sequence[str]:
        """Return labels and scores by turns; nothing for a blank text."""
        fields = [field for pair in pairs(record) for field in pair]
        if not self.headed:
            return fields
        wanted = len(LabelAnswer.columns(self))  # without those of a class that adds some
        return [*fields, *[""] * (wanted - len(fields))][:wanted]

    def line(self, record: Record, text: Text) -> str:
        """Return the label alone."""
        return printable(flat(pairs(record)[0][0]))

    def table(self, record: Record, text: Text) -> str:
        """Return labels, scores, and the beginning of the text."""
        shown = "  ".join(f"{label:<12} {score:>6}" for label, score in pairs(record))
        line = flat(whole(text))
        return printable(f"{shown}  {line[:SHOWN]}{'...' if len(line) > SHOWN else ''}")

    def html(self, record: Record, text: Text) -> str:
        """Return the text, its labels before it."""
        marks = "".join(
            f'<mark title="{escaped(score)}">{escaped(label)}</mark> ' for label, score in pairs(record) if label
        )
        return f'<p dir="auto">{marks}{escaped(whole(text))}</p>'


def pairs(record: Record) -> list[tuple[str, str]]:
    """Return the labels of a record, best first, and their scores as text; nothing for what it does not have."""
    given = [[record["label"], record["score"]], *record.get("top", [])[1:]]
    return [(label or "", "" if score is None else f"{score:.4f}") for label, score in given]
