"""The one-file checkpoint: a Lightning checkpoint with one more key that says how to rebuild everything."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor, nn

from gru_nlp import __version__, build, targets
from gru_nlp.archive import BEST as BEST
from gru_nlp.archive import LAST as LAST
from gru_nlp.archive import check_archive, locate
from gru_nlp.errors import UserError, nearest
from gru_nlp.models.base import Model
from gru_nlp.plain import check_plain
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.ranges import MAP_OPTIONS, check_ranges, is_temperature
from gru_nlp.upgrade import upgrade
from gru_nlp.weights import Unfilled, check_fit, check_tensors, check_weights
from gru_nlp.whole import bytes_whole

KEY = "gru_nlp"
#: Format 1 named the kinds of corpora otherwise; it is read as well.
FORMAT = 2
READ = (1, FORMAT)
MODEL_PREFIX = "model."
#: What the record holds beside its format, and of which kind.
FIELDS = {"version": str, "config": dict, "preprocessing": dict, "scores": dict, "scorer": str}
#: What it holds beside them since models are calibrated.
TEMPERATURE = "temperature"
#: The parts of a training config that a checkpoint may build.
PARTS = ("preprocessing", "model", "data", "task")
#: Further values of the config that scoring takes over, and their kinds.
SETTINGS = {"seed": int, "batch_size": int, "batch_tokens": int | None, "num_workers": int, "trainer": dict}
#: Most values in a config; ours have some hundred.
MOST_SETTINGS = 20_000


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
        temperature: of the model's confidences, fitted on validation; 1: none was.
    """

    path: Path
    version: str
    config: dict[str, Any]
    preprocessing: dict[str, Any]
    scores: dict[str, float]
    scorer: str
    weights: dict[str, Tensor]
    temperature: float = 1.0


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


def _read(path: Path) -> dict[str, Any]:
    check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        # torch's own words advise to load the file unsafely.
        raise UserError(f"{path}: not a checkpoint of this program, or one that holds more than plain values") from None
    except (*targets.MISFITS, EOFError, OSError, ImportError):
        # torch.load answers a cut-off or foreign file with whichever of these its reader meets first.
        raise UserError(f"{path}: not a checkpoint, or a file that was cut off") from None
    if not isinstance(content, dict) or KEY not in content or "state_dict" not in content:
        raise UserError(f"{path}: a checkpoint, but not one of gru_nlp's (it has no '{KEY}' record)")
    check_plain(content, str(path), leaves=(Tensor,))
    check_record(path, content)
    check_tensors(path, [part for name, part in content.items() if name not in (KEY, "state_dict")])
    return content


