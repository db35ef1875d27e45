"""Sentiment and text classification: cross-entropy, accuracy, macro F1."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gru_nlp.batch import AnyArray, Classification, SequenceBatch
from gru_nlp.errors import choose
from gru_nlp.metrics.classification import ClassificationMetric, ClassificationReport
from gru_nlp.models.classifier import Classifier
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array


def balanced_weights(counts: list[int]) -> Tensor:
    """Return ``(C,)`` weights ``N / (C n_c)``, so that every label bears equally on the loss (King and Zeng 2001)."""
    numbers = torch.tensor(counts, dtype=torch.float32)
    return numbers.sum() / (len(counts) * numbers.clamp(min=1.0))


class ClassificationTask(Task):
    """Cross-entropy with label smoothing and class weights; scores are taken without either.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names the labels.
        label_smoothing: share of the target spread evenly over all labels (Szegedy et al. 2016, section 7).
        class_weights: ``none`` or ``balanced``.
    """

    model: Classifier
    scorer = "accuracy and macro F1 over the labels that occur, argmax of the logits; loss: mean cross-entropy"
    command = "predict"
    weights: Tensor | None

    def __init__(
        self, recipe: Recipe, preprocessor: Preprocessor, *, label_smoothing: float, class_weights: str
    ) -> None:
        super().__init__(recipe)
        self.class_weights = choose("task.class_weights", class_weights, ("none", "balanced"))
        self.label_smoothing = label_smoothing
        self.label_names = preprocessor.label_names()
        self.register_buffer("weights", None, persistent=False)
        self.metrics = nn.ModuleDict(
            {f"{stage}_scores": ClassificationMetric(len(self.label_names)) for stage in ("validation", "test")}
        )
        self.reports: dict[str, ClassificationReport] = {}

    def observe(self, targets: Mapping[str, AnyArray]) -> None:
        """Weigh the labels by how often each occurs in the column ``target``, where that was asked for."""
        if self.class_weights == "balanced":
            self.weights = balanced_weights(np.bincount(targets["target"]).tolist())

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean smoothed, weighted cross-entropy."""
        assert batch.targets is not None
        logits = self.model(batch)
        return cross_entropy(logits, batch.targets, weight=self.weights, label_smoothing=self.label_smoothing)

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Classification[AnyArray]:
        """Count a batch; return the labels' probabilities."""
        assert batch.targets is not None
        logits: Tensor = self.model(batch)
        self._metric(stage).update(logits, batch.targets)
        return Classification(to_array(logits.softmax(dim=1)))

    def scores(self, stage: str) -> dict[str, float]:
        """Return accuracy, macro F1 and loss; ``reports[stage]`` keeps the per-class scores."""
        metric = self._metric(stage)
        report = metric.compute()
        metric.reset()
        self.reports[stage] = report
        return {
            f"{stage}/accuracy": report.accuracy,
            f"{stage}/macro_f1": report.macro_f1,
            f"{stage}/loss": report.loss,
        }

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1 and support of each class by its name."""
        rows = zip(self.label_names, self.reports[stage].per_class, strict=True)
        return {name: row._asdict() for name, row in rows}

    def _metric(self, stage: str) -> ClassificationMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, ClassificationMetric)
        return metric
