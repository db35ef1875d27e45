"""A tag a word, such as its part of speech: accuracy, and the scores of each tag."""

from typing import Any

import numpy as np
from torch import nn

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.metrics.tally import Tally
from gru_nlp.metrics.word_tags import WordTagMetric, WordTagReport, tally
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.word_tags import WordTagPreprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.words import WordsTask


class WordTagTask(WordsTask):
    """Tags of words.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; names the tags.
        language_model_weight: as in ``WordsTask``.

    Raises:
        UserError: as ``WordsTask``.
    """

    scorer = "accuracy over words, those unseen that training lacks in the form that is looked up"

    def __init__(self, recipe: Recipe, preprocessor: WordTagPreprocessor, language_model_weight: float = 0.0) -> None:
        super().__init__(recipe, preprocessor, language_model_weight)
        self.preprocessor = preprocessor
        count = len(preprocessor.tags)
        self.metrics = nn.ModuleDict({f"{stage}_scores": WordTagMetric(count) for stage in ("validation", "test")})
        self.reports: dict[str, WordTagReport] = {}

    def count(self, found: Tagging[AnyArray], batch: TaggingBatch[AnyArray], stage: str) -> Tally:
        """Count the words of the best paths."""
        assert batch.targets is not None
        parts = (found.tags[:, 0], batch.targets, self.preprocessor.unmet(batch))
        said, true, unmet = ([row[:length] for row, length in zip(part, found.lengths, strict=True)] for part in parts)
        self._metric(stage).update(*map(np.concatenate, (said, true, unmet)))
        return tally(said, true, unmet, len(self.preprocessor.tags))

    def scores(self, stage: str) -> dict[str, float]:
        """Return accuracy, that of words that training lacks, macro F1, and a sentence's mean loss."""
        report = self.reports[stage] = self._metric(stage).compute()
        self._metric(stage).reset()
        return {f"{stage}/{name}": value for name, value in (report.scores | {"loss": self.taken_loss(stage)}).items()}

    def details(self, stage: str) -> dict[str, Any]:
        """Return precision, recall, F1 and support of each tag."""
        names = self.preprocessor.label_names()
        return {name: own._asdict() for name, own in zip(names, self.reports[stage].per_label, strict=True)}

    def confusion(self, stage: str) -> AnyArray:
        """Return the counts of true tags by said ones."""
        return self.reports[stage].confusion

    def _metric(self, stage: str) -> WordTagMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, WordTagMetric)
        return metric
