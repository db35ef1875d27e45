"""Where translating spends its time: sentences a second, and the shares of the parts, for one checkpoint and file.

Usage: python scripts/benchmark_translate.py checkpoint=<run> input=<file, one sentence a line> [batch_size=50]

Times `gru-nlp translate` on the file as a whole (with start-up), then the translator alone in this process (without),
then once more with a clock around encoder, decoder step and vocabulary projection; what is left is the search's
bookkeeping and the tokenizer's.
"""

import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gru_nlp.predictor import Predictor


def lines(path: Path) -> list[str]:
    """Read a plain or gzip file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def clocked(function: Callable[..., Any], name: str, clock: Counter[str]) -> Callable[..., Any]:
    """Return ``function`` with its seconds added to ``clock``."""

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        result = function(*arguments)
        clock[name] += time.perf_counter() - started
        return result

    return timed


def main() -> None:
    """Measure and print."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    batch_size = int(given.get("batch_size", "50"))
    sentences = lines(Path(given["input"]))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.txt").write_text("".join(f"{line}\n" for line in sentences), encoding="utf-8")
        options = [f"checkpoint={given['checkpoint']}", f"input={folder}/in.txt", f"output={folder}/out.txt"]
        command = [sys.executable, "-m", "gru_nlp", "translate", *options, f"batch_size={batch_size}", "device=cpu"]
        started = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        whole = time.perf_counter() - started
    predictor = Predictor.from_checkpoint(given["checkpoint"])
    predictor(sentences[:batch_size], batch_size)  # warms up
    started = time.perf_counter()
    predictor(sentences, batch_size)
    alone = time.perf_counter() - started
    clock: Counter[str] = Counter()
    model: Any = predictor.model
    model.start = clocked(model.start, "encoder", clock)
    model.decoder.step = clocked(model.decoder.step, "decoder", clock)
    model.project = clocked(model.project, "projection", clock)
    started = time.perf_counter()
    predictor(sentences, batch_size)
    total = time.perf_counter() - started
    clock["search and tokenizer"] = total - sum(clock.values())
    print(f"{len(sentences):,} sentences, batch {batch_size}, {type(model.decoding).__name__}")
    print(f"with start-up     {len(sentences) / whole:8.1f} sentences/s ({whole:.1f} s)")
    print(f"without start-up  {len(sentences) / alone:8.1f} sentences/s ({alone:.1f} s)")
    for name, value in clock.items():
        print(f"  {name:<22} {100 * value / total:5.1f} %")
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    print(json.dumps(machine))


if __name__ == "__main__":
    main()
