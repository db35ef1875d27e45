"""Train across two machines that are not there: two network namespaces of this one, each with a folder of its own.

Usage: sudo python scripts/two_machines.py [rows=100] [kill=true] [option=value of gru-nlp train ...]

Lays two namespaces and a cable between them, starts torchrun in each, and holds the test scores of the run against
those of its best checkpoint in one process, digit by digit. With ``rows``, the sample of sentiment is left out for a
table of so many rows in each split. With ``kill=true`` a second run is broken off by killing one side after its first
epoch; both sides are started again to resume it, and its scores are held against those of the first. The namespaces
share no folder but the program's: what the second machine has in its own when all is done is told too. It needs Linux,
root and ip (iproute2), and takes the namespaces away again in any case.
"""

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

NAMES = ("gru-nlp-a", "gru-nlp-b")
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
    """Start torchrun on a machine, in a session of its own."""
    own = folder / f"machine-{machine}"
    own.mkdir(exist_ok=True)
    place = [f"--node-rank={machine}", f"--master-addr={ADDRESSES[0]}", f"--master-port={PORT}"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", *place]
    command = ["ip", "netns", "exec", NAMES[machine], *launcher, "-m", "gru_nlp", "train", *options]
    source = str(Path(__file__).resolve().parent.parent)
    found = {**os.environ, "PYTHONPATH": source, "HF_DATASETS_CACHE": str(own / "cache"), "TMPDIR": str(own)}
    told = (own / "told.txt").open("a")
    return subprocess.Popen(command, cwd=own, env=found, stdout=told, stderr=told, text=True, start_new_session=True)


def end(process: subprocess.Popen[str]) -> None:
    """Kill a machine's torchrun and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
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
        for process in both:
            end(process)
    if any(codes):
        raise SystemExit(f"codes {codes}\n{told(folder, 0)}\n{told(folder, 1)}")


def told(folder: Path, machine: int) -> str:
    """Return what a machine has said."""
    return (folder / f"machine-{machine}" / "told.txt").read_text()


def scores_of(run: Path) -> dict[str, float]:
    """Return the test scores of a run."""
    found = json.loads((run / "metrics.json").read_text())
    return {name: value for name, value in found.items() if name.startswith("test/")}


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
    shown = ", ".join(f"{name.removeprefix('test/')} {value!r}" for name, value in sorted(ours.items())[:3])
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


def killed(folder: Path, options: Sequence[str]) -> float:
    """Train, kill the second machine after an epoch, and return after how many seconds the first one had ended."""
    both = [begin(machine, folder, [*options, "run_dir=broken"]) for machine in range(2)]
    try:
        last = time.monotonic() + MOST
        while not (folder / "machine-0" / "broken" / "last.ckpt").exists():
            if time.monotonic() > last or both[0].poll() is not None:
                raise SystemExit(f"no epoch was trained\n{told(folder, 0)}")
            time.sleep(0.05)
        end(both[1])
        started = time.monotonic()
        code = both[0].wait(timeout=NOTICED)
        if code == 0:
            raise SystemExit("the first machine went on without the second: give more epochs")
        return time.monotonic() - started
    finally:
        for process in both:
            end(process)


def main(arguments: Sequence[str]) -> int:
    """Train, compare, break, resume, compare; return 0 where all is the same."""
    given = dict(argument.partition("=")[::2] for argument in arguments)
    rows, kill = given.pop("rows", None), given.pop("kill", "false") == "true"
    with tempfile.TemporaryDirectory() as place, cabled():
        folder = Path(place)
        data = table(folder, int(rows)) if rows else []
        own = [f"{name}={value}" for name, value in given.items()]
        epochs = [] if "trainer.max_epochs" in given else [f"trainer.max_epochs={3 if kill else 1}"]
        options = [*SMALL, *data, *epochs, *own]
        train(folder, [*options, "run_dir=whole"])
        whole = scores_of(folder / "machine-0" / "whole")
        same = [compare("two machines and one process", whole, scored_alone(folder / "machine-0" / "whole"))]
        if kill:
            print(f"killed one side: the other had ended after {killed(folder, options):.1f} s", flush=True)
            train(folder, ["resume=broken"])
            same.append(compare("resumed and never broken", scores_of(folder / "machine-0" / "broken"), whole))
        left = sorted(path.name for path in (folder / "machine-1").iterdir())
        print(f"the second machine has: {', '.join(left)}", flush=True)
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
