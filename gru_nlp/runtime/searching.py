"""What decoding strategies in numpy share, and the simple ones; ``gru_nlp.decoding`` says how they work.

Shapes: B sentences, K hypotheses, V tokens, T target steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from gru_nlp.abandoning import go_on
from gru_nlp.batch import AnyArray
from gru_nlp.decoding import grid
from gru_nlp.decoding.drawing import LEAST
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.runtime.chance import drawn, narrowed
from gru_nlp.text.special import BOS, EOS, PAD, UNK

State = TypeVar("State", bound="Selectable")


class Selectable(Protocol):
    """A decoder's state, as far as a strategy touches it."""

    def select_sentences(self: State, rows: AnyArray) -> State:
        """Keep the sentences ``rows``."""

    def select_hypotheses(self: State, places: AnyArray) -> State:
        """Take the hypotheses ``places`` ``(B, K')`` of every sentence."""


#: Last tokens ``(B, K)`` and a state -> log-probabilities ``(B, K, V)``, which may be written to, and the state after.
StepFunction = Callable[[AnyArray, State], tuple[AnyArray, State]]


class Limits(NamedTuple):
    """Fewest tokens of a hypothesis, and the most of each sentence's ``(B,)``, the end mark not counted."""

    shortest: int
    longest: AnyArray


class Strategy(ABC):
    """A way to choose tokens, as ``gru_nlp.decoding.base.DecodingStrategy``, with the same options."""

    #: As in ``gru_nlp.decoding.base``.
    n_best: int = 1
    beam_size: int = 1
    length_penalty: float = 0.0

    def __init__(self, *, max_ratio: float, max_extra: int, min_length: int) -> None:
        self.max_ratio = max_ratio
        self.max_extra = max_extra
        self.min_length = min_length

    def limits(self, source_lengths: AnyArray) -> Limits:
        """Return the limits for sources of ``source_lengths`` ``(B,)``."""
        # In float32, as torch multiplies whole numbers by a float.
        longest = (source_lengths.astype(np.float32) * np.float32(self.max_ratio)).astype(np.int64) + self.max_extra
        return Limits(self.min_length, np.maximum(longest, max(1, self.min_length)))

    def totals(self, found: Hypotheses[AnyArray]) -> AnyArray:
        """Return the summed log-probabilities ``(B, N)`` of hypotheses, by default what they are ranked by."""
        return found.scores

    def forced(
        self, step: grid.StepFunction[State], state: State, source_lengths: AnyArray, demands: Sequence[grid.Demand]
    ) -> Hypotheses[AnyArray]:
        """Search for hypotheses that hold what is demanded, whatever the strategy else is."""
        limits = self.limits(source_lengths)
        beam = grid.Beam(self.beam_size, self.n_best, self.length_penalty, limits.shortest, limits.longest.tolist())
        return grid.search(step, state, demands, beam)

    @abstractmethod
    def __call__(self, step: StepFunction[State], state: State, source_lengths: AnyArray) -> Hypotheses[AnyArray]:
        """Decode; ``state`` holds one open hypothesis a sentence."""


def restrict(scores: AnyArray, place: int, limits: Limits) -> AnyArray:
    """Forbid what may not stand at ``place``, as ``gru_nlp.decoding.base.restrict``; in place."""
    scores[:, :, [PAD, UNK, BOS]] = -np.inf
    if place < limits.shortest:
        scores[:, :, EOS] = -np.inf
    over = np.flatnonzero(place >= limits.longest)
    if len(over):
        ends = scores[over, :, EOS]
        scores[over] = -np.inf
        scores[over, :, EOS] = ends
    return scores


def collect(
    tokens: Sequence[AnyArray], lengths: Sequence[AnyArray], scores: Sequence[AnyArray]
) -> Hypotheses[AnyArray]:
    """Join the hypotheses of single sentences, ``(N, T_i)`` each, padding the tokens."""
    steps = max((part.shape[1] for part in tokens), default=0)
    padded = [np.pad(part, ((0, 0), (0, steps - part.shape[1])), constant_values=PAD) for part in tokens]
    return Hypotheses(np.stack(padded), np.stack(list(lengths)), np.stack(list(scores)))


