"""The configuration tree: where it lies, which values are paths, whether a number was given as a word."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gru_nlp.errors import UserError, is_broken
from gru_nlp.plain import REFERENCE
from gru_nlp.ranges import MAP_OPTIONS, leaves

#: Options whose values are ids on the hub, or local folders in its layout.
HUB_OPTIONS = ("data.path", "data.hub.path", "data.hub_path")
#: Options whose values are files or folders; relative ones are relative to where the user stands.
PATH_OPTIONS = (
    "checkpoint",
    "teacher",
    "backward_teacher",
    "ensemble",
    "backward",
    "input",
    "output",
    "report",
    "picture",
    "terms",
    "patterns",
    "web_runtime",
    "run_dir",
    "resume",
    "finetune",
    "pretrained",
    "gazetteers",
    "pretraining.text",
    "data.dir",
    "data.train",
    "data.validation",
    "data.test",
    "data.train_source",
    "data.train_target",
    "data.validation_source",
    "data.validation_target",
    "data.test_source",
    "data.test_target",
    "data.cache_dir",
    "embedding.vectors",
    "decoding.language_model",
    *HUB_OPTIONS,
)
#: Those that a checkpoint keeps, and that must still be found from another folder.
STORED_PATHS = tuple(option for option in PATH_OPTIONS if "." in option or option == "gazetteers")


def conf_dir() -> Path:
    """Return the folder of the shipped configs: inside an installed package, beside it in a source tree."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def absolute_paths(config: DictConfig) -> None:
    """Make the paths that a checkpoint keeps absolute, in place.

    Raises:
        UserError: one in a list is no text, or an empty one.
    """
    for option in STORED_PATHS:
        value = OmegaConf.select(config, option)
        if isinstance(value, ListConfig):
            if not all(isinstance(path, str) and path for path in value):
                raise UserError(f"{option}={list(value)} must be a list of paths")
            OmegaConf.update(config, option, [str(at_home(path).absolute()) for path in value])
        if isinstance(value, str) and (option not in HUB_OPTIONS or os.path.isdir(at_home(value))):
            OmegaConf.update(config, option, str(at_home(value).absolute()))


def settle_texts(config: DictConfig) -> None:
    """Put values into texts that hold references among other letters, such as ``run-${seed}``, in place.

    What is stored may hold none but whole ones, to another option.
    """
    for option, value in leaves(OmegaConf.to_container(config, resolve=False)):
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and "${" in text and not REFERENCE.fullmatch(text) for text in texts):
            found = OmegaConf.select(config, option)
            OmegaConf.update(
                config, option, OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
            )


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return the config as plain values, interpolations resolved, to be kept with a run.

    Raises:
        UserError: a value is no text that can be kept, such as the name of a file that is no UTF-8.
    """
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    for option, value in leaves(plain):
        if isinstance(value, str) and is_broken(value):
            shown = value.encode("utf-8", "backslashreplace").decode()
            raise UserError(f"{option}={shown}: a name that is not UTF-8 cannot be kept with a run: rename it")
    return {str(key): value for key, value in plain.items()}


def expand_users(config: DictConfig) -> None:
    """Take ``~`` in a path option for the home folder, in place, where the shell left it as it was."""
    for option in PATH_OPTIONS:
        value = OmegaConf.select(config, option, throw_on_resolution_failure=False)
        if isinstance(value, str) and value.startswith("~"):
            OmegaConf.update(config, option, str(at_home(value)))
        elif isinstance(value, ListConfig):
            homes = [str(at_home(path)) if isinstance(path, str) and path[:1] == "~" else path for path in value]
            OmegaConf.update(config, option, homes)


def text_maps(config: DictConfig) -> None:
    """Make the maps of a person's own names maps of texts, in place, however they were written.

    Raises:
        UserError: one is no map, or holds a switch or nothing where a name is needed.
    """
    for option in MAP_OPTIONS:
        value = OmegaConf.select(config, option, throw_on_resolution_failure=False)
        if value is not None:
            plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
            OmegaConf.update(config, option, text_map(plain, option), merge=False)


def text_map(given: Any, option: str) -> dict[str, str]:
    """Return a map of texts: of a map, or of a list of names, whose keys are 0, 1 and so on.

    Args:
        given: plain values, which YAML may have read as numbers or switches.
        option: for messages.

    Raises:
        UserError: it is neither, or a name is none.
    """
    given = dict(enumerate(given)) if isinstance(given, list) else given
    if not isinstance(given, Mapping):
        raise UserError(f"{option}={given} must be a map such as {{a: b, c: d}}, or a list such as [b, d] for 0 and 1")
    result: dict[str, str] = {}
    for key, name in given.items():
        if not isinstance(name, str | int | float) or isinstance(name, bool) or name == "":
            shown = "nothing" if name == "" else json.dumps(name, default=str)
            told = f"{option}: {undisguised(str(key))} stands for {shown}"
            raise UserError(f"{told}, which is no name (what YAML takes for another value needs quotes)")
        for spelled in spellings(key):
            if re.fullmatch("_[a-z]+_", spelled):
                raise UserError(f"{option}: {spelled} is a word of Hydra's, which a map cannot hold")
            result[spelled] = str(name)
    return result


def disguised(text: str) -> str:
    """Return a key of a map as Hydra's grammar gives it back: as it is, or as the digits of its bytes."""
    number = text.isdecimal() and text == str(int(text)) if text.isascii() else False
    word = re.fullmatch(r"(?!_typed_)(?!(?:true|false|null|nan|inf)$)[A-Za-z_][\w-]*", text, re.ASCII | re.IGNORECASE)
    return text if number or word else f"_typed_{text.encode('utf-8', 'surrogateescape').hex()}"


