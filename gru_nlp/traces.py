"""What a checkpoint tells of its maker's machine, the paths in its config, and the checkpoint without them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gru_nlp.checkpoint import Checkpoint
from gru_nlp.config import HUB_OPTIONS, PATH_OPTIONS
from gru_nlp.ranges import MAP_OPTIONS

#: How a path begins that leads from the top of a machine, or from somebody's home.
LEADING = re.compile(r"/(?!$)|~|[A-Za-z]:[\\/]|\\\\|file:")
#: The same where an option is not known to be a path: what only looks a little like one is a name, or a delimiter.
CLEARLY = re.compile(r"(?!https?:)(?:[a-z][\w+.-]*:/{1,3})?/[^/\s]+/[^/]|~[\w.-]*/|[A-Za-z]:[\\/]|\\\\[^\\]|file:")
#: What only the maker's own run used: where it lay, and what it reported to.
OWN: dict[str, Any] = {"run_dir": None, "resume": None, "logger": {}, "callbacks": {}}


def paths(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a stored config that lead through its maker's folders, with their values."""
    return {option: value for option, value in _texts(config, "") if _leads(option, value)}


def without_paths(stored: Checkpoint) -> Checkpoint:
    """Return a checkpoint that answers the same, and of whose paths the last names alone are left.

    A name is left so that ``evaluate`` can say which file is missing, and finds it in the folder where the person
    stands. A folder that was a data set in the hub's layout keeps ``./`` before its name, so that nothing of the same
    name is fetched from the hub in its place.
    """
    kept = {**stored.config, **{option: value for option, value in OWN.items() if option in stored.config}}
    return replace(stored, config={name: _shortened(value, name) for name, value in kept.items()})


def _texts(part: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a part of a config, also those in lists, with its dotted name."""
    if place in MAP_OPTIONS:
        return  # a person's labels
    if isinstance(part, Mapping | list | tuple):
        pairs = part.items() if isinstance(part, Mapping) else enumerate(part)
        for name, value in pairs:
            yield from _texts(value, f"{place}.{name}" if place else str(name))
    elif isinstance(part, str):
        yield place, part


def _leads(option: str, value: str) -> bool:
    return bool((LEADING if option in PATH_OPTIONS else CLEARLY).match(value))


def _shortened(part: Any, place: str) -> Any:
    if place in MAP_OPTIONS:
        return part
    if isinstance(part, Mapping):
        return {name: _shortened(value, f"{place}.{name}") for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_shortened(value, f"{place}.{number}") for number, value in enumerate(part)]
    if not isinstance(part, str) or not _leads(place, part):
        return part
    if place == "data.cache_dir":
        return None  # every machine has its own
    last = re.split(r"[/\\]" if not part.startswith(("/", "~")) else "/", part.rstrip("/\\"))[-1]
    return f"./{last}" if place in HUB_OPTIONS else last
