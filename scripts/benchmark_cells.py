"""Every recurrent unit against ``torch.nn.GRU`` and, where it is installed, the GRU of Keras, in one run.

Usage: python scripts/benchmark_cells.py [rounds=5] [threads=2] [size=128] [picture=cells.svg]

Inputs and states of ``size`` features, float32. For each length and batch the table gives milliseconds of a forward
pass without gradients and of training (forwards and backwards), for each the floating-point operations of the unit's
equations a second (in training three times those of the forward pass) as GFLOP/s and as a share of what a large matrix
product reaches, and the megabytes kept for the gradients. Medians over the rounds, in which the units and that product
take turns; a unit that needs more than three seconds runs once, and at no greater length. The last table gives how
training time grows with length: the exponent from length 64 to the longest. The picture shows training time over
length; it needs matplotlib (pip install 'gru_nlp[plots]').
"""

import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import shown
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.gru_variants import GRULayerNorm, GRUResetBefore
from gru_nlp.nn.li_gru import LiGRU
from gru_nlp.nn.min_gru import SSRU, MinGRU, MinLSTM

LENGTHS, BATCHES = (16, 64, 256, 1024, 2048), (1, 16, 64)
PATIENCE = 3000.0  # milliseconds of training beyond which a unit runs once, and at no greater length
PRODUCT = 1024  # rows and columns of the matrix product that stands for the machine's peak

Run = Callable[[Tensor], Tensor]


class Unit(NamedTuple):
    """A unit under test: how it runs, and the floating-point operations of a step of one sequence."""

    run: Run
    operations: int


class Figures(NamedTuple):
    """Medians of one unit at one length and batch."""

    forward: float
    training: float
    megabytes: float


def keras_gru(size: int) -> Run:
    """Return Keras's GRU on torch."""
    os.environ["KERAS_BACKEND"] = "torch"
    from keras import layers

    layer = layers.GRU(size, return_sequences=True)
    layer.build((None, None, size))
    return lambda sequence: layer(sequence, training=True)


def units(size: int) -> dict[str, Unit]:
    """Return all units of ``size`` inputs and states."""
    torch.manual_seed(1)
    square = size * size
    library = nn.GRU(size, size, batch_first=True)
    made = {
        "torch.nn.GRU": Unit(lambda sequence: library(sequence)[0], 12 * square),
        "gru": Unit(GRU(size, size), 12 * square),
        "gru_reset_before": Unit(GRUResetBefore(size, size, recurrent_dropout=0.0), 12 * square),
        "gru_layer_norm": Unit(GRULayerNorm(size, size, recurrent_dropout=0.0), 12 * square),
        "li_gru": Unit(LiGRU(size, size, recurrent_dropout=0.0), 8 * square),
        "min_gru": Unit(MinGRU(size, size), 4 * square),
        "min_lstm": Unit(MinLSTM(size, size), 6 * square),
        "ssru": Unit(partial(shown, SSRU(size, size)), 4 * square),
    }
    return made | ({"keras GRU": Unit(keras_gru(size), 12 * square)} if find_spec("keras") else {})


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def train(run: Run, sequence: Tensor) -> None:
    """Run forwards and backwards."""
    run(sequence).sum().backward()


def kept_megabytes(run: Run, sequence: Tensor) -> float:
    """Return the size of the storages that the backward pass needs, the weights' and the input's left out."""
    sizes: dict[int, int] = {}
    own = sequence.untyped_storage().data_ptr()

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if not isinstance(tensor, nn.Parameter) and storage.data_ptr() != own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = run(sequence)
    del kept
    return sum(sizes.values()) / 1e6


