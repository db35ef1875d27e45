"""From a config to objects: the only file that calls ``hydra.utils.instantiate``."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from hydra._internal.utils import _locate
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from torch import nn

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.targets import check_options, inside, outside, parts


def build(config: Mapping[str, Any], **arguments: Any) -> Any:
    """Build the object that ``config`` names in ``_target_``; ``arguments`` come from the data.

    A config with ``_partial_: true`` gives a function that builds the object.

    Raises:
        UserError: the object refused its options, or one of them is among ``arguments``.
    """
    if not config.get("_target_"):
        raise UserError(f"a part with the options {', '.join(map(str, config))} names no _target_ to build")
    check_options(config, _found)
    if taken := [name for name in arguments if name in config]:
        raise UserError(f"{config['_target_']}: '{taken[0]}' is set by the program: leave it out")
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


def _found(target: Any) -> Any:
    """Import what a ``_target_`` names; a slip in a person's own yaml is told in one line."""
    try:
        found = _locate(target)  # hydra.utils.get_object does the same, and logs three lines
    except (ImportError, AttributeError, ValueError, TypeError, InstantiationException) as error:
        raise UserError(f"_target_={target} cannot be imported: {error.__cause__ or error}") from None
    if not callable(found):
        raise UserError(f"_target_={target} is no class and no function")
    return found


def preprocessor(config: Mapping[str, Any]) -> Preprocessor:
    """Build the preprocessor of a training config, not yet fitted."""
    built: Preprocessor = build(config["preprocessing"])
    return built


def model(config: Mapping[str, Any], sizes: Mapping[str, int]) -> nn.Module:
    """Build the model of a training config with the ``sizes`` that the preprocessor found in the data."""
    target = config["model"]["_target_"]
    known = inspect.signature(_found(target)).parameters
    if missing := [name for name in sizes if name not in known]:
        kind = config["preprocessing"]["_target_"].rpartition(".")[2]
        named = f"{target.rpartition('.')[2]} takes no {' and no '.join(missing)}"
        raise UserError(f"{named}, which {kind} gives: choose another model=... or preprocessing=...")
    built: nn.Module = build(config["model"], **sizes)
    return built


def check_outer(name: str, config: Any, home: str, trusted: Sequence[str] = ()) -> None:
    """Refuse a part of a run's config that lies in a library unless it is one public thing of just the module ``home``.

    Raises:
        UserError: another target, or one inside it.
    """
    own = list(parts(name, config))
    targets = [part["_target_"] for part in own]
    if len(own) != 1 or own[0] is not config or not inside(targets[0], (home, *trusted)):
        raise UserError(f"the config wants to build {targets or 'nothing'} as its {name}{outside(trusted)}")
    module, _, member = targets[0].rpartition(".")
    public = member[:1] != "_" and (module != home or hasattr(importlib.import_module(home), member))
    if not public or (module != home and not inside(targets[0], trusted)):
        raise UserError(f"the config wants to build '{targets[0]}' as its {name}{outside(trusted)}")
    if home != "lightning":
        check_options(config, _found)
