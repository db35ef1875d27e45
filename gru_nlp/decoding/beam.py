"""Beam search, vectorised over sentences and hypotheses.

How it works. A round is one call of the step function on the last tokens ``(B, K)`` of all open hypotheses; then what
may not stand there is forbidden, sums of log-probabilities ``(B, K V)`` are formed, and the 2 K best extensions taken:
as each hypothesis has one end mark, at least K of those go on. Ends among the first K are ranked into the N best ended
ones; the K best others stay open, and the decoder's state is reordered to be that of their parents. The first round has
one hypothesis. A sentence leaves the batch as soon as no open hypothesis can enter its N best, so that later rounds are
smaller. Kept are the tokens of open and of ended hypotheses with their scores; nothing is traced back, and no loop runs
over hypotheses or tokens in Python, only over sentences that are done.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from gru_nlp.abandoning import go_on
from gru_nlp.decoding.base import DecodingStrategy, Limits, State, StepFunction, collect, in_place, restrict
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.text.special import BOS, EOS, PAD


class Open(NamedTuple):
    """Hypotheses that have not ended: tokens ``(B, K, t)``, summed log-probabilities ``(B, K)``."""

    tokens: Tensor
    scores: Tensor


class Ended(NamedTuple):
    """The best ended hypotheses: tokens ``(B, N, t)``, lengths ``(B, N)``, ranking scores ``(B, N)``."""

    tokens: Tensor
    lengths: Tensor
    scores: Tensor


#: Columns of a long row that are compared at once, and numbers from which on that pays.
BLOCK, LONG = 16, 2**15


def best_of(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` greatest of every row of ``values`` ``(B, N)``, the greatest first, and their places.

    As ``topk``, which is slow on long rows: so first the greatest of every 16 columns are found, in one quick pass; no
    others than the ``count`` best of these 16s can hold one of the ``count`` best numbers.
    """
    columns = values.shape[1] // BLOCK
    if values.numel() < LONG or columns <= count:
        found: tuple[Tensor, Tensor] = values.topk(count, dim=1)
        return found
    whole = columns * BLOCK
    peaks = values[:, :whole].view(-1, BLOCK, columns).amax(dim=1)
    chosen = peaks.topk(count, dim=1, sorted=False).indices
    starts = torch.arange(0, whole, columns, device=values.device)
    places = (chosen[:, :, None] + starts).flatten(1)
    rest = torch.arange(whole, values.shape[1], device=values.device)
    places = torch.cat([places, rest.expand(len(places), -1)], dim=1)
    best, order = values.gather(1, places).topk(count, dim=1)
    return best, places.gather(1, order)


