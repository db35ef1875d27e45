"""What tasks of labels have alike: a classifier of one part or several, scored as a whole and part by part."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from gru_nlp.batch import AnyArray, Outputs, SequenceBatch
from gru_nlp.metrics.classification import ClassificationReport
from gru_nlp.metrics.multilabel import MultilabelReport
from gru_nlp.models.classifier import Classifier
from gru_nlp.nn.losses import LabelLoss
from gru_nlp.nn.shares import fit_shares
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array, to_tensors

Report = TypeVar("Report", ClassificationReport, MultilabelReport)


class LabelsTask(Task, Generic[Report]):
    """The recurrent part is trained, the wide one solved before, their shares fitted in each validation.

    Attributes:
        views: what scores are told of, by the end of their names: the model, and each of several parts.
        reports: of the model, by stage.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names the labels.
        metric: makes what is counted of a stage and a view.
    """

    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: Preprocessor, metric: Callable[[], Metric]) -> None:
        super().__init__(recipe)
        self.label_names: list[str] = preprocessor.label_names()
        names: tuple[str, ...] = self.classifier().part_names
        self.views = ("", *(f"_{name}" for name in names if len(names) > 1))
        stages = ("validation", "test")
        self.metrics = nn.ModuleDict({f"{stage}_scores{view}": metric() for stage in stages for view in self.views})
        self.kept: list[tuple[Tensor, Tensor]] = []
        self.reports: dict[str, Report] = {}

    @abstractmethod
    def classifier(self) -> Classifier:
        """Return what gives the logits."""

    @abstractmethod
    def label_loss(self) -> LabelLoss:
        """Return the loss by which the wide part is solved and the shares are fitted."""

    @abstractmethod
    def answer(self, logits: Tensor) -> Outputs[Tensor]:
        """Return what the model says by its logits ``(B, C)``."""

    @abstractmethod
    def report_of(self, seen: Any, stage: str, view: int) -> Report:
        """Return the scores of what the metric of a stage and a view, by its place, has counted."""

    def solve(self, texts: Iterable[SequenceBatch[AnyArray]], unseen: Iterable[SequenceBatch[AnyArray]]) -> None:
        """Let the model set what is solved for rather than trained."""
        known, new = ((to_tensors(batch, "cpu") for batch in batches) for batches in (texts, unseen))
        self.classifier().solve(known, new, self.label_loss())

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Outputs[AnyArray]:
        """Count a batch; return what is said of it. Validation counts at its end, when the shares are known."""
        assert batch.targets is not None
        parts = self.classifier().parts(batch)
        if stage == "validation":
            self.kept.append((torch.stack(parts), batch.targets))  # (P, B, C), (B, ...)
        else:
            self._count(parts, batch.targets, stage)
        return self.answer(self.classifier().join(parts)).map(to_array)

    def _count(self, parts: Sequence[Tensor], targets: Tensor, stage: str) -> None:
        for view, logits in zip(self.views, (self.classifier().join(parts), *parts), strict=False):
            self._metric(stage, view).update(logits, targets)

    def _count_validation(self) -> None:
        """Fit the parts' shares to validation while a model is trained, and count what was kept."""
        if not self.kept:
            return
        if len(self.views) > 1 and self.trainer.state.fn == "fit":
            logits = torch.cat([parts for parts, _ in self.kept], dim=1)  # (P, N, C)
            shares = fit_shares(logits.float(), torch.cat([targets for _, targets in self.kept]), self.label_loss())
            self.classifier().share(self.trainer.strategy.reduce(shares, reduce_op="mean"))
        for parts, targets in self.kept:
            self._count(list(parts), targets, "validation")
        self.kept = []

    def view_reports(self, stage: str) -> dict[str, Report]:
        """Return the reports of a stage by view, start to count anew, and keep that of the model in ``reports``."""
        self._count_validation()
        found = {}
        for place, view in enumerate(self.views):
            metric = self._metric(stage, view)
            found[view] = self.report_of(metric.compute(), stage, place)
            metric.reset()
        self.reports[stage] = found[""]
        return found

    def details(self, stage: str) -> dict[str, Any]:
        """Return the scores of each label by its name."""
        rows = zip(self.label_names, self.reports[stage].per_label, strict=True)
        return {name: row._asdict() for name, row in rows}

    def _metric(self, stage: str, view: str) -> Metric:
        metric = self.metrics[f"{stage}_scores{view}"]
        assert isinstance(metric, Metric)
        return metric
