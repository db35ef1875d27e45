"""A validation split carved out of the training split: seeded and stratified."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def stratified(labels: npt.NDArray[np.int64], share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of training and of validation, each in rising order.

    Every label gives ``share`` of its rows to validation, rounded so that the whole comes out right (largest
    remainders first), and keeps at least one for training.

    Args:
        labels: ``(N,)`` label ids.
        share: of the rows that go to validation, between 0 and 1.
        seed: of the choice.
    """
    random = np.random.default_rng(seed)
    counts = np.bincount(labels)
    exact = counts * share
    taken = np.minimum(np.floor(exact).astype(np.int64), np.maximum(counts - 1, 0))
    missing = round(share * len(labels)) - int(taken.sum())
    for label in np.argsort(-(exact - np.floor(exact)), kind="stable"):
        if missing > 0 and taken[label] < counts[label] - 1:
            taken[label] += 1
            missing -= 1
    chosen = [random.permutation(np.flatnonzero(labels == label))[:number] for label, number in enumerate(taken)]
    validation = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(len(labels)), validation, assume_unique=True), validation
