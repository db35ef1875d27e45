"""How many threads torch computes with: as many as the model's size pays for, on the cores that this process may use.

Threads share out the rows of a product of matrices. Where the matrix is small they spend longer on meeting each other
than on the product, and on a busy machine each waits for the slowest; so small models get one.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

#: Weights of a model's largest matrix that pay for one thread: torch.nn.GRU, bidirectional, 24 steps, on two cores
#: gained from a second thread in training from 256 units on, whose matrices have 196,608.
WEIGHTS_A_THREAD = 98_304
#: What a person's shell says of the threads of OpenMP, which torch obeys by itself.
SHELL = "OMP_NUM_THREADS"
#: How many cores a process may use that shares them with others, which a launcher of a sweep started beside it.
SHARE = "GRU_NLP_CORES"
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def cores() -> int:
    """Return how many cores this process may use: by its affinity, its container's quota and its share; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = int(os.environ.get(SHARE, allowed))
    return max(1, min([allowed, share, *(math.ceil(quota) for quota in quotas(CGROUPS, OWN_CGROUPS))]))


def keep_to_share() -> None:
    """Take the threads that a launcher allots to each of its processes for the cores that this one may use.

    How many of them pay is then the model's to say, as in a process that stands alone.
    """
    allotted = os.environ.pop(SHELL, "")
    if allotted.isdecimal():
        os.environ[SHARE] = allotted


def quotas(root: Path, own: Path) -> Iterator[float]:
    """Yield the limits on this process's share of the cores, those of the groups that hold its own among them.

    Args:
        root: where control groups are mounted, of version 2 or 1 (cgroups(7)).
        own: the file that names this process's groups.
    """
    try:
        lines = own.read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        controllers, _, place = line.partition(":")[2].partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "cpu" if controllers else root
        group = mount / place.lstrip("/")
        for folder in (group, *group.parents):
            yield from _quota(folder)
            if folder == mount:
                break


def _quota(folder: Path) -> Iterator[float]:
    """Yield the share of a group; nothing where it has no limit, or one that cannot be read."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):
        return
    if 0 < share < math.inf:
        yield share


def limit_tokenizers() -> None:
    """Let tokenizers, which count the machine's cores, start no more threads than this process has cores."""
    os.environ.setdefault("RAYON_NUM_THREADS", str(cores()))


def set_threads(wanted: str | int, model: "nn.Module", processes: int = 1) -> int:
    """Set torch's threads, for the whole process, and return their number.

    Args:
        wanted: a number, or ``auto``: what the shell says (``OMP_NUM_THREADS``), else what the model pays for.
        model: that is about to compute.
        processes: that share this machine's cores.
    """
    import torch  # late, since the rest of this file serves those who do without

    if isinstance(wanted, int):
        torch.set_num_threads(wanted)
    elif SHELL not in os.environ:
        torch.set_num_threads(max(1, min(paid(model), cores() // processes)))
    number = torch.get_num_threads()
    if processes > 1:
        os.environ.setdefault(SHELL, str(number))  # else Lightning shares out all cores, whatever the model
    return number


def paid(model: "nn.Module") -> int:
    """Return how many threads a model's size pays for; tables of vectors, which are only looked up, do not count."""
    from torch import nn

    sizes = [
        weight.numel()
        for part in model.modules()
        if not isinstance(part, nn.Embedding)
        for weight in part.parameters(recurse=False)
        if weight.dim() > 1 and weight.requires_grad
    ]
    return max(1, max(sizes, default=0) // WEIGHTS_A_THREAD)