def undisguised(text: str) -> str:
    """Return a text with all keys in it as they were typed."""
    return re.sub(
        "_typed_((?:[0-9a-f]{2})*)", lambda found: bytes.fromhex(found[1]).decode("utf-8", "surrogateescape"), text
    )


def spellings(key: Any) -> tuple[str, ...]:
    """Return the texts that a key of a YAML map may have been written as: ``no`` and ``off`` come as False."""
    if not isinstance(key, bool):
        return (undisguised(str(key)),)
    words = ("true", "yes", "on") if key else ("false", "no", "off")
    return tuple(spelled for word in words for spelled in (word, word.capitalize(), word.upper()))


def at_home(path: str) -> Path:
    """Take ``~`` and ``~name`` at the start of a path for a home folder; leave one that there is not."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


#: Groups whose values no part checks itself.
READ_HERE = ("pretraining.",)


def check_types(config: DictConfig, defaults: DictConfig) -> None:
    """Refuse a word or a list where the default is a number or a switch, and null where no part checks it itself.

    Raises:
        UserError: naming the option, its value and the kind that is needed.
    """
    plain = dict(leaves(OmegaConf.to_container(config, resolve=False)))
    parents = {option.rpartition(".")[0]: option for option in plain}
    for option, default in leaves(OmegaConf.to_container(defaults, resolve=False)):
        given = plain.get(option)
        needed = "." not in option or option.startswith(READ_HERE)
        if given is None and default is not None and needed and option in plain:
            raise UserError(f"{option}=null: this option needs a value")
        if option in parents and needed and default is not None:
            raise UserError(f"{parents[option]}: {option} needs a value, not a map")
        if given is None or (isinstance(given, str) and "${" in given):
            continue
        kind = "true or false" if isinstance(default, bool) else "a number"
        if isinstance(default, list):
            fits = isinstance(given, list)
            kind = f"a list: {option}=[{given}]"
        elif isinstance(default, bool):
            fits = isinstance(given, bool)
        elif isinstance(default, int):
            fits = isinstance(given, int) and not isinstance(given, bool)
            kind = "a whole number"
        elif isinstance(default, int | float):
            fits = isinstance(given, int | float) and not isinstance(given, bool)
        else:
            continue
        if not fits:
            raise UserError(f"{option}={given} must be {kind}")
