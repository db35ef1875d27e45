"""Texts with a rating each: labels that are numbers, in their order."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.rows import LabelColumns, Record, broken_state

#: As in the data: whole numbers from here on are not told apart by a float.
MOST = 2.0**53


class RatingPreprocessor(ClassificationPreprocessor):
    """Tokenizer and ratings; the ids of ratings are in the order of their values, 9 before 10.

    Args:
        tokenizer, max_length, truncation, wide: as in ``ClassificationPreprocessor``.
    """

    answer = "gru_nlp.answers.rating.RatingAnswer"
    errors = "gru_nlp.reports.worst.RatingErrors"
    page = ("labels.js", "RatingReader")
    data_columns = ("text", "rating")
    label_columns = LabelColumns("rating", "target")
    blank: ClassVar[Record] = {"label": None, "score": None, "expected": None}

    def order(self, labels: Iterable[str]) -> list[str]:
        """Return ratings by their values."""
        return sorted(labels, key=float)

    def decode(self, outputs: Classification[AnyArray], top_k: int = 1) -> list[Record]:
        """Add ``expected``, the mean of all ratings under their probabilities, to what a classifier says."""
        expected = outputs.probabilities @ np.array(list(map(float, self.labels)))  # (B,)
        records = super().decode(outputs, top_k)
        return [{**record, "expected": mean} for record, mean in zip(records, expected.tolist(), strict=True)]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back tokenizer and ratings.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        super().load_state_dict(state)
        try:
            values = list(map(float, self.labels))
        except ValueError:
            raise broken_state("labels") from None
        if not all(abs(value) < MOST for value in values) or any(one >= other for one, other in pairwise(values)):
            raise broken_state("labels")
