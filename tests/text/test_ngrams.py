"""Hashed n-grams: stable, exact up to collisions of their hashes, and refused where they were altered."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from gru_nlp.text import ngrams

SMALL = 1 << 20


def texts(number, seed=0):
    """Return texts of a small vocabulary, so that n-grams repeat."""
    draw = random.Random(seed)
    words = ["a", "film", "Film", "not", "good", "don't", "...", "schön", "張偉"]
    return [" ".join(draw.choices(words, k=draw.randint(0, 9))) for _ in range(number)]


def plain(text, kind):
    """Return the n-grams of a text as tuples, the slow way."""
    if kind == "words":
        units, longest = re.findall(r"\w+|[^\w\s]", text.lower()), ngrams.WORDS
    else:
        units, longest = f" {' '.join(text.lower().split())} ", ngrams.CHARACTERS
    sizes = range(1, longest + 1)
    return {tuple(units[start : start + size]) for size in sizes for start in range(len(units) - size + 1)}


@pytest.mark.parametrize("kind", ["words", "characters"])
def test_ids_stand_for_the_ngrams_of_two_texts_or_more(kind):
    given = texts(200)
    known = ngrams.learn(given, kind, SMALL)
    counts = Counter(gram for text in given for gram in plain(text, kind))
    frequent = {gram for gram, count in counts.items() if count >= ngrams.LEAST}
    assert sum(known.sizes) == len(frequent)
    rows = known.encode(given)
    users = {gram: frozenset(i for i, text in enumerate(given) if gram in plain(text, kind)) for gram in frequent}
    found = {}
    for place, row in enumerate(rows):
        for one in row.tolist():
            found.setdefault(one, set()).add(place)
    assert Counter(map(frozenset, found.values())) == Counter(users.values())
    assert all(np.all(np.diff(row) > 0) for row in rows)


def test_hashes_are_the_same_in_every_process_and_version():
    """They stand in checkpoints: another hash would make every old one worthless."""
    two = ngrams.learn(["a b", "a b"], "both", SMALL)
    assert two.words.tolist() == [442145306, 3405780544, 3947391592]
    assert two.characters.tolist() == [
        811336212, 840821509, 1140793692, 1155399703, 1363224155, 1393694609, 1666571508, 2888599671, 3236993817,
        3421305693, 3438519354, 3547654342,
    ]  # fmt: skip


def test_a_text_is_encoded_alike_alone_and_among_others(monkeypatch):
    given = texts(50)
    known = ngrams.learn(given, "both", SMALL)
    together = known.encode(given)
    monkeypatch.setattr(ngrams, "CHUNK", 7)
    again = ngrams.learn(given, "both", SMALL)
    assert again.state() == known.state()
    for row, text in zip(known.encode(given), given, strict=True):
        assert row.tolist() == known.encode([text])[0].tolist()
    assert [row.tolist() for row in together] == [row.tolist() for row in known.encode(given)]


@pytest.mark.parametrize("odd", ["", " ", "\n\t", "\ud800", "x" * 400_000, "\x00", "a"])
def test_odd_texts_are_encoded(odd):
    known = ngrams.learn([odd, odd, "a b"], "both", SMALL)
    assert len(known.encode([odd, "a b", odd])) == 3
    assert known.encode([]) == []


def test_no_more_are_kept_than_was_asked_for_and_those_of_most_texts():
    given = ["a b"] * 5 + ["c d"] * 3 + ["e f"] * 2
    known = ngrams.learn(given, "words", 7)
    assert known.sizes == (6, 0)  # three of the one, three of the other; the last three are all or none
    assert [len(row) for row in known.encode(["a b", "c d", "e f"])] == [3, 3, 0]


def test_bags_say_where_words_and_characters_begin():
    known = ngrams.learn(texts(30), "both", SMALL)
    rows = known.encode(["good film", "", "not"])
    ids, starts = ngrams.bags(rows, known.sizes[0])
    parts = np.split(ids, starts[1:])
    assert [part.tolist() for part in parts] == [
        part.tolist() for row in rows for part in (row[row < known.sizes[0]], row[row >= known.sizes[0]])
    ]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (["张伟在北京工作。", "他们 喜欢 这部 电影"], "characters"),
        (["ฉันชอบหนังเรื่องนี้มาก", "หนังเรื่องนี้น่าเบื่อ"], "characters"),
        (["a good film", "Filme auf Deutsch, 張"], "both"),
        (["word " * 200], "words"),
    ],
)
def test_the_kind_follows_from_the_texts(given, kind):
    assert ngrams.choose_kind(given) == kind


def test_what_was_learned_is_taken_back_and_nothing_else():
    known = ngrams.learn(texts(30), "both", SMALL)
    state = known.state()
    again = ngrams.from_state(state)
    assert again is not None
    assert (again.words.tolist(), again.characters.tolist()) == (known.words.tolist(), known.characters.tolist())
    unsorted = ngrams.Ngrams(known.words[::-1], known.characters).state()
    for broken in (None, [], {}, {"words": ""}, unsorted, {**state, "words": "!"}, {**state, "words": "YWI="},
                   {**state, "words": 3}, {**state, "more": ""}):  # fmt: skip
        assert ngrams.from_state(broken) is None
