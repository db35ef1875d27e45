"""Cross-entropy over a large vocabulary whose normaliser is estimated from a sample of it.

How it works. Every step draws a set S of ids, each independently of the others with its own probability q, likely ids
with probability 1. The sum over the vocabulary in the softmax's denominator becomes the target's own term plus
``exp(logit) / q`` of the other ids in S, which is right on average (Horvitz and Thompson 1952; importance sampling of
the normaliser: Bengio and Senecal 2003). All tokens of a batch share S, so that the products are those of a small
vocabulary. Scores and predictions take the whole vocabulary.
"""

import math

import torch
from torch import Tensor

#: Halvings of the interval in which the scale of Zipf's law is sought.
HALVINGS = 60


def inclusion_probabilities(vocabulary_size: int, wanted: int) -> Tensor:
    """Return with which probability each id is drawn, ``(V,)``: Zipf's law, scaled so that ``wanted`` are on average.

    Ids have to be sorted from frequent to rare, as tokenizers number words; where they are not, the estimate is rougher
    but still right on average.

    Args:
        vocabulary_size: V.
        wanted: mean number of ids; V or more: all of them.
    """
    # Numbers even where a model is made without any, on the meta device.
    ranks = torch.arange(1, vocabulary_size + 1, dtype=torch.float64, device="cpu")
    if wanted >= vocabulary_size:
        return torch.ones(vocabulary_size, device="cpu")
    low, high = -math.log2(vocabulary_size), math.log2(float(wanted) * vocabulary_size)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float((2.0**middle / ranks).clamp(max=1.0).sum()) < wanted:
            low = middle
        else:
            high = middle
    scale: float = 2.0**high
    return (scale / ranks).clamp(max=1.0).float()


def sampled_cross_entropy(
    features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, probabilities: Tensor
) -> Tensor:
    """Return the mean cross-entropy of ``features @ weight.T + bias`` over a sample of ids, in float32 at least.

    Args:
        features: ``(N, R)``.
        weight, bias: ``(V, R)`` and ``(V,)``.
        targets: ``(N,)`` ids below V.
        probabilities: ``(V,)``, with which each id is drawn, above 0.
    """
    # bfloat16 tells 256 random numbers apart, so that rare ids would be drawn far too often.
    format_ = torch.promote_types(weight.dtype, torch.float32)
    features, probabilities = features.to(format_), probabilities.to(format_)
    with torch.autocast(features.device.type, enabled=False):
        drawn = (torch.rand_like(probabilities) < probabilities).nonzero()[:, 0]  # (S,)
        # Looked up at once, since each look-up costs a gradient of the size of the table.
        both = torch.cat([drawn, targets])
        rows, shifts = weight[both].to(format_), bias[both].to(format_)
        logits = torch.addmm(shifts[: len(drawn)] - probabilities[drawn].log(), features, rows[: len(drawn)].t())
        logits = logits.masked_fill(targets[:, None] == drawn, -math.inf)  # a target counts once, by its own term
        true = (features * rows[len(drawn) :]).sum(dim=1) + shifts[len(drawn) :]  # (N,)
        return (torch.logaddexp(logits.logsumexp(dim=1), true) - true).mean()