def measure(chosen: dict[str, Unit], sequence: Tensor, rounds: int) -> tuple[dict[str, Figures], float]:
    """Time all units and a large product in turn, the first round to warm up; return figures and peak GFLOP/s."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    square, products = torch.randn(PRODUCT, PRODUCT), []
    for _ in range(rounds + 1):
        products.append(milliseconds(partial(torch.mm, square, square)))
        for name, unit in chosen.items():
            if times[name] and times[name][-1][1] > PATIENCE:
                continue
            with torch.no_grad():
                forward = milliseconds(partial(unit.run, sequence))
            times[name].append((forward, milliseconds(partial(train, unit.run, sequence))))
    figures = {}
    for name, rows in times.items():
        forward, training = (statistics.median(column) for column in zip(*(rows[1:] or rows), strict=True))
        figures[name] = Figures(forward, training, kept_megabytes(chosen[name].run, sequence))
    return figures, 2 * PRODUCT**3 / statistics.median(products[1:]) / 1e6


def draw(found: dict[tuple[int, int], dict[str, Figures]], path: str) -> None:
    """Draw training time over length, a field a batch size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4), layout="constrained")
    fields = figure.subplots(1, len(BATCHES), sharey=True)
    for field, batch in zip(fields, BATCHES, strict=True):
        for name in found[LENGTHS[0], batch]:
            lengths = [length for length in LENGTHS if name in found[length, batch]]
            field.loglog(lengths, [found[length, batch][name].training for length in lengths], marker="o", label=name)
        field.set(title=f"batch {batch}", xlabel="steps", xticks=LENGTHS, xticklabels=LENGTHS)
        field.grid(visible=True, alpha=0.3)
    fields[0].set_ylabel("training, ms")
    fields[0].legend(fontsize="small")
    figure.savefig(path)


def print_rows(chosen: dict[str, Unit], figures: dict[str, Figures], length: int, batch: int, peak: float) -> None:
    """Print the figures of all units at a length and batch; ``peak`` is the GFLOP/s of a large product."""
    for name, (forward, training, megabytes) in figures.items():
        gigas = chosen[name].operations * length * batch / 1e6  # over milliseconds
        ratio = figures["torch.nn.GRU"].training / training
        own = f"{forward:>9.2f} {gigas / forward:>8.1f} {gigas / forward / peak:>6.1%}"
        both = f"{training:>9.2f} {ratio:>7.2f} {3 * gigas / training:>8.1f} {3 * gigas / training / peak:>6.1%}"
        print(f"{name:<17} {batch:>5} {length:>5} {own} {both} {megabytes:>8.2f}", flush=True)


def print_growth(found: dict[tuple[int, int], dict[str, Figures]]) -> None:
    """Print the exponent with which each unit's training time grows from the second length to the last."""
    low, high = LENGTHS[1], LENGTHS[-1]
    print("\ngrowth with length  " + " ".join(f"{f'batch {batch}':>9}" for batch in BATCHES))
    for name in found[low, BATCHES[0]]:
        exponents = []
        for batch in BATCHES:
            pair = [found[length, batch][name].training for length in (low, high) if name in found[length, batch]]
            exponents.append(f"{math.log(pair[1] / pair[0], high / low):.2f}" if len(pair) == 2 else "-")
        print(f"{name:<19} " + " ".join(f"{exponent:>9}" for exponent in exponents))


def main() -> None:
    """Measure every length and batch."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    torch.set_num_threads(int(given.get("threads", "2")))
    size, rounds = int(given.get("size", "128")), int(given.get("rounds", "5"))
    chosen = units(size)
    found: dict[tuple[int, int], dict[str, Figures]] = {}
    rate = f"{'GFLOP/s':>8} {'share':>6}"
    print(f"{'unit':<17} batch steps {'forward':>9} {rate} {'training':>9} x torch {rate} {'MB':>8}")
    for batch in BATCHES:
        live = dict(chosen)
        for length in LENGTHS:
            sequence = torch.randn(batch, length, size, requires_grad=True)
            found[length, batch], peak = measure(live, sequence, rounds)
            live = {name: unit for name, unit in live.items() if found[length, batch][name].training <= PATIENCE}
            print(f"{'matrix product':<17} {batch:>5} {length:>5} {peak:>18.1f}")
            print_rows(chosen, found[length, batch], length, batch, peak)
    print_growth(found)
    if "picture" in given:
        draw(found, given["picture"])
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    print(json.dumps({**machine, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
