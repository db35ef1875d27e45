"""How exactly float32 matrices are multiplied in training: as they are, or rounded where the processor gains by it.

``medium`` rounds both factors of a product to bfloat16 and adds up in float32 (``torch.set_float32_matmul_precision``).
A processor with matrix units for bfloat16 is the faster for it, any other several times slower. So ``auto`` asks twice:
the processor must say that it has such units, and a product of the size of a training step's must then be faster.
Prediction and scoring stay exact, so that they do not depend on the machine.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import torch

PROCESSOR = Path("/proc/cpuinfo")
#: What a processor says of its units for bfloat16.
UNITS = ("amx_bf16", "avx512_bf16")
#: How much faster the rounded product must be.
GAIN = 1.2
#: Rows, inner size and columns of the product: 4 ms of one thread at 65 GFLOP/s.
SIZES = (512, 256, 1024)
REPEATS = 3


def choose_precision(wanted: str, device: str) -> str:
    """Return the precision to train with: what is ``wanted``, or of ``auto`` what pays on this machine.

    On a GPU ``auto`` is ``highest``: what its rounded products give was not measured.

    Args:
        wanted: one of ``config.PRECISIONS``.
        device: where the model is trained.
    """
    if wanted != "auto":
        return wanted
    return "medium" if device == "cpu" and has_units(PROCESSOR) and gain() >= GAIN else "highest"


def has_units(information: Path) -> bool:
    """Return whether a file of Linux's that tells of the processor names units for bfloat16."""
    try:
        text = information.read_text(errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return any(unit in flags.split() for unit in UNITS)


def gain() -> float:
    """Return how many times as fast a product is when its factors are rounded; the best of some tries each."""
    rows, inner, columns = SIZES
    left, right = torch.ones(rows, inner), torch.ones(inner, columns)
    seconds = {}
    for precision in ("highest", "medium"):
        with multiplying(precision):
            tries = []
            for _ in range(1 + REPEATS):  # the first prepares what the others reuse
                started = time.perf_counter()
                torch.mm(left, right)
                tries.append(time.perf_counter() - started)
            seconds[precision] = min(tries[1:])
    return seconds["highest"] / max(seconds["medium"], 1e-9)


@contextlib.contextmanager
def multiplying(precision: str) -> Iterator[None]:
    """Multiply float32 matrices with ``precision`` inside a ``with`` statement, and as before after it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
