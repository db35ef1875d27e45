"""Whether a device computes what the processor computes, asked before it trains.

Torch's recurrent layers on Apple's GPU have given wrong values and gradients (pytorch issues 94691, 123148), so it is
used on request alone and shown one batch first. The loss and every gradient must agree.
"""

from typing import Any

import torch

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.errors import UserError
from gru_nlp.tasks.base import Task
from gru_nlp.tensors import to_tensors

#: Devices that are asked.
DOUBTED = ("mps",)
#: Most by which a loss or a gradient may differ, as a share of the largest value; float32 gives about 1e-6.
TOLERANCE = 1e-3


def check(task: Task, batch: Batch[AnyArray], device: str) -> None:
    """Refuse a device that computes otherwise than the processor.

    Args:
        task: about to be trained; it stands on the processor again afterwards, its gradients empty.
        batch: of training, as arrays.
        device: where it will be trained.

    Raises:
        UserError: naming the loss or the parameter, and by how much it differs.
    """
    name, difference = largest_difference(task, batch, device)
    if not difference <= TOLERANCE:
        told = f"{name} differs from the processor's by {100 * difference:.2g} % on the first batch"
        raise UserError(f"device={device} computes wrongly here: {told}: set device=cpu")


def largest_difference(task: Task, batch: Batch[AnyArray], device: str) -> tuple[str, float]:
    """Return what differs most between processor and device, and by which share of its largest value."""
    here, there = computed(task, batch, "cpu"), computed(task, batch, device)
    shares = {}
    for name, wanted in here.items():
        scale = max(float(wanted.abs().max()), torch.finfo(torch.float32).tiny)
        shares[name] = float((wanted - there[name]).abs().max()) / scale
    worst = max(shares, key=lambda name: float("inf") if shares[name] != shares[name] else shares[name])
    return worst, shares[worst]


def computed(task: Task, batch: Batch[AnyArray], device: str) -> dict[str, torch.Tensor]:
    """Return the loss of a batch without dropout, and its gradients by parameter, computed on ``device``."""
    trained = task.training
    task.eval().to(device)
    loss: Any = task.loss(to_tensors(batch, device))
    loss.backward()
    found = {"the loss": loss.detach().cpu()}
    for name, parameter in task.named_parameters():
        if parameter.grad is not None:
            found[f"the gradient of {name}"] = parameter.grad.cpu()
            parameter.grad = None
    task.train(trained).to("cpu")
    return found
