"""Who this process is among those of its run."""

import subprocess
import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a process stands among those of a run.

    Attributes:
        rank, size: its number, and how many there are.
        local_rank, local_size: the same on its machine.
        address, port: of the store.
        hosted: whether torchrun holds the store, rather than the first process.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    address: str
    port: int
    hosted: bool

    @property
    def machine(self) -> int:
        """Number of the machine."""
        return self.rank // self.local_size


class Failure(NamedTuple):
    """What a process said when it failed: its exit code and its line; the machine that it ran on."""

    code: int
    line: str
    machine: int


@dataclass
class Company:
    """The processes that this one has joined.

    Attributes:
        place: of this one; None: it is alone, or has not met the others yet.
        store: of small values.
        joined: whether the process group stands.
        children: processes that this one has started.
        failure: of another process, once it was heard of.
        told: whether this process has told of a failure of its own.
        watching: set while others are listened to.
        copies: temporary folder of the files that came from the first process.
    """

    place: Place | None = None
    store: Any = None
    joined: bool = False
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    failure: Failure | None = None
    told: bool = False
    watching: threading.Event = field(default_factory=threading.Event)
    copies: Any = None


OURS = Company()


def size() -> int:
    """Return how many processes the run has."""
    return OURS.place.size if OURS.joined and OURS.place else 1


def rank() -> int:
    """Return this process's number among them."""
    return OURS.place.rank if OURS.joined and OURS.place else 0
