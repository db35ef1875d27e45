"""An epoch of training: the random numbers that it draws, what is counted in it, and what of it a checkpoint keeps."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gru_nlp.batch import Batch


class Epoch:
    """Counts of an epoch that is being trained on; they stay on the device, since reading one back would stall it.

    Attributes:
        batches: trained on so far; 0 between two epochs.
    """

    def __init__(self) -> None:
        self.batches = 0
        self.padded_steps = 0
        self.real_steps = torch.zeros((), dtype=torch.int64)
        self.losses = torch.zeros(())

    def start(self, seed: int, device: torch.device) -> None:
        """Seed what is drawn in the epoch, and count anew."""
        torch.manual_seed(seed % 2**63)
        self.padded_steps = 0
        self.real_steps = torch.zeros((), dtype=torch.int64, device=device)
        self.losses = torch.zeros((), device=device)

    def count(self, batch: Batch[Tensor], loss: Tensor, place: int) -> None:
        """Count a batch, whose number in the epoch is ``place``, and its loss ``()``."""
        self.batches = place + 1
        self.padded_steps += batch.inputs.shape[0] * batch.inputs.shape[1]
        self.real_steps = self.real_steps + batch.lengths.sum()
        self.losses = self.losses + loss.detach()

    def mean_loss(self) -> float:
        """Return the mean loss of the batches so far."""
        return float(self.losses) / max(1, self.batches)

    def padding_share(self) -> float:
        """Return the share of padding among the steps."""
        return 1.0 - float(self.real_steps) / max(1, self.padded_steps)

    def state_dict(self) -> dict[str, Any]:
        """Return what an epoch that is broken off goes on from: counts, and the state of random numbers."""
        device = self.real_steps.device
        drawn = None if device.type == "cpu" else torch.get_device_module(device).get_rng_state(device)
        return {
            "padded_steps": self.padded_steps,
            "real_steps": int(self.real_steps),
            "losses": float(self.losses),
            "random": torch.get_rng_state(),
            "device_random": drawn,
        }

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Take back what ``state_dict`` gave; random numbers of a device count on one of its kind alone.

        An older version kept no losses: then the epoch has no mean of them.
        """
        self.padded_steps = state["padded_steps"]
        self.real_steps = torch.tensor(state["real_steps"], dtype=torch.int64, device=device)
        losses = state.get("losses")
        self.losses = torch.tensor(math.nan if losses is None else losses, device=device)
        torch.set_rng_state(state["random"])
        if device.type != "cpu" and state["device_random"] is not None:
            torch.get_device_module(device).set_rng_state(state["device_random"], device)
