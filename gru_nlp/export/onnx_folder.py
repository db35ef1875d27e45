"""A checkpoint as a folder of ONNX graphs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gru_nlp import checkpoint
from gru_nlp.export import checks, folder, graphs, web


def export(given: Mapping[str, Any], target: Path) -> tuple[dict[str, int], float]:
    """Write the checkpoint of the options of ``export`` as a folder.

    Returns:
        The bytes of each file, and the greatest difference between a graph and the model, see ``checks``.

    Raises:
        UserError: the checkpoint is not to be exported, a graph is not right, or the folder cannot be written.
    """
    graphs.needed()
    stored = checkpoint.load(given["checkpoint"])
    preprocessor, model = checkpoint.restore(stored, given["trust"])
    files = web.page(preprocessor, given["web_runtime"]) if given["format"] == "web" else {}
    apart = 0.0
    for own, form in zip(model.graphs(), graphs.formed(model).graphs(), strict=True):
        content = graphs.to_onnx(form).SerializeToString()
        apart = max(apart, checks.farthest(own, checks.onnx_answer(content)))
        files[f"{own.name}.onnx"] = content
    found = {"difference": apart}
    exported = folder.Exported(stored, preprocessor, model, files, "float32", given["license"], found)
    return folder.write(target, exported), apart
