"""The hyperbolic tangent by the sigmoid, ``2 s(2 x) - 1``: on a CPU that takes a third to a sixth of torch's time."""

from typing import Any

import torch
from torch import Tensor

from gru_nlp.nn.first_order import apply_function, first_order


def tanh_(tensor: Tensor) -> Tensor:
    """Take it in place; without gradient."""
    return tensor.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)


def tanh(tensor: Tensor) -> Tensor:
    """Take it; without gradient, on a GPU, and of half precision by torch's own function."""
    exact = tensor.dtype in (torch.float32, torch.float64)  # the sigmoid of fewer digits leaves none near zero
    quick = exact and torch.is_grad_enabled() and tensor.device.type == "cpu"
    return apply_function(TanhFunction, tensor) if quick else torch.tanh(tensor)


class TanhFunction(torch.autograd.Function):
    """The same with its gradient."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        """Return it, of the shape of ``tensor``."""
        found = tanh_(tensor.clone())
        ctx.save_for_backward(found)
        return found

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """``1 - tanh(x)^2`` times the gradient."""
        (found,) = ctx.saved_tensors
        return torch.addcmul(gradient, gradient * found, found, value=-1.0)
