"""What a fuzzer does with a case: a command in a forked process of its own, watched, timed and judged."""

import contextlib
import itertools
import os
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

MOST_SECONDS, MOST_KILOBYTES = 10.0, 1_500_000
#: What a case may ask of memory at all, so that one which asks for more ends itself and not its neighbours.
MOST_ADDRESSES = 12 << 30
#: Workers that load data, which a config may have.
MOST_FORKS = 16
#: Stands in the names of files and modules that no command may touch.
CANARY = "fuzz_canary"


class Outcome(NamedTuple):
    """What a case did: exit code (None: it had to be ended), seconds, peak memory, and what it printed and touched."""

    code: int | None
    seconds: float
    kilobytes: int
    out: str
    err: str
    forbidden: str


class Lookout:
    """A finder of modules that finds none, and reports the canary's imports as Python's ``import`` statement does.

    ``importlib.import_module``, by which targets are resolved, raises no audit event of its own.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Report a module that is looked for."""
        if name.startswith(CANARY):
            sys.audit("import", name)


def watch(log: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that writes down what a checkpoint has no business with, and forbids it.

    Forbids, since a case may ask for a million processes or for an address of the network.
    """
    names = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "webbrowser.open")

    forks = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        imported = event == "import" and str(arguments[0]).startswith(CANARY)
        opened = event in ("open", "os.mkdir") and CANARY in str(arguments[0])
        own = event == "subprocess.Popen" and str(arguments[0]) == "uname"  # what Python asks of the machine
        crowd = event == "os.fork" and next(forks) > MOST_FORKS
        if (event in names and not own) or imported or opened or crowd:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "w") as file:
                file.write(f"{event} {str(arguments)[:80]}\n")
            raise PermissionError(f"a fuzzed command may not {event}")

    return hook


def child(command: list[str], folder: Path) -> None:
    """Run a command in this forked process, its output in files, and leave with its exit code."""
    code = 1
    os.setsid()  # so that what it starts can be ended with it
    try:
        for number, name in enumerate((os.devnull, "out.txt", "err.txt")):
            os.dup2(os.open(name if number == 0 else folder / name, os.O_RDWR | os.O_CREAT), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        with contextlib.suppress(ValueError, OSError):  # systems without such a limit
            resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
        sys.addaudithook(watch(folder / "forbidden.txt"))
        sys.meta_path.insert(0, Lookout())  # type: ignore[arg-type]
        from gru_nlp.cli.main import main

        code = main(command)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def run_case(
    prepare: Callable[[], tuple[list[str], str]],
    finish: Callable[[], None] = lambda: None,
    most_seconds: float = MOST_SECONDS,
) -> tuple[list[str], str, Outcome]:
    """Run one case in a folder of its own.

    Args:
        prepare: fills the folder and returns the command and what was done.
        finish: looks at the folder afterwards.
        most_seconds: after which the command is ended.
    """
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name, "here"), Path(name)
        folder.mkdir()
        os.chdir(folder)
        try:
            command, told = prepare()
            started = time.monotonic()
            process = os.fork()
            if process == 0:
                child(command, log)
            code, kilobytes = wait(process, started, most_seconds)
            finish()
            texts = [(log / name).read_text(errors="replace") if (log / name).exists() else ""
                     for name in ("out.txt", "err.txt", "forbidden.txt")]  # fmt: skip
            seconds = time.monotonic() - started
            return command, told, Outcome(code, seconds, kilobytes, *texts)
        finally:
            os.chdir(home)


def wait(process: int, started: float, most_seconds: float) -> tuple[int | None, int]:
    """Wait for a child, end it after too long, and what it started; return its exit code and its peak memory."""
    ended = None
    while ended is None and time.monotonic() - started < most_seconds:
        time.sleep(0.01)
        ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    with contextlib.suppress(ProcessLookupError):  # before the child is reaped, while its number is still its own
        os.killpg(process, 9)
    _, status, usage = os.wait4(process, 0)
    return os.waitstatus_to_exitcode(status) if ended else None, usage.ru_maxrss


class Verdict(NamedTuple):
    """A case that was run: its command, what is told about it, its outcome, and what is wrong with that."""

    command: list[str]
    told: str
    outcome: Outcome
    wrong: str


def run_all(seed: int, chosen: Sequence[int], run: Callable[[int], Verdict]) -> int:
    """Run cases by number, print each failure and the counts; of a single case everything. Return the exit code."""
    print(f"seed {seed}, {len(chosen)} cases")
    counts: Counter[str] = Counter()
    slowest = largest = 0.0
    for number in chosen:
        verdict = run(number)
        if verdict.outcome.code is None:  # once more: a neighbour may have kept the machine busy
            counts["repeated"] += 1
            verdict = run(number)
        command, told, outcome, wrong = verdict
        slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.kilobytes)
        counts["failed" if wrong else "answered" if outcome.code == 0 else "refused in one line"] += 1
        if wrong or len(chosen) == 1:
            last = (outcome.err.splitlines() or [""])[-1][:200]
            print(f"case {number}: {' '.join(command)[:300]!r}: {told[:200]}\n  {wrong}\n  {last!r}", flush=True)
        if len(chosen) == 1:
            print(outcome.out + outcome.err)
    print(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    print(f"slowest {slowest:.1f} s, largest {largest / 1e6:.2f} GB")
    return int(counts["failed"] > 0)


def judge(outcome: Outcome) -> str:
    """Return what is wrong with an outcome; an empty text where nothing is."""
    shown = outcome.out + outcome.err
    told = outcome.err.splitlines()
    wrong = {
        "had to be ended": outcome.code is None,
        f"exit code {outcome.code}": outcome.code not in (0, 2, None),
        "a traceback": "Traceback" in shown or "panicked" in shown,
        "no single line": outcome.code == 2 and sum(line.startswith("gru-nlp: ") for line in told) != 1,
        "a line after the refusal": outcome.code == 2 and bool(told) and not told[-1].startswith("gru-nlp: "),
        "an escape sequence": "\x1b" in shown,
        "a file of the machine": "root:x:" in shown,
        "a score that is no number": bool(
            re.search(r'"score": (NaN|-?Infinity)|^\S+/\S+ -?(nan|inf)$', outcome.out, re.M)
        ),
        "too much memory": outcome.kilobytes > MOST_KILOBYTES,
        f"did {outcome.forbidden.partition(chr(10))[0]}": bool(outcome.forbidden),
    }
    return ", ".join(what for what, true in wrong.items() if true)
