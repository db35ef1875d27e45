"""What the models do after their last product, in numpy; float32 in, float32 out, as torch does it."""

import numpy as np

from gru_nlp.batch import AnyArray

#: Groups of values for each of the greatest that are looked for, and values of a group from which on they pay.
GROUPS, LEAST_STEPS = 8, 2


def softmax(logits: AnyArray) -> AnyArray:
    """Return probabilities along the last axis."""
    shares: AnyArray = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def log_softmax(logits: AnyArray) -> AnyArray:
    """Return log-probabilities along the last axis."""
    logs: AnyArray = logits - logits.max(axis=-1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
    return logs


def sigmoid(logits: AnyArray) -> AnyArray:
    """Return the probability of each logit by itself; nothing overflows."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0.0, 1.0, small).astype(logits.dtype) / (1.0 + small)


def best_places(values: AnyArray, count: int) -> AnyArray:
    """Return where the ``count`` greatest along the last axis stand, the greatest first, of equal ones the first."""
    if count == 1:
        first: AnyArray = values.argmax(axis=-1)
        return first[..., None]
    rows = values.reshape(-1, values.shape[-1])
    places = _among_few(rows, count)
    if places is None:
        places = np.argsort(-rows, axis=1, kind="stable")[:, :count]
    return places.reshape(*values.shape[:-1], -1)


def _among_few(rows: AnyArray, count: int) -> AnyArray | None:
    """Return what ``best_places`` does of rows ``(N, V)`` whose greatest are among few; None: they are not.

    Of groups of values, the ``count`` that have the greatest maxima hold as many values that are at least the least of
    these maxima. So the greatest of all are not below it either, and what is not is seldom more.
    """
    groups = GROUPS * count
    steps = rows.shape[1] // groups
    if not len(rows) or steps < LEAST_STEPS:
        return None
    maxima = rows[:, : steps * groups].reshape(len(rows), steps, groups).max(axis=1)
    bounds = np.partition(maxima, groups - count, axis=1)[:, groups - count]
    flat = np.flatnonzero(rows >= bounds[:, None])
    owners, places = np.divmod(flat, rows.shape[1])
    sizes = np.bincount(owners, minlength=len(rows))
    if sizes.max() > groups:  # of many equal ones
        return None
    spots = np.arange(len(owners)) - (sizes.cumsum() - sizes)[owners]
    found = np.full((len(rows), sizes.max()), -np.inf, dtype=rows.dtype)
    found[owners, spots] = rows[owners, places]
    known = np.zeros(found.shape, dtype=np.int64)
    known[owners, spots] = places
    return np.take_along_axis(known, np.argsort(-found, axis=1, kind="stable")[:, :count], axis=1)


def real_steps(lengths: AnyArray, steps: int) -> AnyArray:
    """Return ``(B, T)`` bool, True where a step belongs to its sequence; ``lengths`` is ``(B,)``."""
    return np.arange(steps) < lengths[:, None]
