"""The folder of cached tables and graphs: what lies there, how large it may become, and how its tables are removed.

``datasets`` lays a table into ``generator/default-fingerprint=<key>/0.0.0``, and what was encoded of it beside it, in
files ``cache-<key>.arrow``. A process that uses one holds a lock on a file beside it, whose time says when that was;
what is locked is not removed. Only files of known names are removed, links are neither followed nor removed, and a
folder goes once it is empty. What teachers translate for a student (``training.teaching``) lies in such a folder too,
as ``translations-<number>.jsonl``.

Beside them, in ``graphs``, lies what ``precision=int8`` makes of a checkpoint: a folder ``<key>.int8`` each, as
``gru-nlp export`` writes it, with its lock beside it. Such a folder is whole or not there: to be removed, it is first
named as one that is not whole, such as a killed process leaves too.
"""

import contextlib
import gc
import math
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gru_nlp.console import say
from gru_nlp.data.in_use import locked
from gru_nlp.errors import UserError
from gru_nlp.whole import PART, beside

#: The program's own folder in that of ``datasets``, so that nobody else's tables lie there.
NAME = "gru_nlp"
LIMIT = "GRU_NLP_CACHE_GB"
DEFAULT_GB = 5.0
GB = 10**9
VERSION = "0.0.0"
FOLDER = re.compile(r"default-fingerprint=[\w-]+")
ENCODED = re.compile(r"cache-[\w-]+\.arrow")
#: What lies in the folder of a table: the table, what was encoded of it, locks, and what a killed process left; or
#: translations.
FILES = re.compile(
    r"(generator|cache)-[\w-]+\.arrow|dataset_info\.json|[\w.-]+\.lock|tmp\w+"
    rf"|\.?translations-\d+\.jsonl(\.\d+{re.escape(PART)})?"
)
FOLDERS = re.compile(rf"{re.escape(VERSION)}(\.incomplete)?")
#: Where graphs lie, how their folders are called, and the files in them.
GRAPHS, ROUNDED = "graphs", ".int8"
GRAPH_FOLDER = re.compile(rf"\.?(?P<key>\w+){re.escape(ROUNDED)}(\.\d+{re.escape(PART)})?")
GRAPH_FILES = re.compile(r"\w[\w-]*\.(onnx|json|md|txt)")


@dataclass(frozen=True)
class Table:
    """A cached table, or the graphs of a model.

    Attributes:
        path: its folder; of what was encoded of another table, its file.
        size: in bytes, without what was encoded of it.
        used: when it was last used, in seconds since 1970; what was encoded of it is a use.
    """

    path: Path
    size: int
    used: float

    @property
    def is_graphs(self) -> bool:
        """Whether it is the graphs of a model."""
        return self.path.parent.name == GRAPHS


