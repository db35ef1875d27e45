"""The data that a checkpoint names: looked at, and told, before any of it is read.

A checkpoint may come from a stranger, and its paths then name files of this machine that the person never meant. So
every path that the person has not given anew is told on standard error, must be a regular file or a folder of bounded
size, and what its lines hold is quoted in no message.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gru_nlp.config import HUB_OPTIONS, STORED_PATHS
from gru_nlp.console import remark
from gru_nlp.errors import UserError

#: Most files in a folder that a checkpoint names, wherever they lie in it; IMDB's has 75,000.
MOST_FILES = 300_000
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def stored_paths(data: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths, by option, that stand in a stored ``data`` group and were not ``given`` anew."""
    options = {option.removeprefix("data."): option for option in STORED_PATHS if option.startswith("data.")}
    named = {option: data.get(name) for name, option in options.items() if name not in given and name != "cache_dir"}
    return {option: path for option, path in named.items() if isinstance(path, str)}


def check_stored_data(data: dict[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Tell the paths of a stored ``data`` group and look at what stands there; return them by option.

    The folder of cached tables is this machine's own, whatever the checkpoint says.

    Raises:
        UserError: one is missing, is no regular file or folder, or is too large a folder.
    """
    if "cache_dir" in data and "cache_dir" not in given:
        data["cache_dir"] = None
    paths = stored_paths(data, given)
    for option, path in paths.items():
        remark(f"reading {option}={path}, which the checkpoint names")
        check_path(Path(path), option)
    for name in _preset_names(data.get("files")):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError("the checkpoint names files outside its data folder: set data=... anew")
        if "data.dir" in paths and os.path.exists(Path(paths["data.dir"]) / name):
            check_path(Path(paths["data.dir"]) / name, "data.dir")
    for option, source in _hub_sources(data, given):
        if os.path.exists(source):
            paths[option] = source
            remark(f"reading {option}={source}, a folder here, which the checkpoint names")
            check_path(Path(source), option)
        elif not HUB_NAME.fullmatch(source):
            raise UserError(f"{option} of the checkpoint is no name of a data set on the hub: set {option}=...")
    return paths


def _hub_sources(data: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the options that name a data set on the hub, with their values, as far as they were not given anew."""
    for option in HUB_OPTIONS:
        found: Any = data
        names = option.split(".")[1:]
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None and names[0] not in given:
            yield option, str(found)


def _preset_names(files: Any) -> Iterator[str]:
    if isinstance(files, Mapping):
        yield from (name for name in files.values() if isinstance(name, str))


def check_path(path: Path, option: str) -> None:
    """Refuse a path that a checkpoint names unless a regular file, or a folder of bounded size, stands there.

    Raises:
        UserError: naming the option that replaces it.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # the reader tells that there is no such file, or finds its twin with another ending
    if stat.S_ISREG(mode):
        return
    if not stat.S_ISDIR(mode):
        raise UserError(f"{option}={path}, which the checkpoint names, is neither file nor folder: set {option}=...")
    for number, _ in enumerate(_entries(path)):
        if number > MOST_FILES:
            raise UserError(f"{option}={path}, which the checkpoint names, is too large a folder: set {option}=...")


def _entries(folder: Path) -> Iterator[str]:
    for _, folders, files in os.walk(folder):
        yield from folders
        yield from files


def discreet(error: UserError, paths: Iterable[tuple[str, str]]) -> UserError:
    """Return an error of reading stored data that says where, and nothing of what stands there.

    Args:
        error: met in reading.
        paths: options, and the path that the checkpoint has for each.
    """
    for option, path in paths:
        place = re.match(rf"{re.escape(path)}[^:\s]*(:\d+)?: ", str(error))
        if place and not any(f"no such {kind}" in str(error) for kind in ("file", "folder", "checkpoint")):
            told = f"{place[0]}cannot be used as the data that the checkpoint names"
            return UserError(f"{told}: give it by hand to see why: {option}={path}")
    return error
