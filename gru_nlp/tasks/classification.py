"""Sentiment and text classification: cross-entropy, accuracy, macro F1."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gru_nlp.batch import SequenceBatch
from gru_nlp.errors import choose
from gru_nlp.metrics.classification import ClassificationMetric, ClassificationReport
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import MakeOptimizer, MakeSchedule, Task


def balanced_weights(counts: list[int]) -> Tensor:
    """Return ``(C,)`` weights ``N / (C n_c)``, so that every label bears equally on the loss (King and Zeng 2001)."""
    numbers = torch.tensor(counts, dtype=torch.float32)
    return numbers.sum() / (len(counts) * numbers.clamp(min=1.0))


class ClassificationTask(Task):
    """Cross-entropy with label smoothing and class weights; scores are taken without either.

    Args:
        name: shown to the user and stored.
        label_smoothing: share of the target spread evenly over all labels (Szegedy et al. 2016, section 7).
        class_weights: ``none`` or ``balanced``.
        preprocessor: fitted; names the labels.
        training_scalars: the encoded column ``target`` of the training split; None where nothing is trained.
        model, monitor, mode, record, optimizer, schedule, seed, average_decay: as in ``Task``.
    """

    scorer = "accuracy and macro F1 over the labels that occur, argmax of the logits; loss: mean cross-entropy"
    command = "predict"

    def __init__(
        self,
        *,
        name: str,
        label_smoothing: float,
        class_weights: str,
        preprocessor: Preprocessor,
        training_scalars: Mapping[str, npt.NDArray[np.int32]] | None,
        model: nn.Module,
        monitor: str,
        mode: str,
        record: dict[str, Any],
        optimizer: MakeOptimizer | None,
        schedule: MakeSchedule | None,
        seed: int,
        average_decay: float,
    ) -> None:
        super().__init__(
            model=model,
            monitor=monitor,
            mode=mode,
            record=record,
            optimizer=optimizer,
            schedule=schedule,
            seed=seed,
            average_decay=average_decay,
        )
        choose("task.class_weights", class_weights, ("none", "balanced"))
        self.name = name
        self.label_smoothing = label_smoothing
        self.label_names = preprocessor.label_names()
        weights = None
        if class_weights == "balanced" and training_scalars is not None:
            weights = balanced_weights(np.bincount(training_scalars["target"]).tolist())
        self.register_buffer("weights", weights, persistent=False)
        self.metrics = nn.ModuleDict(
            {f"{stage}_scores": ClassificationMetric(len(self.label_names)) for stage in ("validation", "test")}
        )
        self.reports: dict[str, ClassificationReport] = {}

    def loss(self, batch: SequenceBatch) -> Tensor:
        """Return the mean smoothed, weighted cross-entropy."""
        assert batch.targets is not None
        weights: Tensor | None = self.weights  # type: ignore[assignment]
        return cross_entropy(self.model(batch), batch.targets, weight=weights, label_smoothing=self.label_smoothing)

    def score(self, batch: SequenceBatch, stage: str) -> Tensor:
        """Count a batch; return probabilities ``(B, C)``."""
        assert batch.targets is not None
        logits: Tensor = self.model(batch)
        self._metric(stage).update(logits, batch.targets)
        return logits.softmax(dim=1).cpu()

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
