"""Graphs of a model as files of ONNX.

How it works. On a copy of the model, layers that no graph can follow give their places to others
(``nn.graph_forms``). ``torch.onnx.export`` follows each graph's module on an example, with every size open that its
axes name, and writes a node for each operation. What is left is made small: the bodies of our own operators take their
places, what does not depend on inputs is computed once, and names of this machine's files are left out. Whether the
result is right is not believed but tried (``checks``).
"""

import contextlib
import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from gru_nlp.errors import UserError
from gru_nlp.export.checks import farthest, onnx_answer
from gru_nlp.export.int8 import quantised
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Graph, Sizes
from gru_nlp.nn.graph_forms import DOMAIN, FUNCTIONS, OPSET, Exportable

#: Sizes of the example that is followed, no two of them equal, and none 1, which a graph might take for granted.
EXAMPLE = Sizes(rows=3, steps=5, hypotheses=2)
#: Bytes of weights that one file can hold, which is a message of Protocol Buffers.
MOST_BYTES = (1 << 31) - (1 << 24)
SEED = 1
#: Loggers that tell of packages which the exporter misses, and of its own parts.
TALKATIVE = ("torch.onnx._internal.exporter._registration", "onnx_ir._convenience")


def needed() -> Any:
    """Return the package ``onnx``.

    Raises:
        UserError: what export needs is not installed.
    """
    try:
        import onnx
        import onnx.inliner
        import onnx.parser
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"export needs {error.name}: pip install 'gru_nlp[export]'") from None
    return onnx


def formed(model: Model[Any]) -> Model[Any]:
    """Return a copy of a model for its graphs to be taken from.

    Raises:
        UserError: one of its layers has no form in a graph.
    """
    twin = copy.deepcopy(model).eval()
    place_forms(twin, lambda layer: layer.graph_form() if isinstance(layer, Exportable) else layer)
    return twin


def place_forms(module: nn.Module, form: Callable[[nn.Module], nn.Module]) -> None:
    """Give the place of each layer in a module, in place, to its form, but where that is the layer itself."""
    for name, child in list(module.named_children()):
        placed = form(child)
        if placed is child:
            place_forms(child, form)
        else:
            setattr(module, name, placed)


def paired(model: Model[Any], twin: Model[Any]) -> Iterator[tuple[Graph, Graph]]:
    """Yield each graph of a model with that of its twin, whose inputs are the model's: a twin may compute nothing."""
    for own, form in zip(model.graphs(), twin.graphs(), strict=True):
        yield own, form._replace(draw=own.draw)


def onnx_files(model: Model[Any]) -> tuple[dict[str, bytes], float]:
    """Return a model's files by their names, and the greatest difference between one of them and the model.

    Raises:
        UserError: one cannot be made, or is not right.
    """
    files, apart = {}, 0.0
    for own, form in paired(model, formed(model)):
        content = to_onnx(form).SerializeToString()
        apart = max(apart, farthest(own, onnx_answer(content)))
        files[f"{own.name}.onnx"] = content
    return files, apart


def rounded_files(model: Model[Any], files: Mapping[str, bytes]) -> tuple[dict[str, bytes], float]:
    """Return what ``onnx_files`` gave with weights in 8 bits, and the greatest difference from the model."""
    onnx, rounded, apart = needed(), {}, 0.0
    for own in model.graphs():
        name = f"{own.name}.onnx"
        rounded[name] = quantised(onnx.load_from_string(files[name])).SerializeToString()
        apart = max(apart, farthest(own, onnx_answer(rounded[name]), most=math.inf))
    return rounded, apart


def to_onnx(graph: Graph) -> Any:
    """Return a graph of a ``formed`` model as an ``onnx.ModelProto``.

    Raises:
        UserError: it is too large for one file.
    """
    onnx = needed()
    size = sum(values.nbytes for values in (*graph.module.parameters(), *graph.module.buffers()))
    if size > MOST_BYTES:
        raise UserError(f"weights of {size / 1e9:.1f} GB, and a file of ONNX holds 2 GB: set embedding.extra_words=0")
    example = graph.draw(EXAMPLE, torch.Generator().manual_seed(SEED))
    with torch.no_grad(), silent():
        program = torch.onnx.export(
            graph.module,
            example,
            dynamo=True,
            opset_version=OPSET,
            optimize=False,
            verbose=False,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=tuple(dict(axes) for axes in graph.inputs.values()),
        )
        assert program is not None
        program.optimize()
    content = program.model_proto
    used = sorted({node.op_type for node in content.graph.node if node.domain == DOMAIN})
    if used:
        head = f'<domain: "{DOMAIN}", opset_import: ["" : {OPSET}]>'
        content.functions.extend(onnx.parser.parse_function(f"{head}\n{FUNCTIONS[name]}") for name in used)
        content = onnx.inliner.inline_local_functions(content)
    return _bare(content)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep back what the exporter says of packages that it misses, and of its own parts."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _bare(content: Any) -> Any:
    """Take out, in place, what no runtime reads: where in which file of this machine each node comes from."""
    known = [opset for opset in content.opset_import if opset.domain != DOMAIN]
    content.ClearField("opset_import")
    content.opset_import.extend(known)
    for part in [content, *_parts(content.graph)]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return content


def _parts(graph: Any) -> Iterator[Any]:
    """Yield a graph and all that it holds, the bodies of loops too; leave out what is known of values within."""
    graph.ClearField("value_info")
    yield graph
    yield from (*graph.input, *graph.output, *graph.initializer)
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _parts(attribute.g)
