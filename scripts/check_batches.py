"""Whether predictions depend on batch size or order of the input, and what each batch size costs in memory and time.

Usage: python scripts/check_batches.py checkpoint=<run> input=<file, one text a line> [batch_sizes=64,7,1]
       [orders=given,sorted,reversed] [command=predict|translate] [lines=<only so many>]

Streams the file through the command's standard input once a batch size in the given order, then once a further order in
the first batch size, and compares every record with that of the first run: how many labels (translations, entities)
differ, and by how much scores differ at most.
"""

import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def read_lines(source: Path, count: int | None) -> list[bytes]:
    """Return the first ``count`` lines of a plain or gzip file."""
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as lines:
        return list(itertools.islice(lines, count))


def ordered(lines: Sequence[bytes], order: str) -> list[int]:
    """Return the places of lines as they are given, sorted, or sorted backwards."""
    places = list(range(len(lines)))
    return places if order == "given" else sorted(places, key=lines.__getitem__, reverse=order == "reversed")


def records(command: str, checkpoint: str, lines: Sequence[bytes], folder: str, batch_size: str) -> list[Record]:
    """Run the command on ``lines`` and print its peak memory; return what it wrote."""
    source, target = Path(folder, "in.txt"), Path(folder, "out.jsonl")
    source.write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    call = [sys.executable, "-m", "gru_nlp", command, f"checkpoint={checkpoint}", f"batch_size={batch_size}"]
    started = time.perf_counter()
    with source.open("rb") as stream, target.open("wb") as output:
        process = subprocess.Popen([*call, "format=jsonl", "device=cpu"], stdin=stream, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"batch_size={batch_size} failed")
    seconds = time.perf_counter() - started
    print(f"batch_size={batch_size}: {seconds:.1f} s with start-up, peak memory {usage.ru_maxrss / 1e6:.2f} GB")
    with target.open("rb") as written:  # texts may hold other line separators than line feeds
        return [json.loads(line) for line in written]


def said(record: Record) -> tuple[list[Any], list[float]]:
    """Return what a record answers, and its scores."""
    if "entities" in record:
        entities = record["entities"]
        return [(e["start"], e["end"], e["label"]) for e in entities], [e["score"] for e in entities]
    if "labels" in record:
        return record["labels"], record["scores"]
    return [record.get("translation", record.get("label"))], [record["score"] or 0.0]


def compare(first: Sequence[Record], found: Sequence[Record]) -> str:
    """Return in words how the answers of two runs differ."""
    other, most = 0, 0.0
    for one, two in zip(first, found, strict=True):
        (answer, scores), (answer_two, scores_two) = said(one), said(two)
        other += answer != answer_two
        if answer == answer_two:
            most = max([most, *(abs(a - b) for a, b in zip(scores, scores_two, strict=True))])
    return f"  {len(found):,} records, {other} with another answer, scores of the others differ by {most:.1e} at most"


def main() -> None:
    """Compare all batch sizes, and all orders, with the first."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    command = given.get("command", "predict")
    lines = read_lines(Path(given["input"]), int(given["lines"]) if "lines" in given else None)
    sizes = given.get("batch_sizes", "64,7,1").split(",")
    orders = given.get("orders", "given").split(",")
    runs = [(size, "given") for size in sizes] + [(sizes[0], order) for order in orders if order != "given"]
    first: list[Record] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size, order in runs:
            places = ordered(lines, order)
            answers = records(command, given["checkpoint"], [lines[place] for place in places], folder, size)
            found = [record for _, record in sorted(zip(places, answers, strict=True), key=lambda pair: pair[0])]
            first = first or found
            print(f"  order: {order}")
            print(compare(first, found), flush=True)


if __name__ == "__main__":
    main()
