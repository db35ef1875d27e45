"""Accuracy, macro F1 and per-class precision, recall and F1, all from one confusion matrix."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric


class ClassScores(NamedTuple):
    """The scores of one class; ``support`` counts its true examples."""

    precision: float
    recall: float
    f1: float
    support: int


class ClassificationReport(NamedTuple):
    """Scores as fractions of one; ``per_class`` in the order of the label ids."""

    accuracy: float
    macro_f1: float
    loss: float
    per_class: list[ClassScores]


class ClassificationMetric(Metric):
    """Counts of (true label, predicted label) and the summed cross-entropy.

    Macro F1 is the plain mean of F1 over the labels that occur among the true or the predicted ones, as
    scikit-learn's ``f1_score(average="macro")`` takes it; a ratio with an empty denominator is 0.

    Args:
        num_labels: number of labels C.
    """

    full_state_update = False
    confusion: Tensor
    loss_sum: Tensor

    def __init__(self, num_labels: int) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.add_state("confusion", torch.zeros(num_labels, num_labels, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("loss_sum", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Add a batch: logits ``(B, C)``, targets ``(B,)``."""
        pairs = targets * self.num_labels + logits.argmax(dim=1)
        self.confusion += torch.bincount(pairs, minlength=self.num_labels**2).view_as(self.confusion)
        losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
        self.loss_sum += losses.double().sum()

    def compute(self) -> ClassificationReport:
        """Return the report over everything seen since the last reset."""
        matrix = self.confusion.double()
        correct, support, predicted = matrix.diag(), matrix.sum(dim=1), matrix.sum(dim=0)
        precision = correct / predicted.clamp(min=1)
        recall = correct / support.clamp(min=1)
        f1 = 2 * correct / (support + predicted).clamp(min=1)
        occurring = (support + predicted) > 0
        total = support.sum().clamp(min=1)
        rows = zip(precision.tolist(), recall.tolist(), f1.tolist(), support.long().tolist(), strict=True)
        return ClassificationReport(
            accuracy=float(correct.sum() / total),
            macro_f1=float(f1[occurring].mean()) if bool(occurring.any()) else 0.0,
            loss=float(self.loss_sum / total),
            per_class=[ClassScores(*row) for row in rows],
        )
