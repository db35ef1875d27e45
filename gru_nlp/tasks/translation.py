"""Translation: label-smoothed cross-entropy; BLEU, chrF and exact matches of decoded text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from gru_nlp.batch import SequencePairBatch
from gru_nlp.decoding.base import DecodingStrategy, Hypotheses
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import MakeOptimizer, MakeSchedule, Task


class TranslationTask(Task):
    """Train on the true past; score decoded text: validation by a quick strategy, tests by the model's own.

    Args:
        name: shown to the user and stored.
        label_smoothing: share of the target spread evenly over the vocabulary (Szegedy et al. 2016, section 7).
        validation_decoding: strategy of validation.
        preprocessor: fitted; turns hypotheses into text.
        training_scalars: of no use here.
        model, monitor, mode, record, optimizer, schedule, seed, average_decay: as in ``Task``.
    """

    command = "translate"

    def __init__(
        self,
        *,
        name: str,
        label_smoothing: float,
        validation_decoding: DecodingStrategy,
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
        self.name = name
        self.label_smoothing = label_smoothing
        self.validation_decoding = validation_decoding
        self.preprocessor = preprocessor
        self.metrics = nn.ModuleDict({f"{stage}_scores": TranslationMetric() for stage in ("validation", "test")})
        self.scorer = self._metric("test").signature()

    def loss(self, batch: SequencePairBatch) -> Tensor:
        """Return the mean smoothed cross-entropy over real target tokens."""
        loss: Tensor = self.model(batch, self.label_smoothing)
        return loss

    def score(self, batch: SequencePairBatch, stage: str) -> Hypotheses:
        """Translate a batch and count; return the hypotheses."""
        assert batch.references is not None
        found: Hypotheses
        if stage == "validation":
            found = self.model.decode(batch, self.validation_decoding)  # type: ignore[operator]
        else:
            found = self.model.predict(batch)  # type: ignore[operator]
        found = found.cpu()
        translations = [record["translation"] for record in self.preprocessor.decode(found)]
        self._metric(stage).update(translations, batch.references)
        return found

    def scores(self, stage: str) -> dict[str, float]:
        """Return BLEU, chrF and the share of exact matches."""
        metric = self._metric(stage)
        report = metric.compute()
        metric.reset()
        return {f"{stage}/{name}": value for name, value in report._asdict().items()}

    def details(self, stage: str) -> dict[str, Any]:
        """There is nothing beside the scores."""
        return {}

    def _metric(self, stage: str) -> TranslationMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, TranslationMetric)
        return metric
