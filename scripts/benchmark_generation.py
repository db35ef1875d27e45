"""Resident memory and speed of `gru-nlp generate` while its text grows.

Usage: python scripts/benchmark_generation.py checkpoint=<run of a language model> [megabytes=20] [options of generate]

Reads what the command writes, and tells at 0.1, 0.2, 0.5, 1, 2, ... MB how much memory its process holds and how many
bytes a second have come. Without further options one text is drawn, without end and token by token; with samples=...,
max_tokens=... and batch_size=... many texts are, side by side.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

MEGABYTE = 1_000_000
ENDLESS = ["max_tokens=1000000000"]


def marks() -> Iterator[int]:
    """Yield 0.1, 0.2, 0.5, 1, 2, 5, ... megabytes in bytes."""
    for power in count():
        yield from (step * 10**power * MEGABYTE // 10 for step in (1, 2, 5))


def resident(process: int) -> float:
    """Return the resident memory of a process in megabytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def main() -> None:
    """Measure and print."""
    given = sys.argv[1:]
    most = next((float(one.partition("=")[2]) for one in given if one.startswith("megabytes=")), 20.0) * MEGABYTE
    options = [one for one in given if not one.startswith("megabytes=")]
    command = [sys.executable, "-m", "gru_nlp", "generate", "device=cpu", *options]
    command += [] if any(one.startswith("samples=") for one in options) else ENDLESS
    size, following = 0, marks()
    mark, started = next(following), 0.0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while size < most and (block := os.read(process.stdout.fileno(), 1 << 16)):
            started = started or time.perf_counter()
            size += len(block)
            if size >= mark:
                speed = size / (time.perf_counter() - started)
                print(f"{size / MEGABYTE:7.1f} MB  resident {resident(process.pid):7.1f} MB  {speed:9,.0f} bytes/s")
                sys.stdout.flush()
                mark = next(following)
        process.kill()
    print(json.dumps({"system": platform.platform(), "cpus": os.cpu_count(), "options": options}))


if __name__ == "__main__":
    main()
