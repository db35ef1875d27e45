"""Parts of a split by the values of a column."""

import numpy as np

from gru_nlp.reports.rows import numbered
from gru_nlp.reports.slices import MOST_VALUES, WIDEST, by_column


def test_a_value_without_end_takes_no_room_beside_others():
    values = ["a", "a\0", "x" * 10_000_000, *["b"] * 30_000]
    found = by_column(values)
    assert [int(member.sum()) for member in found.members] == [1, 1, 30_000, 1]
    assert len(set(found.names)) == 4
    assert max(map(len, found.names)) <= WIDEST


def test_values_that_are_cut_to_the_same_name_stay_apart():
    found = by_column(["y" * 500 + end for end in "pqr"])
    assert len(set(found.names)) == 3


def test_of_many_values_the_frequent_ones_are_told_and_the_others_together():
    found = by_column([*map(str, range(100)), "7", "7"])
    assert len(found.names) == MOST_VALUES + 1
    assert int(found.members[found.names.index("7")].sum()) == 3
    assert sum(int(member.sum()) for member in found.members) == 102


def test_rows_are_numbered_by_their_values_in_order():
    names, places = numbered(["b", "a", "b"])
    assert names == ["a", "b"]
    assert np.array_equal(places, [1, 0, 1])
