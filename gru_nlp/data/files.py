"""Opening a person's files: plain or gzip, in their encoding, every error with file and line."""

import codecs
import contextlib
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gru_nlp.data import signatures
from gru_nlp.errors import UserError

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20
#: Most bytes of a line, and of a text: tokens of a longer one, a file of zeros in a small gzip say, fill the memory.
MOST_LINE = 1 << 23
#: Bytes of a line that are read at a time where it may be of any length.
PIECE = 1 << 16
BYTE_ORDER_MARK = "\ufeff"
#: What Python calls encodings of text, and no file is in.
NOT_OF_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")

Lines = Iterator[tuple[int, str]]
Opener = Callable[[Path], io.BufferedReader]


def check_encoding(encoding: str, option: str) -> str:
    """Return the codec's proper name.

    Raises:
        UserError: there is no such codec, or it is none of texts.
    """
    try:
        codec = codecs.lookup(str(encoding))
        "\n".encode(codec.name)
    except (LookupError, ValueError):  # a name with a NUL in it; a codec that is none of texts, as rot13 and zlib
        raise UserError(f"{option}={encoding} is not known: use utf-8, latin-1, cp1252, ...") from None
    if codec.name in NOT_OF_FILES:
        raise UserError(f"{option}={encoding} is no encoding of files: use utf-8, latin-1, cp1252, ...")
    # A byte-order mark is no part of the first text.
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def find(path: Path, option: str) -> Path:
    """Return ``path``, or its twin with or without ``.gz``.

    Raises:
        UserError: neither exists.
    """
    if not path.name:
        return path  # the root, or the folder that one stands in
    twin = path.with_suffix("") if path.suffix.lower() == ".gz" else path.with_name(path.name + ".gz")
    for candidate in (path, twin):
        if os.path.exists(candidate):
            return candidate
    raise UserError(f"{path}: no such file (set {option}=...)")


def find_in(folder: str, name: str, names: Iterable[str]) -> Path:
    """Return a preset's file ``name`` in ``folder``, with or without ``.gz``; ``names`` are all of the preset's.

    Raises:
        UserError: there is no such folder or file.
    """
    if not os.path.isdir(folder):
        raise UserError(f"{folder}: no such folder (set data.dir=<folder with {', '.join(names)}>)")
    return find(Path(folder) / name, "data.dir")


def buffered(path: Path) -> io.BufferedReader:
    """Open a file as it is."""
    return path.open("rb")


@contextlib.contextmanager
def opened(path: Path, option: str, opener: Opener) -> Iterator[io.BufferedReader]:
    """Open a file or a pipe as it is.

    Raises:
        UserError: it is a folder, a device without end, or cannot be read.
    """
    if os.path.isdir(path):
        raise UserError(f"{path}: a folder, but {option} needs a file (for a folder a class set data=folders)")
    try:
        file = opener(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (set {option}=...)") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: cannot be read: {reason} (set {option}=...)") from None
    with file:
        if is_endless(file):
            raise UserError(f"{path}: a device, which has no end: set {option}=<file>")
        yield file


def is_endless(file: io.BufferedReader) -> bool:
    """Return whether a file is a device such as /dev/zero or a disk; a terminal and /dev/null are none."""
    try:
        state = os.fstat(file.fileno())
    except OSError:
        return False  # a copy of a pipe
    if stat.S_ISBLK(state.st_mode):
        return True
    null = os.stat(os.devnull).st_rdev
    return stat.S_ISCHR(state.st_mode) and state.st_rdev != null and not os.isatty(file.fileno())


@contextlib.contextmanager
def open_bytes(path: Path, option: str, opener: Opener = buffered) -> Iterator[IO[bytes]]:
    """Open a file or a pipe for reading, unpacked if it is gzip by its first bytes.

    Args:
        path: of the file.
        option: that names it, for messages.
        opener: opens it, once: what is read from a pipe is gone.

    Raises:
        UserError: as ``opened``; or it is a gzip file that is cut off.
    """
    with opened(path, option, opener) as file:
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


def content_hash(path: Path, option: str) -> str:
    """Return a hash of a file's bytes.

    Raises:
        UserError: as ``opened``.
    """
    digest = hashlib.sha256()
    with opened(path, option, buffered) as content:
        try:
            while block := content.read(BLOCK):
                digest.update(block)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror} (set {option}=...)") from None
    return digest.hexdigest()


def lines(path: Path, encoding: str, option: str, opener: Opener = buffered) -> Lines:
    """Yield the numbered lines of a file of training or test data.

    Raises:
        UserError: as ``open_bytes`` and ``decoded``.
    """
    with open_bytes(path, option, opener) as stream:
        yield from decoded(stream, encoding, str(path), "data.encoding")


