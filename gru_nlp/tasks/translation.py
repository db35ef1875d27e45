"""Translation: label-smoothed cross-entropy; BLEU, chrF and exact matches of decoded text."""

import math
from collections.abc import Mapping

from torch import Tensor

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.console import remark
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.metrics import bleu_tokenizers
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.outputs import Hypotheses
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.choosing import StandIn
from gru_nlp.tasks.counted import CountedTask
from gru_nlp.tensors import to_array

#: What ``bleu_tokenizer`` is where the writing of the targets decides.
AUTO = "auto"
#: Where fewer references are as long as the longest n-grams that BLEU counts, a few decide what it is.
LEAST_LONG = 0.1


class TranslationTask(CountedTask[TranslationMetric]):
    """Train on the true past; score decoded text: validation by a quick strategy, tests by the model's own.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; turns hypotheses into text.
        label_smoothing: share of the target spread evenly over the vocabulary (Szegedy et al. 2016, section 7).
        validation_decoding: strategy of validation.
        bleu_tokenizer: what cuts text into the tokens of BLEU, by sacreBLEU's name; ``auto``: as the targets' writing
            needs it.
        lowercased_bleu: whether BLEU of lower-cased text stands beside that of the text as it is.

    Raises:
        UserError: there is no such tokenizer, or a package that it needs is not there.
    """

    model: Seq2Seq
    command = "translate"

    def __init__(
        self,
        recipe: Recipe,
        preprocessor: TranslationPreprocessor,
        *,
        label_smoothing: float,
        validation_decoding: DecodingStrategy,
        bleu_tokenizer: str = AUTO,
        lowercased_bleu: bool = False,
    ) -> None:
        by_itself = bleu_tokenizer == AUTO
        named = preprocessor.bleu_tokenizer if by_itself else bleu_tokenizer
        cut = bleu_tokenizers.check(named, "task.bleu_tokenizer")
        if by_itself and cut != bleu_tokenizers.USUAL and recipe.optimizer is not None:
            remark(f"by the writing of the targets, BLEU counts the tokens of task.bleu_tokenizer={cut}")
        preprocessor.bleu_tokenizer = cut  # a person's choice is kept where that of the writing would be
        super().__init__(recipe, lambda: TranslationMetric(cut, lowercased=lowercased_bleu))
        self.label_smoothing = label_smoothing
        self.validation_decoding = validation_decoding
        self.preprocessor = preprocessor
        self.long_references = 1.0
        self.scorer = self.metric("test").signature()

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
        counted = self.metric(stage).tally(translations, batch.references)
        self.count(stage, counted)
        return found

    def scores(self, stage: str) -> dict[str, float]:
        """Return BLEU, that of lower-cased text where it was asked for, chrF, and the share of exact matches."""
        report = super().scores(stage)
        self.long_references = report.pop(f"{stage}/long_references")
        return report

    def floor(self) -> float:
        """Return infinity for BLEU that even the references as translations would not have, or but few of them."""
        return math.inf if "/bleu" in self.monitor and self.long_references < LEAST_LONG else super().floor()

    def stand_in(self, scores: Mapping[str, float]) -> StandIn:
        """Return chrF, which is of characters."""
        return StandIn("validation/chrf", 100.0 - scores["validation/chrf"])
