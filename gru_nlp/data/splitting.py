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


def stratified_by_lists(rows: Rows, labels: Rows, total: int, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of training and of validation where a row has any number of labels.

    A row counts as one of its rarest label, a row without labels as one of a label of its own, so that rare labels get
    their share too, which is the aim of Sechidis et al. 2011. A label that would be left without a row of training
    keeps one.

    Args:
        rows: ``(M,)`` in rising order: which row has the label.
        labels: ``(M,)`` label ids.
        total: number of rows, N.
        share, seed: as in ``stratified``.
    """
    counts = np.bincount(labels)
    strata = np.zeros(total, dtype=np.int64)  # 0: no label
    common_first = np.lexsort((labels, -counts[labels]))
    strata[rows[common_first]] = labels[common_first] + 1  # the last one stays
    kept, carved = stratified(strata, share, seed)
    lost = np.setdiff1d(labels, labels[np.isin(rows, kept)])
    back = [int(rows[labels == label][0]) for label in lost]
    return np.union1d(kept, back).astype(np.int64), np.setdiff1d(carved, back)
