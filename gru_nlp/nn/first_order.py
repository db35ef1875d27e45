"""Gradients written out by hand, which cannot be differentiated again."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import torch
from torch import Tensor

Backward = Callable[..., Any]


def apply_function(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """Return ``function`` of ``arguments``, a single tensor; torch leaves ``apply`` without types."""
    return cast(Tensor, function.apply(*arguments))  # type: ignore[no-untyped-call]


def first_order(backward: Backward) -> Backward:
    """Let a function's ``backward`` refuse to run under ``create_graph=True``.

    torch's own ``once_differentiable`` refuses only where the arriving gradient requires a gradient itself; behind a
    plain sum of states it would hand out second derivatives that miss all that ``forward`` saved.
    """

    @wraps(backward)
    def refusing(*arguments: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("this gradient is written out by hand and has none of its own: leave out create_graph")
        return backward(*arguments)

    return refusing
