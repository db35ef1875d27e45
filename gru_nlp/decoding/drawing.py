"""Drawing a token: temperature, and which of the likeliest tokens take part."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gru_nlp.errors import UserError


@dataclass(frozen=True)
class Drawing:
    """How the next token is drawn.

    Attributes:
        temperature: divides the log-probabilities; below 1 is bolder, 0 takes the likeliest token.
        top_k: draw among the k likeliest; None: among all.
        top_p: draw among the likeliest that hold this share of the probability (Holtzman et al. 2020); 1: among all.
        min_p: draw among those that are at least this share as likely as the likeliest (Nguyen et al. 2024); 0: all.
        repetition_penalty: the log-probability of a token that was there before is multiplied by it (after Keskar et
            al. 2019, section 4.1); 1: no penalty.

    Raises:
        UserError: a value is out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        for name, fits, told in (
            ("temperature", 0.0 <= self.temperature < float("inf"), "at least 0"),
            ("top_k", self.top_k is None or self.top_k >= 1, "at least 1"),
            ("top_p", 0.0 < self.top_p <= 1.0, "above 0 and at most 1"),
            ("min_p", 0.0 <= self.min_p < 1.0, "at least 0 and below 1"),
            ("repetition_penalty", 0.0 < self.repetition_penalty < float("inf"), "above 0"),
        ):
            if not fits:
                raise UserError(f"{name}={getattr(self, name)} must be {told}")

    def __call__(self, scores: Tensor, seen: Tensor | None, generators: list[torch.Generator]) -> Tensor:
        """Draw a token a row, ``(B,)``.

        Args:
            scores: log-probabilities ``(B, V)``.
            seen: ``(B, V)`` bool, the tokens that were there before; None: no matter which.
            generators: of random numbers, one a row, so that a text does not depend on those beside it.
        """
        if seen is not None:
            scores = torch.where(seen, scores * self.repetition_penalty, scores)
        if self.temperature == 0.0:
            return scores.argmax(dim=1)
        probabilities = narrowed(scores / self.temperature, self.top_k, self.top_p, self.min_p)
        rows = zip(probabilities, generators, strict=True)
        return torch.cat([torch.multinomial(row, 1, generator=generator) for row, generator in rows])


def narrowed(scores: Tensor, top_k: int | None, top_p: float, min_p: float = 0.0) -> Tensor:
    """Return the weights ``(B, V)`` to draw by of log-probabilities; see ``Drawing``."""
    if top_k is None and top_p == 1.0:  # no order is needed
        probabilities = scores.softmax(dim=1)
        least = min_p * probabilities.amax(dim=1, keepdim=True)
        return probabilities.masked_fill(probabilities < least, 0.0)
    ordered, order = scores.sort(dim=1, descending=True)
    if top_k is not None:
        ordered[:, top_k:] = float("-inf")
    probabilities = ordered.softmax(dim=1)
    # A token stays while what stands before it holds less than the share, so that one always stays.
    before = probabilities.cumsum(dim=1) - probabilities
    gone = (before >= top_p) | (probabilities < min_p * probabilities[:, :1])
    return torch.zeros_like(scores).scatter_(1, order, probabilities.masked_fill(gone, 0.0))
