"""Ask a server from many connections at once, and hold every answer against its question.

Usage: python scripts/load_server.py checkpoint=<run or exported folder> [mode=steady|end|reload|overload] [seconds=60]
    [connections=64] [texts=1] [other=<run>] [any option of gru-nlp serve]

The server is a process of its own, started by ``gru-nlp serve``; the callers share the machine with it. Each connection
asks, waits, and asks again. Of every text the answer is known beforehand, from the same model in this process, so that
an answer to another question, or one that comes twice, is seen. Modes: ``steady``; ``end`` sends SIGTERM half-way, and
all that was sent must be answered, exit code 0; ``reload`` puts a checkpoint in the place of the other every two
seconds, and each answer must be one model's or the other's; ``overload`` lets four requests wait, and what is not
answered must be refused with 503 and Retry-After. Ends with code 1 where something was lost or wrong.
"""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from gru_nlp.samples import generate
from gru_nlp.serving.models import Served, load

DEFAULTS = {"checkpoint": "", "mode": "steady", "seconds": "60", "connections": "64", "texts": "1", "other": ""}
MODES = ("steady", "end", "reload", "overload")
#: Samples whose words texts are made of, by what a record holds first, and their columns.
SAMPLES = {"entities": ("entities", "words"), "translation": ("translation", "source")}
POOL, SEED, NEAR, EVERY = 2000, 1, 1e-4, 2.0


@dataclass
class Found:
    """What came of all requests."""

    seconds: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: int = 0


@dataclass
class Load:
    """A server, what is asked of it, and what it should say.

    Attributes:
        port: of the server.
        path: that is asked.
        pool: texts.
        answers: records of each text, one a model that may answer.
        texts: in a request.
        until: when callers stop; the connection is closed by the server before, where it ends.
    """

    port: int
    path: str
    pool: list[str]
    answers: list[list[dict[str, Any]]]
    texts: int
    until: float
    found: Found = field(default_factory=Found)
    ending: bool = False

    async def caller(self, number: int) -> None:
        """Ask on one connection, and on another where that was closed, until the time is over."""
        draw = random.Random(number)
        while time.monotonic() < self.until and not self.ending:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                if not self.ending:
                    self.found.lost += 1
                return
            goes_on = True
            while goes_on and time.monotonic() < self.until:
                chosen = [draw.randrange(len(self.pool)) for _ in range(self.texts)]
                goes_on = await self.ask(reader, writer, chosen)
            writer.close()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chosen: list[int]) -> bool:
        """Ask once; return whether the connection goes on."""
        body = json.dumps({"texts": [self.pool[place] for place in chosen]}).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        started = time.perf_counter()
        try:
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            told = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = re.search(r"\r\ncontent-length: (\d+)\r\n", told)
            answer = json.loads(await reader.readexactly(int(length[1]))) if length else {}
        except (OSError, asyncio.IncompleteReadError):
            self.found.lost += 1
            return False
        self.found.seconds.append(time.perf_counter() - started)
        code = int(told.split()[1])
        self.found.codes[code] += 1
        if code == 200:
            self.check(chosen, answer)
        elif code != 503 or "\r\nretry-after: " not in told:
            self.found.wrong.append(f"code {code}: {answer}")
        return "\r\nconnection: close" not in told

    def check(self, chosen: list[int], answer: dict[str, Any]) -> None:
        """Hold an answer against what the models say of these texts."""
        records = next(iter(answer.values()))
        fits = any(same(records, [known[place] for place in chosen]) for known in self.answers)
        if not fits:
            self.found.wrong.append(f"{[self.pool[place] for place in chosen]}: {records}")


