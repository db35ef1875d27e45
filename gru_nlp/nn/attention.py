"""Attention of decoder states over encoder states: one score function a class, all queries at once.

How it works. ``memory`` computes once a sentence what does not depend on a query: the keys and the mask of real steps.
A call takes T queries of every sentence (target steps in training, open hypotheses in decoding, where T is K): scores
``(B, T, S)`` in one batched product, padding set to minus infinity, a softmax over S, and one more product that sums
the values. Only the additive score has a larger tensor, ``(B, T, S, A)``, and so costs most memory in training. Several
heads keep their keys and values side by side in one tensor, so that a decoder's state has the same fields whatever the
attention; their weights are shown as a mean.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from gru_nlp.errors import UserError
from gru_nlp.nn.masking import padding_mask
from gru_nlp.nn.products import Linear
from gru_nlp.nn.tanh import tanh


class Memory(NamedTuple):
    """What a decoder attends to, computed once a sentence.

    Attributes:
        keys: ``(B, S, ...)`` what scores are computed from.
        values: ``(B, S, M)`` what is summed.
        mask: ``(B, S)`` bool, True at real steps.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor


class Attention(nn.Module, ABC):
    """From queries to weighted sums of what is remembered.

    Args:
        query_size: Q.
        memory_size: M.
    """

    #: Whether contexts are sums of ``Memory.values``, weighted by shares of one, so that those may be of any size.
    sums_values = False

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.output_size = memory_size

    @abstractmethod
    def keys(self, values: Tensor) -> Tensor:
        """Return the keys of encoder states ``(B, S, M)``."""

    @abstractmethod
    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return contexts ``(B, T, M)`` of queries ``(B, T, Q)``, and weights ``(B, T, S)``."""

    def reach(self, mask: Tensor, weights: Tensor) -> Tensor:
        """Return the mask of the step after one of weights ``(B, S)``; by default it stays."""
        return mask

    def memory(self, values: Tensor, lengths: Tensor) -> Memory:
        """Prepare encoder states ``(B, S, M)`` of ``lengths`` ``(B,)``."""
        return Memory(self.keys(values), values, padding_mask(lengths, values.shape[1]))


#: Makes the attention from the sizes of queries and memory.
MakeAttention = Callable[[int, int], Attention]


class ScoredAttention(Attention):
    """The weights are a softmax over the scores of a subclass, the values the encoder states themselves."""

    sums_values = True

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the scores ``(B, T, S)`` of queries ``(B, T, Q)``."""

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Score, normalise, sum."""
        scores = self.scores(queries, memory.keys).masked_fill(~memory.mask[:, None], float("-inf"))
        weights = scores.softmax(dim=2)
        return torch.bmm(weights, memory.values), weights


class AdditiveAttention(ScoredAttention):
    """``v . tanh(W q + U m)`` (Bahdanau et al. 2015, appendix A.1.2), the multi-layer perceptron.

    Args:
        query_size, memory_size: as in ``Attention``.
        hidden_size: features inside the tanh.
    """

    def __init__(self, query_size: int, memory_size: int, *, hidden_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.query = Linear(query_size, hidden_size)
        self.key = Linear(memory_size, hidden_size, bias=False)
        self.energy = nn.Linear(hidden_size, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """Project: ``(B, S, A)``."""
        return cast(Tensor, self.key(values))

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score every pair; the inner tensor is ``(B, T, S, A)``."""
        inner = tanh(self.query(queries)[:, :, None] + keys[:, None])
        return cast(Tensor, self.energy(inner)).squeeze(3)


class GeneralAttention(ScoredAttention):
    """``q . W m`` (Luong et al. 2015, eq. 8)."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.key: nn.Module = Linear(memory_size, query_size, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """Project: ``(B, S, Q)``."""
        return cast(Tensor, self.key(values))

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Multiply, scaled by the square root of Q so that the softmax starts out soft (Vaswani et al. 2017)."""
        scores: Tensor = torch.bmm(queries, keys.transpose(1, 2)) * self.query_size**-0.5
        return scores


class DotAttention(GeneralAttention):
    """``q . m`` (Luong et al. 2015, eq. 8), which needs queries and memory of one size."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        if query_size != memory_size:
            raise UserError(
                f"attention=dot needs queries of {query_size} features to be as wide as the encoder's {memory_size}: "
                "set decoder.hidden_size, or embedding.size with decoder=parallel"
            )
        super().__init__(query_size, memory_size)
        self.key = nn.Identity()


class MultiHeadAttention(Attention):
    """Several scaled dot products side by side (Vaswani et al. 2017, section 3.2.2); the weights are their mean.

    Args:
        query_size, memory_size: as in ``Attention``.
        hidden_size: features of all heads together.
        heads: number of heads, which divides A.
    """

    def __init__(self, query_size: int, memory_size: int, *, hidden_size: int, heads: int) -> None:
        super().__init__(query_size, memory_size)
        if hidden_size % heads:
            raise UserError(f"attention.hidden_size={hidden_size} must be a multiple of attention.heads={heads}")
        self.heads = heads
        self.query = Linear(query_size, hidden_size)
        self.key = Linear(memory_size, hidden_size, bias=False)
        self.value = Linear(memory_size, hidden_size, bias=False)
        self.output = Linear(hidden_size, memory_size)

    def keys(self, values: Tensor) -> Tensor:
        """Project keys and values of all heads, side by side: ``(B, S, 2 A)``."""
        return torch.cat([self.key(values), self.value(values)], dim=2)

    def _split(self, tensor: Tensor) -> Tensor:
        return tensor.view(*tensor.shape[:2], self.heads, -1).transpose(1, 2)  # (B, heads, T, A / heads)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Attend with every head."""
        keys, values = (self._split(part) for part in memory.keys.chunk(2, dim=2))
        query = self._split(self.query(queries))
        scores = query @ keys.transpose(2, 3) * query.shape[3] ** -0.5  # (B, heads, T, S)
        weights = scores.masked_fill(~memory.mask[:, None, None], float("-inf")).softmax(dim=3)
        joined = (weights @ values).transpose(1, 2).flatten(2)  # (B, T, A)
        return self.output(joined), weights.mean(dim=1)
