"""Windows and sentences put together: entities at seams, and paths over whole texts."""

import itertools
import math

import pytest

from gru_nlp.preprocessing.windows import best_together, merged, owned
from gru_nlp.text.words import windows

LONGEST, OVERLAP = 40, 32
#: Words of a sentence of several windows.
SIZE = 95


def found(cut, entities):
    """Return the records of windows that see of ``entities`` what lies in them, cut off at their ends."""
    records = []
    for window in cut:
        own = [
            {
                "start": max(start, window.start) - window.start,
                "end": min(end, window.stop) - window.start,
                "label": "X",
            }
            for start, end in entities
            if start < window.stop and window.start < end
        ]
        records.append({"tags": ["O"] * len(window), "entities": own})
    return records


@pytest.mark.parametrize("length", [1, 2, 7, 16, 20, 24])
def test_an_entity_is_told_once_and_whole_wherever_it_stands(length):
    cut = windows(SIZE, LONGEST, OVERLAP)
    owners = [(0, window.start) for window in cut]
    assert len(cut) > 5
    for start in range(SIZE - length + 1):
        (record,) = merged(1, owners, found(cut, [(start, start + length)]))
        assert [(one["start"], one["end"]) for one in record["entities"]] == [(start, start + length)], start


@pytest.mark.parametrize("shift", range(5))
def test_neighbouring_entities_are_all_told(shift):
    cut = windows(SIZE, LONGEST, OVERLAP)
    entities = [(start, start + 5) for start in range(shift, SIZE - 5, 5)]
    (record,) = merged(1, [(0, window.start) for window in cut], found(cut, entities))
    assert [(one["start"], one["end"]) for one in record["entities"]] == entities


def test_an_entity_that_only_the_window_after_a_border_sees_is_told():
    cut = windows(48, LONGEST, OVERLAP)
    border = 40 - OVERLAP // 2
    for start in range(border - 3, border):
        records = found(cut, [(start, border + 1)])
        records[0]["entities"] = []
        (record,) = merged(1, [(0, 0), (0, 8)], records)
        assert [(one["start"], one["end"]) for one in record["entities"]] == [(start, border + 1)]


def test_every_word_is_spoken_for_once():
    owners = [(0, 0), (0, 3), *((1, window.start) for window in windows(90, 40, 32)), (3, 0)]
    sizes = [3, 5, *(len(window) for window in windows(90, 40, 32)), 1]
    words = {number: [] for number in (0, 1, 3)}
    for number, first, own in owned(owners, [{"tags": ["O"] * size} for size in sizes]):
        assert own.start >= first
        words[number] += own
    assert words == {0: list(range(8)), 1: list(range(90)), 3: [0]}


def test_paths_of_sentences_are_joined_by_their_products():
    scores = [[0.5, 0.3, 0.1], [0.9, 0.05], [0.4, 0.39, 0.2]]
    found = [
        [{"score": score, "name": (part, rank)} for rank, score in enumerate(own)] for part, own in enumerate(scores)
    ]
    every = sorted((math.prod(own) for own in itertools.product(*scores)), reverse=True)
    for count in (1, 2, 5, 18, 30):
        best = best_together(found, "name", count)
        assert [score for score, _ in best] == pytest.approx(every[:count])
        for score, names in best:
            assert math.prod(scores[part][rank] for part, rank in names) == pytest.approx(score)
        assert len({tuple(names) for _, names in best}) == min(count, 18)


def test_a_thousand_sentences_have_paths_in_order():
    found = [[{"score": 0.01, "name": "a"}, {"score": 0.001 if part else 0.009, "name": "b"}] for part in range(1000)]
    best = best_together([*found, [{"score": 0.0, "name": "c"}]], "name", 2)
    assert [names[0] for _, names in best] == ["a", "b"]
    assert [score for score, _ in best] == [0.0, 0.0]
