"""What answers by graphs: an exported folder, or a checkpoint that becomes one in 8 bits, kept in the cache.

A checkpoint is exported once. Its folder is named by what it is made of (the file's bytes, this program's version, what
the person trusts), so that a changed file is another folder, and a known one answers without torch. Nothing is scored
for it, and nothing fitted again: its temperature and thresholds are those that training fitted to unrounded weights;
``gru-nlp export precision=int8`` fits them to rounded ones.
"""

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gru_nlp import __version__
from gru_nlp.archive import digest, locate
from gru_nlp.console import remark
from gru_nlp.data import cache
from gru_nlp.data.in_use import Use
from gru_nlp.errors import Fault, UserError, choose, one_line
from gru_nlp.runtime import Runner
from gru_nlp.runtime.folder import FORMAT, PRECISIONS, is_exported


def by_graphs(path: str, precision: str | None) -> bool:
    """Return whether graphs answer, and not the model of a checkpoint in torch.

    Args:
        path: a checkpoint file, a run folder, or an exported one.
        precision: of the answers, as it was asked for; None: as it is stored.

    Raises:
        UserError: there is no such precision.
    """
    if precision is not None:
        choose("precision", precision, PRECISIONS)
    return precision == "int8" or is_exported(path)


def runner(
    path: str, precision: str | None, trusted: Sequence[str], threads: int, decoding: Mapping[str, Any] | None = None
) -> Runner:
    """Load what answers by graphs.

    Args:
        path: as in ``by_graphs``, which is True of it.
        precision: as there.
        trusted: packages that a checkpoint may build from.
        threads: see ``Runner``.
        decoding: see ``Runner``.

    Raises:
        UserError: it cannot be read, is in another precision, has no graphs, or an extra is not installed.
    """
    if not is_exported(path):
        return _rounded(locate(path), trusted, threads, decoding)
    loaded = Runner(path, threads, decoding=decoding)
    if precision not in (None, loaded.folder.precision):
        raise UserError(f"precision={precision}: {path} was exported in {loaded.folder.precision}: leave it out")
    return loaded


def _rounded(file: Path, trusted: Sequence[str], threads: int, decoding: Mapping[str, Any] | None) -> Runner:
    """Load the graphs of a checkpoint in 8 bits, which are made where there are none."""
    folder = cache.graphs_place(cache.parent() / cache.NAME, key_of(file, trusted))
    use = Use(cache.lock_of(folder))
    loaded = _known(folder, threads, decoding)
    if loaded is None:
        folder = _made(file, trusted, folder)
        cache.keep_bound(folder.parents[1])
        loaded = Runner(folder, threads, decoding=decoding)
    use.until(loaded)  # which opens the folder again where it is unpickled
    return loaded


def _known(folder: Path, threads: int, decoding: Mapping[str, Any] | None) -> Runner | None:
    """Load a folder of the cache; None where there is none, or a broken one, which is put aside."""
    if not is_exported(folder):
        return None
    try:
        return Runner(folder, threads, decoding=decoding)
    except UserError as error:
        if not str(error).startswith(str(folder)) or (decoding and _known(folder, threads, None)):
            raise  # since something else is wrong, or the options of the search are
        remark(f"{one_line(error)}: these graphs are made anew")
        cache.put_aside(folder)
        return None


def key_of(file: Path, trusted: Sequence[str]) -> str:
    """Return what the graphs of a checkpoint file are known by."""
    basis = json.dumps([digest(file), __version__, FORMAT, sorted(trusted)])
    return hashlib.sha256(basis.encode()).hexdigest()[:32]


def _made(file: Path, trusted: Sequence[str], folder: Path) -> Path:
    """Export a checkpoint in 8 bits; return the folder, a temporary one where that of the cache cannot be written."""
    from gru_nlp.export import exporting, graphs  # loads torch
    from gru_nlp.export.folder import write

    graphs.needed()
    remark(f"{file}: its graphs in 8 bits are made, once: gru-nlp cache shows and clears them")
    exported = exporting.rounded(file, trusted)
    try:
        write(folder, exported)
    except (Fault, UserError) as error:
        if is_exported(folder):  # which another process made meanwhile
            return folder
        temporary = Path(tempfile.mkdtemp(prefix="gru-nlp-graphs-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        reason = one_line(error).removeprefix(f"output={folder}: ").partition(": set output")[0]
        remark(f"{folder}: {reason}: the graphs go to {temporary} until the program ends")
        folder = cache.graphs_place(temporary, folder.stem)
        write(folder, exported)
    return folder
