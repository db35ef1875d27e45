"""What the name and the first bytes of a file say that it is, where it is not the text that it is taken for."""

from pathlib import Path

#: How files begin that are not plain text, and what to do about each; the longest of two that fit comes first.
SIGNATURES = (
    (b"\xff\xfe\0\0", "UTF-32 text", "set {option}=utf-32"),
    (b"\0\0\xfe\xff", "UTF-32 text", "set {option}=utf-32"),
    (b"\xff\xfe", "UTF-16 text", "set {option}=utf-16"),
    (b"\xfe\xff", "UTF-16 text", "set {option}=utf-16"),
    (b"PK\x03\x04", "a zip archive, as xlsx, ods and docx files are", "unpack it, or save it as csv"),
    (b"PK\x05\x06", "an empty zip archive", "unpack it, or save it as csv"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an older Excel or Word", "save it as csv"),
    (b"\x1f\x8b", "gzip, packed twice", "unpack it once"),
    (b"%PDF-", "a PDF document", "take the text out of it"),
    (b"{\\rtf", "an RTF document", "save it as plain text"),
    (b"BZh", "a bzip2 archive", "unpack it, or pack it as gzip"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it, or pack it as gzip"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it, or pack it as gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, or pack it as gzip"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it, or pack it as gzip"),
    (b"PAR1", "a Parquet table", "read it as parquet"),
    (b"ARROW1\0\0", "an Arrow table", "save it as parquet or csv"),
    (b"SQLite format 3\0", "an SQLite database", "save a table of it as csv"),
    (b"\x93NUMPY", "a NumPy array", "save it as text"),
    (b"\x89PNG", "a PNG image", "give a file of text"),
    (b"\xff\xd8\xff", "a JPEG image", "give a file of text"),
    (b"GIF8", "a GIF image", "give a file of text"),
    (b"\x7fELF", "a program", "give a file of text"),
    (b"\x89HDF", "an HDF5 file", "save it as csv"),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
)
#: How much of a file is looked at, and which share of NUL bytes no text has.
LOOKED_AT, NULS = 512, 0.2
#: Formats of tables by the endings of their files.
TABLES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def table_of(name: str) -> str | None:
    """Return the format of a table that a file's ending tells, in any case and before ``.gz``; None: it tells none."""
    return TABLES.get(Path(name.lower().removesuffix(".gz")).suffix)


def told(start: bytes, option: str) -> str | None:
    """Return what a file is and what to do about it; None where its start may be text of one byte a letter.

    Args:
        start: of its bytes.
        option: that sets the encoding.
    """
    for signature, kind, remedy in SIGNATURES:
        if start.startswith(signature):
            return f"{kind}, by its first bytes: {remedy.format(option=option)}"
    if start[257:262] == b"ustar":
        return "a tar archive, by its first bytes: unpack it"
    looked_at = start[:LOOKED_AT]
    even, odd = looked_at[::2].count(0), looked_at[1::2].count(0)
    if (even + odd) <= NULS * len(looked_at):
        return None
    if len(looked_at) > 1 and min(even, odd) == 0 and start.count(0) * 2 <= len(start) + 1:
        codec = "utf-16-le" if odd else "utf-16-be"
        return f"UTF-16 text without its mark, by its first bytes: set {option}={codec}"
    return f"no text: {even + odd} of its first {len(looked_at)} bytes are NUL"
