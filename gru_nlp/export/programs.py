"""Graphs of a model as files that torch alone runs: programs of ``torch.export``.

Units run as scans over their step form, a call of torch's for each of its operations, so that such a file is slower
than the model it was made from; what it saves is this program. ``check_guards=False`` belongs to its use: torch might
refuse a single row, for which the program is as right as for several (``checks`` has tried both).
"""

import copy
import io
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gru_nlp.batch import AnyArray
from gru_nlp.export.checks import Answer, farthest
from gru_nlp.export.graphs import EXAMPLE, SEED, paired, place_forms, silent
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Graph
from gru_nlp.nn.cell import Cell, ScannedForm

#: What a program keeps of each of its nodes that tells of files of this machine.
ORIGINS = ("stack_trace", "source_fn_stack", "nn_module_stack", "from_node")


def torch_files(model: Model[Any]) -> tuple[dict[str, bytes], float]:
    """Return a model's files by their names, and the greatest difference between one of them and the model.

    Raises:
        UserError: one is not right.
    """
    twin = copy.deepcopy(model).eval()
    place_forms(twin, lambda layer: ScannedForm(layer) if isinstance(layer, Cell) else layer)
    files, apart = {}, 0.0
    for own, form in paired(model, twin):
        content = to_program(form)
        apart = max(apart, farthest(own, program_answer(content)))
        files[f"{own.name}.pt2"] = content
    return files, apart


def to_program(graph: Graph) -> bytes:
    """Return a graph as a file of ``torch.export.save``."""
    example = graph.draw(EXAMPLE, torch.Generator().manual_seed(SEED))
    open_ = torch.export.Dim.DYNAMIC
    shapes = tuple(dict.fromkeys(axes, open_) for axes in graph.inputs.values())
    # As torch.onnx.export does: else sizes of 1 would be refused, since torch takes them for sizes of their own kind.
    sizes_alike = torch.fx.experimental._config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    with torch.no_grad(), silent(), sizes_alike:
        program = torch.export.export(graph.module, example, dynamic_shapes=shapes, strict=False)
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            for name in ORIGINS:
                node.meta.pop(name, None)
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def program_answer(content: bytes) -> Answer:
    """Return what answers by a file of ``torch.export.save``."""
    program: nn.Module = torch.export.load(io.BytesIO(content)).module(check_guards=False)

    def answer(inputs: Mapping[str, AnyArray]) -> Sequence[AnyArray]:
        with torch.no_grad():
            found = program(*map(torch.from_numpy, inputs.values()))
        return [found.numpy()] if isinstance(found, Tensor) else [part.numpy() for part in found]

    return answer
