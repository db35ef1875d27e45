"""What tasks share that tag the words of sentences: their losses, and that of the words around each word."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn
from torchmetrics.aggregation import MeanMetric

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.errors import UserError
from gru_nlp.metrics.tally import Tally, averaged, joined
from gru_nlp.models.tagger import SequenceTagger
from gru_nlp.nn.neighbours import NeighbourLoss
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.words import WordsPreprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array
from gru_nlp.text.special import BOS, EOS, SPECIAL_TOKENS, UNK

#: How the names of the weights begin that only training has.
NEIGHBOURS = "neighbours."
#: Words that are told apart where words are foretold, the most frequent ones (Rei 2017).
MOST_WORDS = 7500


def neighbour_loss(model: SequenceTagger, preprocessor: WordsPreprocessor) -> NeighbourLoss:
    """Return what foretells words from a tagger's states.

    Raises:
        UserError: its encoder has no direction that can.
    """
    sizes = preprocessor.sizes()
    met = sizes["vocabulary_size"] - sizes["unseen_words"]  # the first ids, by frequency
    num_words = min(met, len(SPECIAL_TOKENS) + MOST_WORDS)
    return NeighbourLoss(model.encoder.directions(), num_words, unknown_id=UNK, start_id=BOS, end_id=EOS)


class WordsTask(Task):
    """Negative log-likelihood of a sentence's tags, a mean over sentences; in training, of its words beside them.

    What foretells the words belongs to the task, not to the model: the best checkpoint has nothing of it.

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted.
        language_model_weight: of the words' loss beside that of the tags (Rei 2017); 0: the tags alone.

    Raises:
        UserError: the weight is no number from 0 on, or the encoder has no direction that can foretell words.
    """

    model: SequenceTagger
    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: WordsPreprocessor, language_model_weight: float = 0.0) -> None:
        super().__init__(recipe)
        if not 0.0 <= language_model_weight < math.inf:
            raise UserError(f"task.language_model_weight={language_model_weight} must be a number, at least 0")
        self.language_model_weight = language_model_weight
        self.neighbours: NeighbourLoss | None = None
        if language_model_weight and recipe.optimizer is not None:
            self.neighbours = neighbour_loss(self.model, preprocessor)
        self.losses = nn.ModuleDict({f"{stage}_loss": MeanMetric() for stage in ("validation", "test")})
        self.kept: dict[str, list[tuple[Tally, AnyArray]]] = {"validation": [], "test": []}

    def loss(self, batch: TaggingBatch[Tensor]) -> Tensor:
        """Return the mean loss of a sentence."""
        states = self.model.states(batch)
        loss = self.model.loss(states, batch).mean()
        if self.neighbours is not None:
            loss = loss + self.language_model_weight * self.neighbours(states, batch.inputs, batch.lengths)
        return loss

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave what foretells words out where there are only weights to use."""
        super().on_save_checkpoint(checkpoint)
        if "optimizer_states" not in checkpoint:
            weights = checkpoint["state_dict"]
            checkpoint["state_dict"] = {name: weights[name] for name in weights if not name.startswith(NEIGHBOURS)}

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Take back what is there.

        Raises:
            UserError: a run began without what foretells words and is to go on with it, or the reverse.
        """
        super().on_load_checkpoint(checkpoint)
        begun = any(name.startswith(NEIGHBOURS) for name in checkpoint["state_dict"])
        if begun != (self.neighbours is not None):
            told = f"the checkpoint holds {'' if begun else 'no '}weights that foretell words"
            raise UserError(f"{told}: task.language_model_weight cannot go from 0 or to 0: train anew")

    def on_fit_end(self) -> None:
        """Let go of what foretells words: the best checkpoint, which is scored now, has nothing of it."""
        self.neighbours = None

    def score(self, batch: TaggingBatch[Tensor], stage: str) -> Tagging[AnyArray]:
        """Tag a batch and count; return the paths."""
        assert batch.targets is not None
        states = self.model.states(batch)
        losses = self.model.loss(states, batch)
        self._losses(stage).update(losses)
        found = self.model.answer(states, batch).map(to_array)
        counted = self.count(found, batch.map(to_array), stage)
        if self.keeps_rows:
            self.kept[stage].append((counted, to_array(losses)))
        return found

    @abstractmethod
    def count(self, found: Tagging[AnyArray], batch: TaggingBatch[AnyArray], stage: str) -> Tally:
        """Add the paths of a batch to the scores of a stage; return what each sentence adds."""

    def tallies(self, stage: str, columns: Mapping[str, AnyArray]) -> list[Tally]:
        """Return what each sentence adds."""
        kept, self.kept[stage] = self.kept[stage], []
        counted, losses = [one for one, _ in kept], [one for _, one in kept]
        return [joined(counted), averaged("loss", np.concatenate(losses))] if kept else []

    def taken_loss(self, stage: str) -> float:
        """Return the mean loss of a sentence of a stage, and begin anew."""
        loss = float(self._losses(stage).compute())
        self._losses(stage).reset()
        return loss

    def _losses(self, stage: str) -> MeanMetric:
        losses = self.losses[f"{stage}_loss"]
        assert isinstance(losses, MeanMetric)
        return losses
