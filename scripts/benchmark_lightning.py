"""What Lightning adds to a training step: `gru-nlp train`'s own trainer against a bare PyTorch loop, in one run.

Usage: python scripts/benchmark_lightning.py [rounds=5] 2>/dev/null

Both train the same model on the same batches with the same optimiser, clipping and schedule; Lightning also draws its
bar (as on a terminal), logs, and counts padding. A round is one epoch of each, in turn; the table gives the median over
rounds of milliseconds a step, and of the difference. Aims: at most 5 % over where a step takes 30 ms or more, at most
1.5 ms over on smaller ones.
"""

import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["FORCE_COLOR"] = "1"  # Rich draws its bar as on a terminal; send it away with 2>/dev/null

import torch
from hydra import compose, initialize_config_dir
from lightning import Callback
from torch.nn.utils import clip_grad_norm_

from gru_nlp.config import conf_dir, resolved
from gru_nlp.tasks.floors import parameter_groups
from gru_nlp.tensors import to_tensors
from gru_nlp.training import lightning_parts
from gru_nlp.training.parts import Parts, prepare

SIZES = {
    "small": ["encoder.hidden_size=32", "embedding.size=32", "batch_size=16"],
    "middle": ["encoder.hidden_size=128", "embedding.size=100", "batch_size=32"],
    "large": ["encoder.hidden_size=256", "embedding.size=100", "batch_size=64"],
}
ROWS = {"small": 6400, "middle": 6400, "large": 6400}
WORDS = 20  # in a text, on average


class EpochClock(Callback):
    """Seconds of an epoch's training steps, from before the first batch is fetched to after the last step."""

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Start."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Read the clock after every step; the last reading counts."""
        self.seconds = time.perf_counter() - self.started


def write_corpus(path: Path, rows: int) -> None:
    """Write random texts of 10 to 30 words with two labels."""
    source = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for row in range(rows):
            words = (f"w{source.randrange(5000)}" for _ in range(source.randrange(WORDS // 2, 3 * WORDS // 2)))
            file.write(f"{' '.join(words)},{'ab'[row % 2]}\n")


def config_of(size: str, folder: Path) -> dict[str, Any]:
    """Compose the config of `gru-nlp train` for a size."""
    write_corpus(folder / "train.csv", ROWS[size])
    write_corpus(folder / "validation.csv", 64)
    own = [f"data.{name}={folder / name}.csv" for name in ("train", "validation")]
    options = ["data=csv", f"data.cache_dir={folder / 'cache'}", *own, "trainer.max_epochs=1", "device=cpu"]
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        return resolved(compose("train", overrides=[*options, *SIZES[size]]))


def bare_epoch(parts: Parts, clip: float) -> tuple[float, int]:
    """Train an epoch in a plain loop; return seconds and steps."""
    model, task = parts.model, parts.task
    assert task.make_optimizer is not None
    assert task.make_schedule is not None
    parts.data.trainer = None
    loader = parts.data.train_dataloader()
    optimizer = task.make_optimizer(parameter_groups(model))
    schedule: Any = task.make_schedule(optimizer, len(loader))
    model.train()
    started = time.perf_counter()
    for arrays in loader:
        batch = to_tensors(arrays, "cpu")
        optimizer.zero_grad()
        task.loss(batch).backward()
        clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        schedule.step()
    return time.perf_counter() - started, len(loader)


def lightning_epoch(parts: Parts, config: dict[str, Any]) -> float:
    """Train an epoch with the trainer of `gru-nlp train`; return seconds."""
    clock = EpochClock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning_parts.trainer(Path(folder), config)
        trainer.callbacks.append(clock)  # type: ignore[attr-defined]
        trainer.fit(parts.task, parts.data)
    return clock.seconds


def measure(size: str, rounds: int) -> dict[str, Any]:
    """Time both in turn; the first round warms up and is thrown away."""
    bare, lightning = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(size, Path(folder))
        parts = prepare(config)
        for _ in range(rounds + 1):
            seconds, steps = bare_epoch(parts, config["trainer"]["gradient_clip_val"])
            bare.append(1000 * seconds / steps)
            lightning.append(1000 * lightning_epoch(parts, config) / steps)
    over = [ours - plain for ours, plain in zip(lightning[1:], bare[1:], strict=True)]
    ratios = [ours / plain for ours, plain in zip(lightning[1:], bare[1:], strict=True)]
    return {
        "size": size,
        "bare_ms": statistics.median(bare[1:]),
        "lightning_ms": statistics.median(lightning[1:]),
        "over_ms": statistics.median(over),
        "ratio": statistics.median(ratios),
    }


def main() -> None:
    """Print a row a size, then the machine."""
    lightning_parts.quieten()
    rounds = int(sys.argv[1].removeprefix("rounds=")) if len(sys.argv) > 1 else 5
    print(f"{'size':<8} {'bare ms':>9} {'lightning ms':>13} {'over ms':>8} {'ratio':>7}")
    for size in SIZES:
        row = measure(size, rounds)
        values = f"{row['bare_ms']:>9.2f} {row['lightning_ms']:>13.2f} {row['over_ms']:>8.2f} {row['ratio']:>7.3f}"
        print(f"{size:<8} {values}", flush=True)
    machine = {"system": platform.platform(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    print(json.dumps({"rounds": rounds, **machine}))


if __name__ == "__main__":
    main()
