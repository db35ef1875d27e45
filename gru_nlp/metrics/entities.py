"""Precision, recall and F1 of whole entities, by the rules of the CoNLL evaluation (Tjong Kim Sang 2003)."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, ratio
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
        self.labels = list(labels)
        self.add_state("counts", torch.zeros(len(labels), 3, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, found: Tally) -> None:
        """Add what sentences add to the counts."""
        self.counts += torch.from_numpy(found.total()).long().view_as(self.counts).to(self.counts.device)

    def compute(self) -> tuple[EntityScores, dict[str, EntityScores]]:
        """Return the scores over all types, and those of each."""
        overall = self._scores(self.counts.sum(dim=0))
        return overall, {label: self._scores(self.counts[row]) for row, label in enumerate(self.labels)}

    @staticmethod
    def _scores(counts: Tensor) -> EntityScores:
        right, found, true = counts.tolist()
        ratios = (right / max(found, 1), right / max(true, 1), 2 * right / max(found + true, 1))
        return EntityScores(*ratios, true)


def tally(predicted: Sequence[Sequence[str]], truth: Sequence[Sequence[str]], labels: Sequence[str]) -> Tally:
    """Return what each sentence adds to the right, found and true entities of each type.

    Args:
        predicted, truth: tags of sentences, in any scheme.
        labels: the entity types.
    """
    first = {label: 3 * place for place, label in enumerate(labels)}
    cells = []
    for row, tags in enumerate(zip(predicted, truth, strict=True)):
        found, true = (set(spans(path)) for path in tags)
        for column, entities in enumerate((found & true, found, true)):
            cells += [(row, first[entity.label] + column) for entity in entities]
    rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    score = partial(sum_scores, tuple(labels))
    return Tally(rows, columns, np.ones(len(rows)), len(predicted), 3 * len(labels), score)


def sum_scores(labels: Sequence[str], sums: AnyArray) -> dict[str, AnyArray]:
    """Return precision, recall and F1 over all types, and F1 of each, ``(B,)`` each, of sums ``(B, 3 T)``."""
    counts = sums.reshape(len(sums), len(labels), 3)
    right, found, true = counts.sum(axis=1).T
    own = ratio(2 * counts[..., 0], counts[..., 1] + counts[..., 2])
    return {
        "precision": ratio(right, found),
        "recall": ratio(right, true),
        "f1": ratio(2 * right, found + true),
        **{f"f1_{label}": own[:, place] for place, label in enumerate(labels)},
    }
