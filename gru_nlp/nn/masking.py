"""What padding asks of every layer: masks, reversal within lengths, variational dropout."""

import torch
from torch import Tensor


def padding_mask(lengths: Tensor, steps: int) -> Tensor:
    """Return ``(B, T)`` bool, True where a step belongs to its sequence; ``lengths`` is ``(B,)``."""
    return torch.arange(steps, device=lengths.device)[None, :] < lengths[:, None]


def reversal_index(lengths: Tensor, steps: int) -> Tensor:
    """Return ``(B, T)`` int64, the step that stands at each place once every sequence is reversed within its length.

    Steps of padding keep their place, so the index is its own inverse.
    """
    places = torch.arange(steps, device=lengths.device)[None, :]
    mirrored = lengths[:, None] - 1 - places
    return torch.where(mirrored >= 0, mirrored, places)


def gather_steps(sequence: Tensor, index: Tensor) -> Tensor:
    """Take steps of ``sequence`` ``(B, T, D)`` by ``index`` ``(B, S)`` -> ``(B, S, D)``."""
    return sequence.gather(1, index[:, :, None].expand(-1, -1, sequence.shape[2]))


def last_steps(sequence: Tensor, lengths: Tensor) -> Tensor:
    """Take the last real step of each sequence: ``(B, T, D)``, ``(B,)`` -> ``(B, D)``."""
    return sequence[torch.arange(lengths.shape[0], device=lengths.device), lengths - 1]


def variational_dropout(sequence: Tensor, probability: float, training: bool) -> Tensor:
    """Drop the same features at every step of a sequence ``(B, T, D)`` (Gal and Ghahramani 2016)."""
    if not training or probability == 0.0:
        return sequence
    keep = 1.0 - probability
    mask = sequence.new_empty(sequence.shape[0], 1, sequence.shape[2]).bernoulli_(keep)
    return sequence * mask.div_(keep)
