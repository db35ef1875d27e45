"""The vocabulary projection and its loss, a piece of the tokens at a time.

How it works. For each piece of 256 tokens: logits, their log-softmax, the piece's share of the loss; then the same
memory turns into the loss's gradient (softmax minus smoothed target) and is multiplied into the gradients of features,
weight and bias. So the gradients are ready when the loss is; ``backward`` only scales them by the one that
arrives. Kept are three tensors of the arguments' own sizes, never the ``(N, V)`` logits, the largest matrix of a
translator by far, and a piece is read again while a processor's cache still holds it. The price is that a loss without
a backward pass computes gradients too.
"""

from typing import Any

import torch
from torch import Tensor

from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.products import add_product, multiply, product_format

#: Tokens a piece: with a vocabulary of 8,000 its logits are 8 MB, which a processor's cache still holds.
PIECE = 256


class ProjectedCrossEntropy(torch.autograd.Function):
    """Label-smoothed cross-entropy of projected features, whose gradients are found on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, label_smoothing: float
    ) -> Tensor:
        """``(N, R)``, ``(V, R)``, ``(V,)``, ``(N,)`` -> mean loss ``()``."""
        by_features = torch.empty_like(features)
        by_weight, by_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        total = features.new_zeros(())
        spread, kept = label_smoothing / len(weight), 1.0 - label_smoothing
        form = product_format(weight)
        seen, rows = features.to(form), weight.to(form)
        room, other = features.new_empty(2, min(PIECE, len(features)), len(weight))
        for piece, truth, by_piece in zip(
            *(torch.split(tensor, PIECE) for tensor in (seen, targets[:, None], by_features)), strict=True
        ):
            logits = multiply(piece, rows.t(), room[: len(piece)], bias)
            likely = torch.log_softmax(logits, 1, out=other[: len(piece)])
            total -= kept * likely.gather(1, truth).sum() + spread * likely.sum()
            slopes = likely.exp_().sub_(spread)
            slopes.scatter_add_(1, truth, slopes.new_full((len(truth), 1), -kept))
            by_bias.add_(slopes.sum(dim=0))
            factors = slopes.to(form)
            multiply(factors, rows, by_piece)
            add_product(by_weight, factors.t(), piece)
        ctx.save_for_backward(by_features, by_weight, by_bias)
        ctx.tokens = len(features)
        return total / len(features)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what ``forward`` found."""
        scale = gradient / ctx.tokens
        by_features, by_weight, by_bias = ctx.saved_tensors
        return by_features * scale, by_weight * scale, by_bias * scale, None, None


def projected_cross_entropy(
    features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, label_smoothing: float
) -> Tensor:
    """Return the mean label-smoothed cross-entropy of ``features @ weight.T + bias``, in float32 under autocast.

    Args:
        features: ``(N, R)``.
        weight, bias: ``(V, R)`` and ``(V,)``.
        targets: ``(N,)`` ids below V.
        label_smoothing: share of the target spread evenly over the V ids (Szegedy et al. 2016, section 7).
    """
    if torch.is_autocast_enabled(features.device.type):
        features = features.float()
    with torch.autocast(features.device.type, enabled=False):
        return apply_function(ProjectedCrossEntropy, features, weight, bias, targets, label_smoothing)


def projected_log_probabilities(features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Return the log-probability of each target, ``(N,)``, a piece at a time; arguments as above, no gradient."""
    found = []
    for piece, truth in zip(torch.split(features, PIECE), torch.split(targets, PIECE), strict=True):
        logits = torch.addmm(bias, piece, weight.t()).float()
        found.append(logits.gather(1, truth[:, None])[:, 0] - logits.logsumexp(dim=1))
    return torch.cat(found) if found else features.new_zeros(0)
