"""A stranger's checkpoint file, looked at before anything of it is read.

A checkpoint is a zip archive: a pickle, ``data.pkl``, and a record of raw bytes a tensor. Two things make such a file
dangerous, and both show without unpacking it. The directory says how large every record is once unpacked: records of
ours are stored as they are, so together they are never larger than the file. The pickle is a list of instructions that
are gone through here one by one without being obeyed: only those that make plain values and tensors may occur, the
few functions they call are named, and containers are counted, since one byte can make a dictionary of 64.
``torch.load(weights_only=True)``, which reads the file afterwards, holds the sizes of tensors against their records.
"""

import hashlib
import os
import pickletools
import zipfile
import zlib
from pathlib import Path

from gru_nlp.errors import UserError

#: The files of a run folder.
BEST, LAST = "best.ckpt", "last.ckpt"
#: Larger files are no small models; a sparse file costs its maker nothing.
MOST_BYTES = 8 << 30
MOST_RECORDS = 100_000
#: Of the pickle, which holds vocabularies and config: 400,000 words take 8 MB.
MOST_PICKLE_BYTES = 128 << 20
MOST_INSTRUCTIONS = 8_000_000
MOST_CONTAINERS = 1_000_000
PICKLE = "data.pkl"

#: Instructions of plain values; all others (``INST``, ``NEWOBJ``, sets, bytes) make what no checkpoint holds.
_PLAIN = frozenset(
    "PROTO FRAME STOP MARK POP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "EMPTY_TUPLE BINPERSID APPEND APPENDS SETITEM SETITEMS BINPUT LONG_BINPUT BINGET LONG_BINGET MEMOIZE".split()
)
_CONTAINERS = frozenset("EMPTY_DICT EMPTY_LIST TUPLE TUPLE1 TUPLE2 TUPLE3 REDUCE BUILD".split())
_TYPES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
#: What the pickle may name: how a tensor and an ordered dictionary are made.
_GLOBALS = frozenset(
    {"collections OrderedDict", "torch._utils _rebuild_tensor_v2", *(f"torch {kind}Storage" for kind in _TYPES)}
)


def locate(path: str | Path, name: str = BEST, option: str = "checkpoint") -> Path:
    """Return the checkpoint file of ``path``, given by ``option``: the file itself, or ``name`` in a run folder.

    Raises:
        UserError: there is none.
    """
    found = Path(path)
    if os.path.isdir(found):
        if not os.path.isfile(found / name):
            raise UserError(f"{found}: the folder holds no {name} (set {option}=<file or run folder>)")
        return found / name
    if not os.path.isfile(found):
        raise UserError(f"{found}: no such checkpoint (set {option}=<file or run folder>)")
    return found


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from None


def check_archive(path: Path) -> None:
    """Look at a checkpoint file without reading its records into objects.

    Raises:
        UserError: it is no archive, is cut off, unfolds to more than its own size, or holds more than plain values.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UserError(f"{path}: {size:,} bytes, where a checkpoint has at most {MOST_BYTES:,}")
        with zipfile.ZipFile(path) as archive:
            check_pickle(path, _pickle(path, archive, size))
    except PermissionError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        raise UserError(f"{path}: not a checkpoint, or a file that was cut off") from None


def _pickle(path: Path, archive: zipfile.ZipFile, size: int) -> bytes:
    """Return the bytes of the pickle once the directory is known to be honest."""
    records = archive.infolist()
    if len(records) > MOST_RECORDS or sum(record.file_size for record in records) > size:
        raise UserError(f"{path}: not a checkpoint: the archive unfolds to more than its own size")
    if any(record.compress_type != zipfile.ZIP_STORED for record in records):
        raise UserError(f"{path}: not a checkpoint: the archive is compressed, which no checkpoint of ours is")
    found = [record for record in records if record.filename.rpartition("/")[2] == PICKLE]
    if len(found) != 1 or found[0].file_size > MOST_PICKLE_BYTES:
        raise UserError(f"{path}: not a checkpoint, or a file that was cut off")
    return archive.read(found[0])


def check_pickle(path: Path, content: bytes) -> None:
    """Go through a pickle's instructions without obeying them.

    Raises:
        UserError: it makes more than plain values and tensors, or too many of them; the file is named as ``path``.
    """
    containers = 0
    for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
        name = operation.name
        if name in _CONTAINERS:
            containers += 1
        elif name == "GLOBAL":
            if argument not in _GLOBALS:
                raise UserError(f"{path}: not a checkpoint of this program: it holds more than plain values")
        elif name not in _PLAIN:
            raise UserError(f"{path}: not a checkpoint of this program: it holds more than plain values")
        if count > MOST_INSTRUCTIONS or containers > MOST_CONTAINERS:
            raise UserError(f"{path}: not a checkpoint of this program: it holds too many values")
