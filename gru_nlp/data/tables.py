"""Cached tables: where they lie, and what is done where they cannot be written or were damaged.

A table is an Arrow file that is mapped into memory, kept by ``datasets`` under a key of all that it came from. Its
folder may refuse to be written (a temporary one stands in for it), its disk may be full, and a process that was killed,
or a copy that was cut off, may have left half a file: then it is made anew.
"""

import atexit
import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetGenerationError

from gru_nlp.console import remark
from gru_nlp.data import cache as caching
from gru_nlp.data.in_use import Use
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import RowError

ENCODE_BATCH = 1000
#: Rows of one Arrow record batch; large, since every record batch costs a little memory once mapped.
WRITE_BATCH = 20_000
#: What systems say of a place that is not ours to write to.
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
#: What opening a damaged table raises: Arrow's errors and those of broken JSON are kinds of ``ValueError``.
DAMAGED = (ValueError, TypeError, LookupError, AttributeError, EOFError, FileNotFoundError)


def base(given: str | None) -> Path:
    """Return the folder in which that of cached tables lies; arguments as ``folder``."""
    return Path(given).expanduser() if given else caching.parent()


@cache
def folder(given: str | None) -> str:
    """Return the folder of cached tables, which can be written; say once that texts are copied there.

    Args:
        given: the person's own; None: that of ``datasets``, or a temporary one where that cannot be written.

    Raises:
        UserError: ``given`` cannot be written.
    """
    wanted = base(given)
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        home = wanted / caching.NAME
        new = not home.exists()
        home.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            if new and given is None:
                remark(f"texts are copied to {home}, which gru-nlp cache shows and clears")
            return str(home)
    except OSError as error:
        if given:
            raise UserError(f"{given}: cannot be written: {error.strerror} (set data.cache_dir=<folder>)") from None
        return instead(wanted, error)


@cache
def temporary() -> str:
    """Return a folder that goes when the program ends."""
    made = tempfile.mkdtemp(prefix="gru-nlp-tables-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def instead(place: Path, error: OSError) -> str:
    """Return a temporary folder in the place of one that cannot be written, and say so."""
    remark(f"{place} cannot be written ({error.strerror}): tables go to {temporary()} until the program ends")
    return temporary()


def read_once(
    rows: Callable[[], Iterator[dict[str, Any]]], features: datasets.Features, key: str, cache_dir: str | None
) -> datasets.Dataset:
    """Write rows into a memory-mapped table, or find the table that was written under ``key``.

    Raises:
        UserError: what ``rows`` raises; the table cannot be written.
    """
    caching.most_bytes()  # what is wrong with it is told before the work
    home = folder(cache_dir)
    try:
        return _read(rows, features, key, home)
    except OSError as error:
        if cache_dir or error.errno not in DENIED:
            raise unwritable(home, error) from None
        return _read(rows, features, key, instead(Path(home), error))


def _read(
    rows: Callable[[], Iterator[dict[str, Any]]], features: datasets.Features, key: str, home: str
) -> datasets.Dataset:
    """Do as ``read_once`` in the folder ``home``.

    Raises:
        OSError: the table cannot be written.
    """
    place = caching.place(Path(home), key)
    known, use = (place / caching.VERSION).exists(), Use(caching.lock_of(place))

    def made() -> datasets.Dataset:
        table = datasets.Dataset.from_generator(rows, features=features, cache_dir=home, fingerprint=key)
        if len(table) != table.info.splits[str(table.split)].num_examples:
            raise EOFError(f"{len(table)} rows")
        return table

    try:
        table = _anew(made, lambda: shutil.rmtree(place / caching.VERSION))
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, UserError | OSError):
            raise error.__cause__ from None
        raise
    use.until(table)
    if not known:
        caching.keep_bound(Path(home))
    return table


def encoded_once(
    raw: datasets.Dataset, encode: Callable[[Any, list[int]], Any], features: datasets.Features, key: str
) -> datasets.Dataset:
    """Write what ``encode`` makes of a table into another one, or find the one that was written under ``key``.

    Args:
        raw: the table.
        encode: takes a batch of its columns and the numbers of their rows, gives the new columns.
        features: of the new table.
        key: of the new table.

    Raises:
        UserError: the table cannot be written.
    """

    files = [Path(file["filename"]).with_name(f"cache-{key}.arrow") for file in raw.cache_files[:1]]
    own = [file for file in files if caching.is_own(file)]
    new, uses = [file for file in own if not file.exists()], [Use(caching.lock_of(file)) for file in own]

    def forget() -> None:
        for file in files:
            file.unlink()

    before = _unfinished(files)
    try:
        table = _anew(lambda: _mapped(raw, encode, features, key), forget)
    except OSError as error:
        for left in _unfinished(files) - before:  # which the library keeps where the disk is full
            left.unlink(missing_ok=True)
        if not files or error.errno not in DENIED:
            raise unwritable(str(files[0].parent if files else tempfile.gettempdir()), error) from None
        spare = Path(instead(files[0].parent, error), files[0].name)
        table = _mapped(raw, encode, features, key, str(spare))
    for use in uses:
        use.until(table)
    for file in new:
        caching.keep_bound(file.parents[3])
    return table


def _unfinished(files: list[Path]) -> set[Path]:
    """Return the files beside encoded ones that the library is still writing."""
    return {left for file in files for left in file.parent.glob("tmp*")}


def _mapped(
    raw: datasets.Dataset,
    encode: Callable[[Any, list[int]], Any],
    features: datasets.Features,
    key: str,
    file: str | None = None,
) -> datasets.Dataset:
    """Return what ``encode`` makes of a table; arguments as ``encoded_once``; ``file`` in the usual one's place."""
    table = raw.map(
        encode,
        batched=True,
        with_indices=True,
        batch_size=ENCODE_BATCH,
        writer_batch_size=WRITE_BATCH,
        remove_columns=raw.column_names,
        features=features,
        new_fingerprint=key,
        cache_file_name=file,
    )
    if len(table) != len(raw):
        raise EOFError(f"{len(table)} rows")
    return table


def _anew(made: Callable[[], datasets.Dataset], forget: Callable[[], None]) -> datasets.Dataset:
    """Return what ``made`` finds; what it cannot open is forgotten and made again."""
    try:
        return made()
    except RowError:
        raise  # of a row, whatever the table is like
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, DAMAGED) and error.errno is not None:
            raise  # of the system's; what Arrow says of a file that was cut off has no number
        try:
            forget()
        except OSError:
            pass  # nothing was kept, so that nothing was damaged
        else:
            remark("a cached table was damaged: it is made anew")
            return made()
        raise


def unwritable(place: str, error: OSError) -> UserError:
    """Return what is told where a table cannot be written."""
    reason = error.strerror or str(error).partition(".")[0]
    return UserError(f"{place}: a table cannot be written: {reason} (set data.cache_dir=<folder>)")
