import numpy as np
import pytest

from gru_nlp.text import lexicon
from gru_nlp.text.lexicon import Lexicon, candidates, learn, read

# Source words 4 to 9 become target words 14 to 19, and 30 stands in every target.
SENTENCES = [[4, 5, 6], [5, 7], [8, 4, 9, 6], [9, 7, 8], [6, 5], [4, 8], [7, 4], [9], []]
TARGETS = [[token + 10 for token in reversed(row)] + [30] * bool(row) for row in SENTENCES]
SIZES = (12, 32)


def test_it_finds_what_stands_for_what():
    found = learn(SENTENCES, TARGETS, SIZES, 2)
    assert all(token + 10 in found.each[token] for token in range(4, 10))
    assert all(len(row) <= 2 and row == sorted(row) for row in found.each)
    assert found.each[11] == []
    assert {0, 1, 2, 3, 30} <= set(found.always)
    best = learn(SENTENCES, TARGETS, SIZES, 1).each
    assert sum(best[token] == [token + 10] for token in range(4, 10)) >= 5


def test_only_so_many_pairs_are_looked_at(monkeypatch):
    monkeypatch.setattr(lexicon, "MOST_PAIRS", 20)
    some = learn(SENTENCES, TARGETS, SIZES, 5)
    assert 0 < sum(map(len, some.each)) < sum(map(len, learn(SENTENCES[:8], TARGETS[:8], SIZES, 5).each)) + 1
    assert learn([], [], SIZES, 5) == Lexicon([[]] * 12, [0, 1, 2, 3])


def test_candidates_are_those_of_the_words_of_a_sentence():
    known = Lexicon([[]] * 4 + [[14, 15], [16]], [0, 1, 2, 3, 30])
    found = candidates(known, [[4, 5, 4], [5], []], joint=False)
    assert [row.tolist() for row in found] == [[0, 1, 2, 3, 14, 15, 16, 30], [0, 1, 2, 3, 16, 30], [0, 1, 2, 3, 30]]
    assert candidates(known, [[5]], joint=True)[0].tolist() == [0, 1, 2, 3, 5, 16, 30]
    assert all(row.dtype == np.int64 for row in found)


GOOD = {"each": [[4, 5], []], "always": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {**GOOD, "more": 1},
        {**GOOD, "each": [[4]]},
        {**GOOD, "each": [[6], []]},
        {**GOOD, "each": [[-1], []]},
        {**GOOD, "each": [[True], []]},
        {**GOOD, "each": [4, []]},
        {**GOOD, "always": [0, 1, 2]},
        {**GOOD, "always": "0123"},
    ],
)
def test_a_strangers_is_checked(broken):
    assert read(GOOD, (2, 6)) == Lexicon(**GOOD)
    assert read(broken, (2, 6)) is None
