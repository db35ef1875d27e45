"""How exactly float32 matrices are multiplied in training: as they are, or rounded where the processor gains by it.

``medium`` rounds both factors of a product to bfloat16 and adds up in float32 (``torch.set_float32_matmul_precision``).
A processor with matrix units for bfloat16 is the faster for it; one with AVX-512's instructions for it too, where the
products are large, which ``gru_nlp.nn.products`` sees to; any other is several times slower. So ``auto`` asks what the
processor says of itself. It measures nothing: a measurement beside other work comes out now so, now so, and the
same seed would not give the same run. Prediction and scoring stay exact, so that they do not depend on the machine.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

PROCESSOR = Path("/proc/cpuinfo")
#: What a processor says of its units for bfloat16.
UNITS = {"amx_bf16", "avx512_bf16"}


def choose_precision(wanted: str, device: str) -> str:
    """Return the precision to train with: what is ``wanted``, or of ``auto`` what suits this machine.

    On a GPU ``auto`` is ``highest``: what its rounded products give was not measured.

    Args:
        wanted: one of ``config.WORDS["matmul_precision"]``.
        device: where the model is trained.
    """
    if wanted != "auto":
        return wanted
    return "medium" if device == "cpu" and has_units(PROCESSOR) else "highest"


def has_units(information: Path) -> bool:
    """Return whether a file of Linux's that tells of the processor names units for bfloat16."""
    try:
        text = information.read_text(errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not UNITS.isdisjoint(flags.split())


@contextlib.contextmanager
def multiplying(precision: str) -> Iterator[None]:
    """Multiply float32 matrices with ``precision`` inside a ``with`` statement, and as before after it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
