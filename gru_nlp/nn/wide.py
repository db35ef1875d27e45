"""A linear layer over n-grams: the wide part beside a recurrent one, and how it is solved.

How it works. A text is two bags of ids, n-grams of words and of characters. Every n-gram f has a weight s_f that says
how unevenly it is spread over the labels, and every text the vector x of s_f at its n-grams, each bag scaled to length
1; the logits are W x + b. Since x is a diagonal matrix times a bag of ones times another, the table holds s_f W_f and
s_f squared, and one sum over a bag gives product and length. W is not trained with the rest: the problem is convex, and
``solve`` walks down a path of penalties by L-BFGS, each start the end before, until validation gets worse. Products
with the matrix of all texts, and with its transpose, are both sums of bags.

Shapes: B texts, C labels, K columns of W (1 for two labels that exclude each other, else C), V n-grams, M ids in a
batch.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, embedding_bag

from gru_nlp.nn.graph_forms import Exportable
from gru_nlp.nn.losses import LabelLoss

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
    """Some texts and their labels, ``(B, ...)`` as the loss takes them."""

    bags: Bags
    targets: Tensor


def spread(turned: Bags, indicators: Tensor) -> Tensor:
    """Return how unevenly each n-gram is spread over the labels, ``(V,)``.

    That is the root mean square, over labels by their frequency, of the logarithm of the ratio of an n-gram's smoothed
    share among the n-grams of a label's texts to that among all others': for two labels the weight of naive Bayes (Wang
    and Manning 2012, equation 4) but for its sign, which a linear layer does not need.

    Args:
        turned: for every n-gram, the bags of training that it stands in.
        indicators: 1 where a text has a label, else 0, ``(B, C)``.
    """
    counts = turned.sum(indicators.repeat_interleave(BAGS, dim=0))  # (V, C)
    others = turned.sizes()[:, None] - counts
    mine = (counts + 1) / (counts.sum(dim=0) + 1)
    theirs = (others + 1) / (others.sum(dim=0) + 1)
    share = indicators.sum(dim=0) / indicators.sum()  # (C,)
    return (mine.div_(theirs).log_().square_() @ share).sqrt()


class WideLinear(Exportable):
    """Logits from the n-grams of a text.

    Args:
        size: number of n-grams V.
        num_labels: number of labels C.
        exclusive: whether a text has just one label; of two such labels one is what the other is not.
    """

    table: Tensor
    bias: Tensor

    def __init__(self, size: int, num_labels: int, *, exclusive: bool) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.columns = 1 if exclusive and num_labels == 2 else num_labels
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
        return scaled if self.columns == self.num_labels else torch.cat([-scaled / 2, scaled / 2], dim=1)

    def graph_form(self) -> nn.Module:
        """Return the layer with sums of bags that operators of a graph know."""
        return WideForm(self)

    @torch.no_grad()
    def solve(self, texts: Labelled, unseen: Labelled, loss: LabelLoss) -> None:
        """Set the weights that fit ``texts``, under the penalty that fits ``unseen`` ones best.

        Weights that were solved on other texts before stay, where they fit ``unseen`` better than any of these.

        Args:
            texts: of training.
            unseen: of validation; some of their labels may not be known.
            loss: of logits.
        """
        bags, targets = unseen if bool(loss.rows(unseen.targets).any()) else texts
        known = loss.rows(targets) > 0
        kept = self.table, self.bias
        best = calibrated_loss(self(bags)[known], targets[known], loss) if bool(self.table.any()) else float("inf")
        last = float("inf")
        for table, bias in _Problem(texts, self, loss).path():
            self.table, self.bias = table, bias
            found = calibrated_loss(self(bags)[known], targets[known], loss)
            if found >= last:
                break
            last = found
            if found < best:
                best, kept = found, (table, bias)
        self.table, self.bias = kept


class WideForm(nn.Module):
    """The same logits, each row of the table added to the sum of the bag that owns it.

    Args:
        layer: what it stands for.
    """

    def __init__(self, layer: WideLinear) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, bags: Bags) -> Tensor:
        """Return logits ``(B, C)``."""
        rows, starts = embedding(bags.ids, self.layer.table), bags.starts.long()  # (M, K + 1), (2B,)
        begun = starts.new_zeros(rows.shape[0] + 1).index_add(0, starts, torch.ones_like(starts))
        owners = begun[:-1].cumsum(0) - 1  # (M,)
        sums = rows.new_zeros(starts.shape[0], rows.shape[1]).index_add(0, owners, rows)
        return self.layer.logits(sums[:, :-1], _inverse(sums[:, -1:]), self.layer.bias)


def calibrated_loss(logits: Tensor, targets: Tensor, loss: LabelLoss) -> float:
    """Return the mean loss of ``logits`` ``(B, C)`` under the best of some temperatures (Guo et al. 2017)."""
    scales = torch.logspace(-1, 1, 21).tolist()
    return min(float(loss.mean(logits * scale, targets)) for scale in scales)


def _inverse(squares: Tensor) -> Tensor:
    """Return the inverse length of each bag from its squared length; of an empty one 0."""
    return torch.where(squares > 0, squares.clamp(min=1e-30).rsqrt(), 0.0)


class _Problem:
    """The penalised loss of all texts of training in W and b, with its gradient.

    Args:
        texts: of training.
        layer: says how bags become logits.
        loss: of logits.
    """

    def __init__(self, texts: Labelled, layer: WideLinear, loss: LabelLoss) -> None:
        self.bags, self.targets = texts
        self.layer = layer
        self.loss = loss
        each = loss.rows(self.targets)
        self.rows = each / each.sum()  # (B,), the share of each text in the mean loss
        size = len(layer.table)
        self.turned = _turned(self.bags, size)
        self.spread = spread(self.turned, loss.indicators(self.targets, layer.num_labels))[:, None]  # (V, 1)
        self.inverse = _inverse(self.bags.sum(self.spread.square()))  # (2B, 1)
        self.weights = torch.zeros(size, layer.columns)  # (V, K)
        self.bias = torch.zeros(layer.columns)

    def path(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the table ``(V, K + 1)`` and b ``(K,)`` under weaker and weaker penalties."""
        for penalty in PENALTIES:
            search = torch.optim.LBFGS([self.weights, self.bias], max_iter=STEPS, line_search_fn="strong_wolfe")
            search.step(lambda penalty=penalty: self._cost(penalty))  # type: ignore[no-untyped-call]
            yield torch.cat([self.spread * self.weights, self.spread.square()], dim=1), self.bias.clone()

    def _cost(self, penalty: float) -> float:
        """Return the loss with its penalty; leave its gradient beside the weights."""
        sums = self.bags.sum(self.spread * self.weights)
        losses, slopes = self.loss.slopes(self.layer.logits(sums, self.inverse, self.bias), self.targets)
        slope = slopes[:, -self.layer.columns :] * self.rows[:, None]  # of one column, the second label's: (B, K)
        each = slope.repeat_interleave(BAGS, dim=0) * self.inverse  # (2B, K)
        self.weights.grad = self.turned.sum(each).mul_(self.spread).add_(self.weights, alpha=penalty)
        self.bias.grad = slope.sum(dim=0)
        return float(penalty / 2 * self.weights.square().sum() + (self.rows * losses).sum())


def _turned(bags: Bags, size: int) -> Bags:
    """Return the transpose: a bag for every n-gram, of the bags that it stands in."""
    owners = torch.arange(len(bags.starts), dtype=bags.ids.dtype).repeat_interleave(bags.sizes())
    counts = torch.bincount(bags.ids, minlength=size)
    starts = (counts.cumsum(0) - counts).to(bags.ids.dtype)
    return Bags(owners[bags.ids.argsort(stable=True)], starts)
