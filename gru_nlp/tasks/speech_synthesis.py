"""Speech synthesis: frames and the end of speech, with attention along the diagonal; distance of free speech."""

import math

from torch import Tensor

from gru_nlp.batch import AnyArray, SpeakingBatch
from gru_nlp.errors import UserError
from gru_nlp.metrics.speech import SpeechMetric
from gru_nlp.models.synthesiser import Losses, Synthesiser
from gru_nlp.outputs import Speech
from gru_nlp.preprocessing.synthesis import SynthesisPreprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.counted import CountedTask
from gru_nlp.tensors import to_array


class SpeechSynthesisTask(CountedTask[SpeechMetric]):
    """Train on the true past; score what is spoken freely against the recording.

    Epochs are chosen by the loss: the distance of free speech is low, too, where all is a mumble, since a mean is near
    to everything, and rises before it falls.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; makes log-mel frames of normalised ones.
        guided_attention: weight of attention's straying from the diagonal (Tachibana et al. 2018); 0: it may stray.

    Raises:
        UserError: the weight is negative, or no number.
    """

    model: Synthesiser
    scorer = (
        "mcd: mel-cepstral distortion in dB (Kubichek 1993), 13 cepstra of log-mel frames, spoken freely and recorded, "
        "mean over the best warping of time (Sakoe and Chiba 1978); loss: with the true past, mean of a step"
    )
    command = "speak output=spoken.wav"

    def __init__(self, recipe: Recipe, preprocessor: SynthesisPreprocessor, *, guided_attention: float) -> None:
        super().__init__(recipe, SpeechMetric)
        if not 0.0 <= guided_attention < math.inf:
            raise UserError(f"task.guided_attention={guided_attention} must be a number of at least 0")
        self.preprocessor = preprocessor
        self.guided_attention = guided_attention

    def _weighed(self, losses: Losses) -> Tensor:
        """Return the loss of each recording ``(B,)``, summed over its steps."""
        return losses.frames + losses.stop + self.guided_attention * losses.attention

    def loss(self, batch: SpeakingBatch[Tensor]) -> Tensor:
        """Return the mean loss of a step."""
        losses: Losses = self.model(batch)
        return self._weighed(losses).sum() / losses.steps.sum()

    def divisor(self, batch: SpeakingBatch[Tensor]) -> float:
        """Return the number of steps."""
        assert batch.frame_lengths is not None
        return float(self.model.steps(batch.frame_lengths).sum())

    def score(self, batch: SpeakingBatch[Tensor], stage: str) -> Speech[AnyArray]:
        """Speak a batch and count; return how long it was, without what was said, which would fill the memory."""
        assert batch.frames is not None
        assert batch.frame_lengths is not None
        losses: Losses = self.model(batch)
        found = self.model.predict(batch).map(to_array)
        said = self.preprocessor.log_mels(found.frames, found.lengths)
        true = self.preprocessor.log_mels(to_array(batch.frames), to_array(batch.frame_lengths))
        weighed, steps = to_array(self._weighed(losses)), to_array(losses.steps)
        counted = self.metric(stage).tally(said, true, found.ended, weighed, steps)
        self.count(stage, counted)
        return found._replace(frames=found.frames[:, :0], weights=found.weights[:, :0])
