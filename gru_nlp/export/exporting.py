"""A checkpoint as a folder, in one of several formats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gru_nlp import checkpoint
from gru_nlp.export import folder, graphs, programs, web
from gru_nlp.models.base import Model

#: What makes the files of a model, and the greatest difference between one of them and the model, by format.
MAKERS: dict[str, Callable[[Model[Any], str], tuple[dict[str, bytes], float]]] = {
    "onnx": graphs.onnx_files,
    "torch": programs.torch_files,
    "web": graphs.onnx_files,
}


def export(given: Mapping[str, Any], target: Path) -> tuple[dict[str, int], float]:
    """Write the checkpoint of the options of ``export`` as a folder.

    Returns:
        The bytes of each file, and the greatest difference between a file and the model, see ``checks``.

    Raises:
        UserError: the checkpoint is not to be exported, a graph is not right, or the folder cannot be written.
    """
    stored = checkpoint.load(given["checkpoint"])
    preprocessor, model = checkpoint.restore(stored, given["trust"])
    page = web.page(preprocessor, given["web_runtime"]) if given["format"] == "web" else {}
    files, apart = MAKERS[given["format"]](model, given["precision"])
    found = {"made_for": given["format"], "difference": apart}
    content = folder.Exported(
        stored, preprocessor, model, {**page, **files}, given["precision"], given["license"], found
    )
    return folder.write(target, content), apart