def nothing(n_best: int) -> Hypotheses[AnyArray]:
    """Return the hypotheses of no sentence."""
    none = np.zeros((0, n_best), dtype=np.int64)
    return Hypotheses(none[:, :, None][:, :, :0], none, none.astype(np.float32))


class Greedy(Strategy):
    """Take the likeliest token until it is the end mark (``gru_nlp.decoding.greedy.Greedy``)."""

    def __call__(self, step: StepFunction[State], state: State, source_lengths: AnyArray) -> Hypotheses[AnyArray]:
        """Search; sentences leave the batch as they end."""
        limits, count = self.limits(source_lengths), len(source_lengths)
        rows = np.arange(count)
        tokens, total = np.full((count, 1), BOS), np.zeros(count, dtype=np.float32)
        found: dict[int, tuple[AnyArray, AnyArray, AnyArray]] = {}
        while len(rows):
            go_on()
            scores, state = step(tokens[:, -1:], state)
            scores = restrict(scores, tokens.shape[1] - 1, limits)[:, 0]  # (B, V)
            chosen = scores.argmax(axis=1)
            total = total + scores[np.arange(len(rows)), chosen]
            for place in np.flatnonzero(chosen == EOS).tolist():
                words = tokens[place : place + 1, 1:]
                found[int(rows[place])] = (words, np.array([words.shape[1]]), total[place : place + 1])
            kept = np.flatnonzero(chosen != EOS)
            tokens = np.concatenate([tokens, chosen[:, None]], axis=1)
            if len(kept) < len(rows):
                rows, tokens, total, state = rows[kept], tokens[kept], total[kept], state.select_sentences(kept)
                limits = limits._replace(longest=limits.longest[kept])
        return collect(*zip(*(found[row] for row in range(count)), strict=True)) if count else nothing(1)


class Sampling(Strategy):
    """Draw one hypothesis a sentence (``gru_nlp.decoding.sampling.Sampling``); its random numbers are numpy's."""

    def __init__(
        self,
        *,
        temperature: float,
        top_k: int | None,
        top_p: float,
        seed: int,
        max_ratio: float,
        max_extra: int,
        min_length: int,
    ) -> None:
        super().__init__(max_ratio=max_ratio, max_extra=max_extra, min_length=min_length)
        if not 0.0 < temperature < float("inf"):
            raise UserError(f"decoding.temperature={temperature} must be above 0")
        if not 0.0 < top_p <= 1.0:
            raise UserError(f"decoding.top_p={top_p} must be above 0 and at most 1")
        self.temperature = max(temperature, LEAST)  # below it nothing but the likeliest is drawn, until floats end
        self.top_k = top_k
        self.top_p = top_p
        self.seed = seed

    def __call__(self, step: StepFunction[State], state: State, source_lengths: AnyArray) -> Hypotheses[AnyArray]:
        """Draw token by token until every sentence has ended."""
        generator = np.random.default_rng(self.seed % 2**64)
        limits, count = self.limits(source_lengths), len(source_lengths)
        tokens, total = np.full((count, 1), BOS), np.zeros(count, dtype=np.float32)
        lengths, running = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.bool_)
        while running.any():
            go_on()
            scores, state = step(tokens[:, -1:], state)
            scores = restrict(scores, tokens.shape[1] - 1, limits)[:, 0]  # (B, V)
            raised = scores - scores.max(axis=1, keepdims=True)  # of which one stays a number, whatever the temperature
            weights = narrowed(raised / self.temperature, self.top_k, self.top_p)
            chosen = drawn(weights, [generator] * count)  # (B,)
            total = total + np.where(running, scores[np.arange(count), chosen], 0.0).astype(np.float32)
            running = running & (chosen != EOS)
            lengths = lengths + running
            tokens = np.concatenate([tokens, np.where(running, chosen, PAD)[:, None]], axis=1)
        return Hypotheses(tokens[:, None, 1:], lengths[:, None], total[:, None])
