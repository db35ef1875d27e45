"""The conditional random field of this repository against that of pytorch-crf, in one run.

Usage: pip install pytorch-crf && python scripts/benchmark_crf.py [rounds=30] [threads=2]

Batches of 32 sentences of up to 64 words, emissions of 9 and of 17 tags in float32. A training step is the mean loss
and its gradients; Viterbi is the best paths as tensors or lists, whatever each gives. The table holds medians over the
rounds, in milliseconds, and how many times faster ours is; losses and paths are compared first.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from gru_nlp.nn.crf import ConditionalRandomField
from gru_nlp.nn.masking import padding_mask

BATCH, WORDS = 32, 64


def milliseconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def step(loss: Callable[[], Tensor], *places: Tensor) -> Callable[[], Any]:
    """Return a call that takes the gradients of a loss."""
    return lambda: torch.autograd.grad(loss(), places)


def pair(tags: int) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return the two calls, ours and theirs, of each kind of work, with the same weights."""
    torch.manual_seed(1)
    lengths = torch.randint(WORDS // 2, WORDS + 1, (BATCH,))
    lengths[0] = WORDS
    emissions = torch.randn(BATCH, WORDS, tags, requires_grad=True)
    targets = torch.randint(0, tags, (BATCH, WORDS))
    mask = padding_mask(lengths, WORDS)
    ours = ConditionalRandomField([[True] * (tags + 1)] * (tags + 1))
    theirs = import_module("torchcrf").CRF(tags, batch_first=True)
    with torch.no_grad():
        ours.transitions[:-1, :-1] = theirs.transitions
        ours.transitions[-1, :-1] = theirs.start_transitions
        ours.transitions[:-1, -1] = theirs.end_transitions

    def our_loss() -> Tensor:
        return ours.loss(emissions, lengths, targets).mean()

    def their_loss() -> Tensor:
        return -theirs(emissions, targets, mask=mask, reduction="mean")  # type: ignore[no-any-return]

    torch.testing.assert_close(our_loss(), their_loss())
    paths = ours.best_paths(emissions, lengths)[0][:, 0].tolist()
    assert [row[:length] for row, length in zip(paths, lengths.tolist(), strict=True)] == theirs.decode(emissions, mask)
    return {
        "training step": (
            step(our_loss, emissions, ours.transitions),
            step(their_loss, emissions, *theirs.parameters()),
        ),
        "Viterbi": (lambda: ours.best_paths(emissions, lengths), lambda: theirs.decode(emissions, mask)),
    }


def main() -> None:
    """Time both in turn; the first rounds warm up and are thrown away."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    torch.set_num_threads(int(given.get("threads", "2")))
    rounds = int(given.get("rounds", "30"))
    print(f"{'work':<14} {'tags':>5} {'ours ms':>9} {'theirs ms':>10} {'times':>6}")
    for tags in (9, 17):
        for name, calls in pair(tags).items():
            times = [[milliseconds(call) for call in calls] for _ in range(rounds + 3)][3:]
            ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
            ratio = statistics.median(slow / fast for fast, slow in times)
            print(f"{name:<14} {tags:>5} {ours:>9.2f} {theirs:>10.2f} {ratio:>6.2f}")
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    print(json.dumps({**machine, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
