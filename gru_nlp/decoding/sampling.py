"""Sampling with temperature, restricted to the k likeliest tokens or to a share of the probability."""

import torch
from torch import Tensor

from gru_nlp.abandoning import go_on
from gru_nlp.decoding.base import DecodingStrategy, State, StepFunction, restrict
from gru_nlp.decoding.chance import narrowed
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.text.special import BOS, EOS, PAD


class Sampling(DecodingStrategy):
    """Draw one hypothesis a sentence; its score is its summed log-probability under the model.

    Args:
        temperature: divides the log-probabilities; below 1 is bolder, near 0 is greedy.
        top_k: draw among the k likeliest tokens; None: among all.
        top_p: draw among the likeliest tokens that hold this share of the probability (Holtzman et al. 2020);
            1: among all.
        seed: of the drawing.
        max_ratio, max_extra, min_length: as in ``DecodingStrategy``.
    """

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
        if temperature <= 0.0:
            raise UserError(f"decoding.temperature={temperature} must be above 0")
        if not 0.0 < top_p <= 1.0:
            raise UserError(f"decoding.top_p={top_p} must be above 0 and at most 1")
        self.temperature = temperature
        self.top_k = top_k
        self.top_p = top_p
        self.seed = seed

    def __call__(self, step: StepFunction[State], state: State, source_lengths: Tensor) -> Hypotheses[Tensor]:
        """Draw token by token until every sentence has ended."""
        generator = torch.Generator(source_lengths.device).manual_seed(self.seed)
        limits = self.limits(source_lengths)
        count, device = len(source_lengths), source_lengths.device
        tokens = torch.full((count, 1), BOS, device=device)
        total = torch.zeros(count, device=device)
        lengths = torch.zeros(count, dtype=torch.int64, device=device)
        running = torch.ones(count, dtype=torch.bool, device=device)
        while bool(running.any()):
            go_on()
            scores, state = step(tokens[:, -1:], state)
            scores = restrict(scores, tokens.shape[1] - 1, limits)[:, 0]  # (B, V)
            drawn = torch.multinomial(self._distribution(scores), 1, generator=generator)  # (B, 1)
            total = total + scores.gather(1, drawn)[:, 0].masked_fill(~running, 0.0)
            running = running & (drawn[:, 0] != EOS)
            lengths = lengths + running
            tokens = torch.cat([tokens, drawn.masked_fill(~running[:, None], PAD)], dim=1)
        return Hypotheses(tokens[:, None, 1:], lengths[:, None], total[:, None])

    def _distribution(self, scores: Tensor) -> Tensor:
        return narrowed(scores / self.temperature, self.top_k, self.top_p)
