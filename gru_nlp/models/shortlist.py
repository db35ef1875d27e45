"""Searching among the candidates of each sentence alone: a smaller product with the vocabulary at every step.

How it works. Of a batch, the union of its sentences' candidates stands for the vocabulary: U sorted ids, of which the
special ones come first and so keep their numbers. The features are multiplied by these rows of the output matrix; what
is no candidate of its own sentence gets minus infinity, before the softmax, so that no sentence depends on those beside
it. The strategy searches among U tokens and knows nothing of it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from gru_nlp.decoding.base import DecodingStrategy, StepFunction
from gru_nlp.nn.decoder_state import DecoderState
from gru_nlp.outputs import Hypotheses


class Among(NamedTuple):
    """A decoder's state, and the bias ``(B, U)`` of each sentence's candidates, minus infinity elsewhere."""

    state: DecoderState
    bias: Tensor

    def select_sentences(self, rows: Tensor) -> "Among":
        """Keep the sentences ``rows`` ``(B',)``."""
        return Among(self.state.select_sentences(rows), self.bias.index_select(0, rows))

    def select_hypotheses(self, places: Tensor) -> "Among":
        """Take hypotheses ``places`` ``(B, K')`` of every sentence, in their order."""
        return self._replace(state=self.state.select_hypotheses(places))


def search_among(
    candidates: Tensor,
    features: StepFunction[DecoderState],
    output: tuple[Tensor, Tensor],
    strategy: DecodingStrategy,
    state: DecoderState,
    lengths: Tensor,
) -> Hypotheses[Tensor]:
    """Search.

    Args:
        candidates: ids ``(B, C)`` of each sentence, the special ones among them, padded.
        features: last tokens and a state to features ``(B, K, R)`` and the state after them.
        output: weight ``(V, R)`` and bias ``(V,)`` of the projection.
        strategy: which searches.
        state: before the first step.
        lengths: of the sources, ``(B,)``.
    """
    ids, places = torch.unique(candidates, return_inverse=True)  # (U,), (B, C)
    weight, own = (part.index_select(0, ids) for part in output)
    bias = own.new_full((len(candidates), len(ids)), float("-inf")).scatter_(1, places, own[places])

    def step(tokens: Tensor, before: Among) -> tuple[Tensor, Among]:
        found, after = features(ids[tokens], before.state)
        logits = torch.nn.functional.linear(found, weight) + before.bias[:, None]
        return logits.log_softmax(dim=2), Among(after, before.bias)

    found = strategy(step, Among(state, bias), lengths)
    return found._replace(tokens=ids[found.tokens])
