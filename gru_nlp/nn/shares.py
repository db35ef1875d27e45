"""How much each part of a model counts in the whole."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

#: What a squared distance from even shares costs, in rows; without it few rows could send them to infinity.
PRIOR = 0.5


@torch.enable_grad()
def fit_shares(parts: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the shares of P parts under which their summed logits fit ``targets`` best.

    That is stacking (Wolpert 1992) by a convex problem of P numbers, none below 0: the mean cross-entropy, and a
    penalty on what differs from even shares.

    Args:
        parts: logits of each part, ``(P, N, C)``, of rows that none of them was trained on.
        targets: labels ``(N,)``; rows below 0 have none.
        weights: of the labels in the loss, ``(C,)``; None: all weigh the same.

    Returns:
        Shares ``(P,)``; even ones where no row has a label.
    """
    known = targets >= 0
    parts, targets = parts[:, known], targets[known]
    weights = None if weights is None else weights.to(parts.dtype)  # a model of bfloat16 has weights of bfloat16
    even = parts.new_full((len(parts),), 1.0 / len(parts))
    if not len(targets):
        return even
    shares = even.clone().requires_grad_()
    search = torch.optim.LBFGS([shares], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        joined = torch.einsum("p,pnc->nc", shares, parts)
        total = cross_entropy(joined, targets, weight=weights) + PRIOR / len(targets) * (shares - even).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    return shares.detach().clamp(min=0.0)