def parent() -> Path:
    """Return the folder in which the cache lies, that of ``datasets`` as the environment names it.

    ``datasets`` itself says the same, but takes a second to be loaded.
    """
    home = os.environ.get("HF_HOME", os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface"))
    return Path(os.environ.get("HF_DATASETS_CACHE", os.path.join(home, "datasets"))).expanduser()


def most_bytes() -> float:
    """Return how large all tables and graphs together may become.

    Raises:
        UserError: the environment says something that is no size.
    """
    given = os.environ.get(LIMIT, "").strip() or str(DEFAULT_GB)
    try:
        limit = float(given)
    except ValueError:
        limit = math.nan
    if not limit >= 0:
        raise UserError(f"{LIMIT}={given} in the environment must be a number of gigabytes, at least 0")
    return limit * GB


def place(home: Path, key: str) -> Path:
    """Return the folder of the table of a key."""
    return home / "generator" / f"default-fingerprint={key}"


def graphs_place(home: Path, key: str) -> Path:
    """Return the folder of the graphs of a key."""
    return home / GRAPHS / f"{key}{ROUNDED}"


def is_own(encoded: Path) -> bool:
    """Return whether a file is what was encoded of a table in a folder of the program's own."""
    return FOLDER.fullmatch(encoded.parents[1].name) is not None and encoded.parents[3].name == NAME


def lock_of(path: Path) -> Path:
    """Return the file whose lock says that a table, by its ``Table.path``, is in use."""
    if path.parent.name == GRAPHS and (named := GRAPH_FOLDER.fullmatch(path.name)):
        return path.with_name(f"{named['key']}.lock")
    return path.with_suffix(".lock") if path.suffix == ".arrow" else path / "in_use.lock"


def tables(home: Path) -> list[Table]:
    """Return the tables and graphs in a folder; one that is a link holds none."""
    return [*(table for folder in _folders(home) for table in _tables_of(folder)), *_graphs(home)]


def _graphs(home: Path) -> Iterator[Table]:
    if home.is_symlink():
        return
    for folder in _entries(home / GRAPHS):
        if GRAPH_FOLDER.fullmatch(folder.name) and _is_dir(folder):
            states = [_state(file) for file in _graph_files(folder)]
            last = max((state.st_mtime for state in states), default=0.0)
            yield Table(folder, sum(state.st_size for state in states), _used(folder, last))


def _graph_files(folder: Path) -> list[Path]:
    found = [entry for entry in _entries(folder) if GRAPH_FILES.fullmatch(entry.name)]
    return [entry for entry in found if stat.S_ISREG(_state(entry).st_mode)]


def _folders(home: Path) -> Iterator[Path]:
    if not home.is_symlink():
        yield from (entry for entry in _entries(home / "generator") if FOLDER.fullmatch(entry.name) and _is_dir(entry))


def _tables_of(folder: Path) -> Iterator[Table]:
    """Yield what was encoded of a table, then the table itself."""
    size, used = 0, 0.0
    for file in _files(folder):
        state = _state(file)
        if file.parent.name == VERSION and ENCODED.fullmatch(file.name):
            encoded = Table(file, state.st_size, _used(file, state.st_mtime))
            used = max(used, encoded.used)
            yield encoded
        else:
            size, used = size + state.st_size, max(used, state.st_mtime)
    yield Table(folder, size, used)


def _used(path: Path, otherwise: float) -> float:
    try:
        return os.stat(lock_of(path)).st_mtime
    except OSError:
        return otherwise


def _files(folder: Path) -> list[Path]:
    """Return the files of known names in the folder of a table."""
    inner = [entry for entry in _entries(folder) if FOLDERS.fullmatch(entry.name) and _is_dir(entry)]
    found = [entry for place in (folder, *inner) for entry in _entries(place) if FILES.fullmatch(entry.name)]
    return [entry for entry in found if stat.S_ISREG(_state(entry).st_mode)]


def _entries(folder: Path) -> list[Path]:
    """Return what stands in a folder; nothing in one that is gone, is closed to us, or is a link."""
    try:
        return sorted(folder.iterdir()) if _is_dir(folder) else []
    except OSError:
        return []


def _is_dir(path: Path) -> bool:
    return stat.S_ISDIR(_state(path).st_mode)


def _state(path: Path) -> os.stat_result:
    """Return what ``lstat`` says; nothing but zeros where there is no such file."""
    try:
        return os.lstat(path)
    except OSError:
        return os.stat_result([0] * 10)


def remove(table: Table) -> bool:
    """Remove a table, with all that was encoded of it; return False where it is in use or cannot be removed."""
    lock = lock_of(table.path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError:
        return not os.path.lexists(table.path)
    try:
        if not locked(descriptor, alone=True):
            return False
        if table.is_graphs:
            _clear_graphs(table.path)
            lock.unlink(missing_ok=True)
        elif table.path.suffix == ".arrow":
            table.path.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
        else:
            _clear(table.path)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return not os.path.lexists(table.path)


def _clear(folder: Path) -> None:
    """Remove the files of a table, and their folders where nothing else stands in them."""
    lock = lock_of(folder)
    for file in _files(folder):
        if file != lock:
            file.unlink(missing_ok=True)
    for inner in _entries(folder):
        if FOLDERS.fullmatch(inner.name) and _is_dir(inner):
            with contextlib.suppress(OSError):
                inner.rmdir()
    lock.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
    for other in _entries(folder.parents[1]):  # the lock of the library's own
        if other.name.endswith(f"_{folder.name}_{VERSION}.lock") and stat.S_ISREG(_state(other).st_mode):
            other.unlink(missing_ok=True)


def _clear_graphs(folder: Path) -> None:
    """Remove the files of a folder of graphs, and the folder where nothing else stands in it."""
    part = folder if folder.suffix == PART else beside(folder)
    if part != folder:
        os.replace(folder, part)
    for file in _graph_files(part):
        file.unlink(missing_ok=True)
    part.rmdir()


def put_aside(folder: Path) -> None:
    """Remove a broken folder of graphs, or at least free its name where what is in it stays."""
    with contextlib.suppress(OSError):
        _clear_graphs(folder)


def _let_go() -> None:
    """End each use of this process that nobody can reach any more, but a cycle of objects would keep for a while."""
    gc.collect()


def clear(home: Path) -> tuple[list[Table], list[Table]]:
    """Remove all tables and graphs that are not in use; return those that went and those that stay."""
    _let_go()
    found = tables(home)
    gone = [table for table in found if remove(table)]
    return gone, [table for table in found if table not in gone]


def keep_bound(home: Path) -> None:
    """Remove the tables that were not used for longest, until the others are not too large; tell of it."""
    limit, found = most_bytes(), tables(home)
    left, gone = sum(table.size for table in found), 0
    if left > limit:
        _let_go()
    for table in sorted(found, key=lambda one: (one.used, one.path.suffix != ".arrow")):
        if left <= limit:
            break
        if remove(table):
            left, gone = left - table.size, gone + 1
    if gone:
        told = f"{gone} cached tables or graphs that were not used for longest were removed"
        say(f"{told}: more than {LIMIT}={limit / GB:g}")
