"""Drawing a token by its weight."""

import torch
from torch import Tensor

from gru_nlp.decoding.drawing import Drawing


def draw(drawing: Drawing, scores: Tensor, seen: Tensor | None, generators: list[torch.Generator]) -> Tensor:
    """Draw a token a row, ``(B,)``.

    Args:
        drawing: how.
        scores: log-probabilities ``(B, V)``.
        seen: ``(B, V)`` bool, the tokens that were there before; None: no matter which.
        generators: of random numbers, one a row, so that a text does not depend on those beside it.
    """
    if seen is not None:
        scores = torch.where(seen, scores * drawing.repetition_penalty, scores)
    if drawing.temperature == 0.0:
        return scores.argmax(dim=1)
    probabilities = narrowed(scores / drawing.temperature, drawing.top_k, drawing.top_p, drawing.min_p)
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
