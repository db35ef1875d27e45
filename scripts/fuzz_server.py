"""Send a server bodies that no caller should send: every answer must be a 4xx with one line of JSON, and it lives on.

Usage: python scripts/fuzz_server.py checkpoint=[<run>,<run>] [cases=1000] [seed=1] [any option of gru-nlp serve]

The bodies: broken and cut JSON, wrong types, deep nesting, lone surrogates, huge numbers, NaN, names that stand twice,
other encodings, other content types, random bytes, and 50 MB, whole and in chunks. After each hundred a good request
must still be answered. Ends with code 1 where anything else came back.
"""

import http.client
import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

PATHS = ("/predict", "/translate", "/generate")
FIELDS = ("texts", "model", "top_k", "abstain_below", "n_best", "attention", "prompt", "max_tokens", "temperature")
FIELDS += ("top_p", "min_p", "repetition_penalty", "stop", "seed", "stream")
#: Content types whose body is no JSON of ours.
TYPES = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml")
TYPES += ("application/json; charset=utf-16", "application/jsonp", "*/*", "application/json-patch+json", "json")
LARGE = 50_000_000
#: Values that no field takes.
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    2**64,
    10**400,
    -0.5,
    1e308,
    {},
    [],
    [[]],
    [None],
    {"a": {}},
)
STRANGE += ("", "\0", "a" * 100_000, [1], ["a", None], [["a"]], {"texts": ["a"]})

Body = bytes | Iterator[bytes]
JSON = "application/json"


def broken(draw: random.Random) -> Body:
    """Return a good body that was cut, or of which a byte is another."""
    good = json.dumps({"texts": ["a great cast", "ä 日本"], "top_k": 2}).encode()
    place = draw.randrange(1, len(good))
    return good[:place] if draw.random() < 0.5 else good[:place] + bytes([draw.choice(b'{}[]",:\xff\xc3\x00')]) + b"!"


def wrong(draw: random.Random) -> Body:
    """Return a body with a field of a wrong kind, or one that there is not."""
    unknown = draw.random() < 0.3
    name = "".join(draw.choices("abc_\u202e\n\x00é", k=draw.randint(1, 300))) if unknown else draw.choice(FIELDS)
    return json.dumps({"texts": [3], "prompt": 3, name: draw.choice(STRANGE)}).encode()


def deep(draw: random.Random) -> Body:
    """Return lists, or objects, in each other."""
    depth = draw.choice((40, 500, 990, 1000, 5000, 100_000))
    opened, closed = draw.choice(((b"[", b"]"), (b'{"texts":', b"}"), (b'[{"a":', b"}]")))
    ended = closed * depth if draw.random() < 0.7 else b""
    inner = opened * depth + b"1" + ended
    return inner if draw.random() < 0.5 else b'{"texts": ' + inner + b"}"


def surrogates(draw: random.Random) -> Body:
    """Return a text, or a name, that is half of a character."""
    half = f"\\u{draw.randrange(0xD800, 0xE000):04x}".encode()
    return draw.choice((b'{"texts": ["a %s b"]}', b'{"%s": 1}', b'{"prompt": "%s"}', b'{"model": "%s"}')) % half


def numbers(draw: random.Random) -> Body:
    """Return a number that is none, or far too large."""
    number = draw.choice(
        (b"NaN", b"Infinity", b"-Infinity", b"1e999999", b"9" * 5000, b"-" + b"9" * 400, b"1e-", b"0x1", b"01")
    )
    name = draw.choice((b"top_k", b"temperature", b"seed", b"abstain_below", b"texts", b"stream"))
    return b'{"texts": [1], "%s": %s}' % (name, number)


def twice(draw: random.Random) -> Body:
    """Return an object with a name that stands twice."""
    name = draw.choice(FIELDS).encode()
    return b'{"texts": ["a"], "%s": 1, "%s": 2}' % (name, name)


def encoded(draw: random.Random) -> Body:
    """Return JSON that is not UTF-8, or no object."""
    text = draw.choice(('{"texts": ["ä"]}', '["ä"]'))
    return draw.choice(
        (text.encode("utf-16"), text.encode("latin-1"), b"\xef\xbb\xbf" + text.encode(), b"null", b'"a"', b"3", b"")
    )


def noise(draw: random.Random) -> Body:
    """Return random bytes."""
    return draw.randbytes(draw.randrange(1, 5000))


def large(draw: random.Random) -> Body:
    """Return 50 MB, by its length or in chunks whose sum nobody told."""
    if draw.random() < 0.5:
        return b'{"texts": ["' + b"a" * LARGE + b'"]}'
    return iter([b'{"texts": ["', *([b"a" * 1_000_000] * (LARGE // 1_000_000))])


KINDS: dict[Callable[[random.Random], Body], int] = {
    **{broken: 15, wrong: 20, deep: 15, surrogates: 10, numbers: 12},
    **{twice: 8, encoded: 10, noise: 9, large: 1},
}


def send(port: int, path: str, body: Body, kind: str) -> tuple[int, bytes]:
    """Return code and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": kind} if kind else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def fault(code: int, told: bytes) -> str | None:
    """Return what is wrong with an answer; None: nothing."""
    try:
        line = json.loads(told)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{code}, no error: {told[:100]!r}"
    fits = 400 <= code < 500 and isinstance(line, str) and line.isprintable() and len(line) < 400
    return None if fits else f"{code}: {line[:200]}"


def main() -> None:
    """Send all cases."""
    given = {"cases": "1000", "seed": "1", **dict(argument.split("=", 1) for argument in sys.argv[1:])}
    cases, draw = int(given.pop("cases")), random.Random(int(given.pop("seed")))
    command = [
        sys.executable,
        "-m",
        "gru_nlp",
        "serve",
        "port=0",
        *(f"{name}={value}" for name, value in given.items()),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    port = int(re.search(r":(\d+) \(Ctrl-C", line)[1])  # type: ignore[index]
    codes: Counter[str] = Counter()
    faults = []
    for number in range(cases):
        make = draw.choices(list(KINDS), list(KINDS.values()))[0]
        path, kind = draw.choice(PATHS), JSON
        body = make(draw)
        if draw.random() < 0.1:
            kind, body = draw.choice(TYPES), b'{"texts": ["a"]}'
        code, told = send(port, path, body, kind)
        codes[f"{code}"] += 1
        if found := fault(code, told):
            faults.append(f"case {number}, {make.__name__} to {path}, {kind}: {found}")
        if number % 100 == 99 and send(port, "/predict", b'{"texts": []}', JSON)[0] not in (200, 422):
            faults.append(f"after case {number} a good request is not answered")
    process.send_signal(signal.SIGTERM)
    told_last = process.communicate(timeout=60)[1]
    print(
        f"{cases:,} hostile bodies: {dict(sorted(codes.items()))}, {len(faults)} faults, exit code {process.returncode}"
    )
    print("\n".join(faults[:10]), told_last if "Traceback" in told_last else "", sep="\n")
    raise SystemExit(1 if faults or process.returncode or "Traceback" in told_last else 0)


if __name__ == "__main__":
    main()
