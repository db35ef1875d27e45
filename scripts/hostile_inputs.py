"""Hostile data: texts, files and options that people have, or that somebody makes to break a program.

Every maker takes a source of random numbers, so that a case can be repeated. What a good reader finds in a file is
counted here by means of its own, from the pieces that the file is made of, and not by the program's readers.
"""

import gzip
import io
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

WORDS = (
    "good", "bad", "film", "a", "Selby", "Größe", "naïve", "don't", "U.S.", "3.14", "1e5", "nan", "null", "NA", "None",
    "true", "-1", "0", "", " ", "\u00a0", "\u200b", "\u200d", "\u2028", "\u2029", "\x85", "\x1c", "\x0b", "\x0c",
    "\x00", "\x1b[31m", "\x07", "\x7f", "\ufeff", "\ufffd", "e\u0301" * 30,
    "👩‍👩‍👧", "🇩🇪", "\U0010ffff", "שלום", "\u202eabc",
    "张伟在北京工作。", "ภาษาไทย", "日本語のテキスト", "ကမ္ဘာ", "${oc.env:HOME}", "{}", "[1]", "<b>x</b>", "&amp;",
    "a,b", "a;b", 'q"q', '"', "'", "\\", "\\n", "%s", "a" * 5_000, "=1+1", "--", "-DOCSTART-", "#", "B-PER",
    "http://x.y/z?a=b",
)  # fmt: skip
LABELS = ("yes", "no")
ODD_LABELS = ("", " yes", "1", "true", "nan", "maybe", "yes\u200b", "__label__yes", "ja,nein", "a" * 300)
TAGS = ("O", "B-PER", "I-PER", "B-LOC")
ODD_TAGS = ("", "PER", "B_PER", "PER-B", "B", "I-", "-", "O O", "E-PER", "S-LOC", "u-per", "B-\u200b", "X" * 300)


class Made(NamedTuple):
    """A file's bytes, its ending, and how many records a reader must find in it; None: it is broken, or may be."""

    content: bytes
    ending: str
    records: int | None


def text(source: random.Random, odd: float = 0.3) -> str:
    """Return some words on one line; a share of them odd."""
    plain = ("good", "bad", "film", "a", "the", "not", "very")
    count = source.choice((0, 1, 1, 2, 3, 5, 8, 40))
    words = [source.choice(WORDS if source.random() < odd else plain) for _ in range(count)]
    return source.choice((" ", " ", " ", "")).join(words)


def label(source: random.Random, odd: float = 0.01) -> str:
    """Return a label."""
    return source.choice(ODD_LABELS if source.random() < odd else LABELS)


def flat(value: str, *marks: str) -> str:
    """Return a text without line ends and ``marks``."""
    for mark in ("\n", "\r", *marks):
        value = value.replace(mark, " ")
    return value


def lines(source: random.Random) -> Made:
    """A text a line."""
    rows = [flat(text(source)) for _ in range(source.choice((0, 1, 3, 30)))]
    return Made("".join(row + "\n" for row in rows).encode(), ".txt", len(rows))


def csv(source: random.Random, columns: tuple[str, ...] = ("text", "label")) -> Made:
    """A table with quotes, in which fields may span lines."""
    rows = []
    for _ in range(source.choice((1, 3, 30, 60))):
        fields = [
            label(source) if name == "label" else text(source) + source.choice(("", "", "\nx")) for name in columns
        ]
        rows.append(",".join('"' + field.replace('"', '""') + '"' for field in fields))
    return Made("\n".join([",".join(columns), *rows, ""]).encode(), ".csv", len(rows))


def tsv(source: random.Random, columns: tuple[str, ...] = ("text", "label")) -> Made:
    """A table with tabs."""
    rows = [
        "\t".join(flat(label(source) if name == "label" else text(source), "\t") for name in columns)
        for _ in range(source.choice((1, 3, 30, 60)))
    ]
    return Made("\n".join(["\t".join(columns), *rows, ""]).encode(), ".tsv", len(rows))


def jsonl(source: random.Random) -> Made:
    """An object a line."""
    rows = []
    broken = False
    for _ in range(source.choice((1, 3, 30, 60))):
        row: Any = {"text": text(source), "label": label(source)}
        if source.random() < 0.02:
            broken = True
            odd: Any = source.choice(
                (None, 1, 1.0, True, float("nan"), [], ["a", "b"], {}, {"a": 1}, "\ud800", 10**400)
            )
            row[source.choice(("text", "label", "other"))] = odd
        if source.random() < 0.01:
            broken, row = True, source.choice(([], [row], "text", None, {}, {"Text": "a"}))
        rows.append(json.dumps(row, ensure_ascii=source.random() < 0.5))
    if source.random() < 0.05:
        broken = True
        rows.append(
            source.choice(("{", "[" * 100_000, '{"text": ' + "9" * 5_000 + "}", "{'text': 1}", '{"text": "a"}}'))
        )
    content = "\n".join([*rows, ""]).encode(errors="surrogatepass")
    return Made(content, ".jsonl", None if broken else len(rows))


def labelled_lines(source: random.Random) -> Made:
    """A label, a blank, a text."""
    rows = [f"{source.choice(LABELS)} {flat(text(source, 0.1))}x" for _ in range(source.choice((3, 30, 60)))]
    return Made("\n".join([*rows, ""]).encode(), ".txt", len(rows))