def pieces(path: Path, encoding: str, option: str, opener: Opener = buffered) -> Iterator[tuple[int, str, bool]]:
    """Yield a file as ``lines`` does, a long line in pieces: its number, the piece, and whether the line ends with it.

    So no line is too long, and memory stays flat whatever a file holds.

    Raises:
        UserError: as ``open_bytes``; wrong encoding, or a disk that fails, with the line.
    """
    codec, place, held = check_encoding(encoding, "data.encoding"), _Place(), ""
    with open_bytes(path, option, opener) as stream, _told(encoding, str(path), "data.encoding", place):
        read = (
            _pieces_of_bytes(stream, codec, str(path), option) if _is_single(codec) else _pieces_of_wide(stream, codec)
        )
        for text in filter(None, read):  # the bytes of a character may be cut apart
            if held:
                yield place.number + 1, held, False
            held = text.removeprefix(BYTE_ORDER_MARK)
            if held.endswith("\n"):
                yield place.number + 1, held.removesuffix("\n").rstrip("\r"), True
                place.number, held = place.number + 1, ""
    if held:
        yield place.number + 1, held, True


def _pieces_of_bytes(stream: IO[bytes], codec: str, name: str, option: str) -> Iterator[str]:
    decoder, first = codecs.getincrementaldecoder(codec)(), True
    while raw := stream.readline(PIECE):
        if first and (kind := signatures.told(raw, option)):
            raise UserError(f"{name}: {kind}")
        first = False
        yield decoder.decode(raw)
    yield decoder.decode(b"", final=True)


def _pieces_of_wide(stream: IO[bytes], codec: str, most: int = PIECE) -> Iterator[str]:
    """Yield the lines of another encoding than one of bytes, in pieces of at most ``most`` characters."""
    text = io.TextIOWrapper(cast(io.BufferedReader, stream), encoding=codec, newline="\n")
    try:
        while piece := text.readline(most):
            yield piece
    finally:
        text.detach()


def _is_single(codec: str) -> bool:
    """Return whether a line feed is one byte, that of ASCII."""
    return "\n".encode(codec.removesuffix("-sig")) == b"\n"


def decoded(stream: IO[bytes], encoding: str, name: str, option: str) -> Lines:
    """Yield numbered lines as they come in, cut at line feeds alone and without them (or carriage returns before).

    A byte-order mark at the start of a line, where files that were joined leave it, is left out.

    Args:
        stream: of bytes.
        encoding: its codec.
        name: of the stream, for messages.
        option: that sets the encoding, for messages.

    Raises:
        UserError: wrong encoding, a line without end, or a disk that fails, with the line.
    """
    codec = check_encoding(encoding, option)
    found = _of_bytes(stream, codec, name, option) if _is_single(codec) else _of_wide(stream, codec)
    place = _Place()
    with _told(encoding, name, option, place):
        for place.number, text in enumerate(found, start=1):
            if text in ("", BYTE_ORDER_MARK):
                return  # a mark at the end of the file, which begins no line
            yield place.number, text.removesuffix("\n").rstrip("\r").removeprefix(BYTE_ORDER_MARK)


@dataclass
class _Place:
    """How many lines of a file were read."""

    number: int = 0


@contextlib.contextmanager
def _told(encoding: str, name: str, option: str, place: _Place) -> Iterator[None]:
    """Turn what may happen to a line that is read into an error that names it."""
    codec = check_encoding(encoding, option)
    try:
        yield
    except _Endless:
        most = f"more than {MOST_LINE >> 20} MiB"
        raise UserError(f"{name}:{place.number + 1}: a line of {most}, which is no text: mend the file") from None
    except UnicodeError as error:
        other = "latin-1" if codec.startswith("utf-8") else "utf-8"
        byte = ""
        if isinstance(error, UnicodeDecodeError) and _is_single(codec):
            byte = f" (byte 0x{error.object[error.start]:02x} at place {error.start + 1})"
        told = f"not {encoding}{byte}: set {option}={other}, or what the text is in"
        raise UserError(
            f"{name}:{place.number + 1}: {told}{'' if _is_single(codec) else ', or save the file as utf-8'}"
        ) from None
    except OSError as error:
        if not error.strerror:
            raise  # of gzip, which is told where it was opened
        raise UserError(f"{name}:{place.number + 1}: cannot be read: {error.strerror}") from None


class _Endless(Exception):
    """A line is longer than any text."""


def _of_bytes(stream: IO[bytes], codec: str, name: str, option: str) -> Iterator[str]:
    """Yield the lines of an encoding whose line feed is that of ASCII, each decoded alone."""
    first = True
    while raw := stream.readline(MOST_LINE + 1):
        if first and (kind := signatures.told(raw, option)):
            raise UserError(f"{name}: {kind}")
        if len(raw) > MOST_LINE:
            raise _Endless
        yield raw.decode(codec if first else codec.removesuffix("-sig"))
        first = False


def _of_wide(stream: IO[bytes], codec: str) -> Iterator[str]:
    """Yield the lines of another encoding, UTF-16 say, which is decoded as a whole."""
    for line in _pieces_of_wide(stream, codec, MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise _Endless
        yield line
