"""Opening a person's files: plain or gzip, in their encoding, every error with file and line."""

import codecs
import contextlib
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from gru_nlp.errors import UserError

GZIP_MAGIC = b"\x1f\x8b"
HASH_BLOCK = 1 << 20

Lines = Iterator[tuple[int, str]]


def check_encoding(encoding: str, option: str) -> str:
    """Return the codec's proper name.

    Raises:
        UserError: there is no such codec, or its line ends are not single bytes.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise UserError(f"{option}={encoding} is not known: use utf-8, latin-1, cp1252, ...") from None
    if name.startswith(("utf-16", "utf-32")):
        raise UserError(f"{option}={encoding} is not read here: save the file as utf-8")
    # A byte-order mark is no part of the first text.
    return "utf-8-sig" if name == "utf-8" else name


def find(path: Path, option: str) -> Path:
    """Return ``path``, or its twin with or without ``.gz``.

    Raises:
        UserError: neither exists.
    """
    twin = path.with_suffix("") if path.suffix == ".gz" else path.with_name(path.name + ".gz")
    for candidate in (path, twin):
        if candidate.exists():
            return candidate
    raise UserError(f"{path}: no such file (set {option}=...)")


def find_in(folder: str, name: str, names: Iterable[str]) -> Path:
    """Return a preset's file ``name`` in ``folder``, with or without ``.gz``; ``names`` are all of the preset's.

    Raises:
        UserError: there is no such folder or file.
    """
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder (set data.dir=<folder with {', '.join(names)}>)")
    return find(Path(folder) / name, "data.dir")


def buffered(path: Path) -> io.BufferedReader:
    """Open a file as it is."""
    return path.open("rb")


@contextlib.contextmanager
def open_bytes(path: Path, option: str, opener: Callable[[Path], io.BufferedReader] = buffered) -> Iterator[IO[bytes]]:
    """Open a file or a pipe for reading, unpacked if it is gzip by its first bytes.

    Args:
        path: of the file.
        option: that names it, for messages.
        opener: opens it, once: what is read from a pipe is gone.

    Raises:
        UserError: it is a folder, cannot be read, or is a gzip file that is cut off.
    """
    if path.is_dir():
        raise UserError(f"{path}: a folder, but {option} needs a file (for a folder a class set data=folders)")
    try:
        file = opener(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (set {option}=...)") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror} (set {option}=...)") from None
    with file:
        try:
            zipped = file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror} (set {option}=...)") from None
        if not zipped:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(IO[bytes], unpacked)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise UserError(f"{path}: the gzip file is cut off or broken (set {option}=...)") from None


def decoded(stream: IO[bytes], encoding: str, name: str, option: str) -> Lines:
    """Yield numbered lines as they come in, cut at line feeds alone and without them (or a carriage return before).

    Args:
        stream: of bytes.
        encoding: its codec.
        name: of the stream, for messages.
        option: that sets the encoding, for messages.

    Raises:
        UserError: wrong encoding, with the line.
    """
    codec = check_encoding(encoding, option)
    for number, raw in enumerate(stream, start=1):
        try:
            text = raw.decode(codec if number == 1 else codec.removesuffix("-sig"))
        except UnicodeDecodeError as error:
            other = "latin-1" if codec.startswith("utf-8") else "utf-8"
            byte = error.object[error.start]
            raise UserError(
                f"{name}:{number}: not {encoding} (byte 0x{byte:02x} at place {error.start + 1}): "
                f"set {option}={other}, or what the text is in"
            ) from None
        yield number, text.removesuffix("\n").removesuffix("\r")


def is_broken(text: str) -> bool:
    """Return whether a text holds lone surrogates, which are no characters and which no tokenizer takes."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def lines(path: Path, encoding: str, option: str) -> Lines:
    """Yield the numbered lines of a file of training or test data.

    Raises:
        UserError: as ``open_bytes`` and ``decoded``.
    """
    with open_bytes(path, option) as stream:
        yield from decoded(stream, encoding, str(path), "data.encoding")


def content_hash(path: Path) -> str:
    """Return a hash of a file's bytes, or of the names and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(str(file.relative_to(path)).encode())
            try:
                with file.open("rb") as content:
                    while block := content.read(HASH_BLOCK):
                        digest.update(block)
            except OSError as error:
                raise UserError(f"{file}: cannot be read: {error.strerror} (see data.*)") from None
    return digest.hexdigest()
