"""Several translators as one: their probabilities are averaged at every step."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.decoding.grid import Demand
from gru_nlp.models.base import Model
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.nn.decoder_state import DecoderState
from gru_nlp.outputs import Hypotheses


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

    def settle(self) -> None:
        """Settle every member."""
        for model in self._models():
            model.settle()

    def step(self, tokens: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState]:
        """Return averaged log-probabilities ``(B, K, V)`` after last ``tokens`` ``(B, K)``, and the states."""
        scores, _, after = self.attended_step(tokens, state)
        return scores, after

    def attended_step(self, tokens: Tensor, state: EnsembleState) -> tuple[Tensor, Tensor, EnsembleState]:
        """Return the same with the mean of the members' attention ``(B, K, S)``, before the states."""
        members = zip(self._models(), state.members, strict=True)
        scores, weights, after = zip(*(model.attended_step(tokens, one) for model, one in members), strict=True)
        joined = torch.stack(scores).logsumexp(dim=0) - math.log(len(scores))
        return joined, torch.stack(weights).mean(dim=0), EnsembleState(after)

    @torch.inference_mode()
    def predict(self, batch: SequencePairBatch[Tensor], top_k: int = 1) -> Hypotheses[Tensor]:
        """Translate a batch; the strategy says how many hypotheses it gives."""
        state = EnsembleState(tuple(model.opened(batch.inputs, batch.lengths) for model in self._models()))
        found = self.decoding(self.step, state, batch.lengths)
        return found._replace(totals=self.decoding.totals(found))

    @torch.inference_mode()
    def forced(self, batch: SequencePairBatch[Tensor], demands: Sequence[Demand]) -> Hypotheses[AnyArray]:
        """Translate a batch so that each translation holds what is demanded of it."""
        state = EnsembleState(tuple(model.opened(batch.inputs, batch.lengths) for model in self._models()))
        return self.decoding.forced(self.attended_step, state, batch.lengths, demands)
