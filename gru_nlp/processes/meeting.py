"""How the processes of a run are started, find each other, and part."""

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from gru_nlp.errors import UserError
from gru_nlp.processes import ending
from gru_nlp.processes.company import OURS, Place, size

#: Seconds in which all processes must have met, and seconds for which one may wait for another's work.
MEETING, WAITING = 300, 6 * 3600
#: The number of the process that has started this one.
PARENT = "GRU_NLP_PARENT"
#: Linux's names of the signal that a process gets when its parent has ended (prctl(2)), and of an interface's address.
PR_SET_PDEATHSIG = 1
SIOCGIFADDR = 0x8915
INTERFACE = "GLOO_SOCKET_IFNAME"


def start(command: Sequence[str], place: Place) -> None:
    """Start the other processes of this machine, which end with this one.

    Args:
        command: that starts one.
        place: of this process, the first one of its machine.
    """
    shared = {"MASTER_ADDR": place.address, "MASTER_PORT": str(place.port), "WORLD_SIZE": str(place.size)}
    shared |= {"NODE_RANK": str(place.machine), "LOCAL_WORLD_SIZE": str(place.local_size)}
    os.environ.update(shared | {"RANK": str(place.rank), "LOCAL_RANK": "0"})
    atexit.register(ending.end_children)
    for number in range(1, place.local_size):
        own = {"RANK": str(place.rank + number), "LOCAL_RANK": str(number), PARENT: str(os.getpid())}
        OURS.children.append(subprocess.Popen(command, env={**os.environ, **own}, stdin=subprocess.DEVNULL))


def meet(place: Place) -> None:
    """Join the other processes from the ``place`` of this one; once is enough for all runs of a process.

    Raises:
        UserError: they cannot be reached.
    """
    if OURS.joined or place.size == 1:
        return
    from torch import cuda, distributed

    _follow_parent(place)
    OURS.place = place
    _choose_interface(place)
    backend = "cpu:gloo,cuda:nccl" if cuda.is_available() and distributed.is_nccl_available() else "gloo"
    waiting = timedelta(seconds=WAITING)
    try:
        OURS.store = ending.store_at(place, MEETING)
        OURS.store.set_timeout(waiting)
        OURS.watching.set()
        listening: Any = ending.store_at(place, MEETING)  # its own, since that of the main thread waits
        threading.Thread(target=ending.watch, args=(listening,), daemon=True, name="processes").start()
        distributed.init_process_group(
            backend, store=OURS.store, rank=place.rank, world_size=place.size, timeout=waiting
        )
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:150]
        told = f"the other processes cannot be met at {place.address}, port {place.port} ({reason})"
        raise UserError(f"{told}: see MASTER_ADDR and MASTER_PORT") from None
    OURS.joined = True
    atexit.register(_part)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Listen to the other processes during a block; at its end all wait for each other.

    Raises:
        UserError: another process has gone.
    """
    OURS.watching.set()
    try:
        yield
        if size() > 1:
            from torch import distributed

            distributed.barrier()
    except RuntimeError as error:
        gone = ending.lost(error)
        if gone is None:
            raise
        raise gone from error
    OURS.watching.clear()


def _part() -> None:
    from torch import distributed

    if distributed.is_initialized() and not OURS.watching.is_set():  # else some may not come
        distributed.destroy_process_group()


def _follow_parent(place: Place) -> None:
    """Let the system end this process with the one that started it, this program's or torchrun, where it can."""
    parent = os.environ.get(PARENT)
    if sys.platform == "linux" and (parent or place.hosted):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent and os.getppid() != int(parent):
            os._exit(1)


def _choose_interface(place: Place) -> None:
    """Let gloo speak over the network on which the store is, whatever the name of this machine stands for."""
    if INTERFACE in os.environ or sys.platform != "linux":
        return
    import fcntl

    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((place.address, place.port))
        own = socket.inet_aton(probe.getsockname()[0])
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an address
                asked = name.encode()[:15].ljust(256, b"\0")
                if fcntl.ioctl(probe.fileno(), SIOCGIFADDR, asked)[20:24] == own:
                    os.environ[INTERFACE] = name
                    return
