"""Carving a validation split where a row has any number of labels."""

import numpy as np
import pytest

from gru_nlp.data.splitting import stratified_by_lists


def flat(lists):
    rows = np.repeat(np.arange(len(lists)), [len(labels) for labels in lists])
    return rows, np.array([label for labels in lists for label in labels], dtype=np.int64)


def drawn(count, seed):
    random = np.random.default_rng(seed)
    shares = np.array([0.5, 0.2, 0.05, 0.01])
    return [np.flatnonzero(random.random(4) < shares).tolist() for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_every_label_gives_its_share(seed):
    lists = drawn(2000, seed)
    kept, carved = stratified_by_lists(*flat(lists), 2000, 0.1, seed)
    assert len(carved) == 200
    assert sorted([*kept, *carved]) == list(range(2000))
    for label in range(4):
        total = sum(label in labels for labels in lists)
        assert sum(label in lists[row] for row in carved) == pytest.approx(total / 10, rel=0.35, abs=2.5)
    again = stratified_by_lists(*flat(lists), 2000, 0.1, seed)
    assert np.array_equal(again[1], carved)


@pytest.mark.parametrize("seed", range(30))
def test_no_label_is_left_without_a_row_of_training(seed):
    # Label 0 is the rarest one nowhere.
    lists = [[0, 1], [1], [0, 2], [2], [], [], [0, 3], [3]]
    kept, carved = stratified_by_lists(*flat(lists), len(lists), 0.5, seed)
    assert {label for row in kept for label in lists[row]} == {0, 1, 2, 3}
    assert len(kept) + len(carved) == len(lists)
    assert len(carved) > 0


def test_rows_without_any_label_are_split_too():
    kept, carved = stratified_by_lists(np.zeros(0, np.int64), np.zeros(0, np.int64), 20, 0.1, 1)
    assert (len(kept), len(carved)) == (18, 2)
