"""Decoders in the form in which they search: what does not depend on a hypothesis is computed before the search.

How it works. Three things enter a step: the last token's vector, the context, and the state. Whatever layer reads the
vector reads one of V vectors: the products of all of them, side by side, are one table ``(V, W)``, of which a step
takes rows. Whatever layer reads the context reads a weighted mean of the encoder's states, and the product of a mean is
the mean of the products: so the states are multiplied once a sentence, S times, instead of the contexts T K times, and
the attention sums products ``(B, S, C)``. As its weights sum to one, the layers' biases may stand in these as well.
What is left of a step are the products with the state. Results are those of the decoder's own step, but for rounding.

Shapes, beside those of ``gru_nlp.nn.decoder``: N = B K hypotheses; W and C features of all layers that read a vector,
or a context.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import linear

from gru_nlp.nn.decoder_state import DecoderState, Step
from gru_nlp.nn.tanh import tanh_

if TYPE_CHECKING:
    from gru_nlp.nn import decoder as decoders

#: Weight and bias of a linear layer, or of the part of one that reads some of its inputs.
Map = tuple[Tensor, Tensor]
#: Numbers of the largest table, 64 MB of them; of a larger vocabulary each step computes its own rows.
MOST_NUMBERS = 2**24


class DecodingForm(ABC):
    """A decoder for searching, with the weights that it has now.

    Args:
        decoder: in evaluation mode.
        vectors: of the target tokens, ``(V, E)``.
        word_maps: of the layers that read a token's vector.
        context_maps: of those that read a context.
    """

    def __init__(
        self, decoder: "decoders.Decoder", vectors: Tensor, word_maps: Sequence[Map], context_maps: Sequence[Map]
    ) -> None:
        self.attention = decoder.attention
        self.vectors = vectors
        self.of_words, self.of_contexts = _side_by_side(word_maps), _side_by_side(context_maps)
        whole = len(vectors) * len(self.of_words[0]) <= MOST_NUMBERS
        self.table = linear(vectors, *self.of_words) if whole else None

    def opened(self, state: DecoderState) -> DecoderState:
        """Return the decoder's first state as this form keeps it: its values are products ``(B, S, C)``."""
        return state._replace(values=linear(state.values, *self.of_contexts)) if self.attention.sums_values else state

    def words(self, tokens: Tensor) -> Tensor:
        """Return the products ``(N, W)`` of tokens ``(B, K)``."""
        flat = tokens.flatten()
        if self.table is not None:
            return self.table.index_select(0, flat)
        return linear(self.vectors.index_select(0, flat), *self.of_words)

    def attend(self, queries: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Return the products ``(N, C)`` of the contexts of queries ``(N, Q)``, and the weights ``(B, K, S)``."""
        contexts, weights = self.attention(queries.view(*state.hidden.shape[:2], -1), state.memory)
        flat: Tensor = contexts.flatten(0, 1)
        return flat if self.attention.sums_values else linear(flat, *self.of_contexts), weights

    @abstractmethod
    def step(self, tokens: Tensor, state: DecoderState) -> Step:
        """Take one step on the last tokens ``(B, K)`` of K hypotheses a sentence."""


class ParallelForm(DecodingForm):
    """``ParallelDecoder``; the second unit reads queries and contexts."""

    def __init__(self, decoder: "decoders.ParallelDecoder", vectors: Tensor, first: Map, second: Map) -> None:
        self.first, self.second = decoder.first, decoder.second
        of_hidden, of_contexts, of_words = _readout(decoder)
        queries = decoder.query_size
        self.of_queries, self.of_hidden = second[0][:, :queries].t(), of_hidden.t()
        self.sizes = queries, len(first[0]), len(second[0])
        super().__init__(
            decoder, vectors, [first, _unbiased(of_words)], [(second[0][:, queries:], second[1]), of_contexts]
        )

    def step(self, tokens: Tensor, state: DecoderState) -> Step:
        """Take one step of both layers."""
        queries, first, second = self.sizes
        words, before = self.words(tokens), state.hidden.flatten(0, 1)
        inner = self.first.step_on(words[:, :first], before[:, :queries])
        query = self.first.show(inner)
        contexts, weights = self.attend(query, state)
        hidden = self.second.step_on(contexts[:, :second].addmm_(query, self.of_queries), before[:, queries:])
        features = (contexts[:, second:] + words[:, first:]).addmm_(self.second.show(hidden), self.of_hidden)
        after = torch.cat([inner, hidden], dim=1).view(*tokens.shape, -1)
        return Step(tanh_(features).view(*tokens.shape, -1), state._replace(hidden=after), weights)


class BahdanauForm(DecodingForm):
    """``BahdanauDecoder``; its unit reads vectors and contexts."""

    def __init__(self, decoder: "decoders.BahdanauDecoder", vectors: Tensor, own: Map) -> None:
        self.unit = decoder.unit
        of_hidden, of_contexts, of_words = _readout(decoder)
        self.of_hidden, self.gates = of_hidden.t(), len(own[0])
        by_words, by_contexts = own[0].tensor_split([vectors.shape[1]], dim=1)
        super().__init__(
            decoder, vectors, [_unbiased(by_words), _unbiased(of_words)], [(by_contexts, own[1]), of_contexts]
        )

    def step(self, tokens: Tensor, state: DecoderState) -> Step:
        """Attend with the last state, then take a step."""
        before = state.hidden.flatten(0, 1)
        contexts, weights = self.attend(self.unit.show(before), state)
        known = contexts + self.words(tokens)
        hidden = self.unit.step_on(known[:, : self.gates], before)
        features = torch.addmm(known[:, self.gates :], self.unit.show(hidden), self.of_hidden)
        after = state._replace(hidden=hidden.view(*tokens.shape, -1))
        return Step(tanh_(features).view(*tokens.shape, -1), after, weights)


class ConditionalForm(DecodingForm):
    """``ConditionalDecoder``; the first unit reads vectors, the second contexts."""

    def __init__(self, decoder: "decoders.ConditionalDecoder", vectors: Tensor, first: Map, second: Map) -> None:
        self.first, self.second = decoder.first, decoder.second
        of_hidden, of_contexts, of_words = _readout(decoder)
        self.of_hidden, self.sizes = of_hidden.t(), (len(first[0]), len(second[0]))
        super().__init__(decoder, vectors, [first, _unbiased(of_words)], [second, of_contexts])

    def step(self, tokens: Tensor, state: DecoderState) -> Step:
        """Take both transitions."""
        first, second = self.sizes
        words = self.words(tokens)
        middle = self.first.step_on(words[:, :first], state.hidden.flatten(0, 1))
        contexts, weights = self.attend(self.first.show(middle), state)
        hidden = self.second.step_on(contexts[:, :second], middle)
        features = (contexts[:, second:] + words[:, first:]).addmm_(self.second.show(hidden), self.of_hidden)
        after = state._replace(hidden=hidden.view(*tokens.shape, -1))
        return Step(tanh_(features).view(*tokens.shape, -1), after, weights)


class InputFeedingForm(DecodingForm):
    """``InputFeedingDecoder``; its unit reads vectors and the last features."""

    def __init__(self, decoder: "decoders.InputFeedingDecoder", vectors: Tensor, own: Map) -> None:
        self.unit = decoder.unit
        of_hidden, of_contexts, _ = _readout(decoder)
        by_words, by_fed = own[0].tensor_split([vectors.shape[1]], dim=1)
        self.of_hidden, self.of_fed = of_hidden.t(), by_fed.t()
        super().__init__(decoder, vectors, [(by_words, own[1])], [of_contexts])

    def step(self, tokens: Tensor, state: DecoderState) -> Step:
        """Take a step, then attend."""
        products = self.words(tokens).addmm_(state.fed.flatten(0, 1), self.of_fed)
        hidden = self.unit.step_on(products, state.hidden.flatten(0, 1))
        seen = self.unit.show(hidden)
        contexts, weights = self.attend(seen, state)
        features = tanh_(contexts.addmm_(seen, self.of_hidden)).view(*tokens.shape, -1)
        return Step(features, state._replace(hidden=hidden.view(*tokens.shape, -1), fed=features), weights)


def _side_by_side(maps: Sequence[Map]) -> Map:
    """Return maps of the same inputs as one, detached."""
    return torch.cat([weight.detach() for weight, _ in maps]), torch.cat([bias.detach() for _, bias in maps])


def _unbiased(weight: Tensor) -> Map:
    return weight, weight.new_zeros(len(weight))


def _readout(decoder: "decoders.Decoder") -> tuple[Tensor, Map, Tensor]:
    """Return the readout's weights of the state, those of the context with the bias, and those of the vector."""
    weight, bias = decoder.readout.weight, decoder.readout.bias
    memory = decoder.attention.output_size
    hidden = weight.shape[1] - memory - decoder.input_size * decoder.reads_embedding
    of_hidden, of_contexts, of_words = weight.detach().tensor_split([hidden, hidden + memory], dim=1)
    return of_hidden, (of_contexts, bias), of_words
