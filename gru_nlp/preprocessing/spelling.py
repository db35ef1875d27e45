"""The letters of a batch's words in one table, so that a model spells each distinct word once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray, IntArray


class Spelled(NamedTuple):
    """Words spelled.

    Attributes:
        letters: ``(W, L)`` int64, of each distinct word, padded with 0.
        lengths: ``(W,)`` int64, letters of each.
        places: which of them each word of the batch is, in their order.
    """

    letters: IntArray
    lengths: IntArray
    places: IntArray


def spelled(letters: Sequence[AnyArray], lengths: Sequence[AnyArray]) -> Spelled:
    """Gather the letters of all words, and keep the distinct rows alone; they are compared as bytes.

    Args:
        letters: of each sentence, one flat list.
        lengths: of the words of each sentence.
    """
    flat, sizes = np.concatenate(letters), np.concatenate(lengths)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    places = np.arange(sizes.max())
    table = np.where(places < sizes[:, None], flat[np.minimum(starts[:, None] + places, len(flat) - 1)], 0)
    rows = np.ascontiguousarray(table, dtype=np.int32)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return Spelled(table[first].astype(np.int64), sizes[first].astype(np.int64), inverse)
