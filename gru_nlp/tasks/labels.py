"""What tasks of labels have alike: a classifier of one part or several, scored as a whole and part by part."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.metrics.classification import ClassificationReport
from gru_nlp.metrics.confidence import Judged
from gru_nlp.metrics.multilabel import MultilabelReport
from gru_nlp.metrics.tally import Tally
from gru_nlp.models.classifier import Classifier
from gru_nlp.nn.losses import LabelLoss
from gru_nlp.nn.shares import fit_shares
from gru_nlp.outputs import Outputs
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.processes.company import size
from gru_nlp.processes.sharing import in_turn, shared_values
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array, to_tensors

Report = TypeVar("Report", ClassificationReport, MultilabelReport)


class LabelsTask(Task, Generic[Report]):
    """The recurrent part is trained, the wide one solved before, their shares fitted in each validation.

    Attributes:
        views: what scores are told of, by the end of their names: the model, and each of several parts.
        reports: of the model, by stage.
        answers: of the model with how sure it was, by stage.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names the labels.
        metric: makes what is counted of a stage and a view.
    """

    command = "predict"
    confident = True

    def __init__(self, recipe: Recipe, preprocessor: Preprocessor, metric: Callable[[], Metric]) -> None:
        super().__init__(recipe)
        self.label_names: list[str] = preprocessor.label_names()
        names: tuple[str, ...] = self.classifier().part_names
        self.views = ("", *(f"_{name}" for name in names if len(names) > 1))
        stages = ("validation", "test")
        self.metrics = nn.ModuleDict({f"{stage}_scores{view}": metric() for stage in stages for view in self.views})
        self.kept: dict[str, list[tuple[Tensor, Tensor]]] = {stage: [] for stage in stages}
        self.own: dict[str, list[tuple[Tensor, Tensor]]] = {stage: [] for stage in stages}
        self.reports: dict[str, Report] = {}
        self.answers: dict[str, Judged] = {}

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
    def fitted_temperature(self, logits: Tensor, targets: Tensor) -> float:
        """Return the temperature that fits the model's logits ``(N, C)`` to the labels of N texts."""

    @abstractmethod
    def judge(self, logits: Tensor, targets: Tensor) -> Judged:
        """Return how sure the model is by its logits ``(N, C)``, and whether it is right."""

    @abstractmethod
    def report_of(self, seen: Any, stage: str, view: int) -> Report:
        """Return the scores of what the metric of a stage and a view, by its place, has counted."""

    @abstractmethod
    def tallies_of(self, logits: Tensor, targets: Tensor, view: int) -> list[Tally]:
        """Return what each row adds to the scores of a view, by its place."""

    def solve(self, texts: Iterable[SequenceBatch[AnyArray]], unseen: Iterable[SequenceBatch[AnyArray]]) -> None:
        """Let the model set what is solved for rather than trained."""
        known, new = ((to_tensors(batch, "cpu") for batch in batches) for batches in (texts, unseen))
        self.classifier().solve(known, new, self.label_loss())

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Outputs[AnyArray]:
        """Keep a batch; return what is said of it. All are counted at the end, when those of all processes are there.

        In validation the shares are known only then.
        """
        assert batch.targets is not None
        parts = self.classifier().parts(batch)
        self.kept[stage].append((torch.stack(parts), batch.targets))  # (P, B, C), (B, ...)
        return self.answer(self.classifier().join(parts)).map(to_array)

    def _count(self, stage: str) -> None:
        """Count what all processes kept, in the order of one; while a model is trained, fit the parts' shares first."""
        self.own[stage] = self.kept[stage] if self.keeps_rows else []
        kept, self.kept[stage] = self._of_all(self.kept[stage]), []
        wanted = bool(kept) and stage == "validation" and (self.calibrates or len(self.views) > 1)
        fits = wanted and self.trainer.state.fn == "fit"
        if fits and len(self.views) > 1:
            self.classifier().share(self._fitted_shares(kept))
        if kept:
            self._judge(kept, stage, fits=fits and self.calibrates)
        for stacked, targets in kept:
            parts: list[Tensor] = list(stacked)
            for view, logits in zip(self.views, (self.classifier().join(parts), *parts), strict=False):
                self._metric(stage, view).update(logits, targets)

    def _judge(self, kept: list[tuple[Tensor, Tensor]], stage: str, *, fits: bool) -> None:
        """Keep how sure the whole is of what all processes kept; where ``fits``, let that fit what is right first."""
        logits = torch.cat([self.classifier().join(list(parts)) for parts, _ in kept]).float()
        targets = torch.cat([targets for _, targets in kept])
        if fits:
            self.model.temperature = shared_values(lambda: self.fitted_temperature(logits, targets))
        self.answers[stage] = self.judge(logits, targets)

    def refit(self) -> None:
        """Fit the temperature again, where there is one; the thresholds of labels were, as validation was scored."""
        if self.own["validation"] and self.model.temperature != 1.0:
            logits = torch.cat([self.classifier().join(list(parts)) for parts, _ in self.own["validation"]]).float()
            targets = torch.cat([targets for _, targets in self.own["validation"]])
            self.model.temperature = self.fitted_temperature(logits, targets)

    def _of_all(self, kept: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
        """Return what all processes kept, in the order in which one has it."""
        if size() == 1:
            return kept
        sent = [(parts.cpu(), targets.cpu()) for parts, targets in kept]
        return [(parts.to(self.device), targets.to(self.device)) for parts, targets in in_turn(sent)]

    def _fitted_shares(self, kept: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Return the shares ``(P,)`` that the first process fits to what all of them kept."""
        logits = torch.cat([parts for parts, _ in kept], dim=1).float()  # (P, N, C)
        targets = torch.cat([targets for _, targets in kept])
        shares = shared_values(lambda: fit_shares(logits, targets, self.label_loss()).tolist())
        return logits.new_tensor(shares)

    def view_reports(self, stage: str) -> dict[str, Report]:
        """Return the reports of a stage by view, start to count anew, and keep that of the model in ``reports``."""
        self._count(stage)
        found = {}
        for place, view in enumerate(self.views):
            metric = self._metric(stage, view)
            found[view] = self.report_of(metric.compute(), stage, place)
            metric.reset()
        self.reports[stage] = found[""]
        return found

    def judged(self, stage: str) -> Judged | None:
        """Return how sure the model was of its labels, and which were right; None where it gave none."""
        return self.answers.get(stage)

    def tallies(self, stage: str, columns: Mapping[str, AnyArray]) -> list[Tally]:
        """Return what each row adds, view by view."""
        own, self.own[stage] = self.own[stage], []
        if not own:
            return []
        parts: list[Tensor] = list(torch.cat([stacked for stacked, _ in own], dim=1))
        targets = torch.cat([targets for _, targets in own])
        seen = zip(self.views, (self.classifier().join(parts), *parts), strict=False)
        views = [(view, self.tallies_of(logits, targets, place)) for place, (view, logits) in enumerate(seen)]
        return [tally.viewed(view) for view, found in views for tally in found]

    def details(self, stage: str) -> dict[str, Any]:
        """Return the scores of each label by its name."""
        rows = zip(self.label_names, self.reports[stage].per_label, strict=True)
        return {name: row._asdict() for name, row in rows}

    def _metric(self, stage: str, view: str) -> Metric:
        metric = self.metrics[f"{stage}_scores{view}"]
        assert isinstance(metric, Metric)
        return metric