def same(found: Any, expected: Any) -> bool:
    """Return whether plain values are equal, numbers nearly so."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return abs(found - expected) < NEAR if isinstance(expected, float) else bool(found == expected)


def started(options: list[str]) -> tuple[subprocess.Popen[str], int]:
    """Start a server; return its process and port."""
    command = [sys.executable, "-m", "gru_nlp", "serve", "port=0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r" at http://127\.0\.0\.1:(\d+) ", line):
            return process, int(found[1])
        print(line, end="", file=sys.stderr)
    raise SystemExit("the server did not start")


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Return the CPU time of a process so far, as Linux tells it; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pool_of(model: Served) -> list[str]:
    """Return texts of the samples, words put together anew so that their scores differ."""
    draw = random.Random(SEED)
    sample, column = SAMPLES.get(model.record[0], ("sentiment", "text"))
    rows = [row[column] for row in generate(sample, "test")]
    words = [word for row in rows for word in (row.split() if isinstance(row, str) else row)]
    return [" ".join(draw.choices(words, k=draw.randint(4, 24))) for _ in range(POOL)]


async def during(mode: str, load: Load, process: subprocess.Popen[str], files: list[Path], place: Path) -> None:
    """Do to the server what the mode says, while it is asked."""
    if mode == "end":
        await asyncio.sleep((load.until - time.monotonic()) / 2)
        load.ending = True
        process.send_signal(signal.SIGTERM)
    turn = 0
    while mode == "reload" and time.monotonic() < load.until - EVERY:
        await asyncio.sleep(EVERY)
        turn += 1
        other = place.with_name("next")
        shutil.copy(files[turn % len(files)], other)
        os.replace(other, place)


async def run(load: Load, connections: int, *rest: Any) -> float:
    """Ask from all connections; return the seconds that it took."""
    begun = time.monotonic()
    await asyncio.gather(during(rest[0], load, *rest[1:]), *(load.caller(number) for number in range(connections)))
    return time.monotonic() - begun


def report(load: Load, took: float, code: int) -> bool:
    """Print what was found; return whether all is well."""
    found = load.found
    ordered = sorted(found.seconds) or [0.0]
    p50, p99 = (1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.99))
    print(f"{len(found.seconds):,} answers in {took:.1f} s, {len(found.seconds) / took:.0f} a second")
    print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {1000 * ordered[-1]:.1f} ms")
    print(f"codes {dict(sorted(found.codes.items()))}, lost {found.lost}, wrong {len(found.wrong)}, exit code {code}")
    for line in found.wrong[:3]:
        print(line[:300])
    return found.lost == 0 and not found.wrong and code == 0


def main() -> None:
    """Run one mode."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    chosen = {**DEFAULTS, **{name: value for name, value in given.items() if name in DEFAULTS}}
    options = [f"{name}={value}" for name, value in given.items() if name not in DEFAULTS]
    mode, path = chosen["mode"], Path(chosen["checkpoint"])
    if mode not in MODES or not chosen["checkpoint"]:
        raise SystemExit(__doc__)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files, place = [path], Path(folder, "run", "best.ckpt")
        if mode == "reload":
            files = [Path(run) / "best.ckpt" for run in (path, chosen["other"] or path)]
            place.parent.mkdir()
            shutil.copy(files[0], place)
            options += ["reload=true"]
        models = [load(str(file), "cpu", ()) for file in files]
        pool = pool_of(models[0])
        answers = [model.ranked(1)(pool) for model in models]
        print(f"{POOL:,} texts with {len({json.dumps(record) for record in answers[0]}):,} different answers")
        if mode == "overload":
            options += ["max_waiting=4"]
        process, port = started([f"checkpoint={place.parent if mode == 'reload' else path}", *options])
        until, before = time.monotonic() + float(chosen["seconds"]), cpu_seconds(process)
        asked = Load(port, f"/{models[0].tasks[0]}", pool, answers, int(chosen["texts"]), until)
        took = asyncio.run(run(asked, int(chosen["connections"]), mode, process, files, place))
        spent = max(0.0, cpu_seconds(process) - before)
        if process.poll() is None and mode != "end":
            process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[1]
        print("".join(f"server, {count} times: {line}\n" for line, count in Counter(told.splitlines()).items()), end="")
        print(f"server: {1000 * spent / max(len(asked.found.seconds), 1):.2f} ms of CPU time an answer")
        raise SystemExit(0 if report(asked, took, process.returncode) else 1)


if __name__ == "__main__":
    main()
