"""Sentiment and text classification: cross-entropy, accuracy, macro F1."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.errors import choose
from gru_nlp.metrics.classification import ClassificationMetric, ClassificationReport, tally
from gru_nlp.metrics.confidence import Judged
from gru_nlp.metrics.tally import Tally
from gru_nlp.models.classifier import Classifier
from gru_nlp.nn.losses import OneLabel
from gru_nlp.nn.temperature import one_label_temperature
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.labels import LabelsTask
from gru_nlp.tensors import to_array


def balanced_weights(counts: list[int]) -> Tensor:
    """Return ``(C,)`` weights ``N / (C n_c)``, so that every label bears equally on the loss (King and Zeng 2001).

    C counts the labels that there are; the others, which only the run knows that training began from, weigh nothing.
    """
    numbers = torch.tensor(counts, dtype=torch.float32)
    there = numbers > 0
    return torch.where(there, numbers.sum() / (there.sum() * numbers.clamp(min=1.0)), 0.0)


class ClassificationTask(LabelsTask[ClassificationReport]):
    """Cross-entropy with label smoothing and class weights; scores are taken without either.

    Args:
        recipe, preprocessor: as in ``LabelsTask``.
        label_smoothing: share of the target spread evenly over all labels (Szegedy et al. 2016, section 7).
        class_weights: ``none`` or ``balanced``.
    """

    model: Classifier
    scorer = "accuracy and macro F1 over the labels that occur, argmax of the logits; loss: mean cross-entropy"
    weights: Tensor | None

    def __init__(
        self, recipe: Recipe, preprocessor: Preprocessor, *, label_smoothing: float, class_weights: str
    ) -> None:
        super().__init__(recipe, preprocessor, lambda: ClassificationMetric(len(preprocessor.label_names())))
        self.class_weights = choose("task.class_weights", class_weights, ("none", "balanced"))
        self.label_smoothing = label_smoothing
        self.register_buffer("weights", None, persistent=False)

    def classifier(self) -> Classifier:
        """Return the model itself."""
        return self.model

    def label_loss(self) -> OneLabel:
        """Return the weighted cross-entropy."""
        return OneLabel(self.weights)

    def observe(self, targets: Mapping[str, AnyArray]) -> None:
        """Weigh the labels by how often each occurs in the column ``target``, where that was asked for."""
        if self.class_weights == "balanced":
            counts = np.bincount(targets["target"], minlength=len(self.label_names))
            self.weights = balanced_weights(counts.tolist())

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean smoothed, weighted cross-entropy of the part that is trained, the recurrent one."""
        assert batch.targets is not None
        logits = self.model.recurrent(batch)
        return cross_entropy(logits, batch.targets, weight=self.weights, label_smoothing=self.label_smoothing)

    def divisor(self, batch: SequenceBatch[Tensor]) -> float:
        """Return the weights of all labels of a batch, or how many there are."""
        if self.weights is None:
            return super().divisor(batch)
        assert batch.targets is not None
        return float(self.weights[batch.targets].sum())

    def floor(self) -> float:
        """Return the accuracy of the commonest label for all; any other score begins at 0."""
        if self.monitor != "validation/accuracy":
            return super().floor()
        counts = self.reports["validation"].confusion.sum(axis=1)
        return float(counts.max() / max(1, counts.sum()))

    def answer(self, logits: Tensor) -> Classification[Tensor]:
        """Return the probabilities of all labels."""
        return self.classifier().answer(logits)

    def fitted_temperature(self, logits: Tensor, targets: Tensor) -> float:
        """Return that of the softmax over all labels."""
        return one_label_temperature(logits, targets)

    def judge(self, logits: Tensor, targets: Tensor) -> Judged:
        """Return how sure it is of the likeliest label."""
        sure, before = (found.amax(dim=1) for found in (self.answer(logits).probabilities, logits.softmax(dim=1)))
        right = logits.argmax(dim=1) == targets
        return Judged(to_array(sure), to_array(before), to_array(right), self.model.temperature)

    def report_of(self, seen: ClassificationReport, stage: str, view: int) -> ClassificationReport:
        """Return what was counted as it is."""
        return seen

    def tallies_of(self, logits: Tensor, targets: Tensor, view: int) -> list[Tally]:
        """Return what each row adds to accuracy, macro F1 and loss."""
        return [tally(logits, targets)]

    def confusion(self, stage: str) -> AnyArray:
        """Return the counts of what was taken for what."""
        return self.reports[stage].confusion

    def scores(self, stage: str) -> dict[str, float]:
        """Return accuracy, that of each of several parts too, macro F1 and loss."""
        found = self.view_reports(stage)
        return {
            **{f"{stage}/accuracy{view}": each.accuracy for view, each in found.items()},
            f"{stage}/macro_f1": found[""].macro_f1,
            f"{stage}/loss": found[""].loss,
        }
