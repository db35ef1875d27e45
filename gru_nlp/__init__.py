"""Train, evaluate and run small recurrent text models on your own text."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gru_nlp.api import distill, evaluate, train
    from gru_nlp.continuing import Limits
    from gru_nlp.decoding.drawing import Drawing
    from gru_nlp.errors import UserError
    from gru_nlp.generator import Generator
    from gru_nlp.narrator import Narrator
    from gru_nlp.predictor import Predictor

# Threads that spin while they wait make torch five to eighty times slower beside a busy neighbour. Torch reads this
# when it loads, so whoever imports torch first has to set it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = "0.1.0"
__all__ = ["Drawing", "Generator", "Limits", "Narrator", "Predictor", "UserError", "__version__"]
__all__ += ["distill", "evaluate", "train"]
#: Where the names of this package lie; each is imported when it is first asked for: ``import gru_nlp`` is light.
_LATER = {
    "train": "gru_nlp.api",
    "distill": "gru_nlp.api",
    "evaluate": "gru_nlp.api",
    "UserError": "gru_nlp.errors",
    "Drawing": "gru_nlp.decoding.drawing",
    "Generator": "gru_nlp.generator",
    "Limits": "gru_nlp.continuing",
    "Narrator": "gru_nlp.narrator",
    "Predictor": "gru_nlp.predictor",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gru_nlp' has no attribute '{name}'")
    return getattr(importlib.import_module(_LATER[name]), name)
