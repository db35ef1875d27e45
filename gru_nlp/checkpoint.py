"""The one-file checkpoint: a Lightning checkpoint with one more key that says how to rebuild everything."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from gru_nlp import __version__, build
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor

KEY = "gru_nlp"
FORMAT = 1
BEST = "best.ckpt"
LAST = "last.ckpt"
MODEL_PREFIX = "model."
#: What the record holds beside its format.
FIELDS = ("version", "config", "preprocessing", "scores", "scorer")
#: The parts of a training config that a checkpoint may build.
PARTS = ("preprocessing", "model", "data", "task")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds, read and checked; nothing is built yet.

    Attributes:
        path: the file.
        version: version of the program that wrote it.
        config: the resolved training config, plain values.
        preprocessing: the preprocessor's learned state.
        scores: scores by name, as far as the training run went; ``scorer`` says how they are computed.
        weights: the model's parameters and buffers by name.
    """

    path: Path
    version: str
    config: dict[str, Any]
    preprocessing: dict[str, Any]
    scores: dict[str, float]
    scorer: str
    weights: dict[str, Tensor]


def record(config: Mapping[str, Any], preprocessor: Preprocessor, scorer: str) -> dict[str, Any]:
    """Return what goes under ``KEY`` into a checkpoint; plain values only, so that ``weights_only=True`` loads it."""
    return {
        "format": FORMAT,
        "version": __version__,
        "config": dict(config),
        "preprocessing": preprocessor.state_dict(),
        "scores": {},
        "scorer": scorer,
    }


def locate(path: str | Path, name: str = BEST) -> Path:
    """Return the checkpoint file of ``path``: the file itself, or ``name`` in a run folder.

    Raises:
        UserError: there is none.
    """
    found = Path(path)
    if found.is_dir():
        if not (found / name).is_file():
            raise UserError(f"{found}: the folder holds no {name} (set checkpoint=<file or run folder>)")
        return found / name
    if not found.is_file():
        raise UserError(f"{found}: no such checkpoint (set checkpoint=<file or run folder>)")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        # torch's own words advise to load the file unsafely.
        raise UserError(f"{path}: not a checkpoint of this program, or one that holds more than plain values") from None
    except PermissionError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, ImportError):
        # torch.load answers a cut-off or foreign file with whichever of these its reader meets first.
        raise UserError(f"{path}: not a checkpoint, or a file that was cut off") from None
    if not isinstance(content, dict) or KEY not in content or "state_dict" not in content:
        raise UserError(f"{path}: a checkpoint, but not one of gru_nlp's (it has no '{KEY}' record)")
    own = content[KEY]
    if not isinstance(own, dict) or not isinstance(content["state_dict"], dict):
        raise UserError(f"{path}: a checkpoint whose '{KEY}' record is broken")
    if own.get("format") != FORMAT:
        raise UserError(
            f"{path}: checkpoint format {own.get('format')}, but this version ({__version__}) reads {FORMAT}: "
            f"use the version that wrote it ({own.get('version')})"
        )
    if missing := [name for name in FIELDS if name not in own]:
        raise UserError(f"{path}: a checkpoint whose '{KEY}' record is broken: it has no {', '.join(missing)}")
    return content


def load(path: str | Path) -> Checkpoint:
    """Read and check a checkpoint file or the best one of a run folder.

    Raises:
        UserError: missing, cut off, not ours, or of another format.
    """
    file = locate(path)
    content = _read(file)
    own = content[KEY]
    weights = {
        name.removeprefix(MODEL_PREFIX): value
        for name, value in content["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }
    return Checkpoint(path=file, weights=weights, **{name: own[name] for name in FIELDS})


def with_decoding(checkpoint: Checkpoint, decoding: Any) -> Checkpoint:
    """Return the checkpoint with another decoding strategy for its model; a model that decodes nothing keeps none."""
    model = checkpoint.config["model"]
    if "decoding" not in model:
        return checkpoint
    return replace(checkpoint, config={**checkpoint.config, "model": {**model, "decoding": decoding}})


def restore(checkpoint: Checkpoint, trusted: Sequence[str] = ()) -> tuple[Preprocessor, nn.Module]:
    """Build the preprocessor and the model of a checkpoint, from targets inside this package or ``trusted`` ones.

    Raises:
        UserError: a target lies outside, or the weights do not fit the model.
    """
    for part in PARTS:
        # To resolve the names of data and task would import all of Lightning; who builds those checks them.
        check = build.check_targets if part in ("preprocessing", "model") else build.check_names
        check(checkpoint.config.get(part), trusted)
    preprocessor = build.preprocessor(checkpoint.config)
    preprocessor.load_state_dict(checkpoint.preprocessing)
    model = build.model(checkpoint.config, preprocessor.sizes())
    load_weights(checkpoint, model)
    return preprocessor, model.eval()


def load_weights(checkpoint: Checkpoint, model: nn.Module) -> None:
    """Copy a checkpoint's weights into a model.

    Raises:
        UserError: they do not fit.
    """
    try:
        model.load_state_dict(checkpoint.weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{checkpoint.path}: the weights do not fit the model: {reason}") from None


def add_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Write ``scores`` into a checkpoint file, in one rename so that it is never half-written."""
    content = _read(path)
    content[KEY]["scores"] = {**content[KEY]["scores"], **scores}
    temporary = path.with_name(path.name + ".part")
    torch.save(content, temporary)
    os.replace(temporary, path)
