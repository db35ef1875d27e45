"""What a model leaves to a runtime without torch: its graphs, and inputs of any size to try them with."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from gru_nlp.nn.masking import padding_mask
from gru_nlp.text.special import PAD

#: The names of those axes of an array whose sizes are open.
Axes = Mapping[int, str]


#: What answers as graphs do, by their names: what each reads in its order, to what it gives.
Answers = Mapping[str, Callable[..., Sequence[Tensor]]]
Module = TypeVar("Module", bound=nn.Module)


class Sizes(NamedTuple):
    """Sizes of inputs: B rows, T steps of the longest, K hypotheses a row."""

    rows: int
    steps: int
    hypotheses: int = 1


class Graph(NamedTuple):
    """A part of a model that becomes one graph of operators.

    Attributes:
        name: of its file, without the ending.
        module: tensors to one tensor, or a tuple of them.
        inputs: the names of what it reads, in their order, and their open axes.
        outputs: the same of what it gives.
        draw: makes inputs of some sizes, by chance, from a generator of it.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Axes]
    outputs: Mapping[str, Axes]
    draw: Callable[[Sizes, torch.Generator], tuple[Tensor, ...]]


def standing_in(module: Module, **changed: Any) -> Module:
    """Return a copy of a module that shares its weights, but for some methods, attributes and parts, by their names."""
    twin = copy.copy(module)
    vars(twin)["_modules"] = dict(module._modules)
    for name, value in changed.items():
        if isinstance(value, nn.Module):
            setattr(twin, name, value)
        else:
            vars(twin)[name] = value
    return twin


def drawn_lengths(sizes: Sizes, random: torch.Generator) -> Tensor:
    """Return lengths ``(B,)`` from 1 to T, one of which is T."""
    lengths = torch.randint(1, sizes.steps + 1, (sizes.rows,), generator=random)
    lengths[0] = sizes.steps
    return lengths


def drawn_ids(count: int, lengths: Tensor, random: torch.Generator) -> Tensor:
    """Return ids below ``count`` of sequences of ``lengths`` ``(B,)``, padded to ``(B, T)``."""
    steps = int(lengths.max())
    ids = torch.randint(count, (len(lengths), steps), generator=random)
    return ids.masked_fill(~padding_mask(lengths, steps), PAD)
