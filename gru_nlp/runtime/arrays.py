"""What the models do after their last product, in numpy; float32 in, float32 out, as torch does it."""

import numpy as np

from gru_nlp.batch import AnyArray


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
    size = values.shape[-1]
    if size <= 4 * count:
        return np.argsort(-values, axis=-1, kind="stable")[..., :count]
    places = np.sort(np.argpartition(values, size - count, axis=-1)[..., size - count :], axis=-1)
    order = np.argsort(-np.take_along_axis(values, places, axis=-1), axis=-1, kind="stable")
    return np.take_along_axis(places, order, axis=-1)


def real_steps(lengths: AnyArray, steps: int) -> AnyArray:
    """Return ``(B, T)`` bool, True where a step belongs to its sequence; ``lengths`` is ``(B,)``."""
    return np.arange(steps) < lengths[:, None]
