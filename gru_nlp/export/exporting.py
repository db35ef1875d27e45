"""A checkpoint as a folder, in one of several formats."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp import checkpoint
from gru_nlp.errors import UserError
from gru_nlp.export import folder, graphs, programs, web
from gru_nlp.models.base import Model

#: What makes the files of a model, and the greatest difference between one of them and the model, by format.
MAKERS: dict[str, Callable[[Model[Any]], tuple[dict[str, bytes], float]]] = {
    "onnx": graphs.onnx_files,
    "torch": programs.torch_files,
    "web": graphs.onnx_files,
}
PRECISIONS = ("float32", "int8")


class Written(NamedTuple):
    """What was written.

    Attributes:
        sizes: the bytes of each file.
        apart: the greatest difference between a file and the model, see ``checks``.
        compared: scores before and after the weights were rounded; None: they were not, or there are no data.
        speeds: milliseconds of a short text by precision, where weights were rounded.
    """

    sizes: dict[str, int]
    apart: float
    compared: Mapping[str, Mapping[str, float]] | None
    speeds: dict[str, float]


def export(given: Mapping[str, Any], target: Path) -> Written:
    """Write the checkpoint of the options of ``export`` as a folder.

    Raises:
        UserError: the checkpoint is not to be exported, a graph is not right, or the folder cannot be written.
    """
    check(given)
    folder.check_place(target)
    stored = checkpoint.load(given["checkpoint"])
    preprocessor, model = checkpoint.restore(stored, given["trust"])
    page = web.page(preprocessor, given["web_runtime"]) if given["format"] == "web" else {}
    files, apart = MAKERS[given["format"]](model)
    compared, speeds = None, {}
    if given["precision"] == "int8":
        from gru_nlp.export import scores  # imports Lightning, which nothing else here needs

        whole = files
        files, apart = graphs.rounded_files(model, whole)
        compared = scores.compare(stored, given, model, files)
        speeds = {"float32": scores.milliseconds(model, whole), "int8": scores.milliseconds(model, files)}
    found = {"made_for": given["format"], "difference": apart, "milliseconds": speeds, "compared": compared}
    license_ = given["license"]
    content = folder.Exported(stored, preprocessor, model, {**page, **files}, given["precision"], license_, found)
    return Written(folder.write(target, content), apart, compared, speeds)


def rounded(file: str | Path, trusted: Sequence[str]) -> folder.Exported:
    """Return a checkpoint's graphs in 8 bits, which nothing is scored by: see ``cached``.

    Raises:
        UserError: the checkpoint is not to be exported, or a graph is not right.
    """
    stored = checkpoint.load(file)
    preprocessor, model = checkpoint.restore(stored, trusted)
    files, apart = graphs.rounded_files(model, graphs.onnx_files(model)[0])
    found = {"made_for": "onnx", "difference": apart, "milliseconds": {}, "compared": None}
    return folder.Exported(stored, preprocessor, model, files, "int8", None, found)


def check(given: Mapping[str, Any]) -> None:
    """Refuse options that have no effect.

    Raises:
        UserError: naming one.
    """
    if given["web_runtime"] is not None and given["format"] != "web":
        raise UserError("web_runtime is for format=web: leave it out")
    if given["precision"] != "float32" and given["format"] == "torch":
        raise UserError(f"precision={given['precision']} is for format=onnx or web: leave it out")
    if not isinstance(given["license"], str | None):
        raise UserError(f"license={given['license']} must be text")
    if given.get("data") and given["precision"] == "float32":
        raise UserError("data=... is for precision=int8, which is scored: leave it out")
