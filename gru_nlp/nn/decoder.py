"""Recurrent decoders with attention: a sequence form for training and a step form for decoding, equal to it.

How they work. ``start`` runs once a batch: it takes the encoder's final state to the first hidden state, and its states
to the attention's keys. ``step`` advances K hypotheses of every sentence at once; ``forward`` does the same for the
whole target: by steps, whose units share what they can (``Cell.stepping``) and whose readout comes after the last; in
``ParallelDecoder`` without, since no step there needs the context of the one before, so that both layers and the
attention run over all T steps in three calls. Kept between steps is a ``DecoderState``, batch first: what belongs to a
hypothesis (hidden, fed) and what belongs to a sentence and is shared by its hypotheses (keys, values, mask), so that a
beam that reorders its hypotheses copies the small part alone. Features are projected to the vocabulary by the model,
all steps of a target together. ``decoding_form`` is the step form again, quicker, for weights that change no more.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn import decoder_forms as forms
from gru_nlp.nn.attention import MakeAttention
from gru_nlp.nn.cell import Cell, MakeCell, TakeStep
from gru_nlp.nn.decoder_state import DecoderState, Step
from gru_nlp.nn.dropout import Dropout
from gru_nlp.nn.products import Linear


class Decoder(nn.Module, ABC):
    """From target embeddings and a memory to features, one a target step.

    Args:
        input_size: E.
        memory_size: M.
        hidden_size: H.
        output_size: R.
        cell: makes a recurrent unit from (input size, hidden size).
        attention: makes the attention from the sizes of queries and memory.
        dropout: share of contexts, inner states and features dropped.

    Raises:
        UserError: the unit does not run step by step as it does over a sequence.
    """

    #: Whether the last features enter the next step, and whether the readout sees the embedding.
    feeds_features = False
    reads_embedding = True

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        hidden_size: int,
        output_size: int,
        cell: MakeCell,
        attention: MakeAttention,
        dropout: float,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.output_size = output_size
        self.fed_size = output_size if self.feeds_features else 0
        self.query_size = self.choose_query_size(input_size, hidden_size)
        self.attention = attention(self.query_size, memory_size)
        self.readout = Linear(hidden_size + memory_size + input_size * self.reads_embedding, output_size)
        self.dropout = Dropout(dropout)
        self.bridge = Linear(memory_size, self.add_units(cell, input_size, memory_size, hidden_size))
        for unit in self.units:
            if not unit.steps_alone:
                told = f"a decoder's steps come one by one, and {type(unit).__name__} normalises over all of a batch"
                raise UserError(f"{told}: set decoder.cell=gru")

    @property
    def units(self) -> list[Cell]:
        """The recurrent units, in the order of a step."""
        return [unit for unit in self.children() if isinstance(unit, Cell)]

    def choose_query_size(self, input_size: int, hidden_size: int) -> int:
        """Return the size of the state that attends."""
        return hidden_size

    @abstractmethod
    def add_units(self, cell: MakeCell, input_size: int, memory_size: int, hidden_size: int) -> int:
        """Make the recurrent units; return P, the size of what they keep between steps."""

    def start(self, states: Tensor, final: Tensor, lengths: Tensor) -> DecoderState:
        """Return the state before the first step, with one open hypothesis a sentence.

        Args:
            states: of the encoder, ``(B, S, M)``.
            final: of the encoder, ``(B, M)``.
            lengths: of the sources, ``(B,)``.
        """
        hidden = torch.tanh(self.bridge(final))[:, None]  # (B, 1, P)
        fed = final.new_zeros(final.shape[0], 1, self.fed_size)
        return DecoderState(hidden, fed, *self.attention.memory(states, lengths))

    def forward(self, embedded: Tensor, state: DecoderState) -> Tensor:
        """Return features ``(B, T, R)`` of target embeddings ``(B, T, E)``, each shifted one step to the right."""
        return self.attended(embedded, state)[0]

    def attended(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Return the same, and attention weights ``(B, T, S)``."""
        seen, weights, units = [], [], [unit.stepping() for unit in self.units]
        for place in range(embedded.shape[1]):
            step = self.advance(embedded[:, place : place + 1], state, units)
            seen.append(step.features)
            weights.append(step.weights)
            state = self.gone_on(step)
        return self.finish(torch.cat(seen, dim=1), embedded), torch.cat(weights, dim=1)

    def gone_on(self, step: Step) -> DecoderState:
        """Return the state after a step of one hypothesis a sentence, with what the next one may attend to."""
        return step.state._replace(mask=self.attention.reach(step.state.mask, step.weights[:, 0]))

    def step(self, embedded: Tensor, state: DecoderState) -> Step:
        """Take one step on the embeddings ``(B, K, E)`` of the last tokens of K hypotheses a sentence."""
        step = self.advance(embedded, state, [unit.step for unit in self.units])
        return step._replace(features=self.finish(step.features, embedded))

    @abstractmethod
    def advance(self, embedded: Tensor, state: DecoderState, units: Sequence[TakeStep]) -> Step:
        """Take one step by the step forms of ``units``, whose features are not yet finished.

        They are what the readout reads, the embedding aside: ``(B, K, H + M)``.
        """

    def finish(self, seen: Tensor, embedded: Tensor) -> Tensor:
        """Return the features ``(B, T, R)`` of T steps from what ``advance`` gives of them."""
        return self.read(seen, embedded)

    def decoding_form(self, vectors: Tensor) -> forms.DecodingForm | None:
        """Return the step form for a search over target tokens of ``vectors`` ``(V, E)``; None: there is but this one.

        It holds what these weights give, and must be made again when they change.
        """
        return None

    def read(self, *parts: Tensor) -> Tensor:
        """Project what a step knows to features: a tanh layer."""
        return cast(Tensor, self.dropout(torch.tanh(self.readout(torch.cat(parts, dim=2)))))


