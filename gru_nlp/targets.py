"""What a stored config may name in its ``_target_``, looked at before anything is built; knows neither Hydra nor torch.

A name is checked as a string before anything is imported, and again as the object that stands there; then the options
beside it are held against the signature of that object.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from gru_nlp.errors import UserError, nearest

#: What a part of a stored config may name: the package that its kind lies in. Parts inside it (a model's encoder and
#: decoding, a preprocessor's tokenizer, the hub of a data set) may come from any of these packages.
HOMES = {name: f"gru_nlp.{name}" for name in ("data", "decoding", "preprocessing")}
HOMES |= {"model": "gru_nlp.models", "task": "gru_nlp.tasks"}
BUILDABLE = (*HOMES.values(), "gru_nlp.nn", "gru_nlp.speech", "gru_nlp.text")
#: The modules whose functions may be named; all other targets are classes.
FUNCTIONS = ("gru_nlp.text.tokenizer",)
#: Hydra's own words that a stored part may use; ``_recursive_``, ``_args_`` and the like never occur in ours.
WORDS = {"_target_": str, "_partial_": bool}
#: Annotations of options whose values are checked, in a person's words.
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
#: What constructors raise at values that are of the wrong kind, or that do not go together.
MISFITS = (TypeError, ValueError, LookupError, AttributeError, RuntimeError, ArithmeticError, AssertionError)


def check_options(config: Mapping[str, Any], find: Callable[[str], Any]) -> None:
    """Refuse options that the class or function of a ``_target_`` does not take, here and further down.

    Args:
        config: a part, with further ones in it.
        find: gives the class or function of a target.

    Raises:
        UserError: naming the option and the nearest right one, or the kind of value that it needs.
    """
    for value in config.values():
        if isinstance(value, Mapping):
            check_options(value, find)
    if config.get("_target_") is None:
        return
    known = inspect.signature(find(config["_target_"])).parameters
    own = str(config["_target_"]).startswith("gru_nlp.")
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    for name, value in config.items():
        if str(name).startswith("_"):
            continue
        if name not in known:
            raise UserError(f"{config['_target_']} takes no option '{name}'{nearest(str(name), known)}")
        kind = known[name].annotation
        if any(map(_built, get_args(kind))) and not (value is None or isinstance(value, Mapping)):
            raise UserError(f"{config['_target_']}: {name}={value} must be a group of options, or null")
        if _built(kind) and isinstance(value, Mapping) and "_target_" not in value:
            raise UserError(f"{config['_target_']}: '{name}' names no _target_ to build")
        if kind in KINDS and (value is None or own) and not fits(value, kind):
            given = "null" if value is None else value
            raise UserError(f"{config['_target_']}: {name}={given} must be {KINDS[kind]}")
        for number in (int, float):
            if own and kind == number | None and value is not None and not fits(value, number):
                raise UserError(f"{config['_target_']}: {name}={value} must be {KINDS[number]}, or null")


def fits(value: Any, kind: type) -> bool:
    """Return whether a value of a config is one of ``kind``; a whole number is a number, a switch is neither."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def check_stored(name: str, config: Any, trusted: Sequence[str] = ()) -> None:
    """Refuse a part of a stored config that would build anything but this package's own classes.

    Every target is checked as a string before anything is imported, and again as the object that stands there: the
    class must be defined in the very module that the string names, so that no path through another module's imports
    leads out of the package.

    Args:
        name: of the part, a key of ``HOMES``.
        config: plain dicts and lists.
        trusted: further packages that the person allows by name.

    Raises:
        UserError: a target that lies outside or is not there, an interpolation, or options that it does not take.
    """
    check_names(name, config, trusted)
    for part in parts(name, config):
        for option, parameter in inspect.signature(resolve(part["_target_"], trusted)).parameters.items():
            given = part.get(option)
            named = isinstance(given, Mapping) and "_target_" in given
            if option in part and _built(parameter.annotation) and not named:
                raise UserError(f"the checkpoint's config is broken: '{option}' of its {name} names no class to build")
    # What a task takes is shared out between its class and what all tasks take; who builds one checks it.
    check_options({**config, "_target_": None} if name == "task" else config, lambda target: resolve(target, trusted))


def check_names(name: str, config: Any, trusted: Sequence[str] = ()) -> None:
    """Check the names of targets alone, importing nothing; for parts of a checkpoint that are not built now.

    Raises:
        UserError: a target lies outside, or a value holds an interpolation.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("_target_"), str):
        raise UserError(f"the checkpoint's config is broken: '{name}' names no class to build")
    if not inside(config["_target_"], (HOMES[name], *trusted)):
        raise UserError(f"the checkpoint wants to build '{config['_target_']}' as its {name}{outside(trusted)}")
    for part in parts(name, config):
        target = part["_target_"]
        if not inside(target, (*BUILDABLE, *trusted)):
            raise UserError(f"the checkpoint wants to build '{target}'{outside(trusted)}")


def resolve(target: str, trusted: Sequence[str] = ()) -> Any:
    """Return the class, or the function of ``FUNCTIONS``, that a stored target names.

    Raises:
        UserError: there is none, or it was only imported there.
    """
    module, _, name = target.rpartition(".")
    try:
        found = vars(importlib.import_module(module)).get(name)
    except (ImportError, ValueError):
        found = None
    home = str(getattr(found, "__module__", ""))
    own = home == module and (inspect.isclass(found) or (module in FUNCTIONS and inspect.isfunction(found)))
    if name.startswith("_") or not (own or (inspect.isclass(found) and inside(home, trusted))):
        raise UserError(f"the checkpoint wants to build '{target}', which is no class{outside(trusted)}")
    return found


def inside(name: str, packages: Sequence[str]) -> bool:
    """Return whether a dotted name lies in one of ``packages``; a name that is not made of plain words never does."""
    plain = all(part.isidentifier() for part in name.split("."))
    return plain and any(name.startswith(f"{package}.") for package in packages)


def _built(kind: Any) -> bool:
    """Return whether an option of this kind is an object, or a function that makes one."""
    return get_origin(kind) is Callable or (inspect.isclass(kind) and kind.__module__.startswith("gru_nlp."))


def outside(trusted: Sequence[str]) -> str:
    """Return how a message about another target ends."""
    if trusted:
        return f" outside gru_nlp's models and data and {' and '.join(trusted)}"
    return " outside gru_nlp's models and data: add trust=[<package>] if you know it to be safe"


def parts(where: str, config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every part of a stored config that names a target.

    Raises:
        UserError: an interpolation, or a word of Hydra's that no config of ours uses.
    """
    if isinstance(config, str) and ("${" in config or config == "???"):
        raise UserError(
            f"the checkpoint's config holds an interpolation in '{where}', which no checkpoint of ours does"
        )
    if isinstance(config, Mapping):
        # In a map of a person's labels or tags, _ and _x are names like any other.
        own = "_" if "_target_" in config else r"_\w+_$"
        words = [str(name) for name in config if re.match(own, str(name))]
        if any(name not in WORDS or not isinstance(config.get(name), WORDS[name]) for name in words):
            raise UserError(
                f"the checkpoint's config holds {', '.join(words)} in '{where}' as no checkpoint of ours does"
            )
        if "_target_" in config:
            yield config
        config = list(config.values())
    if isinstance(config, list | tuple):
        for value in config:
            yield from parts(where, value)
