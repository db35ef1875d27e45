"""Several translators as one: their probabilities are averaged at every step."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gru_nlp.batch import Hypotheses, SequencePairBatch
from gru_nlp.models.base import Model
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.nn.decoder import DecoderState


class EnsembleState(NamedTuple):
    """The decoder state of every member."""

    members: tuple[DecoderState, ...]

    def select_sentences(self, rows: Tensor) -> "EnsembleState":
        """Keep the sentences ``rows`` ``(B',)``."""
        return EnsembleState(tuple(state.select_sentences(rows) for state in self.members))

    def select_hypotheses(self, places: Tensor) -> "EnsembleState":
        """Take hypotheses ``places`` ``(B, K')`` of every sentence, in their order."""
        return EnsembleState(tuple(state.select_hypotheses(places) for state in self.members))


class Ensemble(Model[SequencePairBatch[Tensor]]):
    """Decode by the mean of the members' probabilities, with the first one's strategy.

    Args:
        members: over one vocabulary.
    """

    def __init__(self, members: Sequence[Seq2Seq]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.decoding = members[0].decoding

    def _models(self) -> list[Seq2Seq]:
        return [member for member in self.members if isinstance(member, Seq2Seq)]

    def step(self, tokens: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState]:
        """Return averaged log-probabilities ``(B, K, V)`` after last ``tokens`` ``(B, K)``, and the states."""
        steps = [model.step(tokens, one) for model, one in zip(self._models(), state.members, strict=True)]
        joined = torch.stack([scores for scores, _ in steps]).logsumexp(dim=0) - math.log(len(steps))
        return joined, EnsembleState(tuple(after for _, after in steps))

    @torch.inference_mode()
    def predict(self, batch: SequencePairBatch[Tensor], top_k: int = 1) -> Hypotheses[Tensor]:
        """Translate a batch; the strategy says how many hypotheses it gives."""
        state = EnsembleState(tuple(model.start(batch.inputs, batch.lengths) for model in self._models()))
        return self.decoding(self.step, state, batch.lengths)
