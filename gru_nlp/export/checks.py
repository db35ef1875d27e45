"""Whether a graph computes what its model does, on other sizes than those of the example that it was made from.

How far a runtime may be from torch depends on the weights: a trained attention's softmax makes much of little, for
torch as well. So what is further away than ``MOST_APART`` is measured by how far torch is from double precision.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from gru_nlp.batch import AnyArray
from gru_nlp.errors import UserError
from gru_nlp.models.graphs import Graph, Sizes

#: Greatest difference of an output, as a share of its largest value where that is above 1.
MOST_APART = 1e-5
#: As many times as torch is from double precision a runtime may be, whose tanh and sums are others: 6 were seen.
ROUNDINGS = 12
#: Rows, steps and hypotheses: single ones, one row, many rows, a length of its own for each of them.
TRIED = (
    Sizes(1, 1, 1),
    Sizes(1, 12, 5),
    Sizes(2, 3, 1),
    Sizes(4, 1, 3),
    Sizes(9, 31, 4),
    Sizes(33, 64, 2),
)
#: Answers to inputs of a graph, by their names, with its outputs in their order.
Answer = Callable[[Mapping[str, AnyArray]], Sequence[AnyArray]]


def onnx_answer(content: bytes) -> Answer:
    """Return what answers by a file of ONNX."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]  # what the outputs do not depend on is no input

    def answer(inputs: Mapping[str, AnyArray]) -> Sequence[AnyArray]:
        found: Sequence[AnyArray] = session.run(None, {name: inputs[name] for name in names})
        return found

    return answer


def farthest(graph: Graph, answer: Answer, most: float = MOST_APART) -> float:
    """Return the greatest difference between a graph of a model and what ``answer`` makes of it.

    Raises:
        UserError: it is above ``most``, and above what rounding makes of this model.
    """
    apart = 0.0
    for seed, sizes in enumerate(TRIED):
        inputs = graph.draw(sizes, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            expected = graph.module(*inputs)
        named = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        found = answer(named)
        wanted = (expected,) if isinstance(expected, Tensor) else expected
        for name, mine, theirs in zip(graph.outputs, wanted, found, strict=True):
            difference = distance(*real(graph, name, named, mine.numpy(), theirs))
            if not difference <= most and not difference <= ROUNDINGS * rounding(graph, name, inputs, mine):
                where = f"for {sizes.rows} rows of {sizes.steps} steps and {sizes.hypotheses} hypotheses"
                told = f"the graph '{graph.name}' gives '{name}' {difference:.1e} away from torch"
                raise UserError(f"{told}, {where}: not exported")
            apart = max(apart, difference)
    return apart


def rounding(graph: Graph, name: str, inputs: Sequence[Tensor], mine: Tensor) -> float:
    """Return how far ``mine``, which torch gives as ``name`` of a graph's ``inputs``, is from double precision."""
    doubled = [each.double() if each.is_floating_point() else each for each in inputs]
    with torch.no_grad():
        exact = deepcopy(graph.module).double()(*doubled)
    values = (exact,) if isinstance(exact, Tensor) else exact
    precise = dict(zip(graph.outputs, values, strict=True))[name]
    named = {given: value.numpy() for given, value in zip(graph.inputs, inputs, strict=True)}
    return distance(*real(graph, name, named, precise.numpy(), mine.numpy()))


def real(graph: Graph, name: str, inputs: Mapping[str, AnyArray], *arrays: AnyArray) -> list[AnyArray]:
    """Return what a graph gives as ``name``, without numbers that stand at padded steps, which are unspecified.

    Args:
        graph: whose output it is.
        name: of it.
        inputs: by their names; ``lengths`` ``(B,)`` of ``inputs`` ``(B, T)`` among them, or no step is padded.
        arrays: what the graph, or the model in its place, makes of them.
    """
    own = graph.inputs.get("inputs", {}).get(1)
    masks = any(array.dtype == bool for array in arrays)
    if masks or "lengths" not in inputs or own is None or graph.outputs[name].get(1) != own:
        return list(arrays)
    steps = inputs["inputs"].shape[1]
    kept = np.arange(steps) < inputs["lengths"][:, None]
    return [array[kept] if array.shape[:2] == kept.shape else array for array in arrays]


def distance(expected: AnyArray, found: AnyArray) -> float:
    """Return the greatest difference of two arrays, as a share of the largest value where that is above 1.

    Infinite if their shapes or their infinite values differ.
    """
    if expected.shape != found.shape:
        return float("inf")
    if expected.dtype == bool or not expected.size:
        return 0.0 if np.array_equal(expected, found) else float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], found[~finite], equal_nan=True):
        return float("inf")
    mine, theirs = expected[finite].astype(np.float64), found[finite].astype(np.float64)
    if not mine.size:
        return 0.0
    return float(np.abs(mine - theirs).max() / max(1.0, np.abs(mine).max()))
