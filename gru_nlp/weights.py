"""Weights of a stranger's file, held against themselves and against the model that they are said to fit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gru_nlp.errors import UserError


def check_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are no finite numbers, or that claim to be larger than what is stored of them.

    Raises:
        UserError: naming the file and the parameter.
    """
    for name, values in weights.items():
        if not isinstance(values, Tensor) or values.layout != torch.strided or values.is_complex():
            raise UserError(f"{path}: '{name}' of the weights is no plain array of numbers")
        if values.numel() * values.element_size() > values.untyped_storage().nbytes():
            raise UserError(f"{path}: '{name}' of the weights claims to be larger than what is stored of it")
        if values.is_floating_point() and not bool(values.isfinite().all()):
            raise UserError(f"{path}: '{name}' of the weights holds values that are no numbers")


def check_tensors(path: Path, content: Any) -> None:
    """Refuse tensors, wherever they lie in plain values, that claim to be larger than what is stored of them.

    Raises:
        UserError: naming the file.
    """
    stack = [content]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, Tensor) and item.numel() * item.element_size() > item.untyped_storage().nbytes():
            raise UserError(f"{path}: a tensor claims to be larger than what is stored of it")


def check_fit(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Hold the names, shapes and kinds of ``weights`` against a model's own.

    Raises:
        UserError: naming the first that differs.
    """
    own = model.state_dict()
    for name in [*own, *weights]:
        if name not in own or name not in weights:
            told = "is missing in the file" if name in own else "is not part of the model"
            raise UserError(f"the weights do not fit the model: {name} {told}")
        if own[name].shape != weights[name].shape:
            shapes = f"{tuple(weights[name].shape)} where the model has {tuple(own[name].shape)}"
            raise UserError(f"the weights do not fit the model: {name} is {shapes}")
        if own[name].is_floating_point() != weights[name].is_floating_point():
            raise UserError(f"the weights do not fit the model: {name} is {weights[name].dtype}")


class Unfilled(TorchFunctionMode):
    """Fill no tensor with normal numbers: on the meta device there is nothing to fill, and it imports for 0.7 s."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__name__", "") == "normal_":  # of a tensor, or of torch.nn.init, which names its argument
            return args[0] if args else given["tensor"]
        return func(*args, **given)
