"""Time what saving costs a training: whole checkpoints of its state, written and synchronised, against the steps.

Usage: python scripts/benchmark_saving.py [steps=20] [options of gru-nlp train ...]

The run, whose folder is a temporary one, saves after each step; the share is that of one save in the time between two
at the default interval, and that of one save a step in all training, for scale.
"""

import contextlib
import sys
import tempfile
import time
from typing import Any

from lightning import Trainer

import gru_nlp
from gru_nlp.training.halfway import LastCheckpoint

INTERVAL = 600.0


class Done(Exception):
    """All is timed."""


def main() -> None:
    """Train, time and show."""
    given = [option for option in sys.argv[1:] if not option.startswith("steps=")]
    steps = int(next((option.partition("=")[2] for option in sys.argv[1:] if option.startswith("steps=")), "20"))
    saves: list[float] = []
    batches: list[float] = []
    real: Any = Trainer.save_checkpoint, LastCheckpoint.on_train_batch_end

    def save(self: Trainer, *arguments: Any) -> None:
        started = time.perf_counter()
        real[0](self, *arguments)
        saves.append(time.perf_counter() - started)

    def end(self: LastCheckpoint, *arguments: Any) -> None:
        batches.append(time.perf_counter())
        if len(batches) > steps:
            raise Done
        real[1](self, *arguments)

    classes: Any = Trainer, LastCheckpoint
    classes[0].save_checkpoint, classes[1].on_train_batch_end = save, end
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Done):
        gru_nlp.train(*given, "checkpoint_every_steps=1", f"run_dir={folder}/run")
    between = sorted(saves)
    median, total = between[len(between) // 2], batches[-1] - batches[0]
    step = (total - sum(between)) / steps
    print(f"a save {median:.3f} s (least {between[0]:.3f}, most {between[-1]:.3f}), a step {step:.3f} s")
    print(f"every {INTERVAL:.0f} s: {median / INTERVAL:.4%} of training; after every step: {sum(between) / total:.1%}")


if __name__ == "__main__":
    main()
