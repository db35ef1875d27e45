"""What every decoding strategy shares: the step function and the limits; sizes as in ``gru_nlp.nn``."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from gru_nlp.batch import AnyArray
from gru_nlp.decoding import grid
from gru_nlp.outputs import Hypotheses
from gru_nlp.tensors import to_array
from gru_nlp.text.special import EOS, PAD

State = TypeVar("State", bound="Selectable")


class Selectable(Protocol):
    """A decoder's state, as far as a strategy touches it."""

    def select_sentences(self: State, rows: Tensor) -> State:
        """Keep the sentences ``rows``."""

    def select_hypotheses(self: State, places: Tensor) -> State:
        """Take the hypotheses ``places`` ``(B, K')`` of every sentence."""


#: Last tokens ``(B, K)`` and a state -> log-probabilities ``(B, K, V)`` and the state after them.
StepFunction = Callable[[Tensor, State], tuple[Tensor, State]]

#: The same with the attention ``(B, K, S)`` that the log-probabilities were found by, before the state.
AttendedStep = Callable[[Tensor, State], tuple[Tensor, Tensor, State]]


class Limits(NamedTuple):
    """How long a hypothesis may be, the end mark not counted.

    Attributes:
        shortest: fewest tokens.
        longest: ``(B,)`` most tokens of each sentence.
    """

    shortest: int
    longest: Tensor


class DecodingStrategy(ABC):
    """A way to choose tokens.

    Args:
        max_ratio: most target tokens for each source token.
        max_extra: and so many more.
        min_length: fewest target tokens.
    """

    #: Hypotheses given back for a sentence, those that are followed, and what ranks them, as in ``BeamSearch``.
    n_best: int = 1
    beam_size: int = 1
    length_penalty: float = 0.0

    def __init__(self, *, max_ratio: float, max_extra: int, min_length: int) -> None:
        self.max_ratio = max_ratio
        self.max_extra = max_extra
        self.min_length = min_length

    def limits(self, source_lengths: Tensor) -> Limits:
        """Return the limits for sources of ``source_lengths`` ``(B,)``."""
        longest = (source_lengths * self.max_ratio).long() + self.max_extra
        return Limits(self.min_length, longest.clamp(min=max(1, self.min_length)))

    def totals(self, found: Hypotheses[Tensor]) -> Tensor:
        """Return the summed log-probabilities ``(B, N)`` of hypotheses, by default what they are ranked by."""
        return found.scores

    def forced(
        self, step: AttendedStep[State], state: State, source_lengths: Tensor, demands: Sequence[grid.Demand]
    ) -> Hypotheses[AnyArray]:
        """Search for hypotheses that hold what is demanded, whatever the strategy else is (``decoding.grid``)."""
        device = source_lengths.device

        def stepped(tokens: AnyArray, before: _Kept[State]) -> tuple[AnyArray, AnyArray, _Kept[State]]:
            scores, weights, after = step(torch.from_numpy(tokens).to(device), before.state)
            return to_array(scores), to_array(weights), _Kept(after, device)

        limits = self.limits(source_lengths)
        beam = grid.Beam(self.beam_size, self.n_best, self.length_penalty, limits.shortest, limits.longest.tolist())
        return grid.search(stepped, _Kept(state, device), demands, beam)

    @abstractmethod
    def __call__(self, step: StepFunction[State], state: State, source_lengths: Tensor) -> Hypotheses[Tensor]:
        """Decode; ``state`` holds one open hypothesis a sentence."""


class _Kept(Generic[State]):
    """A decoder's state, reordered by arrays."""

    def __init__(self, state: State, device: torch.device) -> None:
        self.state, self.device = state, device

    def select_sentences(self, rows: AnyArray) -> "_Kept[State]":
        return _Kept(self.state.select_sentences(torch.from_numpy(rows).to(self.device)), self.device)

    def select_hypotheses(self, places: AnyArray) -> "_Kept[State]":
        return _Kept(self.state.select_hypotheses(torch.from_numpy(places).to(self.device)), self.device)


def restrict(scores: Tensor, place: int, limits: Limits) -> Tensor:
    """Forbid what may not stand at ``place``: marks that are no words, an end too early, anything but one too late.

    Args:
        scores: log-probabilities ``(B, K, V)``, changed in place.
        place: tokens that the hypotheses have so far.
        limits: of the sentences.
    """
    scores[:, :, :EOS] = float("-inf")  # PAD, UNK and BOS
    if place < limits.shortest:
        scores[:, :, EOS] = float("-inf")
    over = place >= limits.longest  # (B,)
    if bool(over.any()):
        ended = torch.full_like(scores[0, 0], float("-inf"))
        ended[EOS] = 0.0
        # What it costs to end still counts, so that hypotheses of different sentences stay comparable.
        scores[over] = torch.where(ended == 0.0, scores[over], ended)
    return scores


def in_place(done: Tensor) -> Tensor:
    """Return the rows that go on, where ``done`` ``(B,)`` is False.

    Each keeps its place where there are as many before it; the last ones fill the holes. So a state moves few of them.
    """
    going = (~done).nonzero()[:, 0]
    rows = torch.arange(len(going), device=done.device)
    rows[done[: len(going)]] = going[going >= len(going)]
    return rows


def collect(tokens: Sequence[Tensor], lengths: Sequence[Tensor], scores: Sequence[Tensor]) -> Hypotheses[Tensor]:
    """Join the hypotheses of single sentences, ``(N, T_i)`` each, padding the tokens."""
    steps = max((part.shape[1] for part in tokens), default=0)
    padded = [torch.nn.functional.pad(part, (0, steps - part.shape[1]), value=PAD) for part in tokens]
    return Hypotheses(torch.stack(padded), torch.stack(list(lengths)), torch.stack(list(scores)))
