"""Precision, recall and F1 of whole entities, by the rules of the CoNLL evaluation (Tjong Kim Sang 2003).

Beside those of each type, the entities are counted whose surface form training lacks (Augenstein et al. 2017), true and
found ones alike. Where it is not known what training has, nothing is told of them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, ratio
from gru_nlp.text.schemes import Span, spans


class EntityScores(NamedTuple):
    """Scores as fractions of one; ``support`` counts the true entities. A ratio with an empty denominator is 0."""

    precision: float
    recall: float
    f1: float
    support: int


class EntityReport(NamedTuple):
    """Scores over all types, over those whose form training lacks, and of each type.

    Attributes:
        macro_f1: mean F1 of the types that occur among the true or the found entities.
    """

    overall: EntityScores
    unseen: EntityScores
    own: dict[str, EntityScores]
    macro_f1: float


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
        self.add_state("counts", torch.zeros(len(labels) + 1, 3, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, found: Tally) -> None:
        """Add what sentences add to the counts."""
        counts = torch.from_numpy(found.total()).long().view(-1, 3).to(self.counts.device)
        self.counts[: len(counts)] += counts

    def compute(self) -> EntityReport:
        """Return the scores of everything seen since the last reset."""
        own = {label: self._scores(self.counts[row]) for row, label in enumerate(self.labels)}
        occurring = [own[label].f1 for label, counts in zip(self.labels, self.counts, strict=False) if counts.any()]
        overall, unseen = self._scores(self.counts[:-1].sum(dim=0)), self._scores(self.counts[-1])
        return EntityReport(overall, unseen, own, sum(occurring) / max(len(occurring), 1))

    @staticmethod
    def _scores(counts: Tensor) -> EntityScores:
        right, found, true = counts.tolist()
        ratios = (right / max(found, 1), right / max(true, 1), 2 * right / max(found + true, 1))
        return EntityScores(*ratios, true)


def tally(
    predicted: Sequence[Sequence[str]],
    truth: Sequence[Sequence[str]],
    labels: Sequence[str],
    unseen: Callable[[int, Span], bool] | None = None,
) -> Tally:
    """Return what each sentence adds to the right, found and true entities of each type.

    Args:
        predicted, truth: tags of sentences, in any scheme.
        labels: the entity types.
        unseen: whether training lacks the form of an entity of a sentence; None: that is not known.
    """
    first = {label: 3 * place for place, label in enumerate(labels)}
    cells = []
    for row, tags in enumerate(zip(predicted, truth, strict=True)):
        found, true = (set(spans(path)) for path in tags)
        for column, entities in enumerate((found & true, found, true)):
            cells += [(row, first[entity.label] + column) for entity in entities]
            if unseen is not None:
                cells += [(row, 3 * len(labels) + column) for entity in entities if unseen(row, entity)]
    rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    width = 3 * (len(labels) + (unseen is not None))
    return Tally(rows, columns, np.ones(len(rows)), len(predicted), width, partial(sum_scores, tuple(labels)))


def sum_scores(labels: Sequence[str], sums: AnyArray) -> dict[str, AnyArray]:
    """Return the scores ``(B,)`` of sums ``(B, 3 T)``, or ``(B, 3 T + 3)`` with those of unseen entities."""
    counts = sums.reshape(len(sums), -1, 3)
    right, found, true = counts[:, : len(labels)].sum(axis=1).T
    below = counts[..., 1] + counts[..., 2]
    own = ratio(2 * counts[..., 0], below)
    return {
        "precision": ratio(right, found),
        "recall": ratio(right, true),
        "f1": ratio(2 * right, found + true),
        **({"f1_unseen": own[:, -1]} if counts.shape[1] > len(labels) else {}),
        "macro_f1": ratio(own[:, : len(labels)].sum(axis=1), (below[:, : len(labels)] > 0).sum(axis=1)),
        **{f"f1_{label}": own[:, place] for place, label in enumerate(labels)},
    }
