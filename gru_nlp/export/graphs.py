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
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Graph, Sizes
from gru_nlp.nn.graph_forms import DOMAIN, FUNCTIONS, OPSET, Exportable

#: Sizes of the example that is followed, no two of them equal, and none 1, which a graph might take for granted.
EXAMPLE = Sizes(rows=3, steps=5, hypotheses=2)
#: Bytes of weights that one file can hold, which is a message of Protocol Buffers.
MOST_BYTES = (1 << 31) - (1 << 24)
SEED = 1
#: The logger of the exporter's that tells of packages which it misses.
EXPORTER = "torch.onnx._internal.exporter._registration"


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
    _place_forms(twin)
    return twin


def _place_forms(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, Exportable) and (form := child.graph_form()) is not child:
            setattr(module, name, form)
        else:
            _place_forms(child)


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
    with torch.no_grad(), _silent():
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
def _silent() -> Iterator[None]:
    """Keep back what the exporter says of packages that it misses, and of its own parts."""
    logger = logging.getLogger(EXPORTER)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _bare(content: Any) -> Any:
    """Take out, in place, what no runtime reads: where in which file of this machine each node comes from."""
    known = [opset for opset in content.opset_import if opset.domain != DOMAIN]
    content.ClearField("opset_import")
    content.opset_import.extend(known)
    parts = [content, content.graph, *content.graph.input, *content.graph.output]
    parts += [*content.graph.node, *content.graph.initializer]
    for part in parts:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    content.graph.ClearField("value_info")
    return content
