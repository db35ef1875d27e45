"""A graph of ONNX with its weights in 8 bits.

How it works. A row of numbers becomes whole numbers and one scale, its largest value over 127. Three uses of weights
are told apart:

- Tables that are looked up keep a scale a row: the rows of a batch's ids are taken out, and multiplied by their scales.
  Where a row has few columns, a scale would weigh as much as it saves, so those are in float16.
- Products with large matrices multiply whole numbers: each row of what comes in gets a scale of its own as it comes
  ("dynamic"), each column of the matrix has one. So what a text gets does not depend on those beside it. What comes in
  is unsigned, 128 standing for zero, since processors multiply unsigned numbers by signed ones: two signed ones take
  ONNX Runtime fifteen times as long. The matrix has 7 bits, with which no sum of two products leaves the 16 bits that
  older processors add them up in. A table that turns features into logits too is stored once; of one whose rows for
  some ids are multiplied alone, these are taken out as whole numbers.
- All other matrices are stored in 8 bits, and become float32 once, where a graph is loaded: small ones, whose products
  cost less than the rounding of what comes in; and recurrent ones, which are multiplied inside of an operator that ONNX
  Runtime has in float32 alone, or in a loop.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray

#: Weights of a matrix from which on they are stored in 8 bits, and from which on they are multiplied so: rounding what
#: comes in, row by row, costs as much for a small matrix as for a large one (see scripts/LOG.md).
LEAST, LEAST_MULTIPLIED = 1024, 1 << 17
#: Columns of a table from which on a scale a row is less than what it saves.
LEAST_COLUMNS = 8
#: Largest whole number of stored weights, and of those that are multiplied as such.
STORED, MULTIPLIED = 127, 63
#: What stands for zero among unsigned numbers of 8 bits.
MIDDLE = 128
#: Smallest scale, of rows of zeros.
TINY = 1e-12
#: Largest value that float16 has.
MOST_HALF = 65504.0


class Rounded(NamedTuple):
    """Weights as whole numbers, int8, and their scales, float32, which multiply them."""

    values: AnyArray
    scales: AnyArray


def rounded(weights: AnyArray, axis: int, most: int) -> Rounded:
    """Round weights to whole numbers up to ``most``, with one scale for all along an axis."""
    scales = np.maximum(np.abs(weights).max(axis=axis, keepdims=True) / most, TINY).astype(np.float32)
    return Rounded(np.rint(weights / scales).astype(np.int8), scales)


def quantised(content: Any) -> Any:
    """Return a graph, an ``onnx.ModelProto`` that ``graphs.to_onnx`` gave, in 8 bits."""
    return _Rewriting(content).result()


class _Rewriting:
    """A graph as it is written anew, node by node.

    Args:
        content: the graph; it is not changed.
    """

    def __init__(self, content: Any) -> None:
        import onnx
        import onnx.helper
        import onnx.numpy_helper

        self.onnx = onnx
        self.content = onnx.ModelProto()
        self.content.CopyFrom(content)
        arrays = {one.name: onnx.numpy_helper.to_array(one) for one in content.graph.initializer}
        large = {name: array for name, array in arrays.items() if array.ndim > 1 and array.size >= LEAST}
        self.weights = {name: array for name, array in large.items() if array.dtype == np.float32}
        #: Tables that are multiplied too, by the names of what is turned of them.
        self.turned = {
            node.output[0]: node.input[0]
            for node in content.graph.node
            if node.op_type == "Transpose" and node.input[0] in self.weights and self.weights[node.input[0]].ndim == 2
        }
        self.weights |= {name: self.weights[table].T for name, table in self.turned.items()}
        looked_up = {node.output[0]: node for node in content.graph.node if node.op_type == "Gather"}
        #: What looks up those rows of large tables that are multiplied, by the names of these rows, turned.
        right = {node.input[1] for node in content.graph.node if node.op_type == "MatMul"}
        self.chosen = {
            node.output[0]: looked_up[node.input[0]]
            for node in content.graph.node
            if node.op_type == "Transpose" and node.input[0] in looked_up and node.output[0] in right
        }
        self.chosen = {name: node for name, node in self.chosen.items() if self._is_multiplied(node.input[0])}
        self.loads: list[Any] = []  # what makes float32 of stored weights, before all else
        self.nodes: list[Any] = []
        self.new: dict[str, AnyArray] = {}

    def result(self) -> Any:
        """Write it."""
        graph = self.content.graph
        for node in graph.node:
            self._place(node)
        loops = (name for node in graph.node for name in _inner_names(node))
        for name in {name for name in loops if name in self.weights}:
            self._load(name, axis=0)
        nodes = self._needed()
        del graph.node[:]
        graph.node.extend(nodes)
        added = (self.onnx.numpy_helper.from_array(array, name) for name, array in self.new.items())
        kept = [*graph.initializer, *added]
        used = {name for node in nodes for name in (*node.input, *_inner_names(node))}
        made = {name for node in nodes for name in node.output}
        del graph.initializer[:]
        graph.initializer.extend(one for one in kept if one.name in used and one.name not in made)
        return self.content

    def _needed(self) -> list[Any]:
        """Return the nodes that outputs depend on."""
        wanted = {one.name for one in self.content.graph.output}
        nodes = []
        for node in reversed([*self.loads, *self.nodes]):
            if wanted.intersection(node.output):
                nodes.append(node)
                wanted.update((*node.input, *_inner_names(node)))
        return nodes[::-1]

    def _place(self, node: Any) -> None:
        """Write a node in the form that its weights have in 8 bits."""
        names = [name for name in node.input if name in self.weights]
        axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
        if node.op_type == "Gather" and node.input[0] in names and self.weights[node.input[0]].ndim == 2 and axis == 0:
            self._look_up(node)
        elif node.op_type == "MatMul" and node.input[1] in self.chosen:
            self._multiply_whole(node, *self._chosen_columns(self.chosen[node.input[1]]))
        elif node.op_type in ("MatMul", "Gemm") and names == [node.input[1]] and self._is_plain(node):
            self._multiply(node)
        else:
            for name in set(names).intersection(node.input[1:3]) if node.op_type == "GRU" else ():
                self._load(name, axis=2)
            self.nodes.append(node)

    def _is_plain(self, node: Any) -> bool:
        """Return whether a product is one of a matrix, with nothing turned or scaled but the matrix."""
        options = {one.name: one.f if one.type == one.FLOAT else one.i for one in node.attribute}
        plain = options.pop("alpha", 1.0) == 1.0 and options.pop("beta", 1.0) == 1.0 and not options.pop("transA", 0)
        return plain and self.weights[node.input[1]].ndim == 2

    def _is_multiplied(self, name: str) -> bool:
        """Return whether whole numbers of a table are multiplied."""
        table = self.weights.get(name)
        return table is not None and table.ndim == 2 and table.size >= LEAST_MULTIPLIED

    def _look_up(self, node: Any) -> None:
        table, ids, out = self.weights[node.input[0]], node.input[1], node.output[0]
        if table.shape[1] < LEAST_COLUMNS:
            if np.abs(table).max() > MOST_HALF:
                self.nodes.append(node)
                return
            half = self._constant(f"{node.input[0]}.half", table.astype(np.float16))
            self._cast(self._add("Gather", [half, ids], axis=0), out)
            return
        parts = [self._add("Gather", [part, ids], axis=0) for part in self._stored(node.input[0], 1)]
        self._add("Mul", [self._cast(parts[0]), parts[1]], out)

    def _stored(self, name: str, axis: int) -> tuple[str, str]:
        """Return the names of a matrix's whole numbers, and of the scales along an axis of it."""
        multiplied = {*self.turned.values(), *(node.input[0] for node in self.chosen.values())}
        both = self.weights[name].size >= LEAST_MULTIPLIED and name in multiplied
        values, scales = rounded(self.weights[name], axis, MULTIPLIED if both else STORED)
        return self._constant(f"{name}.whole", values), self._constant(f"{name}.scales", scales)

    def _load(self, name: str, axis: int) -> None:
        """Store a matrix in 8 bits; those that read it by its name get it in float32."""
        whole, scales = self._stored(name, axis)
        make = self.onnx.helper.make_node
        if not any(name in node.output for node in self.loads):
            self.loads.append(make("Cast", [whole], [f"{name}.float"], to=self.onnx.TensorProto.FLOAT))
            self.loads.append(make("Mul", [f"{name}.float", scales], [name]))

    def _multiply(self, node: Any) -> None:
        name = node.input[1]
        turned = any(one.name == "transB" and one.i for one in node.attribute)
        if self.weights[name].size >= LEAST_MULTIPLIED:
            self._multiply_whole(node, *self._columns(name, turned))
            return
        self._load(self.turned.get(name, name), axis=int(turned or name in self.turned))
        self.nodes.append(node)

    def _columns(self, name: str, turned: bool) -> tuple[str, str]:
        """Return the names of a matrix's whole numbers, ``(K, N)``, and of the scales of its columns, ``(1, N)``."""
        if name in self.turned:
            whole, scales = (self._add("Transpose", [part]) for part in self._stored(self.turned[name], 1))
            return whole, scales
        values, scales_ = rounded(self.weights[name].T if turned else self.weights[name], 0, MULTIPLIED)
        whole = self._constant(f"{name}.columns", np.ascontiguousarray(values))
        return whole, self._constant(f"{name}.column_scales", scales_)

    def _chosen_columns(self, look_up: Any) -> tuple[str, str]:
        """Return the names of what ``_columns`` does for the rows of a table that a node looks up."""
        name, ids = look_up.input
        parts = (self._add("Gather", [part, ids], axis=0) for part in self._stored(name, 1))
        whole, scales = (self._add("Transpose", [part]) for part in parts)
        return whole, scales

    def _multiply_whole(self, node: Any, columns: str, scales: str) -> None:
        given = node.input[0]
        last = self._constant("last axis", np.array([-1]))
        peaks = self._add("ReduceMax", [self._add("Abs", [given]), last], keepdims=1)
        scale = self._add("Mul", [peaks, self._constant("to whole numbers", np.array(1 / STORED, dtype=np.float32))])
        scale = self._add("Max", [scale, self._constant("least scale", np.array(TINY, dtype=np.float32))])
        signed = self._add("Round", [self._add("Div", [given, scale])])
        middle = self._constant("middle", np.array(MIDDLE, dtype=np.float32))
        whole = self._cast(self._add("Add", [signed, middle]), kind="UINT8")
        zero = self._constant("zero", np.array(MIDDLE, dtype=np.uint8))
        product = self._cast(self._add("MatMulInteger", [whole, columns, zero]))
        found = self._add("Mul", [self._add("Mul", [product, scale]), scales])
        bias = node.input[2:]
        self._add("Add" if bias else "Identity", [found, *bias], node.output[0])

    def _constant(self, name: str, values: AnyArray) -> str:
        self.new[name] = values
        return name

    def _add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """Write a node; return the name of its result."""
        name = output or f"{kind}.{len(self.nodes)}.int8"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=f"{name}.node", **attributes))
        return name

    def _cast(self, given: str, output: str | None = None, kind: str = "FLOAT") -> str:
        return self._add("Cast", [given], output, to=getattr(self.onnx.TensorProto, kind))


def _inner_names(node: Any) -> Iterator[str]:
    """Yield the names that the bodies of a node read, those from outside among them."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                yield from inner.input
                yield from _inner_names(inner)
