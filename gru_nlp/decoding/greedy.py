"""Greedy search: the likeliest token at every step."""

import torch
from torch import Tensor

from gru_nlp.abandoning import go_on
from gru_nlp.decoding.base import DecodingStrategy, State, StepFunction, collect, in_place, restrict
from gru_nlp.outputs import Hypotheses
from gru_nlp.text.special import BOS, EOS


class Greedy(DecodingStrategy):
    """Take the likeliest token until it is the end mark; the score is the summed log-probability, the end counted.

    Args:
        max_ratio, max_extra, min_length: as in ``DecodingStrategy``.
    """

    def __call__(self, step: StepFunction[State], state: State, source_lengths: Tensor) -> Hypotheses[Tensor]:
        """Search; sentences leave the batch as they end."""
        limits = self.limits(source_lengths)
        count, device = len(source_lengths), source_lengths.device
        rows = torch.arange(count, device=device)
        tokens = torch.full((count, 1), BOS, device=device)
        total = torch.zeros(count, device=device)
        found: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        while len(rows):
            go_on()
            scores, state = step(tokens[:, -1:], state)
            best, chosen = restrict(scores, tokens.shape[1] - 1, limits)[:, 0].max(dim=1)  # (B,)
            total = total + best
            done = chosen == EOS
            for place in done.nonzero()[:, 0].tolist():
                words = tokens[place : place + 1, 1:]
                found[int(rows[place])] = (words, torch.tensor([words.shape[1]]), total[place : place + 1])
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
            kept = in_place(done)
            if len(kept) < len(rows):
                rows, tokens, total, state = rows[kept], tokens[kept], total[kept], state.select_sentences(kept)
                limits = limits._replace(longest=limits.longest[kept])
        if not count:
            return Hypotheses(tokens[:, None, 1:], tokens, total[:, None])
        return collect(*zip(*(found[row] for row in range(count)), strict=True))
