"""Named-entity recognition: the loss of the tags, precision, recall and F1 of entities."""

from typing import Any

from torch import Tensor, nn

from gru_nlp.batch import AnyArray, Tagging, TaggingBatch
from gru_nlp.metrics.entities import EntityMetric, EntityScores
from gru_nlp.models.tagger import SequenceTagger
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array


class TaggingTask(Task):
    """Negative log-likelihood of a sentence's tags, a mean over sentences.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names tags and entity types.
    """

    model: SequenceTagger
    scorer = "entity precision, recall and F1 over all types by the rules of the CoNLL evaluation"
    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: TaggingPreprocessor) -> None:
        super().__init__(recipe)
        self.preprocessor = preprocessor
        labels = preprocessor.label_names()
        self.metrics = nn.ModuleDict({f"{stage}_scores": EntityMetric(labels) for stage in ("validation", "test")})
        self.reports: dict[str, dict[str, EntityScores]] = {}

    def loss(self, batch: TaggingBatch[Tensor]) -> Tensor:
        """Return the mean loss of a sentence."""
        losses: Tensor = self.model(batch)
        return losses.mean()

    def score(self, batch: TaggingBatch[Tensor], stage: str) -> Tagging[AnyArray]:
        """Tag a batch and count; return the paths."""
        assert batch.targets is not None
        found = self.model.predict(batch).map(to_array)
        names, lengths = self.preprocessor.tags, found.lengths.tolist()
        predicted, truth = (
            [[names[tag] for tag in row[:length]] for row, length in zip(tags.tolist(), lengths, strict=True)]
            for tags in (found.tags[:, 0], to_array(batch.targets))
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
