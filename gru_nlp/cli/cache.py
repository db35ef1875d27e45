"""Show the folder of cached tables and graphs, or clear it."""

from collections.abc import Sequence
from pathlib import Path

from gru_nlp.console import say, show
from gru_nlp.data import cache
from gru_nlp.errors import UserError, nearest

CLEAR = "clear"


def run(arguments: Sequence[str]) -> None:
    """Show where tables and graphs lie, how many and how large; with ``clear``, remove them.

    Raises:
        UserError: another argument, or the folder is a link.
    """
    if list(arguments) not in ([], [CLEAR]):
        wrong = next((argument for argument in arguments if argument != CLEAR), CLEAR)
        raise UserError(f"cache {' '.join(arguments)}: takes nothing, or {CLEAR}{nearest(wrong, [CLEAR])}")
    home = cache.parent() / cache.NAME
    if home.is_symlink():
        raise UserError(f"{home}: is a link, which is not followed: set HF_DATASETS_CACHE=<the folder it leads to>")
    if arguments:
        clear(home)
        return
    most, found = cache.most_bytes(), cache.tables(home)
    show(f"folder: {home}")
    show(f"tables: {len(found) - _graphs(found)}")
    show(f"graphs: {_graphs(found)}")
    show(f"size:   {_size(found)}")
    show(f"bound:  {most / cache.GB:g} GB ({cache.LIMIT})")


def clear(home: Path) -> None:
    """Remove the tables and graphs in a folder, and tell how many went and stay."""
    gone, left = cache.clear(home)
    show(f"removed: {_counted(gone)}, {_size(gone)}")
    if left:
        say(f"{_counted(left)} stay: a running program uses them, or they cannot be removed")


def _graphs(found: Sequence[cache.Table]) -> int:
    return sum(table.is_graphs for table in found)


def _counted(found: Sequence[cache.Table]) -> str:
    graphs = _graphs(found)
    return f"{len(found) - graphs} tables" + (f" and {graphs} graphs" if graphs else "")


def _size(found: Sequence[cache.Table]) -> str:
    return f"{sum(table.size for table in found) / 10**6:,.1f} MB"