def check_record(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse a record of another format, or whose fields are not of their kinds.

    Raises:
        UserError: naming the file and the field.
    """
    own = content[KEY]
    if not isinstance(own, dict) or not isinstance(content["state_dict"], dict):
        raise UserError(f"{path}: a checkpoint whose '{KEY}' record is broken")
    if own.get("format") not in READ:
        raise UserError(
            f"{path}: checkpoint format {own.get('format')}, but this version ({__version__}) reads 1 to {FORMAT}: "
            f"use the version that wrote it ({own.get('version')})"
        )
    if missing := [name for name in FIELDS if name not in own]:
        raise UserError(f"{path}: a checkpoint whose '{KEY}' record is broken: it has no {', '.join(missing)}")
    broken = [name for name, kind in FIELDS.items() if not isinstance(own[name], kind)]
    if not broken:
        check_plain(own["config"], f"{path}: the config", MOST_SETTINGS)
        config = own["config"]
        broken = misfits(config, SETTINGS)
        broken += [name for name in PARTS if not isinstance(config.get(name), dict)]
        scores = own["scores"].items()
        named = all(isinstance(name, str) and isinstance(value, float | int) for name, value in scores)
        broken += ["scores"] * (not named)
        broken += [TEMPERATURE] * (not is_temperature(own.get(TEMPERATURE, 1.0)))
    if broken:
        raise UserError(f"{path}: a checkpoint whose '{KEY}' record is broken: see its {', '.join(broken)}")
    try:
        check_ranges(own["config"])
    except UserError as error:
        raise UserError(f"{path}: a checkpoint with an impossible config: {error}") from None


def misfits(config: Mapping[str, Any], kinds: Mapping[str, Any]) -> list[str]:
    """Return the options of ``kinds`` that a config lacks, or whose values are of another kind."""
    return [name for name, kind in kinds.items() if not isinstance(config.get(name), kind)]


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
        if isinstance(name, str) and name.startswith(MODEL_PREFIX)
    }
    check_weights(file, weights)
    fields = {**{name: own[name] for name in FIELDS}, "config": upgrade(own["config"])}
    return Checkpoint(path=file, weights=weights, temperature=own.get(TEMPERATURE, 1.0), **fields)


def changed(stored: Mapping[str, Any], given: Mapping[str, Any] | None, option: str) -> dict[str, Any]:
    """Return a stored group of options with the ``given`` values in it; a given group with a target replaces it.

    Args:
        stored: as it was when the model was trained.
        given: what the person says now, without what they leave as it was; None: nothing.
        option: the group's name, for messages.

    Raises:
        UserError: an option that the stored group does not have.
    """
    if given is not None and "_target_" in given:
        return dict(given)
    result = dict(stored)
    for name, value in (given or {}).items():
        if name not in stored and option not in MAP_OPTIONS:
            raise UserError(f"no option {option}.{name}{nearest(str(name), map(str, stored))}")
        inner = isinstance(value, Mapping) and isinstance(stored[name], Mapping)
        result[name] = changed(stored[name], value, f"{option}.{name}") if inner else value
    return result


def with_decoding(checkpoint: Checkpoint, given: Mapping[str, Any] | None) -> Checkpoint:
    """Return the checkpoint with another decoding strategy, or other values of its own, for its model.

    Raises:
        UserError: its model decodes nothing, or the strategy has no such option.
    """
    model = checkpoint.config["model"]
    if not given:
        return checkpoint
    if not isinstance(model.get("decoding"), dict):
        raise UserError(f"{checkpoint.path}: its model decodes nothing: leave decoding=... out")
    decoding = changed(model["decoding"], given, "decoding")
    check_ranges({"decoding": decoding})
    return replace(checkpoint, config={**checkpoint.config, "model": {**model, "decoding": decoding}})


def restore(checkpoint: Checkpoint, trusted: Sequence[str] = ()) -> tuple[Preprocessor, Model[Any]]:
    """Build the preprocessor and the model of a checkpoint, from targets inside this package or ``trusted`` ones.

    The model is first built on torch's meta device, where sizes cost nothing, and held against the file's weights.

    Raises:
        UserError: a target lies outside, or the weights do not fit the model.
    """
    config = checkpoint.config
    with building(checkpoint.path):
        for part in PARTS:
            # To resolve the names of data and task would import all of Lightning; who builds those checks them.
            check = targets.check_stored if part in ("preprocessing", "model") else targets.check_names
            check(part, config[part], trusted)
        preprocessor = build.preprocessor(config)
        preprocessor.load_state_dict(checkpoint.preprocessing)
    model = sized(checkpoint, config, preprocessor.sizes())
    load_weights(checkpoint, model)
    model.temperature = checkpoint.temperature
    return preprocessor, model.eval()


def sized(checkpoint: Checkpoint, config: Mapping[str, Any], sizes: Mapping[str, int]) -> Model[Any]:
    """Build the model of a config, once a checkpoint's weights are found to fit its sizes.

    Args:
        checkpoint: whose weights will be loaded.
        config: whose model is built: the checkpoint's own, or that of a run that goes on from it.
        sizes: of the preprocessor.

    Raises:
        UserError: they do not fit.
    """
    with building(checkpoint.path):
        with torch.device("meta"), Unfilled():
            check_fit(build.model(config, sizes), checkpoint.weights)
        return cast(Model[Any], build.model(config, sizes))


@contextlib.contextmanager
def building(path: Path) -> Iterator[None]:
    """Tell of stored parts that do not build in one line that names their file.

    What their values make a constructor raise says little to a person; it stays as the cause.

    Raises:
        UserError: what was raised inside.
    """
    try:
        yield
    except UserError as error:
        named = str(error).startswith(str(path))
        raise UserError(str(error) if named else f"{path}: {error}") from None
    except (HydraException, OmegaConfBaseException, *targets.MISFITS) as error:
        raise UserError(f"{path}: its config does not build ({type(error).__name__}): a broken file") from error


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


def save(path: Path, content: Mapping[str, Any], option: str | None = None) -> None:
    """Write a checkpoint file whole; one that stood there stays until then.

    Args:
        path: of the file.
        content: of the file, this program's record under ``KEY`` among it.
        option: that chooses another place, for messages.

    Raises:
        UserError: it cannot be written.
    """
    packed = io.BytesIO()  # torch's writer of files ends the process where the disk is full
    torch.save(content, packed)
    with bytes_whole(path, option) as file:
        file.write(packed.getbuffer())


def write(path: Path, checkpoint: Checkpoint, option: str | None = None) -> None:
    """Write what ``load`` gives of a checkpoint, and nothing else, as a file; arguments and errors as ``save``."""
    own = {"format": FORMAT, **{name: getattr(checkpoint, name) for name in (*FIELDS, TEMPERATURE)}}
    weights = {f"{MODEL_PREFIX}{name}": values for name, values in checkpoint.weights.items()}
    save(path, {"state_dict": weights, KEY: own}, option)


def add_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Write ``scores`` into a checkpoint file.

    Raises:
        UserError: it cannot be read or written.
    """
    content = _read(path)
    content[KEY]["scores"] = {**content[KEY]["scores"], **scores}
    save(path, content)
