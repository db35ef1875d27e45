"""What a fuzzer of checkpoints does to a file's bytes: cut off, bits flipped, hostile pickles, archives that unfold."""

import io
import random
import zipfile
from pathlib import Path

from fuzzing import CANARY


def hostile_pickle(source: random.Random) -> bytes:
    """Return a pickle that does more than hold values, or unfolds."""
    laughs = b"\x80\x02]q\x00" + b"".join(b"](h%ch%ceq%c" % (n, n, n + 1) for n in range(133)) + b"."
    lists = b"\x80\x02](" + b"(l" * 900_000 + b"e."
    calls = (
        *(payload(), f"c{CANARY}\nThing\n(tR.".encode(), b"cbuiltins\nbytearray\n(I3500000000\ntR."),
        *(f"cbuiltins\neval\n(Vopen('{CANARY}.ran','w')\ntR.".encode(), f"ctorch\nload\n(V{CANARY}.pkl\ntR.".encode()),
    )
    depths = (lists, laughs, b"\x80\x02(" + b"}" * 3_000_000 + b"l.", b"\x80\x02" + b"]" * 10**6, b"(" * 10**6)
    return source.choice((*calls, *depths, b"", b".", b"\x80\x04\x8f.", b"\x8b\xff\xff\xff\x7f."))


def payload() -> bytes:
    """Return the pickle that no command may load: it would leave a file."""
    return f"cos\nsystem\n(Vtouch {CANARY}.ran\ntR.".encode()


def alter_file(path: Path, source: random.Random) -> str:
    """Alter the bytes of a checkpoint; return what was done."""
    content = bytearray(path.read_bytes())
    kind = source.choice(("cut", "bits", "bits", "pickle", "pickle bits", "compressed", "twice", "text"))
    if kind == "cut":
        content = content[: source.randrange(len(content))]
    elif kind == "bits":
        for _ in range(source.choice((1, 10, 1000))):
            content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    elif kind == "text":
        content = bytearray(source.choice((b"", b"hello", b"\0" * 1000, b"PK\x03\x04", b"\x1b]0;x\x07")))
    else:
        content = bytearray(rewritten(bytes(content), kind, source))
    path.write_bytes(bytes(content))
    return kind


def rewritten(content: bytes, kind: str, source: random.Random) -> bytes:
    """Return an archive with its pickle replaced or altered, or compressed."""
    made = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if kind == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", how, compresslevel=1) as new:
        for record in old.infolist():
            inner = old.read(record)
            if record.filename.endswith("data.pkl"):
                if kind == "pickle":
                    inner = hostile_pickle(source)
                elif kind == "pickle bits":
                    own = bytearray(inner)
                    for _ in range(source.choice((1, 5, 50))):
                        own[source.randrange(len(own))] = source.randrange(256)
                    inner = bytes(own)
            with new.open(record.filename, "w") as file:
                file.write(inner)
                if kind == "compressed" and record.filename.endswith("data.pkl"):
                    for _ in range(2_000):
                        file.write(bytes(1_000_000))
            if kind == "twice" and record.filename.endswith("data.pkl"):
                new.writestr("other/data.pkl", hostile_pickle(source))
    return made.getvalue()
