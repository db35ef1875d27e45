"""Named-entity recognition: the loss of the tags, precision, recall and F1 of entities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from gru_nlp.batch import TaggingBatch
from gru_nlp.metrics.entities import EntityMetric, EntityScores
from gru_nlp.nn.crf import Tagging
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.tasks.base import MakeOptimizer, MakeSchedule, Task


class TaggingTask(Task):
    """Negative log-likelihood of a sentence's tags, a mean over sentences.

    Args:
        name: shown to the user and stored.
        preprocessor: fitted; names tags and entity types.
        training_scalars: of no use here.
        model, monitor, mode, record, optimizer, schedule, seed, average_decay: as in ``Task``.
    """

    scorer = "entity precision, recall and F1 over all types by the rules of the CoNLL evaluation"
    command = "predict"

    def __init__(
        self,
        *,
        name: str,
        preprocessor: TaggingPreprocessor,
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
        self.name = name
        self.preprocessor = preprocessor
        labels = preprocessor.label_names()
        self.metrics = nn.ModuleDict({f"{stage}_scores": EntityMetric(labels) for stage in ("validation", "test")})
        self.reports: dict[str, dict[str, EntityScores]] = {}

    def loss(self, batch: TaggingBatch) -> Tensor:
        """Return the mean loss of a sentence."""
        losses: Tensor = self.model(batch)
        return losses.mean()

    def score(self, batch: TaggingBatch, stage: str) -> Tagging:
        """Tag a batch and count; return the paths."""
        assert batch.targets is not None
        found: Tagging = self.model.predict(batch).cpu()  # type: ignore[operator]
        names, lengths = self.preprocessor.tags, found.lengths.tolist()
        predicted, truth = (
            [[names[tag] for tag in row[:length]] for row, length in zip(tags.tolist(), lengths, strict=True)]
            for tags in (found.tags[:, 0], batch.targets)
        )
        self._metric(stage).update(predicted, truth)
        return found

    def scores(self, stage: str) -> dict[str, float]:
        """Return precision, recall and F1 over all types, and the F1 of each."""
        metric = self._metric(stage)
        overall, self.reports[stage] = metric.compute()
        metric.reset()
        own = {f"{stage}/f1_{label}": scores.f1 for label, scores in self.reports[stage].items()}
        whole = {f"{stage}/{name}": getattr(overall, name) for name in ("precision", "recall", "f1")}
        return whole | own

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1 and support of each type."""
        return {label: scores._asdict() for label, scores in self.reports[stage].items()}

    def _metric(self, stage: str) -> EntityMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, EntityMetric)
        return metric
