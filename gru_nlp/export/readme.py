"""What a folder says to who finds it: README.md and requirements.txt."""

from collections.abc import Collection, Mapping
from typing import Any

from gru_nlp import __version__

REQUIREMENTS = ("onnxruntime>=1.22", "tokenizers>=0.23.2,<0.24", "numpy>=2")

#: What a model does, and how it is asked, by its runner.
USES = {
    "label": ("says one label of a text", ['runner("a text")  # {"label": ..., "score": ...}']),
    "labels": ("says which of its labels a text has", ['runner("a text")  # {"labels": [...], "scores": [...]}']),
    "tags": ("finds entities in a text", ['runner("a text")  # {"entities": [...], ...}']),
    "translation": ("translates a text", ['runner("a text")  # {"translation": ..., "score": ...}']),
    "text": ("says how likely a text is", ['runner("a text")  # {"log_probability": ..., "perplexity": ...}']),
}

PAGE = """---
library_name: gru_nlp
{license_line}---

# {name}

A small recurrent model that {does}, trained by gru_nlp {version} and exported to ONNX ({precision}).

Licence: {license}

## Use

```
pip install --no-deps gru_nlp
pip install {requirements}
```

```python
from gru_nlp.runtime import Runner

runner = Runner(".")  # this folder
{lines}
runner(["one text", "another one"])  # a list of the same, in order
```

Neither torch nor a GPU is needed. Of the folder nothing is run but its graphs, by ONNX Runtime.

{page}## Scores

{scores}

## Files

- `export.json`: what the rest is, how the model was trained, its scores
- `*.onnx`: its graphs
- `state.json`, and tokenizers in the form of Hugging Face's libraries: how text becomes numbers
- `labels.json`, where it has labels: their names in the order of the numbers
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


def readme(told: Mapping[str, Any], files: Collection[str]) -> str:
    """Return what README.md says of a folder.

    Args:
        told: its ``export.json``.
        files: names of those beside what every folder has.
    """
    does, lines = USES[told["runner"]]
    scores = [f"- {name}: {value:.4f}" for name, value in sorted(told["scores"].items()) if value is not None]
    license_ = told["license"]
    return PAGE.format(
        license_line=f"license: {license_}\n" if license_ else "",
        name=told["config"]["task"]["name"],
        does=does,
        version=__version__,
        precision=told["precision"],
        license=license_ or "none is given, so ask its maker before you pass it on.",
        requirements=" ".join(f"'{line}'" for line in REQUIREMENTS),
        lines="\n".join(lines),
        page=IN_A_BROWSER if "index.html" in files else "",
        scores="\n".join(scores) or "none",
    )


def requirements() -> str:
    """Return what pip installs for a folder to be used, beside this package."""
    return "".join(f"{line}\n" for line in REQUIREMENTS)
