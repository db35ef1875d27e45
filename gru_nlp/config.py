"""The configuration tree: where it lies, which values are paths, whether a number was given as a word."""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gru_nlp.errors import UserError, is_broken

#: Options whose values are ids on the hub, or local folders in its layout.
HUB_OPTIONS = ("data.path", "data.hub.path", "data.hub_path")
#: Options whose values are files or folders; relative ones are relative to where the user stands.
PATH_OPTIONS = (
    "checkpoint",
    "input",
    "output",
    "report",
    "picture",
    "run_dir",
    "resume",
    "pretrained",
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
    *HUB_OPTIONS,
)
#: Those that a checkpoint keeps, and that must still be found from another folder.
STORED_PATHS = tuple(option for option in PATH_OPTIONS if "." in option)

#: Options whose values are maps of a person's own names.
MAP_OPTIONS = ("data.label_names", "data.tag_map")

#: Options, by their last name, that count something and must be at least 1.
COUNTS = frozenset(
    {"hidden_size", "layers", "size", "patience", "batch_size", "batch_tokens", "top_k", "accumulate_grad_batches"}
    | {"max_length", "min_frequency", "max_words", "max_word_length", "filters", "width", "heads"}
    | {"sequence_length", "sampled_softmax", "checkpoint_every_steps", "select_most"}
)
#: Options, by their last name, that are a share from 0 to below 1.
SHARES = frozenset(
    {"dropout", "recurrent_dropout", "output_dropout", "input_dropout", "word_dropout", "bpe_dropout"}
    | {"label_smoothing", "warmup", "average_decay", "weight_dropout", "test_share"}
)
#: Most that an option, by its last name, may say, whoever says it: a person's slip and a stranger's file alike would
#: otherwise build, or decode, without end.
MOST = {"layers": 64, "heads": 256, "num_workers": 256, "beam_size": 256, "max_ratio": 20.0, "max_extra": 1000}
MOST |= {
    "devices": 64,
    "num_nodes": 64,
    "min_length": 1000,
    "no_repeat_ngram": 1000,
    "width": 1000,
    "top_k": 1000,
    "sequence_length": 2**16,
    "select_most": 10**6,
}
MOST |= dict.fromkeys(("hidden_size", "size", "shape_size", "filters"), 2**16)
MOST_THREADS = 1024


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


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted option of a plain config with its value."""
    if isinstance(config, dict):
        for name, value in config.items():
            yield from leaves(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, config


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


#: Options that are one of a few words: how float32 matrices are multiplied, what the page of a report is written as.
WORDS = {"matmul_precision": ("auto", "highest", "high", "medium"), "report_format": ("html", "markdown", "json")}


def check_confidence(option: str, value: Any) -> None:
    """Refuse what is no confidence.

    Raises:
        UserError: naming the option and its value.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0.0 <= value <= 1.0):
        raise UserError(f"{option}={value} must be a number from 0 to 1, or null")


def check_ranges(config: Mapping[str, Any]) -> None:
    """Refuse counts below 1 or beyond reason, shares outside 0 to 1, and seeds that no generator takes.

    Args:
        config: plain values, interpolations among them.

    Raises:
        UserError: naming the option and its value.
    """
    for option, value in leaves(dict(config)):
        name = option.rpartition(".")[2]
        if option.startswith(tuple(f"{owner}." for owner in MAP_OPTIONS)):
            continue
        if value == "auto" and name == "devices":
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in COUNTS | SHARES | set(MOST) and not (number or value is None or "${" in str(value)):
            raise UserError(f"{option}={value} must be a number")
        if option in ("seed", "num_workers") and type(value) is not int and "${" not in str(value):
            raise UserError(f"{option}={value} must be a whole number")
        if option == "threads" and value != "auto" and (type(value) is not int or not 1 <= value <= MOST_THREADS):
            raise UserError(f"threads={value} must be auto, or a whole number from 1 to {MOST_THREADS}")
        if option in WORDS and value not in WORDS[option]:
            raise UserError(f"{option}={value} must be {', '.join(WORDS[option][:-1])} or {WORDS[option][-1]}")
        if option == "abstain_below":
            check_confidence(option, value)
        if option == "calibrate" and value != "auto" and not isinstance(value, bool):
            raise UserError(f"calibrate={value} must be auto, true or false")
        if option == "checkpoint_every_minutes" and isinstance(value, int | float) and not 0 < value < math.inf:
            raise UserError(f"{option}={value} must be a number above 0, or null")
        if option == "seed" and type(value) is int and not 0 <= value < 2**32:
            raise UserError(f"seed={value} must be at least 0 and below {2**32}")
        if option == "num_workers" and type(value) is int and value < 0:
            raise UserError(f"num_workers={value} must not be negative")
        if isinstance(value, int | float):
            if name in COUNTS and isinstance(value, float):
                raise UserError(f"{option}={value} must be a whole number")
            if name in COUNTS and not value >= 1:
                raise UserError(f"{option}={value} must be at least 1")
            if name in MOST and not value <= MOST[name]:
                raise UserError(f"{option}={value} must be at most {MOST[name]}")
            if name in SHARES and not 0.0 <= value < 1.0:
                raise UserError(f"{option}={value} must be a share: at least 0 and below 1")
