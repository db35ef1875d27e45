"""Threads on a quiet and on a busy machine: how long the sample trains, and how many texts a second are labelled.

Usage: python scripts/benchmark_threads.py [rounds=3] [texts=20000] [task=sentiment]

Each command runs as a person would type it, with nothing of threads in its environment, alone and beside one process
that keeps a core busy, in turns. The table gives medians over the rounds, and what the neighbour costs: seconds of
training beside it by seconds alone (aim: at most 1.6), texts a second beside it by those alone (aim: at least 0.5).
``auto`` is what the program chooses; ``spinning`` is two threads that do not sleep while they wait, torch's own way.
"""

import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

KINDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "auto": ([], {}),
    "threads=1": (["threads=1"], {}),
    "threads=2": (["threads=2"], {}),
    "spinning": (["threads=2"], {"OMP_WAIT_POLICY": "active"}),
}
#: What names of a shell's variables that set threads begin with.
THREADED = ("OMP_", "RAYON_", "MKL_", "KMP_")
BUSY = "while True: pass"


@contextlib.contextmanager
def neighbour(busy: bool) -> Iterator[None]:
    """Keep a core busy meanwhile, if asked to."""
    process = subprocess.Popen([sys.executable, "-c", BUSY]) if busy else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def gru_nlp(arguments: list[str], kind: str) -> str:
    """Run a command of the program; return what it says on standard error."""
    options, own = KINDS[kind]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(THREADED)}
    command = [sys.executable, "-m", "gru_nlp", *arguments, *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**bare, **own})
    return done.stderr


def train(task: str, folder: Path, kind: str, busy: bool) -> float:
    """Return the seconds that the sample trains, start-up and all."""
    with neighbour(busy), tempfile.TemporaryDirectory(dir=folder) as place:
        started = time.perf_counter()
        gru_nlp(["train", f"task={task}", f"run_dir={place}/run"], kind)
        return time.perf_counter() - started


def label(folder: Path, kind: str, busy: bool) -> float:
    """Return the texts labelled a second, as the command tells them."""
    with neighbour(busy):
        told = gru_nlp(["predict", f"checkpoint={folder}/run", f"input={folder}/texts", f"output={folder}/said"], kind)
    return float(re.findall(r"([\d,]+) texts/s", told)[-1].replace(",", ""))


def texts(run: Path, count: int) -> str:
    """Return lines of text: those that the run was tested on, again and again."""
    records = [json.loads(line)["text"] for line in (run / "predictions.jsonl").read_text("utf-8").splitlines()]
    return "".join(f"{records[place % len(records)]}\n" for place in range(count))


def table(found: dict[tuple[str, str, bool], list[float]], what: str, unit: str) -> None:
    """Print a line a kind."""
    print(f"{what:<10} {'alone':>10} {'beside':>10}   ratio   ({unit})")
    for kind in KINDS:
        alone, beside = (median(found[what, kind, busy]) for busy in (False, True))
        print(f"{kind:<10} {alone:>10.1f} {beside:>10.1f} {beside / alone:>7.2f}")


def main() -> None:
    """Measure and print."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    rounds, task = int(given.get("rounds", "3")), given.get("task", "sentiment")
    found: dict[tuple[str, str, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gru_nlp(["train", f"task={task}", f"run_dir={folder}/run"], "auto")
        (folder / "texts").write_text(texts(folder / "run", int(given.get("texts", "20000"))), "utf-8")
        for _ in range(rounds):
            for kind in KINDS:
                for busy in (False, True):
                    found.setdefault(("train", kind, busy), []).append(train(task, folder, kind, busy))
                    found.setdefault(("predict", kind, busy), []).append(label(folder, kind, busy))
        machine = json.loads((folder / "run" / "metrics.json").read_text("utf-8"))["machine"]
    table(found, "train", "seconds")
    table(found, "predict", "texts a second")
    print(json.dumps({"system": platform.platform(), "rounds": rounds, "task": task, **machine}))


if __name__ == "__main__":
    main()
