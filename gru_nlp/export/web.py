"""A folder that answers texts in a browser, from static files alone: the exported model, a page, and what runs both.

What is done with a text is written once more in JavaScript, beside the page in ``web``: words, tokens and n-grams,
paths of tags, and records. ``page.json`` tells it the rest, above all what the characters are (``characters.py``). The
graph runs in onnxruntime-web, a package of npm's, of which the files for a processor are copied from where a person has
it; the page fetches nothing from anywhere else. It asks for one thread, since more of them need headers that ``python
-m http.server`` and most hosts do not send.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from gru_nlp.errors import UserError
from gru_nlp.export import characters
from gru_nlp.preprocessing.base import Preprocessor

#: What of onnxruntime-web's dist runs a graph on a processor.
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
#: Its licence, where its package holds none.
MIT = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
#: The licence's file.
LICENSE = "LICENSE.onnxruntime-web"


def page(preprocessor: Preprocessor, web_runtime: str | None) -> dict[str, bytes]:
    """Return the files, by their names, that make a page of a folder of format=onnx.

    Args:
        preprocessor: of the model.
        web_runtime: where the person has onnxruntime-web's files.

    Raises:
        UserError: no page reads what the model reads, or the files are not there.
    """
    if preprocessor.page is None:
        raise UserError("format=web is for models that label texts, their words or entities in them: set format=onnx")
    runtime = _found(web_runtime)
    assets = files("gru_nlp.export").joinpath("web").iterdir()
    contents = {asset.name: asset.read_bytes() for asset in sorted(assets, key=str) if asset.is_file()}
    contents |= {name: (runtime / name).read_bytes() for name in RUNTIME}
    licences = (folder / "LICENSE" for folder in (runtime, runtime.parent))
    contents[LICENSE] = next((path.read_bytes() for path in licences if path.is_file()), MIT.encode())
    return {**contents, "page.json": _compact(told(preprocessor)).encode()}


def _found(web_runtime: str | None) -> Path:
    dist = "node_modules/onnxruntime-web/dist"
    if web_runtime is None:
        raise UserError(f"format=web needs onnxruntime-web: run npm install onnxruntime-web, set web_runtime={dist}")
    folder = Path(web_runtime)
    missing = next((name for name in RUNTIME if not (folder / name).is_file()), None)
    if missing is not None:
        raise UserError(f"web_runtime={web_runtime}: has no {missing}: set the folder dist of onnxruntime-web")
    return folder


def told(preprocessor: Preprocessor) -> dict[str, Any]:
    """Return what ``page.json`` holds: who reads texts, the patterns of words, and the tables of characters."""
    assert preprocessor.page is not None
    steps = [json.loads(tokenizer.to_str()) for tokenizer in preprocessor.searches()]
    patterns = [pattern for step in steps for pattern in _patterns(step["normalizer"] or {})]
    patterns += [pattern for step in steps for pattern in _patterns(step["pre_tokenizer"])]
    module, reader = preprocessor.page
    return {"module": module, "reader": reader, "patterns": patterns, "characters": characters.tables(patterns)}


def _patterns(step: Mapping[str, Any]) -> Iterator[str]:
    """Yield the regular expressions of a tokenizer's step, inner ones too."""
    if step.get("type") == "ByteLevel":
        yield characters.BYTE_LEVEL
    if "pattern" in step:
        yield step["pattern"]["Regex"]
    for inner in (*step.get("normalizers", ()), *step.get("pretokenizers", ())):
        yield from _patterns(inner)


def _compact(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
