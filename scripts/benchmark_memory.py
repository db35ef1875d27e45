"""Peak memory of training on many lines, and of predicting a stream of growing length.

Usage: python scripts/benchmark_memory.py [lines=2000000] [folder=<where to write, default a temporary one>]

Generates labelled lines, trains on them for 100 steps, then predicts a tenth of them, and all of them, from standard
input. Aims: training under 2 GB, predicting flat and under 1.5 GB.
"""

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = [sys.executable, "-m", "gru_nlp"]
STEPS = 100
WORDS = [f"word{number}" for number in range(20_000)]


def write_lines(path: Path, count: int) -> None:
    """Write ``count`` lines of a label and 5 to 15 words."""
    source = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(f"{'ab'[number % 2]} {' '.join(source.choices(WORDS, k=source.randint(5, 15)))}\n")


def peak(command: list[str], name: str, lines: int, source: Path | None = None) -> None:
    """Run a command and print its peak resident memory and wall time."""
    started = time.perf_counter()
    with (source or Path(os.devnull)).open("rb") as stream:
        process = subprocess.Popen(command, stdin=stream, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{name} failed")
    seconds = time.perf_counter() - started
    print(f"{name:<10} {lines:>10,} lines {usage.ru_maxrss / 1e6:>8.3f} GB peak {seconds:>8.1f} s", flush=True)


def measure(folder: Path, count: int) -> None:
    """Generate, train, predict."""
    files = {"train": count, "validation": 1000, "tenth": count // 10}
    for name, lines in files.items():
        write_lines(folder / name, lines)
    run = folder / "run"
    options = ["data=labelled_lines", f"data.train={folder / 'train'}", f"data.validation={folder / 'validation'}"]
    options += [
        f"data.cache_dir={folder / 'cache'}",
        f"trainer.max_steps={STEPS}",
        f"trainer.val_check_interval={STEPS}",
    ]
    quiet = [f"run_dir={run}", "trainer.enable_progress_bar=false", "device=cpu"]
    peak([*PROGRAM, "train", *options, *quiet], "train", count)
    predict = [*PROGRAM, "predict", f"checkpoint={run}", "device=cpu"]
    for name in ("tenth", "train"):
        peak(predict, "predict", files[name], folder / name)


def main() -> None:
    """Read the arguments, measure, name the machine."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    count = int(given.get("lines", "2000000"))
    if "folder" in given:
        Path(given["folder"]).mkdir(parents=True)
        measure(Path(given["folder"]), count)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), count)
    print(json.dumps({"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()}))


if __name__ == "__main__":
    main()
