"""Train across two machines that are not there: two network namespaces of this one, each with a folder of its own.

Usage: sudo python scripts/two_machines.py [rows=100] [kill=true] [option=value of gru-nlp train ...]

Lays two namespaces and a cable between them, starts torchrun in each, and holds the test scores of the run against
those of its best checkpoint in one process, digit by digit. With ``rows``, a table takes the place of the sample, of so
many rows in validation and in test. With ``kill=true`` a second run is broken off by killing one side after its first
epoch; both sides are started again to resume it, and its scores and last weights are held against those of the first.
The namespaces share no folder but the program's: what the second machine has in its own when all is done is told too.
It needs Linux, root and ip (iproute2), and takes the namespaces away again in any case.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = tuple(f"gru-nlp-{letter}-{os.getpid()}" for letter in "ab")
ADDRESSES = ("10.199.77.1", "10.199.77.2")
PORT = "29477"
SMALL = ("encoder.hidden_size=8", "embedding.size=8", "logger=none", "device=cpu", "threads=1")
#: Seconds for a training, and those in which one side must have seen that the other has gone.
MOST, NOTICED = 600, 60


def ip(*words: str, check: bool = True) -> None:
    """Call ip."""
    subprocess.run(["ip", *words], check=check, capture_output=not check)


@contextmanager
def cabled() -> Iterator[None]:
    """Lay two namespaces and a cable; take them away."""
    try:
        for name in NAMES:
            ip("netns", "add", name)
        ip("link", "add", "gru0", "netns", NAMES[0], "type", "veth", "peer", "name", "gru0", "netns", NAMES[1])
        for name, address in zip(NAMES, ADDRESSES, strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "gru0")
            for device in ("lo", "gru0"):
                ip("-n", name, "link", "set", device, "up")
        yield
    finally:
        for name in NAMES:
            ip("netns", "delete", name, check=False)


def begin(machine: int, folder: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    """Start torchrun on a machine."""
    own = folder / f"machine-{machine}"
    own.mkdir(exist_ok=True)
    place = [f"--node-rank={machine}", f"--master-addr={ADDRESSES[0]}", f"--master-port={PORT}"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", *place]
    command = ["ip", "netns", "exec", NAMES[machine], *launcher, "-m", "gru_nlp", "train", *options]
    source = str(Path(__file__).resolve().parent.parent)
    found = {**os.environ, "PYTHONPATH": source, "HF_DATASETS_CACHE": str(own / "cache"), "TMPDIR": str(own)}
    told = (own / "told.txt").open("a")
    return subprocess.Popen(command, cwd=own, env=found, stdout=told, stderr=told, text=True)


def end(machine: int, process: subprocess.Popen[str]) -> None:
    """Kill a machine's torchrun and all that runs there, which stands in sessions of its own."""
    found = subprocess.run(["ip", "netns", "pids", NAMES[machine]], capture_output=True, text=True)
    for pid in map(int, found.stdout.split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def train(folder: Path, options: Sequence[str]) -> None:
    """Train across both machines.

    Raises:
        SystemExit: one of them failed; what it said is shown.
    """
    both = [begin(machine, folder, options) for machine in range(2)]
    try:
        codes = [process.wait(timeout=MOST) for process in both]
    finally:
        for machine, process in enumerate(both):
            end(machine, process)
    if any(codes):
        raise SystemExit(f"codes {codes}\n{told(folder, 0)}\n{told(folder, 1)}")


def told(folder: Path, machine: int) -> str:
    """Return what a machine has said."""
    return (folder / f"machine-{machine}" / "told.txt").read_text()


def scores_of(run: Path) -> dict[str, float]:
    """Return the test scores of a run."""
    found = json.loads((run / "metrics.json").read_text())
    return {name: value for name, value in found.items() if name.startswith("test/")}


def weights_of(run: Path) -> dict[str, str]:
    """Return a hash of the weights of a run's last checkpoint."""
    import torch

    weights = torch.load(run / "last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    content = b"".join(weights[name].numpy().tobytes() for name in sorted(weights))
    return {"test/last weights": hashlib.sha256(content).hexdigest()[:16]}


def scored_alone(run: Path) -> dict[str, float]:
    """Return the test scores of a run's best checkpoint, in one process."""
    source = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", "import gru_nlp, json, sys; print(json.dumps(gru_nlp.evaluate(*sys.argv[1:])))"]
    found = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run([*command, str(run), "threads=1"], env=found, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(what: str, ours: dict[str, Any], others: dict[str, Any]) -> bool:
    """Print whether two sets of scores are the same, and return it."""
    same = ours == others and bool(ours)
    shown = ", ".join(f"{name.removeprefix('test/')} {value!r}" for name, value in sorted(ours.items()))
    print(f"{what}: {'the same to the last digit' if same else 'DIFFERENT'} ({shown})", flush=True)
    if not same:
        print(f"  {ours}\n  {others}", flush=True)
    return same


def table(folder: Path, rows: int) -> list[str]:
    """Write a table of ``rows`` rows for each machine, and return the options that name it."""
    words = ("good", "bad", "fine", "poor")
    lines = [f"{'so ' * (i % 7)}{words[i % 4]} {i},{'yes' if i % 2 == 0 else 'no'}" for i in range(max(rows, 1))]
    for machine in range(2):
        own = folder / f"machine-{machine}"
        own.mkdir(exist_ok=True)
        (own / "part.csv").write_text("\n".join(["text,label", *lines, ""]))
        (own / "train.csv").write_text("text,label\n" + "".join(f"good {i},yes\nbad {i},no\n" for i in range(40)))
    return ["data=csv", "data.train=train.csv", "data.validation=part.csv", "data.test=part.csv"]


def killed(folder: Path, options: Sequence[str]) -> str:
    """Train, kill the second machine after an epoch; return how the first one ended."""
    both = [begin(machine, folder, [*options, "run_dir=broken"]) for machine in range(2)]
    try:
        last = time.monotonic() + MOST
        while not (folder / "machine-0" / "broken" / "last.ckpt").exists():
            if time.monotonic() > last or both[0].poll() is not None:
                raise SystemExit(f"no epoch was trained\n{told(folder, 0)}")
            time.sleep(0.05)
        end(1, both[1])
        started = time.monotonic()
        code = both[0].wait(timeout=NOTICED)
        if code == 0:
            raise SystemExit("the first machine went on without the second: give more epochs")
        seconds = time.monotonic() - started
    finally:
        for machine, process in enumerate(both):
            end(machine, process)
    said = [line for line in told(folder, 0).splitlines() if line.startswith("gru-nlp:")]
    return f"after {seconds:.1f} s with code {code} and {said}"


def main(arguments: Sequence[str]) -> int:
    """Train, compare, break, resume, compare; return 0 where all is the same."""
    given = dict(argument.partition("=")[::2] for argument in arguments)
    rows, kill = given.pop("rows", None), given.pop("kill", "false") == "true"
    with tempfile.TemporaryDirectory() as place, cabled():
        folder = Path(place)
        data = table(folder, int(rows)) if rows else []
        own = [f"{name}={value}" for name, value in given.items()]
        long = ("trainer.max_epochs=40", "patience=40") if kill else ("trainer.max_epochs=1",)
        options = [*SMALL, *data, *(option for option in long if option.partition("=")[0] not in given), *own]
        train(folder, [*options, "run_dir=whole"])
        whole = scores_of(folder / "machine-0" / "whole")
        same = [compare("two machines and one process", whole, scored_alone(folder / "machine-0" / "whole"))]
        if kill:
            print(f"one side killed, the other ended {killed(folder, options)}", flush=True)
            train(folder, ["resume=broken"])
            ours, others = (folder / "machine-0" / name for name in ("broken", "whole"))
            resumed, never = (scores_of(run) | weights_of(run) for run in (ours, others))
            same.append(compare("resumed and never broken", resumed, never))
        left = sorted(path.name for path in (folder / "machine-1").iterdir())
        print(f"the second machine has: {', '.join(left)}", flush=True)
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