class MakeDecoder(Protocol):
    """Makes the decoder from the sizes that embedding and encoder have; the other options are a person's."""

    def __call__(self, input_size: int, memory_size: int, *, output_size: int) -> Decoder:
        """See ``Decoder``."""


class ParallelDecoder(Decoder):
    """Two recurrent layers with attention between them, trained without a loop over time.

    ``a_t = GRU(y_t, a_{t-1})``; ``c_t = attention(a_t)``; ``s_t = GRU([a_t; c_t], s_{t-1})``; features of
    ``[s_t; c_t; y_t]``. No step needs the context of the one before, so each layer runs over the whole target at
    once, as in GNMT's first layer (Wu et al. 2016, section 3) and in Luong et al. 2015 without input feeding.
    The first layer, which only has to know where to look, is as wide as the embedding: E.
    """

    def choose_query_size(self, input_size: int, hidden_size: int) -> int:
        """Return E."""
        return input_size

    def add_units(self, cell: MakeCell, input_size: int, memory_size: int, hidden_size: int) -> int:
        """Make the recurrent units."""
        self.first = cell(input_size, self.query_size)
        self.second = cell(self.query_size + memory_size, hidden_size)
        return self.query_size + hidden_size

    def _split(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        return hidden[:, :, : self.query_size], hidden[:, :, self.query_size :]

    def attended(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Return features ``(B, T, R)`` and weights: two calls of a GRU and one of the attention, whatever T."""
        first, second = self._split(state.hidden[:, :1])
        queries = self.first.show(self.first(embedded, first[:, 0]))  # (B, T, E)
        contexts, weights = self.attention(queries, state.memory)  # (B, T, M)
        contexts = self.dropout(contexts)
        inputs = torch.cat([self.dropout(queries), contexts], dim=2)
        return self.read(self.second.show(self.second(inputs, second[:, 0])), contexts, embedded), weights

    def advance(self, embedded: Tensor, state: DecoderState, units: Sequence[TakeStep]) -> Step:
        """Take one step of both layers."""
        first, second = self._split(state.hidden)
        first = units[0](embedded, first)
        queries = self.first.show(first)
        contexts, weights = self.attention(queries, state.memory)
        contexts = self.dropout(contexts)
        inputs = torch.cat([self.dropout(queries), contexts], dim=2)
        second = units[1](inputs, second)
        seen = torch.cat([self.second.show(second), contexts], dim=2)
        return Step(seen, state._replace(hidden=torch.cat([first, second], dim=2)), weights)

    def decoding_form(self, vectors: Tensor) -> forms.DecodingForm | None:
        """Return it where both units tell their maps."""
        first, second = self.first.input_map(), self.second.input_map()
        return forms.ParallelForm(self, vectors, first, second) if first and second else None


class BahdanauDecoder(Decoder):
    """``c_t = attention(s_{t-1})``, ``s_t = GRU([y_t; c_t], s_{t-1})`` (Bahdanau et al. 2015, section 3.1)."""

    def add_units(self, cell: MakeCell, input_size: int, memory_size: int, hidden_size: int) -> int:
        """Make the recurrent unit."""
        self.unit = cell(input_size + memory_size, hidden_size)
        return hidden_size

    def advance(self, embedded: Tensor, state: DecoderState, units: Sequence[TakeStep]) -> Step:
        """Attend with the last state, then take a step."""
        contexts, weights = self.attention(self.unit.show(state.hidden), state.memory)
        contexts = self.dropout(contexts)
        hidden = units[0](torch.cat([embedded, contexts], dim=2), state.hidden)
        seen = torch.cat([self.unit.show(hidden), contexts], dim=2)
        return Step(seen, state._replace(hidden=hidden), weights)

    def decoding_form(self, vectors: Tensor) -> forms.DecodingForm | None:
        """Return it where the unit tells its map."""
        own = self.unit.input_map()
        return forms.BahdanauForm(self, vectors, own) if own else None


class ConditionalDecoder(Decoder):
    """The conditional GRU: ``s' = GRU(y_t, s_{t-1})``, ``c_t = attention(s')``, ``s_t = GRU(c_t, s')``.

    As in Nematus (Sennrich et al. 2017, section 2) and nmtpytorch: two transitions a step share one state.
    """

    def add_units(self, cell: MakeCell, input_size: int, memory_size: int, hidden_size: int) -> int:
        """Make the recurrent units."""
        self.first = cell(input_size, hidden_size)
        self.second = cell(memory_size, hidden_size)
        return hidden_size

    def advance(self, embedded: Tensor, state: DecoderState, units: Sequence[TakeStep]) -> Step:
        """Take both transitions."""
        middle = units[0](embedded, state.hidden)
        contexts, weights = self.attention(self.first.show(middle), state.memory)
        contexts = self.dropout(contexts)
        hidden = units[1](contexts, middle)
        seen = torch.cat([self.second.show(hidden), contexts], dim=2)
        return Step(seen, state._replace(hidden=hidden), weights)

    def decoding_form(self, vectors: Tensor) -> forms.DecodingForm | None:
        """Return it where both units tell their maps."""
        first, second = self.first.input_map(), self.second.input_map()
        return forms.ConditionalForm(self, vectors, first, second) if first and second else None


class InputFeedingDecoder(Decoder):
    """``s_t = GRU([y_t; f_{t-1}], s_{t-1})``, features ``f_t`` of ``[s_t; c_t]`` (Luong et al. 2015, section 3.3)."""

    feeds_features = True
    reads_embedding = False

    def add_units(self, cell: MakeCell, input_size: int, memory_size: int, hidden_size: int) -> int:
        """Make the recurrent unit."""
        self.unit = cell(input_size + self.output_size, hidden_size)
        return hidden_size

    def advance(self, embedded: Tensor, state: DecoderState, units: Sequence[TakeStep]) -> Step:
        """Take a step, then attend; the features are needed at once."""
        hidden = units[0](torch.cat([embedded, state.fed], dim=2), state.hidden)
        seen = self.unit.show(hidden)
        contexts, weights = self.attention(seen, state.memory)
        features = self.read(seen, self.dropout(contexts))
        return Step(features, state._replace(hidden=hidden, fed=features), weights)

    def finish(self, seen: Tensor, embedded: Tensor) -> Tensor:
        """Return the features, which each step has finished."""
        return seen

    def decoding_form(self, vectors: Tensor) -> forms.DecodingForm | None:
        """Return it where the unit tells its map."""
        own = self.unit.input_map()
        return forms.InputFeedingForm(self, vectors, own) if own else None
