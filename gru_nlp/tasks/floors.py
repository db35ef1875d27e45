"""Floors of a model: rates that fall from its top to its bottom, and training that begins at the top.

A model that begins from a language model knows much at its bottom and nothing at its top: the floors below are trained
more slowly, and later (Howard and Ruder 2018, sections 3.2 and 3.3).
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from gru_nlp.errors import UserError
from gru_nlp.models.base import Model

Floors = Sequence[Sequence[nn.Module]]
MakeOptimizer = Callable[[list[dict[str, Any]]], Optimizer]
#: Key of a group of parameters that says at which share of the optimiser's rate it is trained.
RATE = "floor_rate"


def check_floors(floor_decay: float, thaw_epochs: int) -> None:
    """Refuse, by a ``UserError``, values of the two options that mean nothing."""
    if not 0.0 < floor_decay <= 1.0:
        raise UserError(f"task.floor_decay={floor_decay} must be above 0 and at most 1")
    if thaw_epochs < 0:
        raise UserError(f"task.thaw_epochs={thaw_epochs} must not be negative")


def depths(floors: Floors) -> dict[int, int]:
    """Return, by the ``id`` of a parameter, how many floors lie above it; those on no floor are the top."""
    numbered = enumerate(floors, start=1)
    return {id(weight): depth for depth, floor in numbered for module in floor for weight in module.parameters()}


def parameter_groups(trained: nn.Module, floors: Floors = (), floor_decay: float = 1.0) -> list[dict[str, Any]]:
    """Group trainable parameters: weight decay for matrices, none for embeddings, biases and other vectors.

    Args:
        trained: whose parameters they are.
        floors: of its model, from the top down.
        floor_decay: rate of a floor as a share of that of the floor above it.
    """
    tables = {id(module.weight) for module in trained.modules() if isinstance(module, nn.Embedding)}
    depth_of = depths(floors) if floor_decay != 1.0 else {}
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {(0, True): [], (0, False): []}
    for parameter in trained.parameters():
        if parameter.requires_grad:
            decayed = parameter.ndim >= 2 and id(parameter) not in tables
            groups.setdefault((depth_of.get(id(parameter), 0), decayed), []).append(parameter)
    return [
        {"params": group, RATE: floor_decay**depth, **({} if decayed else {"weight_decay": 0.0})}
        for (depth, decayed), group in groups.items()
    ]


def make_optimizer(make: MakeOptimizer, trained: nn.Module, floors: Floors, floor_decay: float) -> Optimizer:
    """Make an optimiser of all parameters, each floor at its share of the rate; schedules start from there."""
    optimizer = make(parameter_groups(trained, floors, floor_decay))
    for group in optimizer.param_groups:
        group["lr"] *= group[RATE]
    return optimizer


class Thawing:
    """Which floors of a model are trained in which epoch: the n-th from the top from epoch ``n * epochs`` on.

    Args:
        model: in training.
        epochs: after which one more floor is trained; 0: all are from the start.
    """

    def __init__(self, model: Model[Any], epochs: int) -> None:
        self.model = model
        self.epochs = epochs
        self.frozen: list[nn.Parameter] = []

    def start_epoch(self, epoch: int) -> None:
        """Freeze what is not trained in ``epoch``; what is never trained stays as it is."""
        for weight in self.frozen:
            weight.requires_grad_(True)
        self.frozen = []
        for depth, floor in enumerate(self.model.floors(), start=1):
            if depth * self.epochs > epoch:
                weights = (weight for module in floor for weight in module.parameters())
                self.frozen += [weight for weight in weights if weight.requires_grad]
        for weight in self.frozen:
            weight.requires_grad_(False)