class BeamSearch(DecodingStrategy):
    """Keep the K likeliest open hypotheses of every sentence.

    The ranking score is the summed log-probability over ``((5 + length) / 6) ** length_penalty`` (Wu et al. 2016,
    eq. 14), the end mark counted. A sentence is done, and leaves the batch, when no open hypothesis can still enter
    its N best: log-probabilities only fall, so a hypothesis is worth at most its present sum at the greatest length;
    with ``early_stop`` as soon as none would enter them if it ended now, which is nearly always true as well, and ends
    the search a third sooner.

    Args:
        beam_size: K.
        length_penalty: exponent; 0 ranks by the sum alone.
        n_best: N, at most K.
        no_repeat_ngram: no n-gram of this length occurs twice in a hypothesis; 0: no such rule.
        early_stop: whether a sentence is done by what its open hypotheses are worth now.
        max_ratio, max_extra, min_length: as in ``DecodingStrategy``.
    """

    def __init__(
        self,
        *,
        beam_size: int,
        length_penalty: float,
        n_best: int,
        no_repeat_ngram: int,
        max_ratio: float,
        max_extra: int,
        min_length: int,
        early_stop: bool = False,
    ) -> None:
        super().__init__(max_ratio=max_ratio, max_extra=max_extra, min_length=min_length)
        if not 1 <= n_best <= beam_size:
            raise UserError(f"decoding.n_best={n_best} must lie between 1 and decoding.beam_size={beam_size}")
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.n_best = n_best
        self.no_repeat_ngram = no_repeat_ngram
        self.early_stop = early_stop

    def __call__(self, step: StepFunction[State], state: State, source_lengths: Tensor) -> Hypotheses[Tensor]:
        """Search; sentences leave the batch as they are done."""
        limits = self.limits(source_lengths)
        count, device = len(source_lengths), source_lengths.device
        rows = torch.arange(count, device=device)
        last = torch.full((count, 1), BOS, device=device)
        alive = Open(last.new_zeros(count, 1, 0), torch.zeros(count, 1, device=device))
        ended = Ended(
            last.new_zeros(count, self.n_best, 0),
            last.new_zeros(count, self.n_best),
            torch.full((count, self.n_best), float("-inf"), device=device),
        )
        found: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        while len(rows):
            go_on()
            scores, state = step(last, state)
            scores = self._forbid_repeats(restrict(scores, alive.tokens.shape[2], limits), alive.tokens)
            alive, ended, parents = self._advance(alive, ended, scores)
            done = self._done(alive, ended, limits)
            if bool(done.any()):
                for place in done.nonzero()[:, 0].tolist():
                    found[int(rows[place])] = (ended.tokens[place], ended.lengths[place], ended.scores[place])
                kept = in_place(done)
                rows, parents = rows[kept], parents[kept]
                alive, ended = Open(*(part[kept] for part in alive)), Ended(*(part[kept] for part in ended))
                limits = limits._replace(longest=limits.longest[kept])
                state = state.select_sentences(kept)
            state = state.select_hypotheses(parents)
            last = alive.tokens[:, :, -1]
        return collect(*zip(*(found[row] for row in range(count)), strict=True)) if count else Hypotheses(*ended)

    def totals(self, found: Hypotheses[Tensor]) -> Tensor:
        """Return the summed log-probabilities, which the penalty of their length has divided."""
        return found.scores * self._penalty(found.lengths + 1.0)

    def _penalty(self, lengths: Tensor) -> Tensor:
        return ((5.0 + lengths) / 6.0) ** self.length_penalty

    def _advance(self, alive: Open, ended: Ended, scores: Tensor) -> tuple[Open, Ended, Tensor]:
        """Extend every open hypothesis; return the open ones, the ended ones, and whose children the open ones are.

        A hypothesis ends only where its end mark is among the K best of all extensions.
        """
        vocabulary, place = scores.shape[2], alive.tokens.shape[2]
        totals = (alive.scores[:, :, None] + scores).flatten(1)  # (B, K V)
        best, flat = best_of(totals, min(2 * self.beam_size, totals.shape[1]))  # enough for K ends and K others
        parents, tokens = flat // vocabulary, flat % vocabulary
        before = alive.tokens.gather(1, parents[:, :, None].expand(-1, -1, place))
        ends = tokens == EOS
        ended = self._end(before, ended, best.masked_fill(~ends, float("-inf"))[:, : self.beam_size])
        kept, order = best.masked_fill(ends, float("-inf")).topk(min(self.beam_size, best.shape[1]), dim=1)
        longer = torch.cat([before, tokens[:, :, None]], dim=2)
        chosen = longer.gather(1, order[:, :, None].expand(-1, -1, place + 1))
        return Open(chosen, kept), ended, parents.gather(1, order)

    def _end(self, tokens: Tensor, ended: Ended, totals: Tensor) -> Ended:
        """Merge hypotheses that end here, tokens ``(B, 2K, t)`` and summed scores ``(B, K)``, into the N best."""
        place = tokens.shape[2]
        ranked = totals / self._penalty(torch.tensor(place + 1.0, device=totals.device))
        scores, order = torch.cat([ended.scores, ranked], dim=1).topk(self.n_best, dim=1)
        lengths = torch.cat([ended.lengths, torch.full_like(totals, place, dtype=torch.int64)], dim=1)
        older = torch.nn.functional.pad(ended.tokens, (0, place - ended.tokens.shape[2]), value=PAD)
        joined = torch.cat([older, tokens[:, : totals.shape[1]]], dim=1)
        chosen = joined.gather(1, order[:, :, None].expand(-1, -1, place))
        return Ended(chosen, lengths.gather(1, order), scores)

    def _done(self, alive: Open, ended: Ended, limits: Limits) -> Tensor:
        """Return ``(B,)``: True where no open hypothesis can, or with ``early_stop`` would now, enter the N best."""
        now = torch.full_like(limits.longest, alive.tokens.shape[2] + 1)
        length = now if self.early_stop or self.length_penalty < 0 else limits.longest + 1
        worth = alive.scores[:, 0] / self._penalty(length)
        return (worth <= ended.scores[:, -1]) | alive.scores[:, 0].isneginf()

    def _forbid_repeats(self, scores: Tensor, tokens: Tensor) -> Tensor:
        size = self.no_repeat_ngram
        if size < 1 or tokens.shape[2] < size:
            return scores
        windows = tokens.unfold(2, size, 1)  # (B, K, t - n + 1, n)
        tail = tokens[:, :, tokens.shape[2] - size + 1 :]  # (B, K, n - 1)
        same = (windows[..., :-1] == tail[:, :, None]).all(dim=3)  # (B, K, t - n + 1)
        banned = torch.zeros_like(scores).scatter_add_(2, windows[..., -1], same.to(scores.dtype))
        return scores.masked_fill_(banned > 0, float("-inf"))
