"""Whether training has diverged: the first loss of an epoch that is no number, and weights beyond all use.

Each step's loss is looked at where it lies, on the device, and what was seen is read back before a validation and
before a checkpoint is saved alone: reading it at every step would let the device wait for the processor.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gru_nlp.errors import Fault

#: No weight of a network that learns comes near; the first step of a rate far too high puts them all above it, while
#: the loss that was taken before that step, the only one of a run of one batch, is finite.
LARGEST_WEIGHT = 1e6
#: The number of a batch that no epoch has.
NEVER = 2**62


def is_sane(model: nn.Module) -> bool:
    """Return whether all trained weights are numbers of at most ``LARGEST_WEIGHT``."""
    largest = [weight.detach().abs().amax() for weight in model.parameters() if weight.requires_grad and weight.numel()]
    return bool((torch.stack(largest) <= LARGEST_WEIGHT).all()) if largest else True


def diverged(what: str) -> Fault:
    """Return the error that says that training has diverged, and what to do."""
    return Fault(f"{what}: training has diverged: lower optimizer.lr, or trainer.gradient_clip_val")


class Begun(NamedTuple):
    """Where an epoch, or what is left of one, was begun.

    Attributes:
        epoch: its number, from 0.
        step: steps of the optimiser before it.
        batch: number of its first batch, from 0.
        accumulated: batches a step.
    """

    epoch: int
    step: int
    batch: int
    accumulated: int


class FirstBad:
    """The first batch of an epoch whose loss was no finite number.

    Args:
        device: on which losses lie.
        begun: where the epoch was begun.
    """

    def __init__(self, device: torch.device, begun: Begun) -> None:
        self.begun = begun
        self.batch = torch.full((), NEVER, device=device)

    def see(self, loss: Tensor, batch: int) -> None:
        """Look at the loss of a batch by its number, from 0; nothing is read back from the device."""
        self.batch = torch.where(loss.detach().isfinite(), self.batch, self.batch.clamp(max=batch))

    def check(self, model: nn.Module) -> None:
        """Refuse to go on with a model that has diverged.

        Raises:
            Fault: naming epoch, step and batch of the first loss that was no finite number, counted from 1; or a
                weight of ``model`` is beyond all use.
        """
        batch, begun = int(self.batch), self.begun
        if batch != NEVER:
            step = begun.step + (batch - begun.batch) // begun.accumulated
            place = f"epoch {begun.epoch + 1}, step {step + 1}, batch {batch + 1}"
            raise diverged(f"a training loss is no finite number ({place})")
        if not is_sane(model):
            raise diverged(f"a weight is above {LARGEST_WEIGHT:,.0f}, or no number (epoch {begun.epoch + 1})")