def conll(source: random.Random) -> Made:
    """Words with tags."""
    sentences = []
    odd = source.random() < 0.5
    for _ in range(source.choice((1, 10, 40))):
        words = [flat("".join(text(source, 0.1).split()) or "x", "\t", " ") for _ in range(source.randint(1, 8))]
        tags = [source.choice(ODD_TAGS if odd and source.random() < 0.01 else TAGS) for _ in words]
        gap = source.choice((" ", " ", "\t")) if odd else " "
        sentences.append("\n".join(f"{word}{gap}{tag}" for word, tag in zip(words, tags, strict=True)))
    return Made(("\n\n".join(sentences) + "\n").encode(), ".conll", None)


def tagged_jsonl(source: random.Random) -> Made:
    """Words and tags, or texts with spans."""
    rows = []
    for _ in range(source.choice((1, 10, 40))):
        words = (text(source, 0.1).split() or ["x"])[:10]
        row: Any = {"tokens": words, "tags": [source.choice(TAGS) for _ in words]}
        if source.random() < 0.03:
            row = {"text": " ".join(words), "spans": [{"start": 0, "end": source.randint(-1, 30), "label": "PER"}]}
        if source.random() < 0.02:
            row["tags"] = source.choice(([], None, "O", [1], row.get("tags", [])[:-1]))
        rows.append(json.dumps(row))
    return Made("\n".join([*rows, ""]).encode(), ".jsonl", None)


def parquet(source: random.Random) -> Made:
    """A Parquet table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = source.choice((1, 30, 60))
    columns: dict[str, Any] = {
        "text": [text(source) for _ in range(count)], "label": [label(source) for _ in range(count)],
    }  # fmt: skip
    if source.random() < 0.2:
        columns["label"] = [source.choice((1, 2)) for _ in range(count)]
    if source.random() < 0.1:
        columns["when"] = pa.array([10**18] * count, pa.int64()).cast(pa.timestamp("ms"), safe=False)
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return Made(file.getvalue(), ".parquet", count)


def damage(made: Made, source: random.Random) -> tuple[Made, str]:
    """Change a file as transport, editors and other systems do; return it, and what was done."""
    kind = source.choice(tuple(DAMAGES))
    return DAMAGES[kind](made, source), kind


def _bits(made: Made, source: random.Random) -> Made:
    content = bytearray(made.content)
    for _ in range(source.choice((1, 3, 30))):
        if content:
            content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    return Made(bytes(content), made.ending, None)


def _cut(made: Made, source: random.Random) -> Made:
    return Made(made.content[: source.randrange(len(made.content) + 1)], made.ending, None)


def _recoded(codec: str) -> Callable[[Made, random.Random], Made]:
    def change(made: Made, source: random.Random) -> Made:
        try:
            return Made(made.content.decode().encode(codec), made.ending, None)
        except UnicodeError:
            return made

    return change


def _ends(mark: bytes) -> Callable[[Made, random.Random], Made]:
    def change(made: Made, source: random.Random) -> Made:
        same = made.ending != ".parquet" and mark.endswith(b"\n")
        return Made(made.content.replace(b"\n", mark), made.ending, made.records if same else None)

    return change


def _with(content: bytes) -> Callable[[Made, random.Random], Made]:
    return lambda made, source: Made(content, made.ending, None)


def _zipped(made: Made, source: random.Random) -> Made:
    return Made(gzip.compress(made.content), made.ending + source.choice((".gz", "", ".GZ")), made.records)


def _half_zipped(made: Made, source: random.Random) -> Made:
    return Made(gzip.compress(made.content)[: source.choice((5, 15, 40))], made.ending, None)


def _marked(made: Made, source: random.Random) -> Made:
    return Made(b"\xef\xbb\xbf" + made.content, made.ending, None if made.ending == ".parquet" else made.records)


def _unended(made: Made, source: random.Random) -> Made:
    content = made.content.removesuffix(b"\n")
    empty = content.endswith(b"\n")  # then the last record was an empty line, of which nothing is left
    return Made(content, made.ending, None if empty else made.records)


DAMAGES: dict[str, Callable[[Made, random.Random], Made]] = {
    "bits": _bits,
    "cut": _cut,
    "latin-1": _recoded("latin-1"),
    "utf-16": _recoded("utf-16"),
    "utf-8-sig": _marked,
    "twice": lambda made, source: Made(made.content + b"\xef\xbb\xbf" + made.content, made.ending, None),
    "crlf": _ends(b"\r\n"),
    "crcrlf": _ends(b"\r\r\n"),
    "cr": _ends(b"\r"),
    "nul": _ends(b"\x00\n"),
    "empty": _with(b""),
    "newline": _with(b"\n"),
    "newlines": _with(b"\n" * 2_000),
    "nuls": _with(b"\x00" * 100_000),
    "zip": _with(b"PK\x03\x04" + b"\x00" * 200),
    "pdf": _with(b"%PDF-1.7\n\xe2\xe3"),
    "bom": _with(b"\xff\xfe"),
    "long": _with(b"text,label\n" + b"a" * 3_000_000 + b",yes\nb,no\n"),
    "wide": _with(b"," * 200_000 + b"\n"),
    "gzip": _zipped,
    "half a gzip": _half_zipped,
    "bomb": _with(gzip.compress(b"\x00" * 60_000_000)),
    "open quote": lambda made, source: Made(made.content + b'"open', made.ending, None),
    "no last line end": _unended,
    "random": lambda made, source: Made(source.randbytes(3_000), made.ending, None),
}
