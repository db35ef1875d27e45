"""Precision, recall and F1 of whole entities, by the rules of the CoNLL evaluation (Tjong Kim Sang 2003)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.text.schemes import spans


class EntityScores(NamedTuple):
    """Scores as fractions of one; ``support`` counts the true entities. A ratio with an empty denominator is 0."""

    precision: float
    recall: float
    f1: float
    support: int


class EntityMetric(Metric):
    """Counts of right, found and true entities of each type; right is what agrees in start, end and type.

    Args:
        labels: the entity types.
    """

    full_state_update = False
    counts: Tensor

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self.rows = {label: row for row, label in enumerate(labels)}
        self.add_state("counts", torch.zeros(len(labels), 3, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: Sequence[Sequence[str]], truth: Sequence[Sequence[str]]) -> None:
        """Add the tags of sentences, in any scheme."""
        counts = [[0, 0, 0] for _ in self.rows]
        for found_tags, true_tags in zip(predicted, truth, strict=True):
            found, true = set(spans(found_tags)), set(spans(true_tags))
            for column, entities in enumerate((found & true, found, true)):
                for entity in entities:
                    counts[self.rows[entity.label]][column] += 1
        self.counts += torch.tensor(counts, device=self.counts.device)

    def compute(self) -> tuple[EntityScores, dict[str, EntityScores]]:
        """Return the scores over all types, and those of each."""
        overall = self._scores(self.counts.sum(dim=0))
        return overall, {label: self._scores(self.counts[row]) for label, row in self.rows.items()}

    @staticmethod
    def _scores(counts: Tensor) -> EntityScores:
        right, found, true = counts.tolist()
        ratios = (right / max(found, 1), right / max(true, 1), 2 * right / max(found + true, 1))
        return EntityScores(*ratios, true)
