"""An exponential moving average of the weights, which is what gets validated, saved as the best, and used."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell


class WeightAverage:
    """The average of what training changes of a model: weights, and statistics of batches (Polyak and Juditsky 1992).

    Statistics belong to the weights that they were taken with, so that both are averaged alike.

    After n updates the share of the past is ``min(decay, (1 + n) / (10 + n))``, so that the first weights, which are
    random, are soon forgotten.

    Args:
        model: whose weights are averaged.
        decay: share of the past that an update keeps.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        weights = [item for item in model.named_parameters() if item[1].requires_grad]
        statistics = [
            (f"{owner}.{name}".removeprefix("."), module.get_buffer(name))
            for owner, module in model.named_modules()
            if isinstance(module, Cell)
            for name in module.statistics
        ]
        self.names, self.weights = zip(*weights, *statistics, strict=True)
        self.average = [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the present weights."""
        self.updates += 1
        kept = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.average, [weight.detach() for weight in self.weights], 1.0 - kept)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and their average."""
        for weight, average in zip(self.weights, self.average, strict=True):
            present = weight.detach().clone()
            weight.copy_(average)
            average.copy_(present)

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return the average and the number of updates, as plain values."""
        return {"updates": self.updates, **dict(zip(self.names, self.average, strict=True))}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor | int]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: ``state``, which may be a stranger's, is of another kind.
        """
        self.updates = int(state["updates"])
        if self.updates < 0:
            raise ValueError("fewer than no updates")
        for name, average in zip(self.names, self.average, strict=True):
            average.copy_(torch.as_tensor(state[name]))
