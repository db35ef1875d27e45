"""Merges skipped at random: nothing skipped is what the library does, and the share skipped is the one asked for."""

import random
from functools import partial

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.text import merging
from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.draws import mixed
from gru_nlp.text.merging import Merges
from gru_nlp.text.special import UNK
from gru_nlp.text.text_tokenizer import TextTokenizer

COMMON = {"min_frequency": 1, "lowercase": False, "normalization": "nfc"}
FITS = {
    "bpe": partial(kinds.bpe, vocabulary_size=200, **COMMON),
    "byte_bpe": partial(kinds.byte_bpe, vocabulary_size=460, **COMMON),
}
ODD = [
    "",
    "  ",
    "\t\n",
    "😀👍🏽 x",
    "ξένος 我",
    "a <pad> b </s> <s> <unk>",
    "▁▁ a▁b",
    "Ġ x",
    "cafe\u0301",
    " abra  cad ",
]
LONG = ["a" * 10_000, "ab" * 499 + " abra", f"abra {'cad' * 400} 😀"]


def texts(number, seed=1):
    """Return texts of made-up words, spoiled here and there."""
    draw = random.Random(seed)
    syllables = ["ab", "ra", "cad", "bra", "schw", "ein", "ät", "x", "<pad>", "😀"]
    found = []
    for _ in range(number):
        words = ["".join(draw.choices(syllables, k=draw.randint(1, 5))) for _ in range(draw.randint(0, 9))]
        found.append(draw.choice(["", "", " ", "ξ"]) + draw.choice([" ", " ", "  "]).join(words))
    return found


def keys(of, seed=1):
    return mixed(np.arange(len(of), dtype=np.uint64) + np.uint64(seed * 1_000_000))


@pytest.fixture(params=FITS, scope="module")
def fitted(request):
    return TextTokenizer(FITS[request.param](texts(300, seed=2)))


def simple(pairs=("ab",)):
    """Return the merges of a tokenizer that joins the pairs given, in this order, and the ids of its letters."""
    tokenizer = kinds.bpe(["".join(pairs)], vocabulary_size=5, **COMMON)
    merges = Merges(tokenizer)
    letters = {letter: 10 + place for place, letter in enumerate("▁abcd")}
    merges._vocabulary = letters
    merges._ranks = {(letters[a], letters[b]): rank for rank, (a, b) in enumerate(pairs)}
    merges._merged = [20 + rank for rank in range(len(pairs))]
    return merges, letters


def test_nothing_skipped_is_what_the_library_does(fitted, monkeypatch):
    everything = [*texts(500), *ODD, *LONG]
    assert fitted.merges().encode(everything, 0.0, keys(everything)) == fitted.encode(everything)
    monkeypatch.setattr(merging, "MOST_WORDS", 3)  # words that are not kept are read anew
    assert Merges(fitted.tokenizer).encode(everything, 0.0, keys(everything)) == fitted.encode(everything)
    assert fitted.merges().encode([], 0.5, keys([])) == []


def test_every_merge_skipped_leaves_characters(fitted):
    everything = texts(50)
    found = fitted.merges().encode(everything, 1.0, keys(everything))
    names = fitted.tokens()
    assert {len(names[index]) for row in found for index in row if index != UNK} == {1}
    assert max(map(len, found)) > max(map(len, fitted.encode(everything)))


def test_pieces_drawn_make_up_the_text_and_come_from_its_key_alone(fitted):
    everything = [text for text in texts(100) if "ξ" not in text and "<pad>" not in text]
    first = fitted.merges().encode(everything, 0.3, keys(everything))
    assert first != fitted.encode(everything)
    assert list(map(fitted.decode, first)) == list(map(fitted.decode, fitted.encode(everything)))
    fitted.merges().encode(texts(20, seed=3), 0.3, keys(range(20), 2))
    for merges in (fitted.merges(), Merges(fitted.tokenizer)):
        assert merges.encode(everything, 0.3, keys(everything)) == first
        some = [5, 3, 9, 3]
        beside = merges.encode([everything[place] for place in some], 0.3, keys(everything)[some])
        assert beside == [first[place] for place in some]
    assert fitted.merges().encode(everything, 0.3, keys(everything, 2)) != first


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_single_merge_is_skipped_as_often_as_asked(share):
    merges, letters = simple()
    rows = merges.encode(["cab"] * 5_000, share, keys(range(5_000)))
    merged = [letters["▁"], letters["c"], 20]
    assert sum(row == merged for row in rows) / len(rows) == pytest.approx(1.0 - share, abs=0.02)
    assert all(len(row) in (3, 4) for row in rows)


def test_a_merge_that_was_skipped_has_another_chance_after_the_next():
    # "ab" ranks before "cd": they are merged in one order or the other, one alone where the other was skipped since.
    merges, _ = simple(("ab", "cd"))
    rows = merges.encode(["abcd"] * 5_000, 0.5, keys(range(5_000)))
    kinds_found = [sum(row[1:] == kind for row in rows) / len(rows) for kind in ([20, 21], [20, 13, 14], [11, 12, 21])]
    assert kinds_found == pytest.approx([0.375, 0.25, 0.125], abs=0.02)  # 3/4 goes on, half of that merges both


def test_kinds_that_merge_nothing_are_refused():
    word = kinds.word(texts(20), vocabulary_size=50, **COMMON)
    with pytest.raises(UserError, match="bpe_dropout needs tokenizer=bpe or tokenizer=byte_bpe"):
        TextTokenizer(word).merges()
