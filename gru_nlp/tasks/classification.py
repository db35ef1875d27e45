"""Sentiment and text classification: cross-entropy, accuracy, macro F1."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gru_nlp.batch import AnyArray, Classification, SequenceBatch
from gru_nlp.errors import choose
from gru_nlp.metrics.classification import ClassificationMetric, ClassificationReport
from gru_nlp.models.classifier import Classifier
from gru_nlp.nn.shares import fit_shares
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array, to_tensors


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
        #: What scores are told of, by the end of their names: the model, and each of several parts.
        self.views = ("", *(f"_{name}" for name in self.model.part_names if len(self.model.part_names) > 1))
        self.metrics = nn.ModuleDict(
            {
                f"{stage}_scores{view}": ClassificationMetric(len(self.label_names))
                for stage in ("validation", "test")
                for view in self.views
            }
        )
        self.kept: list[tuple[Tensor, Tensor]] = []
        self.reports: dict[str, ClassificationReport] = {}

    def observe(self, targets: Mapping[str, AnyArray]) -> None:
        """Weigh the labels by how often each occurs in the column ``target``, where that was asked for."""
        if self.class_weights == "balanced":
            self.weights = balanced_weights(np.bincount(targets["target"]).tolist())

    def solve(self, texts: Iterable[SequenceBatch[AnyArray]], unseen: Iterable[SequenceBatch[AnyArray]]) -> None:
        """Let the model set what is solved for rather than trained."""
        known, new = ((to_tensors(batch, "cpu") for batch in batches) for batches in (texts, unseen))
        self.model.solve(known, new, self.weights)

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean smoothed, weighted cross-entropy of the part that is trained, the recurrent one."""
        assert batch.targets is not None
        logits = self.model.recurrent(batch)
        return cross_entropy(logits, batch.targets, weight=self.weights, label_smoothing=self.label_smoothing)

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Classification[AnyArray]:
        """Count a batch; return the labels' probabilities. Validation counts at its end, when the shares are known."""
        assert batch.targets is not None
        parts = self.model.parts(batch)
        if stage == "validation":
            self.kept.append((torch.stack(parts), batch.targets))  # (P, B, C), (B,)
        else:
            self._count(parts, batch.targets, stage)
        return Classification(to_array(self.model.join(parts).softmax(dim=1)))

    def _count(self, parts: Sequence[Tensor], targets: Tensor, stage: str) -> None:
        for view, logits in zip(self.views, (self.model.join(parts), *parts), strict=False):
            self._metric(stage, view).update(logits, targets)

    def _count_validation(self) -> None:
        """Fit the parts' shares to validation while a model is trained, and count what was kept."""
        if not self.kept:
            return
        if len(self.model.part_names) > 1 and self.trainer.state.fn == "fit":
            logits = torch.cat([parts for parts, _ in self.kept], dim=1)  # (P, N, C)
            shares = fit_shares(logits.float(), torch.cat([targets for _, targets in self.kept]), self.weights)
            self.model.share(self.trainer.strategy.reduce(shares, reduce_op="mean"))
        for parts, targets in self.kept:
            self._count(list(parts), targets, "validation")
        self.kept = []

    def scores(self, stage: str) -> dict[str, float]:
        """Return accuracy, macro F1 and loss, and of several parts the accuracy of each.

        ``reports[stage]`` keeps the per-class scores.
        """
        self._count_validation()
        reports = {}
        for view in self.views:
            reports[view] = self._metric(stage, view).compute()
            self._metric(stage, view).reset()
        report = self.reports[stage] = reports[""]
        alone = {f"{stage}/accuracy{view}": reports[view].accuracy for view in self.views if view}
        return {
            f"{stage}/accuracy": report.accuracy,
            **alone,
            f"{stage}/macro_f1": report.macro_f1,
            f"{stage}/loss": report.loss,
        }

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1 and support of each class by its name."""
        rows = zip(self.label_names, self.reports[stage].per_class, strict=True)
        return {name: row._asdict() for name, row in rows}

    def _metric(self, stage: str, view: str) -> ClassificationMetric:
        metric = self.metrics[f"{stage}_scores{view}"]
        assert isinstance(metric, ClassificationMetric)
        return metric
