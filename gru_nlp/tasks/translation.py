"""Translation: label-smoothed cross-entropy; BLEU, chrF and exact matches of decoded text."""

from typing import Any

from torch import Tensor, nn

from gru_nlp.batch import AnyArray, Hypotheses, SequencePairBatch
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array


class TranslationTask(Task):
    """Train on the true past; score decoded text: validation by a quick strategy, tests by the model's own.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; turns hypotheses into text.
        label_smoothing: share of the target spread evenly over the vocabulary (Szegedy et al. 2016, section 7).
        validation_decoding: strategy of validation.
    """

    model: Seq2Seq
    command = "translate"

    def __init__(
        self,
        recipe: Recipe,
        preprocessor: Preprocessor,
        *,
        label_smoothing: float,
        validation_decoding: DecodingStrategy,
    ) -> None:
        super().__init__(recipe)
        self.label_smoothing = label_smoothing
        self.validation_decoding = validation_decoding
        self.preprocessor = preprocessor
        self.metrics = nn.ModuleDict({f"{stage}_scores": TranslationMetric() for stage in ("validation", "test")})
        self.scorer = self._metric("test").signature()

    def loss(self, batch: SequencePairBatch[Tensor]) -> Tensor:
        """Return the mean smoothed cross-entropy over real target tokens."""
        loss: Tensor = self.model(batch, self.label_smoothing)
        return loss

    def divisor(self, batch: SequencePairBatch[Tensor]) -> float:
        """Return the number of real target tokens."""
        assert batch.target_lengths is not None
        return float(batch.target_lengths.sum())

    def score(self, batch: SequencePairBatch[Tensor], stage: str) -> Hypotheses[AnyArray]:
        """Translate a batch and count; return the hypotheses."""
        assert batch.references is not None
        strategy = self.validation_decoding if stage == "validation" else self.model.decoding
        found = self.model.decode(batch, strategy).map(to_array)
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
