"""Accuracy, macro F1 and per-class precision, recall and F1, all from one confusion matrix."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, ratio, sparse
from gru_nlp.tensors import to_array


class ClassScores(NamedTuple):
    """The scores of one class; ``support`` counts its true examples."""

    precision: float
    recall: float
    f1: float
    support: int


class ClassificationReport(NamedTuple):
    """Scores as fractions of one; ``per_label`` in the order of the label ids.

    ``confusion`` ``(C, C)`` counts known true labels (down) by predicted ones (across).
    """

    accuracy: float
    macro_f1: float
    loss: float
    per_label: list[ClassScores]
    confusion: AnyArray


class ClassificationMetric(Metric):
    """Counts of (true label, predicted label) and the summed cross-entropy, of all rows, in one process.

    Macro F1 is the plain mean of F1 over the labels that occur among the true or the predicted ones, as
    scikit-learn's ``f1_score(average="macro")`` takes it; a ratio with an empty denominator is 0.

    A target of -1 is a label that training does not have: whatever is predicted there is wrong, in accuracy and in the
    precision of what was predicted. All such rows count as one label more in macro F1, whose own F1 is 0, and not in
    the loss.

    Args:
        num_labels: number of labels C.
    """

    full_state_update = False
    confusion: Tensor
    loss_sum: Tensor

    def __init__(self, num_labels: int) -> None:
        super().__init__(sync_on_compute=False)
        self.num_labels = num_labels
        self.add_state("confusion", torch.zeros(num_labels + 1, num_labels, dtype=torch.int64))
        self.add_state("loss_sum", torch.zeros((), dtype=torch.float64))

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Add a batch: logits ``(B, C)``, targets ``(B,)`` from -1 on."""
        rows = torch.where(targets < 0, self.num_labels, targets)
        pairs = rows * self.num_labels + logits.argmax(dim=1)
        self.confusion += torch.bincount(pairs, minlength=self.confusion.numel()).view_as(self.confusion)
        losses = torch.nn.functional.cross_entropy(logits.float(), targets, ignore_index=-1, reduction="none")
        self.loss_sum += losses.double().sum()

    def compute(self) -> ClassificationReport:
        """Return the report over everything seen since the last reset."""
        matrix, unknown = self.confusion[:-1].double(), float(self.confusion[-1].sum())
        correct, support = matrix.diag(), matrix.sum(dim=1)
        predicted = self.confusion.double().sum(dim=0)
        precision = correct / predicted.clamp(min=1)
        recall = correct / support.clamp(min=1)
        f1 = 2 * correct / (support + predicted).clamp(min=1)
        occurring = (support + predicted) > 0
        known = support.sum()
        labels = int(occurring.sum()) + (unknown > 0)
        rows = zip(precision.tolist(), recall.tolist(), f1.tolist(), support.long().tolist(), strict=True)
        return ClassificationReport(
            accuracy=float(correct.sum() / (known + unknown).clamp(min=1)),
            macro_f1=float(f1[occurring].sum() / max(labels, 1)),
            loss=float(self.loss_sum / known.clamp(min=1)),
            per_label=[ClassScores(*row) for row in rows],
            confusion=matrix.cpu().numpy(),
        )


def tally(logits: Tensor, targets: Tensor) -> Tally:
    """Return what each row adds to right answers, true rows and answers of each label, to unknown labels and losses.

    Args:
        logits, targets: of all rows, as ``ClassificationMetric.update`` takes them.
    """
    width = 3 * logits.shape[1] + 2
    losses = torch.nn.functional.cross_entropy(logits.float(), targets, ignore_index=-1, reduction="none")
    said, true = to_array(logits.argmax(dim=1)), to_array(targets)
    rows = np.arange(len(true))
    right, known, unknown = rows[said == true], rows[true >= 0], rows[true < 0]
    entries = (
        (right, 3 * true[right], 1.0),
        (known, 3 * true[known] + 1, 1.0),
        (rows, 3 * said + 2, 1.0),
        (unknown, width - 2, 1.0),
        (rows, width - 1, to_array(losses.double())),
    )
    return sparse(entries, len(true), width, sum_scores)


def sum_scores(sums: AnyArray) -> dict[str, AnyArray]:
    """Return accuracy, macro F1 and loss, ``(B,)`` each, of sums ``(B, 3 C + 2)`` of a ``tally``."""
    correct, support, predicted = (sums[:, place:-2:3] for place in range(3))
    known, unknown = support.sum(axis=1), sums[:, -2]
    labels = ((support + predicted) > 0).sum(axis=1) + (unknown > 0)
    return {
        "accuracy": ratio(correct.sum(axis=1), known + unknown),
        "macro_f1": ratio(ratio(2 * correct, support + predicted).sum(axis=1), labels),
        "loss": ratio(sums[:, -1], known),
    }
