"""The graphs of a translator: what runs once a sentence, a step of its decoder, and what makes scores of features."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gru_nlp.models.graphs import Answers, Axes, Graph, Sizes, drawn_ids, drawn_lengths
from gru_nlp.nn.decoder_state import DecoderState

if TYPE_CHECKING:
    from gru_nlp.models.seq2seq import Seq2Seq

#: Open axes: B sentences, S steps of a source, K hypotheses of a sentence.
SOURCE: Axes = {0: "B", 1: "S"}
OPEN: Axes = {0: "B", 1: "K"}
#: What a step reads beside its tokens, and what of it each hypothesis has for itself.
KNOWN: dict[str, Axes] = {"hidden": OPEN, "keys": SOURCE, "values": SOURCE, "mask": SOURCE, "fed": OPEN}
FOR_EACH = ("hidden", "fed")
#: Share of the ids that a drawn sentence may not hold.
UNLIKELY = 0.3
#: What begins a search, and what steps on in it.
Parts = tuple[Callable[[Tensor, Tensor], DecoderState], Callable[[Tensor, DecoderState], tuple[Tensor, DecoderState]]]


def graphs(model: "Seq2Seq") -> list[Graph]:
    """Return the graphs of a model; that among some tokens alone where a short-list was learned."""
    feeds = model.decoder.fed_size > 0
    known = {name: axes for name, axes in KNOWN.items() if feeds or name != "fed"}
    first = {name: {0: "B"} if name in FOR_EACH else axes for name, axes in known.items()}
    own = {f"{name}_after": axes for name, axes in known.items() if name in FOR_EACH}  # no two names are alike
    after = {"features": OPEN, **own, "weights": {**OPEN, 2: "S"}}
    read: dict[str, Axes] = {"features": OPEN}
    likely: dict[str, Axes] = {"log_probabilities": OPEN}
    source: dict[str, Axes] = {"inputs": SOURCE, "lengths": {0: "B"}}
    found = [
        Graph("encoder", _Start(model, feeds), source, first, partial(drawn_sources, model)),
        Graph("step", _Step(model), {"tokens": OPEN, **known}, after, partial(drawn_step, model)),
        Graph("output", _Output(model), read, likely, partial(drawn_features, model)),
    ]
    if model.has_candidates:
        read = {**read, "ids": {0: "U"}, "mask": {0: "B", 1: "U"}}
        likely = {"log_probabilities": {**OPEN, 2: "U"}}
        found.append(Graph("among", _Among(model), read, likely, partial(drawn_among, model)))
    return found


def parts(model: "Seq2Seq", answers: Answers) -> Parts:
    """Return the first state and the steps that graphs give in the place of a model's."""

    def start(inputs: Tensor, lengths: Tensor) -> DecoderState:
        hidden, keys, values, mask, *fed = answers["encoder"](inputs, lengths)
        return DecoderState(hidden, fed[0] if fed else hidden.new_zeros(len(hidden), 1, 0), keys, values, mask)

    def step(tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        known = (state.hidden, state.keys, state.values, state.mask)
        features, hidden, *rest = answers["step"](tokens, *known, *([state.fed] if model.decoder.fed_size else []))
        (likely,) = answers["output"](features)
        return likely, state._replace(hidden=hidden, fed=rest[0] if len(rest) > 1 else state.fed)

    return start, step


def drawn_sources(model: "Seq2Seq", sizes: Sizes, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return sources and their lengths, by chance."""
    lengths = drawn_lengths(sizes, random)
    return drawn_ids(model.sizes[0], lengths, random), lengths


@torch.no_grad()
def drawn_step(model: "Seq2Seq", sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
    """Return last tokens, by chance, of hypotheses of sources, and what is known of these."""
    state = model.start(*drawn_sources(model, sizes, random))
    tokens = torch.randint(model.sizes[1], (sizes.rows, sizes.hypotheses), generator=random)
    own = (torch.rand(*tokens.shape, field.shape[2], generator=random) for field in (state.hidden, state.fed))
    hidden, fed = (2.0 * part - 1.0 for part in own)
    known = (hidden, state.keys, state.values, state.mask)
    return (tokens, *known, fed) if model.decoder.fed_size else (tokens, *known)


def drawn_features(model: "Seq2Seq", sizes: Sizes, random: torch.Generator) -> tuple[Tensor]:
    """Return features of a step, by chance."""
    size = model.output_weight.shape[1]
    return (2.0 * torch.rand(sizes.rows, sizes.hypotheses, size, generator=random) - 1.0,)


def drawn_among(model: "Seq2Seq", sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
    """Return features of a step, target ids, and which of these a sentence may hold, by chance."""
    ids = torch.randint(model.sizes[1], (sizes.steps + 1,), generator=random)
    barred = torch.rand(sizes.rows, len(ids), generator=random) < UNLIKELY
    barred[:, 0] = False
    return (*drawn_features(model, sizes, random), ids, torch.zeros(barred.shape).masked_fill(barred, float("-inf")))


class _Start(nn.Module):
    """The state of a decoder before its first step, its fields one by one."""

    def __init__(self, model: "Seq2Seq", feeds: bool) -> None:
        super().__init__()
        self.model, self.feeds = model, feeds

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        state = self.model.start(inputs, lengths)
        known = (state.hidden, state.keys.clone(), state.values, state.mask)  # keys may be the values themselves
        return (*known, state.fed) if self.feeds else known


class _Step(nn.Module):
    """One step of a decoder, the fields of its state one by one."""

    def __init__(self, model: "Seq2Seq") -> None:
        super().__init__()
        self.model = model

    def forward(
        self, tokens: Tensor, hidden: Tensor, keys: Tensor, values: Tensor, mask: Tensor, fed: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        before = hidden.new_zeros(*tokens.shape, 0) if fed is None else fed
        step = self.model.decoder.step(self.model.embed(tokens), DecoderState(hidden, before, keys, values, mask))
        after = (step.state.hidden,) if fed is None else (step.state.hidden, step.state.fed.clone())  # they may be one
        return step.features, *after, step.weights


class _Output(nn.Module):
    """The log-probabilities of all tokens."""

    def __init__(self, model: "Seq2Seq") -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        return self.model.project(features).log_softmax(dim=2)


class _Among(nn.Module):
    """The log-probabilities of some tokens, ``ids`` ``(U,)``, with what each sentence's own ``mask`` adds to them."""

    def __init__(self, model: "Seq2Seq") -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        weight, bias = (part.index_select(0, ids) for part in (self.model.output_weight, self.model.bias))
        return (nn.functional.linear(features, weight, bias) + mask[:, None]).log_softmax(dim=2)
