"""How much each part of a model counts in the whole."""

import torch
from torch import Tensor

from gru_nlp.nn.losses import LabelLoss

#: What a squared distance from even shares costs, in rows; without it few rows could send them to infinity.
PRIOR = 0.5


@torch.enable_grad()
def fit_shares(parts: Tensor, targets: Tensor, loss: LabelLoss) -> Tensor:
    """Return the shares of P parts under which their summed logits fit ``targets`` best.

    That is stacking (Wolpert 1992) by a convex problem of P numbers, none below 0: the mean loss, and a penalty
    on what differs from even shares.

    Args:
        parts: logits of each part, ``(P, N, C)``, of rows that none of them was trained on.
        targets: labels, ``(N, ...)`` as the loss takes them.
        loss: of logits.

    Returns:
        Shares ``(P,)``; even ones where no row has a known label.
    """
    known = loss.rows(targets) > 0
    parts, targets = parts[:, known], targets[known]
    even = parts.new_full((len(parts),), 1.0 / len(parts))
    if not len(targets):
        return even
    shares = even.clone().requires_grad_()
    search = torch.optim.LBFGS([shares], max_iter=50, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        search.zero_grad()
        joined = torch.einsum("p,pnc->nc", shares, parts)
        total = loss.mean(joined, targets) + PRIOR / len(targets) * (shares - even).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(cost)  # type: ignore[no-untyped-call]
    return shares.detach().clamp(min=0.0)
