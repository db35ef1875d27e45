"""Beam search in numpy: the hypotheses and scores of ``gru_nlp.decoding.beam``, which says how it works."""

from typing import NamedTuple

import numpy as np

from gru_nlp.abandoning import go_on
from gru_nlp.batch import AnyArray
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.runtime.arrays import best_places
from gru_nlp.runtime.searching import Limits, State, StepFunction, Strategy, collect, nothing, restrict
from gru_nlp.text.special import BOS, EOS, PAD


class Open(NamedTuple):
    """Hypotheses that have not ended: tokens ``(B, K, t)``, summed log-probabilities ``(B, K)``."""

    tokens: AnyArray
    scores: AnyArray


class Ended(NamedTuple):
    """The best ended hypotheses: tokens ``(B, N, t)``, lengths ``(B, N)``, ranking scores ``(B, N)``."""

    tokens: AnyArray
    lengths: AnyArray
    scores: AnyArray


class BeamSearch(Strategy):
    """Keep the K likeliest open hypotheses of every sentence; the options are those of the one for torch."""

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

    def __call__(self, step: StepFunction[State], state: State, source_lengths: AnyArray) -> Hypotheses[AnyArray]:
        """Search; sentences leave the batch as they are done."""
        limits, count = self.limits(source_lengths), len(source_lengths)
        if not count:
            return nothing(self.n_best)
        rows, last = np.arange(count), np.full((count, 1), BOS)
        alive = Open(np.zeros((count, 1, 0), np.int64), np.zeros((count, 1), np.float32))
        none = np.zeros((count, self.n_best), np.int64)
        ended = Ended(none[:, :, None][:, :, :0], none, np.full(none.shape, -np.inf, np.float32))
        found: dict[int, tuple[AnyArray, AnyArray, AnyArray]] = {}
        while len(rows):
            go_on()
            scores, state = step(last, state)
            scores = self._forbid_repeats(restrict(scores, alive.tokens.shape[2], limits), alive.tokens)
            alive, ended, parents = self._advance(alive, ended, scores)
            done = self._done(alive, ended, limits)
            if done.any():
                for place in np.flatnonzero(done).tolist():
                    found[int(rows[place])] = (ended.tokens[place], ended.lengths[place], ended.scores[place])
                kept = np.flatnonzero(~done)
                rows, parents = rows[kept], parents[kept]
                alive, ended = Open(*(part[kept] for part in alive)), Ended(*(part[kept] for part in ended))
                limits = limits._replace(longest=limits.longest[kept])
                state = state.select_sentences(kept)
            state = state.select_hypotheses(parents)
            last = alive.tokens[:, :, -1]
        return collect(*zip(*(found[row] for row in range(count)), strict=True))

    def totals(self, found: Hypotheses[AnyArray]) -> AnyArray:
        """Return the summed log-probabilities, which the penalty of their length has divided."""
        return found.scores * self._penalty(found.lengths + 1.0)

    def _penalty(self, lengths: AnyArray) -> AnyArray:
        return ((np.float32(5.0) + lengths.astype(np.float32)) / np.float32(6.0)) ** np.float32(self.length_penalty)

    def _advance(self, alive: Open, ended: Ended, scores: AnyArray) -> tuple[Open, Ended, AnyArray]:
        """Extend every open hypothesis; return the open ones, the ended ones, and whose children the open ones are."""
        batch, _, vocabulary = scores.shape
        rows = np.arange(batch)[:, None]
        totals = (alive.scores[:, :, None] + scores).reshape(batch, -1)  # (B, K V)
        flat = best_places(totals, min(2 * self.beam_size, totals.shape[1]))  # enough for K ends and K others
        best, parents, tokens = totals[rows, flat], flat // vocabulary, flat % vocabulary
        before = alive.tokens[rows, parents]  # (B, 2 K, t)
        ends = tokens == EOS
        ended = self._end(before, ended, np.where(ends, best, -np.inf).astype(best.dtype)[:, : self.beam_size])
        going = np.where(ends, -np.inf, best).astype(best.dtype)
        order = best_places(going, min(self.beam_size, best.shape[1]))
        chosen = np.concatenate([before, tokens[:, :, None]], axis=2)[rows, order]
        return Open(chosen, going[rows, order]), ended, parents[rows, order]

    def _end(self, tokens: AnyArray, ended: Ended, totals: AnyArray) -> Ended:
        """Merge hypotheses that end here, tokens ``(B, 2K, t)`` and summed scores ``(B, K)``, into the N best."""
        rows, place = np.arange(len(totals))[:, None], tokens.shape[2]
        scores = np.concatenate([ended.scores, totals / self._penalty(np.array(place + 1.0))], axis=1)
        order = best_places(scores, self.n_best)
        lengths = np.concatenate([ended.lengths, np.full(totals.shape, place)], axis=1)
        older = np.full((*ended.tokens.shape[:2], place), PAD)
        older[:, :, : ended.tokens.shape[2]] = ended.tokens
        joined = np.concatenate([older, tokens[:, : totals.shape[1]]], axis=1)
        return Ended(joined[rows, order], lengths[rows, order], scores[rows, order])

    def _done(self, alive: Open, ended: Ended, limits: Limits) -> AnyArray:
        """Return ``(B,)``: True where no open hypothesis can, or with ``early_stop`` would now, enter the N best."""
        best, now = alive.scores[:, 0], np.full_like(limits.longest, alive.tokens.shape[2] + 1)
        length = now if self.early_stop or self.length_penalty < 0 else limits.longest + 1
        return (best / self._penalty(length) <= ended.scores[:, -1]) | np.isneginf(best)

    def _forbid_repeats(self, scores: AnyArray, tokens: AnyArray) -> AnyArray:
        size = self.no_repeat_ngram
        if size < 1 or tokens.shape[2] < size:
            return scores
        windows = np.lib.stride_tricks.sliding_window_view(tokens, size, axis=2)  # (B, K, t - n + 1, n)
        tail = tokens[:, :, tokens.shape[2] - size + 1 :]  # (B, K, n - 1)
        rows, places, starts = np.nonzero((windows[..., :-1] == tail[:, :, None]).all(axis=3))
        scores[rows, places, windows[rows, places, starts, size - 1]] = -np.inf
        return scores
