"""Kill runs at random moments, let them go on, and compare what they end with to a run that nothing happened to.

Usage: python scripts/kill_and_resume.py [tasks=sentiment,ner,translation,language_model] [kills=20] [signal=KILL]
    [every=5] [epochs=10] [seed=1] [folder=<where the runs lie>]

For each task one run goes through; another one, of the same options, is sent the signal at a random moment after it has
begun to train, and started again by the same command with resume=auto, until it has been killed so many times. Its
checkpoints come every so many steps. Then it is let be, and weights, average and scores of both must be equal, bit for
bit. The processes are forked from one that has imported all, so that their start takes a second.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from gru_nlp.cli.main import main as gru_nlp_command

PRELOADED = ["gru_nlp.cli.main", "gru_nlp.cli.train", "gru_nlp.cli.shell", "gru_nlp.api", "tensorboard"]

DEFAULTS = {
    "tasks": "sentiment,ner,translation,language_model",
    "kills": "20",
    "signal": "KILL",
    "every": "5",
    "epochs": "10",
    "seed": "1",
    "folder": "",
}
SMALL: tuple[str, ...] = (
    "embedding.size=16",
    "encoder.hidden_size=16",
    "batch_size=32",
    "trainer.limit_train_batches=60",
    "patience=99",
)
SMALL += ("trainer.enable_progress_bar=false", "logger=none", "task.average_decay=0.9", "device=cpu", "threads=1")
#: Seconds, at most, between the first checkpoint of a sitting and the kill.
LONGEST = 0.3
OWN = {
    "translation": ("decoder.hidden_size=16", "tokenizer=bpe", "tokenizer.vocabulary_size=200"),
    "language_model": ("task.average_decay=0", "preprocessing.sequence_length=16"),
}


def options(task: str, folder: Path, given: dict[str, str]) -> list[str]:
    """Return the command that begins a run in ``folder``, or goes on with it."""
    own = [f"task={task}", *SMALL, *OWN.get(task, ()), f"trainer.max_epochs={given['epochs']}", f"run_dir={folder}"]
    return ["train", *own, f"checkpoint_every_steps={given['every']}", "resume=auto"]


def run(arguments: list[str], log: str) -> None:
    """Run a command in this process, its output in a file."""
    for number in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.exit(gru_nlp_command(arguments))


def start(arguments: list[str], log: Path) -> BaseProcess:
    """Run a command in a process of its own."""
    process = multiprocessing.get_context("forkserver").Process(target=run, args=(arguments, str(log)))
    process.start()
    return process


def through(arguments: list[str], log: Path) -> None:
    """Run a command to its end."""
    process = start(arguments, log)
    process.join()
    if process.exitcode:
        raise SystemExit(f"exit code {process.exitcode}: see {log}")


def begun(folder: Path, process: BaseProcess) -> bool:
    """Wait until a run has saved something in this sitting, or has ended; return whether it goes on."""
    last, since = folder / "last.ckpt", time.time()
    while process.is_alive():
        if last.exists() and last.stat().st_mtime > since:
            return True
        time.sleep(0.01)
    return False


def killed(task: str, folder: Path, given: dict[str, str], draw: random.Random) -> list[int]:
    """Start a run again and again and kill it; return at which step it stood after each kill."""
    steps: list[int] = []
    number = getattr(signal, f"SIG{given['signal']}")
    while len(steps) < int(given["kills"]):
        log = folder.with_suffix(".log")
        process = start(options(task, folder, given), log)
        if begun(folder, process):
            time.sleep(draw.random() * LONGEST)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
        process.join()
        if process.exitcode == 0:
            raise SystemExit(f"{task}: ended after {len(steps)} kills: set more epochs")
        if process.exitcode not in (-number, 128 + number):
            raise SystemExit(f"{task}: exit code {process.exitcode}: see {log}")
        steps.append(read(folder)["global_step"])
    return steps


def read(folder: Path, name: str = "last.ckpt") -> dict[str, Any]:
    """Read a checkpoint."""
    content: dict[str, Any] = torch.load(folder / name, weights_only=True)
    return content


def unequal(whole: Path, other: Path) -> list[str]:
    """Return the names of weights and scores that differ between two runs."""
    found: list[str] = []
    for name in ("last.ckpt", "best.ckpt"):
        one, two = read(whole, name), read(other, name)
        for key in ("state_dict", "gru_nlp_average"):
            here, there = one.get(key, {}), two.get(key, {})
            names = here.keys() | there.keys()
            found += [f"{name}: {each}" for each in names if not same(here.get(each), there.get(each))]
        if one["gru_nlp"]["scores"] != two["gru_nlp"]["scores"]:
            found.append(f"{name}: scores")
    return found


def same(one: Any, two: Any) -> bool:
    """Return whether two values are equal to the last bit."""
    return torch.equal(one, two) if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor) else one == two


def main() -> None:
    """Kill, go on, compare."""
    given = DEFAULTS | dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    if given.keys() != DEFAULTS.keys():
        raise SystemExit(f"options: {', '.join(DEFAULTS)}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    multiprocessing.set_forkserver_preload(PRELOADED)
    base = Path(given["folder"] or tempfile.mkdtemp())
    base.mkdir(exist_ok=True)
    draw, wrong = random.Random(int(given["seed"])), 0
    for task in given["tasks"].split(","):
        whole, other = base / f"{task}-whole", base / f"{task}-{given['signal'].lower()}"
        if not (whole / "metrics.json").exists():
            through(options(task, whole, given), whole.with_suffix(".log"))
        steps = killed(task, other, given, draw)
        through(options(task, other, given), other.with_suffix(".log"))
        differing = unequal(whole, other)
        wrong += len(differing)
        told = "equal" if not differing else f"UNEQUAL: {', '.join(sorted(differing)[:3])}"
        at = ", ".join(map(str, steps))
        print(f"{task}: SIG{given['signal']} at steps {at} of {read(whole)['global_step']}: {told}", flush=True)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
