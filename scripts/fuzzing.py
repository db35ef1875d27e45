"""What a fuzzer does with a case: a command in a forked process of its own, watched, timed and judged."""

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

#: Of the processor's time, so that a busy machine fails nothing; a case that waits is ended after a minute.
MOST_SECONDS, LONGEST_WAIT = 10.0, 60.0
MOST_KILOBYTES = 1_500_000
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


def watch(log: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that writes down what a checkpoint has no business with."""
    names = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "webbrowser.open")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        imported = event == "import" and str(arguments[0]).startswith(CANARY)
        opened = event == "open" and CANARY in str(arguments[0])
        own = event == "subprocess.Popen" and str(arguments[0]) == "uname"  # what Python asks of the machine
        if (event in names and not own) or imported or opened:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "w") as file:
                file.write(f"{event} {str(arguments)[:80]}\n")

    return hook


def child(command: list[str], folder: Path) -> None:
    """Run a command in this forked process, its output in files, and leave with its exit code."""
    code = 1
    try:
        for number, name in enumerate((os.devnull, "out.txt", "err.txt")):
            os.dup2(os.open(name if number == 0 else folder / name, os.O_RDWR | os.O_CREAT), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        sys.addaudithook(watch(folder / "forbidden.txt"))
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


def run_case(prepare: Callable[[], tuple[list[str], str]]) -> tuple[list[str], str, Outcome]:
    """Run one case in a folder of its own; ``prepare`` fills it and returns the command and what was done."""
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
            code, kilobytes, seconds = wait(process, started)
            texts = [(log / name).read_text(errors="replace") if (log / name).exists() else ""
                     for name in ("out.txt", "err.txt", "forbidden.txt")]  # fmt: skip
            return command, told, Outcome(code, seconds, kilobytes, *texts)
        finally:
            os.chdir(home)


def wait(process: int, started: float) -> tuple[int | None, int, float]:
    """Wait for a child; end it when it takes too long. Return its exit code, peak memory and processor's time."""
    while time.monotonic() - started < LONGEST_WAIT:
        done, status, usage = os.wait4(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime
        time.sleep(0.01)
    os.kill(process, 9)
    usage = os.wait4(process, 0)[2]
    return None, usage.ru_maxrss, usage.ru_utime + usage.ru_stime


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
            re.search(r'"score": (NaN|-?Infinity)|^\S+/\S+ (nan|inf)$', outcome.out, re.M)
        ),
        f"{outcome.seconds:.1f} s": outcome.seconds > MOST_SECONDS,
        "too much memory": outcome.kilobytes > MOST_KILOBYTES,
        f"did {outcome.forbidden.strip()}": bool(outcome.forbidden),
    }
    return ", ".join(what for what, true in wrong.items() if true)
