"""Drawing a token by its weight in numpy, as ``gru_nlp.decoding.chance`` does; the random numbers are others.

Numpy's own are loaded late, where something is drawn: hence the quoted names.
"""

from collections.abc import Sequence

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.runtime.arrays import softmax


def draw(
    drawing: Drawing, scores: AnyArray, seen: AnyArray | None, generators: Sequence["np.random.Generator"]
) -> AnyArray:
    """Draw a token a row, ``(B,)``.

    Args:
        drawing: how.
        scores: log-probabilities ``(B, V)``.
        seen: ``(B, V)`` bool, the tokens that were there before; None: no matter which.
        generators: of random numbers, one a row, so that a text does not depend on those beside it.
    """
    if seen is not None:
        scores = np.where(seen, scores * drawing.repetition_penalty, scores)
    if drawing.temperature == 0.0:
        likeliest: AnyArray = scores.argmax(axis=1)
        return likeliest
    return drawn(narrowed(scores / drawing.temperature, drawing.top_k, drawing.top_p, drawing.min_p), generators)


def narrowed(scores: AnyArray, top_k: int | None, top_p: float, min_p: float = 0.0) -> AnyArray:
    """Return the weights ``(B, V)`` to draw by of log-probabilities; see ``Drawing``."""
    if top_k is None and top_p == 1.0:  # no order is needed
        weights = softmax(scores)
        weights[weights < min_p * weights.max(axis=1, keepdims=True)] = 0.0
        return weights
    order = np.argsort(-scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    if top_k is not None:
        ordered[:, top_k:] = -np.inf
    likely = softmax(ordered)
    # A token stays while what stands before it holds less than the share, so that one always stays.
    before = likely.cumsum(axis=1) - likely
    likely[(before >= top_p) | (likely < min_p * likely[:, :1])] = 0.0
    weights = np.zeros_like(scores)
    np.put_along_axis(weights, order, likely, axis=1)
    return weights


def drawn(weights: AnyArray, generators: Sequence["np.random.Generator"]) -> AnyArray:
    """Draw a token a row ``(B,)`` by weights ``(B, V)``, never one of no weight."""
    sums = weights.cumsum(axis=1, dtype=np.float64)
    # Below the last sum, so that the place found is one where the sum grows.
    places = [
        min(generator.random() * row[-1], np.nextafter(row[-1], 0.0))
        for row, generator in zip(sums, generators, strict=True)
    ]
    tokens = [np.searchsorted(row, place, side="right") for row, place in zip(sums, places, strict=True)]
    return np.array(tokens, dtype=np.int64)
