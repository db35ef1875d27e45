"""Whether predictions depend on the batch size, and what each batch size costs in memory and time.

Usage: python scripts/check_batches.py checkpoint=<run> input=<file, one text a line> [batch_sizes=64,7,1]
       [command=predict|translate] [lines=<only so many>]

Streams the file through the command's standard input once a batch size, and compares every record with that of the
first: how many labels (or translations) differ, and by how much scores differ at most.
"""

import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def copy_lines(source: Path, target: Path, count: int | None) -> None:
    """Copy the first ``count`` lines of a plain or gzip file."""
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as lines, target.open("wb") as file:
        file.writelines(itertools.islice(lines, count))


def records(command: str, checkpoint: str, source: Path, target: Path, batch_size: str) -> list[dict[str, Any]]:
    """Run the command on ``source`` and print its peak memory; return what it wrote."""
    call = [sys.executable, "-m", "gru_nlp", command, f"checkpoint={checkpoint}", f"batch_size={batch_size}"]
    started = time.perf_counter()
    with source.open("rb") as stream, target.open("wb") as output:
        process = subprocess.Popen([*call, "format=jsonl", "device=cpu"], stdin=stream, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"batch_size={batch_size} failed")
    seconds = time.perf_counter() - started
    print(f"batch_size={batch_size}: {seconds:.1f} s with start-up, peak memory {usage.ru_maxrss / 1e6:.2f} GB")
    with target.open("rb") as lines:  # texts may hold other line separators than line feeds
        return [json.loads(line) for line in lines]


def main() -> None:
    """Compare all batch sizes with the first."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    command = given.get("command", "predict")
    answer = "translation" if command == "translate" else "label"
    first: list[dict[str, Any]] | None = None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.txt")
        copy_lines(Path(given["input"]), source, int(given["lines"]) if "lines" in given else None)
        for batch_size in given.get("batch_sizes", "64,7,1").split(","):
            found = records(command, given["checkpoint"], source, Path(folder, "out.jsonl"), batch_size)
            first = first or found
            other = sum(one[answer] != two[answer] for one, two in zip(first, found, strict=True))
            scores = [(one["score"], two["score"]) for one, two in zip(first, found, strict=True) if one["score"]]
            most = max(abs(one - two) for one, two in scores)
            print(f"  {len(found):,} records, {other} with another {answer}, scores differ by {most:.1e} at most")


if __name__ == "__main__":
    main()
