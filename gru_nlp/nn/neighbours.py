"""The words around each word as a second thing to learn: each direction foretells the word that it reads next."""

import torch
from torch import Tensor, nn

from gru_nlp.nn.masking import padding_mask
from gru_nlp.nn.projection import projected_cross_entropy

#: Features between states and words, few, so that what foretells lies in the states (Rei 2017).
HIDDEN = 50


class NextWord(nn.Module):
    """A small tanh layer and an output over the words, with its loss.

    Args:
        state_size: S, features of a direction's state.
        num_words: number of ids that are told apart.
    """

    def __init__(self, state_size: int, num_words: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(state_size, HIDDEN)
        self.output = nn.Linear(HIDDEN, num_words)

    def forward(self, states: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy ``()`` of ``targets`` ``(N,)`` foretold from ``states`` ``(N, S)``, in nats."""
        features = self.hidden(states).tanh()
        return projected_cross_entropy(features, self.output.weight, self.output.bias, targets, 0.0)


class NeighbourLoss(nn.Module):
    """The loss of the words around each word (Rei 2017, "Semi-supervised Multitask Learning for Sequence Labeling").

    At each word the forward states foretell the word after it, or the end mark, and the backward states the word before
    it, or the start mark. Shapes: B sentences, T words, F forward and R backward features.

    Args:
        directions: F and R; where one is 0, that direction does not count.
        num_words: ids below it are told apart, all others are the unknown word.
        unknown_id: id of the unknown word.
        start_id: id of the start mark.
        end_id: id of the end mark.
    """

    def __init__(
        self, directions: tuple[int, int], num_words: int, *, unknown_id: int, start_id: int, end_id: int
    ) -> None:
        super().__init__()
        self.sizes = list(directions)
        self.num_words = num_words
        self.unknown_id = unknown_id
        self.start_id = start_id
        self.end_id = end_id
        self.ahead, self.back = (NextWord(size, num_words) if size else None for size in directions)

    def forward(self, states: Tensor, words: Tensor, lengths: Tensor) -> Tensor:
        """Return the loss of both directions in nats, summed over a sentence's words, a mean over sentences ``()``.

        Args:
            states: ``(B, T, F + R)``.
            words: ids ``(B, T)``.
            lengths: ``(B,)``, each at least 1.
        """
        real = padding_mask(lengths, words.shape[1])
        words = words.masked_fill(words >= self.num_words, self.unknown_id)
        ahead, back = torch.split(states[real], self.sizes, dim=1)  # (N, F), (N, R)
        loss = states.new_zeros(())
        if self.ahead is not None:
            following = words.roll(-1, dims=1).scatter(1, lengths[:, None] - 1, self.end_id)
            loss = loss + self.ahead(ahead, following[real])
        if self.back is not None:
            preceding = words.roll(1, dims=1).index_fill(1, lengths.new_zeros(1), self.start_id)
            loss = loss + self.back(back, preceding[real])
        return loss * (len(ahead) / len(lengths))
