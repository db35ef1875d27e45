"""Several labels a text: binary cross-entropy, thresholds fitted on validation, micro and macro F1."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from gru_nlp.batch import AnyArray, Labelling, SequenceBatch
from gru_nlp.metrics.multilabel import MultilabelReport, Seen, fit_thresholds, report
from gru_nlp.models.multilabel import MultilabelClassifier
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array


class MultilabelTask(Task):
    """A binary cross-entropy a label; each validation fits the labels' thresholds before it is scored with them.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names the labels.
    """

    model: MultilabelClassifier
    scorer = (
        "micro F1, macro F1 over the labels that occur, and the share of texts with just their labels, thresholds a "
        "label fitted on validation; loss: mean binary cross-entropy a label"
    )
    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: Preprocessor) -> None:
        super().__init__(recipe)
        self.label_names = preprocessor.label_names()
        self.metrics = nn.ModuleDict({f"{stage}_scores": Seen() for stage in ("validation", "test")})
        self.reports: dict[str, MultilabelReport] = {}

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean binary cross-entropy over labels and texts."""
        assert batch.targets is not None
        logits = self.model(batch)
        return binary_cross_entropy_with_logits(logits, batch.targets[:, :-1].to(logits.dtype))

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Labelling[AnyArray]:
        """Keep a batch; return what the present thresholds say of it."""
        assert batch.targets is not None
        logits: Tensor = self.model(batch)
        self._metric(stage).update(logits, batch.targets)
        return self.model.choose(logits).map(to_array)

    def scores(self, stage: str) -> dict[str, float]:
        """Return micro and macro F1, subset accuracy and loss; in validation, fit the model's thresholds first."""
        metric = self._metric(stage)
        logits, targets = metric.compute()
        metric.reset()
        if stage == "validation":
            with torch.no_grad():
                self.model.thresholds.copy_(fit_thresholds(logits.sigmoid(), targets[:, :-1]))
        self.reports[stage] = found = report(logits, targets, self.model.thresholds)
        return {
            f"{stage}/micro_f1": found.micro_f1,
            f"{stage}/macro_f1": found.macro_f1,
            f"{stage}/subset_accuracy": found.subset_accuracy,
            f"{stage}/loss": found.loss,
        }

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1, support and threshold of each label by its name."""
        rows = zip(self.label_names, self.reports[stage].per_label, strict=True)
        return {name: row._asdict() for name, row in rows}

    def _metric(self, stage: str) -> Seen:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, Seen)
        return metric
