"""Named-entity recognition: precision, recall and F1 of entities."""

from typing import Any

from torch import nn

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.metrics.entities import EntityMetric, EntityScores, tally
from gru_nlp.metrics.tally import Tally
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.words import WordsTask


class TaggingTask(WordsTask):
    """Tags of entities.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names tags and entity types.
        language_model_weight: as in ``WordsTask``.

    Raises:
        UserError: as ``WordsTask``.
    """

    scorer = "entity precision, recall and F1 over all types by the rules of the CoNLL evaluation"

    def __init__(self, recipe: Recipe, preprocessor: TaggingPreprocessor, language_model_weight: float = 0.0) -> None:
        super().__init__(recipe, preprocessor, language_model_weight)
        self.preprocessor = preprocessor
        labels = preprocessor.label_names()
        self.metrics = nn.ModuleDict({f"{stage}_scores": EntityMetric(labels) for stage in ("validation", "test")})
        self.reports: dict[str, dict[str, EntityScores]] = {}

    def count(self, found: Tagging[AnyArray], batch: TaggingBatch[AnyArray], stage: str) -> Tally:
        """Count the entities of the best paths."""
        assert batch.targets is not None
        names, lengths = self.preprocessor.tags, found.lengths.tolist()
        predicted, truth = (
            [[names[tag] for tag in row[:length]] for row, length in zip(tags.tolist(), lengths, strict=True)]
            for tags in (found.tags[:, 0], batch.targets)
        )
        counted = tally(predicted, truth, self.preprocessor.label_names(), self.preprocessor.unseen(batch))
        self._metric(stage).update(counted)
        return counted

    def scores(self, stage: str) -> dict[str, float]:
        """Return the scores over all types and of unseen forms, the F1 of each type, and a sentence's mean loss."""
        report = self._metric(stage).compute()
        self._metric(stage).reset()
        self.reports[stage] = report.own
        scores = {name: getattr(report.overall, name) for name in ("precision", "recall", "f1")}
        if self.preprocessor.forms is not None:
            scores["f1_unseen"] = report.unseen.f1
        scores |= {"macro_f1": report.macro_f1, **{f"f1_{label}": own.f1 for label, own in report.own.items()}}
        return {f"{stage}/{name}": value for name, value in (scores | {"loss": self.taken_loss(stage)}).items()}

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1 and support of each type."""
        return {label: scores._asdict() for label, scores in self.reports[stage].items()}

    def _metric(self, stage: str) -> EntityMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, EntityMetric)
        return metric
