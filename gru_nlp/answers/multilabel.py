"""The answers of classifiers that say any number of labels of a text."""

from collections.abc import Sequence
from typing import cast

from gru_nlp.answers.base import Answer, Style, escaped, flat, whole
from gru_nlp.answers.labels import SHOWN
from gru_nlp.errors import printable
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.multilabel import MultilabelPreprocessor
from gru_nlp.preprocessing.rows import Record, Text


class LabelsAnswer(Answer):
    """Labels of texts, joined by what separated them in training where they stand in one column."""

    formats = ("jsonl", "csv", "tsv", "table", "lines", "html")
    writer = "a classifier"
    compared = 1 << 16  # all labels

    def __init__(self, preprocessor: Preprocessor, style: Style) -> None:
        super().__init__(preprocessor, style)
        self.separator = cast(MultilabelPreprocessor, preprocessor).separator

    def uncertainty(self, record: Record) -> float | None:
        """Return how near to a half the least sure label's probability is."""
        return max(1.0 - abs(2.0 * share - 1.0) for _, share in record["top"]) if "top" in record else None

    def columns(self) -> Sequence[str]:
        """Return a column of the labels and one of their scores."""
        return ["labels", "scores"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return the labels and their scores, each joined; nothing where there is none."""
        return [self.separator.join(record["labels"]), self.separator.join(scores(record))]

    def line(self, record: Record, text: Text) -> str:
        """Return the labels alone."""
        return printable(flat(self.separator.join(record["labels"])))

    def table(self, record: Record, text: Text) -> str:
        """Return labels with their scores, and the beginning of the text."""
        pairs = zip(record["labels"], scores(record), strict=True)
        said = "  ".join(f"{label} {score}" for label, score in pairs) or "-"
        line = flat(whole(text))
        return printable(f"{flat(said):<24}  {line[:SHOWN]}{'...' if len(line) > SHOWN else ''}")

    def html(self, record: Record, text: Text) -> str:
        """Return the text, its labels before it."""
        pairs = zip(record["labels"], scores(record), strict=True)
        marks = "".join(f'<mark title="{escaped(score)}">{escaped(label)}</mark> ' for label, score in pairs)
        return f'<p dir="auto">{marks}{escaped(whole(text))}</p>'


def scores(record: Record) -> list[str]:
    """Return the scores of a record's labels as text."""
    return [f"{score:.4f}" for score in record["scores"]]
