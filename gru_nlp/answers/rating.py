"""The answers of classifiers of ratings: a label, its score, and the mean of all ratings."""

from collections.abc import Sequence

from gru_nlp.answers.labels import LabelAnswer
from gru_nlp.preprocessing.rows import Record


class RatingAnswer(LabelAnswer):
    """Ratings of texts."""

    def columns(self) -> Sequence[str]:
        """Return what a classifier's answer has, and ``expected``."""
        return [*super().columns(), "expected"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return labels and scores by turns, and the expected rating; nothing for a blank text."""
        mean = record["expected"]
        return [*super().cells(record), "" if mean is None else f"{mean:.4f}"]
