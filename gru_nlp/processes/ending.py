"""How an error of one process ends all of a run: who shows its line, and how the others hear of it."""

import atexit
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from gru_nlp.errors import Fault, printable
from gru_nlp.processes.company import OURS, Failure, Place, size

#: The exit code of a mistake, or of a machine that refuses.
REFUSED = 2
#: Seconds between two looks at the store; those that others are given to hear; those that who has heard is given.
BEAT, HEARING, GRACE = 0.5, 5.0, 10.0
#: Seconds until what ended a process must be known once its connection was lost.
KNOWING = 3.0
#: How torch says that another process has gone.
GONE = re.compile(r"gloo[/:]|NCCL|nccl|TCPStore|[Cc]onnection (was )?(closed|reset|likely)|Broken pipe|recvValue")
LOST = "another process of this run has ended without a word"
#: Keys of the store.
TOLD, LINE, HEARD = "told", "line", "heard"


def store_at(place: Place, seconds: float) -> Any:
    """Return the store; the first process begins to hold it, where torchrun does not.

    Args:
        place: of this process.
        seconds: for which an answer is waited for.

    Raises:
        RuntimeError: there was none.
    """
    from torch import distributed as dist

    store: Any = dist.TCPStore(  # type: ignore[attr-defined]
        place.address,
        place.port,
        None,
        is_master=place.rank == 0 and not place.hosted,
        timeout=timedelta(seconds=seconds),
        wait_for_workers=False,
        multi_tenant=True,
    )
    return dist.PrefixStore(  # type: ignore[attr-defined]
        f"gru_nlp/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store
    )


def line_of(code: int, line: str) -> str | None:
    """Say that this process fails with ``code`` and ``line``; return the line that it shows, None: it shows none.

    Of all that fail, the first to say so shows its line; it comes back once the others had time to hear. Each other
    machine shows it too.
    """
    if OURS.place is None:
        return line if _is_first_stranger() else None
    try:
        if int(OURS.store.add(TOLD, 1)) == 1:
            OURS.told = True
            OURS.store.set(LINE, json.dumps(Failure(code, line, OURS.place.machine)))
            _wait_for_hearers()
            return line
    except RuntimeError:  # the store went with the first process, which has told or was killed
        return None
    last = time.monotonic() + KNOWING
    while OURS.failure is None and time.monotonic() < last:
        time.sleep(BEAT / 5)
    return foreign_line()


def foreign_line() -> str | None:
    """Return what this process shows of another's failure: on another machine its line, here nothing."""
    failure, place = OURS.failure, OURS.place
    if failure is None or place is None or failure.machine == place.machine or place.local_rank:
        return None
    return f"on machine {failure.machine} of this run: {failure.line}"


def code_of(own: int) -> int:
    """Return the exit code of this process: that of the one that failed first, or its ``own``."""
    return OURS.failure.code if OURS.failure and OURS.watching.is_set() and not OURS.told else own


def left(code: int) -> int:
    """Return the exit code of this process; where others of a run that failed may not come, end it with that at once.

    Python would take torch's connections apart, whose threads still wait for the others, and abort.
    """
    if OURS.joined and OURS.watching.is_set():
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    return code


def _is_first_stranger() -> bool:
    """Return whether this process shows its line although it has not met the others: one of each machine does.

    Torchrun ends the others once one has failed, so that of its processes the first one to fail does.
    """
    place = environment_place()
    if place is not None and place.hosted:
        with contextlib.suppress(RuntimeError):
            return int(store_at(place, HEARING).add(f"{TOLD}/{place.machine}", 1)) == 1
    numbers = (os.environ.get(name, "0") for name in ("LOCAL_RANK", "SLURM_LOCALID"))
    return all(number in ("", "0") for number in numbers)


def environment_place() -> Place | None:
    """Return what torchrun's numbers in the environment say, or those that this program gives; None: there are none."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")
    found = [os.environ.get(name, "") for name in names]
    if "MASTER_ADDR" not in os.environ or not all(number.isdecimal() for number in found):
        return None
    rank, size, local_rank, local_size, port = map(int, found)
    hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    return Place(rank, size, local_rank, local_size, os.environ["MASTER_ADDR"], port, hosted)


def _wait_for_hearers() -> None:
    """Wait until the other processes have heard, as far as they live."""
    last = time.monotonic() + HEARING
    while time.monotonic() < last:
        dead = sum(child.poll() is not None for child in OURS.children)
        if OURS.place is None or int(OURS.store.add(HEARD, 0)) >= OURS.place.size - 1 - dead:
            return
        time.sleep(BEAT / 5)


def fallen() -> str | None:
    """Return what is to be told of a process that this one has started and that has failed; None: none has."""
    for number, child in enumerate(OURS.children, 1):
        if code := child.poll():
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"has ended with code {code}"
            return f"process {number} of {len(OURS.children) + 1} {how}"
    return None


def lost(error: Exception) -> Fault | None:
    """Return the error to raise for one that says that another process has gone; None: it says something else."""
    if size() == 1 or not isinstance(error, RuntimeError) or not GONE.search(str(error)):
        return None
    last = time.monotonic() + KNOWING
    while OURS.failure is None and not fallen() and time.monotonic() < last:
        time.sleep(BEAT / 5)
    return Fault(fallen() or LOST)


def watch(store: Any) -> None:
    """Listen for failures, for ever; end the process if its main thread does not do so after one.

    Args:
        store: a connection of this thread's own.
    """
    while not OURS.told:
        time.sleep(BEAT)
        if not OURS.watching.is_set():
            continue
        try:
            if store.check([LINE]):
                OURS.failure = Failure(*json.loads(store.get(LINE)))
                store.add(HEARD, 1)
        except RuntimeError:  # the first process has gone, and the store with it
            OURS.failure = Failure(REFUSED, LOST, OURS.place.machine if OURS.place else 0)
        if OURS.failure is not None or fallen():
            time.sleep(GRACE)
            if OURS.watching.is_set() and not OURS.told:
                _end_now()


def _end_now() -> None:
    """End this process, whatever its main thread waits for."""
    line = foreign_line() if OURS.failure else line_of(REFUSED, fallen() or LOST)
    if line is not None:
        print(f"gru-nlp: {printable(line)}", file=sys.stderr, flush=True)
    end_children()
    if OURS.copies is not None:
        OURS.copies.cleanup()
    os._exit(code_of(REFUSED))


def end_children() -> None:
    """Wait a little for the processes that this one started, then end them."""
    last = time.monotonic() + (BEAT if OURS.told or OURS.failure else GRACE)
    for child in OURS.children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, last - time.monotonic()))
        child.kill()
        child.wait()
