"""A graph of an exported folder, held by onnxruntime: checked as it is loaded, and in what it gives.

What it costs to run cannot be told before: a stranger's graph may loop without end, or take all the memory there is.
Where folders come from strangers, limit the process, by ``ulimit -t`` and ``ulimit -v`` for instance.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.errors import UserError, one_line, out_of_memory
from gru_nlp.plain import read_bytes
from gru_nlp.runtime.onnx_file import is_alone

#: No file of protocol buffers is larger.
MOST_BYTES = (1 << 31) - 1
#: Type and rank of an array, the type by onnxruntime's name.
Form = tuple[str, int]
IDS, FLOATS, SWITCHES = "tensor(int64)", "tensor(float)", "tensor(bool)"
SHORT_IDS = "tensor(int32)"
#: Of onnxruntime's log, fatal errors alone: what it has to say is told by its exceptions.
FATAL = 4
#: How onnxruntime names a node that failed, and the line and function of its own.
PLACE = re.compile(r"(?s)^.*Status Message: (?:/\S+:\d+ .*?\) )?")


class Graph:
    """A graph that reads and gives arrays by name.

    Args:
        path: of its file.
        threads: most that one call computes with.
        takes: what it may read, each in one of some forms.
        gives: what it has to give.
        may_give: what it may give beside that.

    Raises:
        UserError: the file is missing, too large, broken, names another file, or is a graph of another kind.
    """

    def __init__(
        self,
        path: Path,
        threads: int,
        takes: Mapping[str, tuple[Form, ...]],
        gives: Mapping[str, Form],
        may_give: Mapping[str, Form] | None = None,
    ) -> None:
        self.path = path
        self.session = _session(path, threads)
        given = {one.name: one for one in self.session.get_outputs()}
        known = {**gives, **(may_give or {})}
        self.inputs = [one.name for one in self.session.get_inputs()]
        self.outputs = [name for name in known if name in given]
        strange = [one.name for one in self.session.get_inputs() if _form(one) not in takes.get(one.name, ())]
        strange += [name for name in gives if name not in given]
        strange += [name for name in self.outputs if _form(given[name]) != known[name]]
        if strange:
            raise UserError(f"{path}: a graph of another kind than export.json says: see its {', '.join(strange)}")
        self.floats = {name for name in self.outputs if known[name][0] == FLOATS}

    def run(self, given: Mapping[str, Any], shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, AnyArray]:
        """Return arrays by name.

        Args:
            given: arrays by name, those among them that the graph reads.
            shapes: what is wanted, and how large each must be; None: any size.

        Raises:
            UserError: it does not run, or gives arrays of other sizes, or values that are no numbers.
        """
        names = list(shapes)
        try:
            found = self.session.run(names, {name: np.ascontiguousarray(given[name]) for name in self.inputs})
        except Exception as error:  # onnxruntime's have no class in common
            raise out_of_memory(error) or UserError(f"{self.path}: does not run: {_said(error)}") from error
        for name, array in zip(names, found, strict=True):
            wanted = shapes[name]
            fits = len(wanted) == array.ndim
            if not fits or any(size not in (None, own) for size, own in zip(wanted, array.shape, strict=True)):
                told = f"gives '{name}' of shape {list(array.shape)}, where {list(wanted)} is needed"
                raise UserError(f"{self.path}: {told}: it does not fit its folder")
            if name in self.floats and not np.isfinite(array).all():
                raise UserError(f"{self.path}: gives '{name}' with values that are no numbers")
        return dict(zip(names, found, strict=True))


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime  # a tenth of a second
    except ModuleNotFoundError:
        raise UserError("an exported folder needs the package onnxruntime: pip install 'gru_nlp[runtime]'") from None
    content = read_bytes(path, MOST_BYTES)
    if not is_alone(content):
        raise UserError(f"{path}: no file of ONNX, or one that names other files")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = FATAL
    # Threads that spin while they wait take the cores of all others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's have no class in common
        told = f"no graph that onnxruntime {onnxruntime.__version__} runs: {_said(error)}"
        raise out_of_memory(error) or UserError(f"{path}: {told}") from error


def _form(described: Any) -> Form:
    """Return type and rank of an input or output."""
    return str(described.type), len(described.shape or ())


def _said(error: Exception) -> str:
    """Return the beginning of what onnxruntime says, without the place in its source, on one line."""
    return one_line(PLACE.sub("", str(error)), 200)
