"""The rows of a batch."""

import numpy as np

from gru_nlp.batch import SequenceBatch


def test_rows_keep_their_n_grams():
    bags = [[[1, 2], [3]], [[], [4, 5]], [[6], []]]  # words and characters of three texts
    flat = [bag for text in bags for bag in text]
    starts = np.cumsum([0, *map(len, flat)])[:-1]
    ids = np.array([number for bag in flat for number in bag])
    batch = SequenceBatch(np.arange(6).reshape(3, 2), np.array([1, 2, 2]), np.array([0, 1, 0]), ids, starts)
    for first, last in ((0, 1), (1, 3), (0, 3), (2, 3)):
        part = batch.rows(first, last)
        assert part.inputs.tolist() == batch.inputs[first:last].tolist()
        assert part.targets.tolist() == batch.targets[first:last].tolist()
        assert [one.tolist() for one in np.split(part.ngrams, part.bags[1:])] == [
            bag for text in bags[first:last] for bag in text
        ]
