"""A task whose scores are those of one metric, to which every batch adds what its rows add."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar, cast

from torch import nn
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, joined
from gru_nlp.tasks.base import Recipe, Task

M = TypeVar("M", bound=Metric)


class CountedTask(Task, Generic[M]):
    """Keeps a metric a stage, and, where it is asked for, what each row adds to it.

    Args:
        recipe: as in ``Task``.
        metric: makes the metric.
    """

    def __init__(self, recipe: Recipe, metric: Callable[[], M]) -> None:
        super().__init__(recipe)
        stages = ("validation", "test")
        self.metrics = nn.ModuleDict({f"{stage}_scores": metric() for stage in stages})
        self.kept: dict[str, list[Tally]] = {stage: [] for stage in stages}

    def metric(self, stage: str) -> M:
        """Return the metric of a stage."""
        return cast(M, self.metrics[f"{stage}_scores"])

    def count(self, stage: str, counted: Tally) -> None:
        """Add what the rows of a batch add."""
        self.metric(stage).update(counted)
        if self.keeps_rows:
            self.kept[stage].append(counted)

    def tallies(self, stage: str, columns: Mapping[str, AnyArray]) -> list[Tally]:
        """Return what each row adds."""
        kept, self.kept[stage] = self.kept[stage], []
        return [joined(kept)] if kept else []

    def scores(self, stage: str) -> dict[str, float]:
        """Return what the metric says."""
        metric = self.metric(stage)
        report = metric.compute()
        metric.reset()
        return {f"{stage}/{name}": value for name, value in report.items()}
