"""From a config to objects: the only file that calls ``hydra.utils.instantiate``."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from torch import nn

from gru_nlp.errors import UserError, nearest
from gru_nlp.preprocessing.base import Preprocessor

#: Where a checkpoint's targets may lie: parts of a model and its data, nothing that runs a command or touches files.
BUILDABLE = tuple(f"gru_nlp.{name}" for name in ("preprocessing", "models", "nn", "text", "decoding", "data", "tasks"))
#: The functions among them; all other targets are classes.
FUNCTIONS = ("gru_nlp.text.tokenizer",)
#: Annotations of options whose values are checked, in a person's words.
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def build(config: Mapping[str, Any], **arguments: Any) -> Any:
    """Build the object that ``config`` names in ``_target_``; ``arguments`` come from the data.

    A config with ``_partial_: true`` gives a function that builds the object.

    Raises:
        UserError: the object refused its options.
    """
    check_options(config)
    try:
        # Arguments go past Hydra, which would copy them through its own containers.
        factory = instantiate({**config, "_partial_": True}, _convert_="all")
        return factory if config.get("_partial_") else factory(**arguments)
    except InstantiationException as error:
        # Hydra wraps what a constructor raises; a person's mistake must come out as itself.
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, UserError):
                raise cause from None
            cause = cause.__cause__ or cause.__context__
        raise


def check_options(config: Mapping[str, Any]) -> None:
    """Refuse options that the class or function of a ``_target_`` does not take, here and further down.

    Raises:
        UserError: naming the option and the nearest right one, or the kind of value that it needs.
    """
    for value in config.values():
        if isinstance(value, Mapping):
            check_options(value)
    if "_target_" not in config:
        return
    known = inspect.signature(get_object(config["_target_"])).parameters
    own = str(config["_target_"]).startswith("gru_nlp.")
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    for name, value in config.items():
        if str(name).startswith("_"):
            continue
        if name not in known:
            raise UserError(f"{config['_target_']} takes no option '{name}'{nearest(str(name), known)}")
        kind = known[name].annotation
        if kind in KINDS and (value is None or own) and not fits(value, kind):
            given = "null" if value is None else value
            raise UserError(f"{config['_target_']}: {name}={given} must be {KINDS[kind]}")


def fits(value: Any, kind: type) -> bool:
    """Return whether a value of a config is one of ``kind``; a whole number is a number, a switch is neither."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def preprocessor(config: Mapping[str, Any]) -> Preprocessor:
    """Build the preprocessor of a training config, not yet fitted."""
    built: Preprocessor = build(config["preprocessing"])
    return built


def model(config: Mapping[str, Any], sizes: Mapping[str, int]) -> nn.Module:
    """Build the model of a training config with the ``sizes`` that the preprocessor found in the data."""
    target = config["model"]["_target_"]
    known = inspect.signature(get_object(target)).parameters
    if missing := [name for name in sizes if name not in known]:
        kind = config["preprocessing"]["_target_"].rpartition(".")[2]
        named = f"{target.rpartition('.')[2]} takes no {' and no '.join(missing)}"
        raise UserError(f"{named}, which {kind} gives: choose another model=... or preprocessing=...")
    built: nn.Module = build(config["model"], **sizes)
    return built


def check_targets(config: Any, trusted: Sequence[str] = ()) -> None:
    """Refuse a config from a file that would build anything but this package's own parts.

    Each ``_target_`` is checked as a string before anything is imported, and again as the object it resolves to,
    since a dotted path can reach other packages through a module's imports.

    Args:
        config: plain dicts and lists.
        trusted: further packages that the user allows by name.

    Raises:
        UserError: a target lies outside, or a value holds an interpolation.
    """
    check_names(config, trusted)
    for target in _targets(config):
        found = get_object(target)
        home = getattr(found, "__module__", "")
        buildable = _inside(home, BUILDABLE) and (inspect.isclass(found) or _inside(home, FUNCTIONS))
        if not buildable and not _inside(home, trusted):
            raise UserError(f"the checkpoint wants to build '{target}', which resolves outside {_allowed(trusted)}")


def check_names(config: Any, trusted: Sequence[str] = ()) -> None:
    """Check the names of targets alone, importing nothing; for parts of a checkpoint that are not built now.

    Raises:
        UserError: a target lies outside, or a value holds an interpolation.
    """
    for target in _targets(config):
        if not _inside(target, (*BUILDABLE, *trusted)):
            raise UserError(
                f"the checkpoint wants to build '{target}', which is outside {_allowed(trusted)}: "
                "add trust=[<package>] if you know it to be safe"
            )


def _allowed(trusted: Sequence[str]) -> str:
    return " and ".join(("gru_nlp's models and data", *trusted))


def _inside(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _targets(config: Any) -> Iterator[str]:
    if isinstance(config, str) and "${" in config:
        raise UserError(
            f"the checkpoint's config holds an interpolation ({config!r}), which no checkpoint of ours does"
        )
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield str(config["_target_"])
        config = list(config.values())
    if isinstance(config, list | tuple):
        for value in config:
            yield from _targets(value)
