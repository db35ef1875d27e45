"""Attention that reads from left to right: at each step it stays, or goes on to the next characters.

How it works, after Zhang et al. (2018, "forward attention"). What a step may attend to is where the step before was,
and the ``AHEAD`` places behind each of these: the weights of the step before, moved on by none to so many places, are
the chances before a step looks at anything, and its own scores are weighed by them. So nothing is read twice, and next
to nothing is skipped, in training and in use alike; and attention finds its way in a fraction of the steps of training.
What is carried from step to step stands in the place of the mask of real steps.

Shapes, beside those of ``gru_nlp.nn.attention``: the mask is ``(B, 2, S)``, of 1 where a step is real, and of chances.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gru_nlp.errors import UserError
from gru_nlp.nn.attention import Attention, Memory, ScoredAttention
from gru_nlp.nn.masking import padding_mask

#: Places by which attention may go on at a step.
AHEAD = 2


class MonotoneAttention(Attention):
    """The scores of another attention, weighed by where the step before was.

    Args:
        attention: of one softmax over its scores.

    Raises:
        UserError: it has several.
    """

    def __init__(self, attention: nn.Module) -> None:
        if not isinstance(attention, ScoredAttention):
            raise UserError("model.monotone=true needs one softmax a step: set attention=additive, dot or general")
        super().__init__(attention.query_size, attention.output_size)
        self.scored = attention

    def keys(self, values: Tensor) -> Tensor:
        """Return those of the attention within."""
        return self.scored.keys(values)

    def memory(self, values: Tensor, lengths: Tensor) -> Memory:
        """Prepare encoder states; the first step may attend to the first places."""
        real = padding_mask(lengths, values.shape[1]).to(values.dtype)
        first = pad(torch.ones_like(real[:, :1]), (0, real.shape[1] - 1))
        return Memory(self.keys(values), values, moved(torch.stack([real, first], dim=1)))

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Attend step by step, from the chances that ``memory`` has."""
        scores, mask, weights = self.scored.scores(queries, memory.keys), memory.mask, []
        for step in scores.unbind(dim=1):
            chances = mask[:, 1]
            open_ = chances > 0
            weighed = step + torch.where(open_, chances, 1.0).log()
            weights.append(weighed.masked_fill(~open_, float("-inf")).softmax(dim=1))
            mask = self.reach(mask, weights[-1])
        found = torch.stack(weights, dim=1)
        return torch.bmm(found, memory.values), found

    def reach(self, mask: Tensor, weights: Tensor) -> Tensor:
        """Return the mask of the next step."""
        return moved(torch.stack([mask[:, 0], weights], dim=1))


def moved(mask: Tensor) -> Tensor:
    """Return a mask ``(B, 2, S)`` whose chances have stayed, or gone on, each by none to ``AHEAD`` real places."""
    real, chances = mask.unbind(dim=1)
    size = chances.shape[1]
    sums = torch.stack([pad(chances, (by, 0))[:, :size] for by in range(AHEAD + 1)]).sum(dim=0)
    return torch.stack([real, sums * real], dim=1)
