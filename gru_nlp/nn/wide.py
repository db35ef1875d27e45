"""A linear layer over n-grams: the wide part beside a recurrent one, and how it is solved.

How it works. A text is two bags of ids, n-grams of words and of characters. Every n-gram f has a weight s_f that says
how unevenly it is spread over the labels, and every text the vector x of s_f at its n-grams, each bag scaled to length
1; the logits are W x + b. Since x is a diagonal matrix times a bag of ones times another, the table holds s_f W_f and
s_f squared, and one sum over a bag gives product and length. W is not trained with the rest: the problem is convex, and
``solve`` walks down a path of penalties by L-BFGS, each start the end before, until validation gets worse. Products
with the matrix of all texts, and with its transpose, are both sums of bags.

Shapes: B texts, C labels, K columns of W (1 for two labels, else C), V n-grams, M ids in a batch.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding_bag

#: Bags of a text: its words and its characters.
BAGS = 2
#: Penalties tried, strongest first: half their size times the squared length of W joins the mean loss.
PENALTIES = (1e-4, 1e-5, 1e-6, 1e-7)
#: Steps of L-BFGS at each.
STEPS = 25


class Bags(NamedTuple):
    """The n-grams of some texts.

    Attributes:
        ids: ``(M,)``, bag by bag.
        starts: ``(2 B,)`` where each bag begins: the words of a text, then its characters.
    """

    ids: Tensor
    starts: Tensor

    def sizes(self) -> Tensor:
        """Return the number of ids in each bag, ``(2 B,)``."""
        return torch.diff(self.starts, append=self.starts.new_tensor([len(self.ids)]))

    def sum(self, table: Tensor) -> Tensor:
        """Return the sum of the rows of ``table`` ``(V, K)`` in each bag, ``(2 B, K)``; of an empty one zeros."""
        return embedding_bag(self.ids, table, self.starts, mode="sum")


class Labelled(NamedTuple):
    """Some texts and their labels ``(B,)``."""

    bags: Bags
    targets: Tensor


def spread(texts: Labelled, num_labels: int, size: int) -> Tensor:
    """Return how unevenly each n-gram is spread over the labels, ``(V,)``.

    That is the root mean square, over labels by their frequency, of the logarithm of the ratio of an n-gram's smoothed
    share among a label's n-grams to that among all others': for two labels the weight of naive Bayes (Wang and Manning
    2012, equation 4) but for its sign, which a linear layer does not need.

    Args:
        texts: of training.
        num_labels: number of labels C.
        size: number of n-grams V.
    """
    bags, targets = texts
    labels = targets.repeat_interleave(BAGS).repeat_interleave(bags.sizes())  # (M,)
    with_label = torch.bincount(bags.ids.long() * num_labels + labels, minlength=size * num_labels)
    counts = with_label.view(size, num_labels).float()  # (V, C)
    others = counts.sum(dim=1, keepdim=True) - counts
    mine = (counts + 1) / (counts.sum(dim=0) + 1)
    theirs = (others + 1) / (others.sum(dim=0) + 1)
    share = torch.bincount(targets, minlength=num_labels) / len(targets)  # (C,)
    return (mine.div_(theirs).log_().square_() @ share).sqrt()


class WideLinear(nn.Module):
    """Logits from the n-grams of a text.

    Args:
        size: number of n-grams V.
        num_labels: number of labels C.
    """

    table: Tensor
    bias: Tensor

    def __init__(self, size: int, num_labels: int) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.columns = 1 if num_labels == 2 else num_labels
        self.register_buffer("table", torch.zeros(size, self.columns + 1))
        self.register_buffer("bias", torch.zeros(self.columns))

    def forward(self, bags: Bags) -> Tensor:
        """Return logits ``(B, C)``."""
        sums = bags.sum(self.table)  # (2B, K + 1)
        return self.logits(sums[:, :-1], _inverse(sums[:, -1:]), self.bias)

    def logits(self, sums: Tensor, inverse: Tensor, bias: Tensor) -> Tensor:
        """Return logits ``(B, C)``.

        Args:
            sums: of each bag, ``(2 B, K)``.
            inverse: its inverse length, ``(2 B, 1)``.
            bias: b, ``(K,)``.
        """
        scaled = (sums * inverse).view(-1, BAGS, self.columns).sum(dim=1) + bias  # (B, K)
        return scaled if self.columns > 1 else torch.cat([-scaled / 2, scaled / 2], dim=1)

    @torch.no_grad()
    def solve(self, texts: Labelled, unseen: Labelled, weights: Tensor | None) -> None:
        """Set the weights that fit ``texts``, under the penalty that fits ``unseen`` ones best.

        Args:
            texts: of training.
            unseen: of validation; those with a label below 0 have none.
            weights: of the labels in the loss, ``(C,)``; None: all weigh the same.
        """
        known = unseen.bags, unseen.targets, unseen.targets >= 0
        if not bool(known[2].any()):
            known = texts.bags, texts.targets, texts.targets >= 0
        problem = _Problem(texts, self, spread(texts, self.num_labels, len(self.table)), weights)
        best = float("inf")
        for table, bias in problem.path():
            before = self.table, self.bias
            self.table, self.bias = table, bias
            loss = calibrated_loss(self(known[0])[known[2]], known[1][known[2]], weights)
            if loss >= best:
                self.table, self.bias = before
                break
            best = loss


def calibrated_loss(logits: Tensor, targets: Tensor, weights: Tensor | None) -> float:
    """Return the mean cross-entropy of ``logits`` ``(B, C)`` under the best of some temperatures (Guo et al. 2017)."""
    scales = torch.logspace(-1, 1, 21).tolist()
    return min(float(cross_entropy(logits * scale, targets, weight=weights)) for scale in scales)


def _inverse(squares: Tensor) -> Tensor:
    """Return the inverse length of each bag from its squared length; of an empty one 0."""
    return torch.where(squares > 0, squares.clamp(min=1e-30).rsqrt(), 0.0)


class _Problem:
    """The penalised cross-entropy of all texts of training in W and b, with its gradient.

    Args:
        texts: of training.
        layer: says how bags become logits.
        spread: ``(V,)``, the weights s.
        weights: of the labels, ``(C,)``; None: all weigh the same.
    """

    def __init__(self, texts: Labelled, layer: WideLinear, spread: Tensor, weights: Tensor | None) -> None:
        self.bags, self.targets = texts
        self.layer = layer
        each = torch.ones(len(self.targets)) if weights is None else weights[self.targets]
        self.rows = (each / each.sum())[:, None]  # (B, 1), the share of each text in the mean loss
        self.spread = spread[:, None]  # (V, 1)
        self.inverse = _inverse(self.bags.sum(self.spread.square()))  # (2B, 1)
        self.turned = _turned(self.bags, len(spread))
        self.weights = torch.zeros(len(spread), layer.columns)  # (V, K)
        self.bias = torch.zeros(layer.columns)

    def path(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the table ``(V, K + 1)`` and b ``(K,)`` under weaker and weaker penalties."""
        for penalty in PENALTIES:
            search = torch.optim.LBFGS([self.weights, self.bias], max_iter=STEPS, line_search_fn="strong_wolfe")
            search.step(lambda penalty=penalty: self._loss(penalty))  # type: ignore[no-untyped-call]
            yield torch.cat([self.spread * self.weights, self.spread.square()], dim=1), self.bias.clone()

    def _loss(self, penalty: float) -> float:
        """Return the loss; leave its gradient beside the weights."""
        sums = self.bags.sum(self.spread * self.weights)
        chances = self.layer.logits(sums, self.inverse, self.bias).log_softmax(dim=1)  # (B, C)
        fitted = chances.gather(1, self.targets[:, None])
        loss = penalty / 2 * self.weights.square().sum() - (self.rows * fitted).sum()
        slope = chances.exp_()
        slope[torch.arange(len(slope)), self.targets] -= 1.0
        slope = slope[:, -self.layer.columns :] * self.rows  # of two labels the second's: (B, K)
        each = slope.repeat_interleave(BAGS, dim=0) * self.inverse  # (2B, K)
        self.weights.grad = self.turned.sum(each).mul_(self.spread).add_(self.weights, alpha=penalty)
        self.bias.grad = slope.sum(dim=0)
        return float(loss)


def _turned(bags: Bags, size: int) -> Bags:
    """Return the transpose: a bag for every n-gram, of the bags that it stands in."""
    owners = torch.arange(len(bags.starts), dtype=bags.ids.dtype).repeat_interleave(bags.sizes())
    counts = torch.bincount(bags.ids, minlength=size)
    starts = (counts.cumsum(0) - counts).to(bags.ids.dtype)
    return Bags(owners[bags.ids.argsort(stable=True)], starts)
