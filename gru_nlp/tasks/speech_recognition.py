"""Speech recognition: connectionist temporal classification; word and character error rates."""

from collections.abc import Mapping

from torch import Tensor

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.console import remark
from gru_nlp.decoding.ctc import CTCDecoding, Greedy
from gru_nlp.errors import UserError
from gru_nlp.metrics.transcripts import TranscriptMetric
from gru_nlp.models.recogniser import Recogniser
from gru_nlp.outputs import Recognition
from gru_nlp.preprocessing.transcripts import TranscriptPreprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.counted import CountedTask
from gru_nlp.tensors import to_array


class SpeechRecognitionTask(CountedTask[TranscriptMetric]):
    """Train on transcripts; validate by the likeliest token of each step, test by the model's own strategy.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; turns what is heard into text.

    Raises:
        UserError: a model to train has a language model, which is for those who use it.
    """

    model: Recogniser
    scorer = (
        "wer and cer: least insertions, deletions and substitutions of words and of characters over all of those of "
        "the true transcripts, both written as the tokenizer writes them (torchmetrics' edit distance)"
    )
    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: TranscriptPreprocessor) -> None:
        super().__init__(recipe, TranscriptMetric)
        if recipe.optimizer is not None and self.model.decoding.language_model is not None:
            raise UserError("decoding.language_model is for predict and evaluate: leave it out of training")
        self.preprocessor = preprocessor

    def observe(self, targets: Mapping[str, AnyArray]) -> None:
        """Tell of training recordings with fewer steps than their transcripts need, which teach nothing.

        Raises:
            UserError: there are no others.
        """
        short = self.model.steps(targets["tokens"]) < targets["steps"]
        if not short.any():
            return
        told = f"{int(short.sum()):,} of {len(short):,} training recordings are too short for their transcripts"
        advice = f"set model.stack below {self.model.stack}, or mend them"
        if short.all():
            raise UserError(f"{told}: {advice}")
        remark(f"{told}, and teach nothing: {advice}")

    def loss(self, batch: SequencePairBatch[Tensor]) -> Tensor:
        """Return the mean loss of a token."""
        losses: Tensor = self.model(batch)[0]
        return losses.sum() / self.divisor(batch)

    def divisor(self, batch: SequencePairBatch[Tensor]) -> float:
        """Return the number of tokens."""
        assert batch.target_lengths is not None
        return float(batch.target_lengths.sum().clamp(min=1))

    def score(self, batch: SequencePairBatch[Tensor], stage: str) -> Recognition[AnyArray]:
        """Recognise a batch and count; return what is heard."""
        assert batch.references is not None
        assert batch.target_lengths is not None
        losses, scores = self.model(batch)
        decoding: CTCDecoding = Greedy() if stage == "validation" else self.model.decoding
        found = self.model.heard(scores, batch.lengths, decoding)
        texts = [record["transcript"] for record in self.preprocessor.decode(found)]
        counted = self.metric(stage).tally(texts, batch.references, to_array(losses), to_array(batch.target_lengths))
        self.count(stage, counted)
        return found

    def floor(self) -> float:
        """Return 1 for an error rate, which is that of saying nothing."""
        return 1.0 if self.monitor in ("validation/wer", "validation/cer") else super().floor()
