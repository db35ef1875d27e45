"""What a folder says to who finds it: README.md and requirements.txt."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from gru_nlp import __version__
from gru_nlp.errors import one_line
from gru_nlp.preprocessing.base import Preprocessor

REQUIREMENTS = ("tokenizers>=0.23.2,<0.24", "numpy>=2")

#: What a model does, and how it is asked, by its runner.
USES = {
    "label": ("labels {noun}", ['print(runner(["a text"]))  # [{"label": ..., "score": ...}]']),
    "labels": (
        "says which of its labels a text has",
        ['print(runner(["a text"]))  # [{"labels": [...], "scores": [...]}]'],
    ),
    "tags": ("tags the words of a text or finds entities in it", ['print(runner(["a text"]))  # [{...}]']),
    "translation": ("translates a text", ['print(runner(["a text"]))  # [{"translation": ..., "score": ...}]']),
    "speech": (
        "says what is said in a recording",
        ['print(runner(["a text"]))  # [{"transcript": ..., "score": ..., "words": [...]}]'],
    ),
    "text": (
        "says how likely a text is, and continues it",
        [
            'print(runner(["a text"]))  # [{"log_probability": ..., "perplexity": ...}]',
            'print(Generator(runner)("A text"))  # {"text": ...}; see gru_nlp.Drawing and gru_nlp.Limits',
        ],
    ),
}

PAGE = """---
library_name: gru_nlp
{license_line}---

# {name}

A small recurrent model that {does}, trained by gru_nlp {version} and exported to {target} ({precision}).

Licence: {license}

## Use

```
pip install --no-deps gru_nlp
pip install {requirements}
```

{use}
{page}## Scores

{scores}

## Files

- `export.json`: what the rest is, how the model was trained, its scores
- `{files}`: its graphs
- `state.json`, and tokenizers in the form of Hugging Face's libraries: how text becomes numbers
- `labels.json`, where it has labels: their names in the order of the numbers
"""

BY_ONNX = """```python
from gru_nlp.runtime import {names}

runner = Runner(".")  # this folder
{lines}
```

Neither torch nor a GPU is needed. Of the folder nothing is run but its graphs, by ONNX Runtime.
"""

#: What torch is given where a file is one step of a language model, and elsewhere.
A_STEP = """tokens, before = torch.tensor([3]), torch.zeros({layers}, 1, {size})  # the end of a line
print(model(tokens, before))  # log-probabilities of what may follow, and the states after it
"""
A_BATCH = """rows = reader.encode(reader.cut(["a text"])[0])
batch = reader.collate(rows, training=False).map(torch.from_numpy)
print(model(*(part for part in batch if part is not None)))  # {gives}
"""
BY_TORCH = """```python
import torch
from gru_nlp.runtime.folder import read_folder

torch.set_grad_enabled(False)
reader = read_folder(".").preprocessor  # of this folder
model = torch.export.load("{file}").module(check_guards=False)
{lines}```

The program that trained it is not needed, only what turns text into numbers. Load such a file from nobody whom you do
not trust.
"""

#: Where the folder is a page too.
IN_A_BROWSER = """## In a browser

The folder is a page of static files, to be put on any host. To see it here, run this in the folder:

```
python -m http.server
```

and open http://localhost:8000. Opened as a file, it cannot load the model. What is typed stays in the browser, where
onnxruntime-web, of which two files are here by a licence of their own, runs the graph.

"""


def readme(told: Mapping[str, Any], preprocessor: Preprocessor, files: Collection[str]) -> str:
    """Return what README.md says of a folder.

    Args:
        told: its ``export.json``.
        preprocessor: of the model.
        files: names of those beside what every folder has.
    """
    does, lines = USES[told["runner"]]
    by_torch = sorted(name for name in files if name.endswith(".pt2"))
    if by_torch:
        inner = A_STEP if told["runner"] == "text" else A_BATCH
        gives = "the state before the first step" if len(by_torch) > 1 else "scores, before any softmax"
        use = BY_TORCH.format(file=by_torch[0], lines=inner.format(gives=gives, **told["options"]))
    else:
        names = "Generator, Runner" if told["runner"] == "text" else "Runner"
        use = BY_ONNX.format(names=names, lines="\n".join(lines))
    scores = [f"- {name}: {value:.4f}" for name, value in sorted(told["scores"].items()) if value is not None]
    compared = told.get("compared") or {"before": {}, "after": {}}
    scores += [
        f"- {name}, in 8 bits: {value:.4f} ({compared['before'][name]:.4f} before)"
        for name, value in sorted(compared["after"].items())
        if name in compared["before"]
    ]
    license_ = told["license"]
    return PAGE.format(
        license_line=f"license: {_yaml(license_)}\n" if license_ else "",
        name=told["config"]["task"]["name"],
        does=does.format(noun=preprocessor.noun),
        version=__version__,
        precision=told["precision"],
        license=one_line(license_ or "") or "none is given, so ask its maker before you pass it on.",
        target="torch.export" if by_torch else "ONNX",
        requirements=" ".join(f"'{line}'" for line in needed(files, preprocessor)),
        use=use.replace('"a text"', preprocessor.asked()),
        files="*.pt2" if by_torch else "*.onnx",
        page=IN_A_BROWSER if "index.html" in files else "",
        scores="\n".join(scores) or "none",
    )


def _yaml(text: str) -> str:
    """Return a text as YAML reads it back: in quotes, as JSON writes them, where it is more than a word."""
    return text if re.fullmatch(r"[A-Za-z][\w.+-]*", text) else json.dumps(text)


def needed(files: Collection[str], preprocessor: Preprocessor) -> list[str]:
    """Return what is installed for a folder to be used, beside this package."""
    runtime = "torch>=2.11" if any(name.endswith(".pt2") for name in files) else "onnxruntime>=1.22"
    return [runtime, *REQUIREMENTS, *preprocessor.packages]


def requirements(files: Collection[str], preprocessor: Preprocessor) -> str:
    """Return the same as pip reads it."""
    return "".join(f"{line}\n" for line in needed(files, preprocessor))
