import itertools
import random

import pytest

from gru_nlp.text.words import make_splitter, sentences, split_words, windows

SPLITTER = make_splitter({})


def words_of(text):
    return [word.text for word in split_words(SPLITTER, [text])[0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mr. O'Neill's U.S. firm isn't here.", "Mr. O'Neill 's U.S. firm is n't here ."),
        ("It cost $1,500.25 (about 3%)!", "It cost $ 1,500.25 ( about 3 % ) !"),
        ("all-rounder at AT&T, 1996-08-30", "all-rounder at AT&T , 1996-08-30"),
        ('"Oh," J. R. Smith said...', '" Oh , " J. R. Smith said ...'),
        ("Größe\tund\u00a0東京。", "Größe und 東京 。"),
    ],
)
def test_words_are_penn_like(text, words):
    assert words_of(text) == words.split(" ")


def test_no_character_but_white_space_is_lost_and_places_are_right():
    source = random.Random(1)
    pools = [range(32, 127), range(0x300, 0x370), range(0x1F300, 0x1F700), range(0x2000, 0x2070), range(1, 0xD800)]
    for _ in range(2000):
        text = "".join(chr(source.choice(source.choice(pools))) for _ in range(source.randint(0, 30)))
        words = split_words(SPLITTER, [text])[0]
        assert all(text[word.start : word.end] == word.text != "" for word in words)
        assert "".join(word.text for word in words) == "".join(text.split())


def test_the_splitter_travels_as_json():
    again = type(SPLITTER).from_str(SPLITTER.to_str())
    assert split_words(again, ["isn't it?"]) == split_words(SPLITTER, ["isn't it?"])


def test_sentences_end_at_marks_and_empty_lines():
    text = 'He left. "Why?" she asked. At 3 p.m. he\n\ncame back 。次 A.'
    words = split_words(SPLITTER, [text])[0]
    parts = [" ".join(words[place].text for place in part) for part in sentences(words, text, wide=False)]
    assert parts == ["He left .", '" Why ? " she asked .', "At 3 p.m . he", "came back 。 次 A ."]
    assert sentences([], "", wide=True) == []


@pytest.mark.parametrize("size", [1, 10, 11, 17, 100])
def test_windows_cover_all_and_share_their_edges(size):
    parts = windows(size, 10, 4)
    assert sorted(set().union(*parts)) == list(range(size))
    assert all(len(part) <= 10 for part in parts)
    assert all(one.stop - other.start == 4 for one, other in itertools.pairwise(parts))


def test_a_line_of_closing_marks_takes_no_longer_than_its_length():
    words = split_words(SPLITTER, [")" * 200_000])[0]
    assert [len(part) for part in sentences(words, ")" * 200_000, wide=True)] == [200_000]


@pytest.mark.parametrize("letters", ["a", "1", "é", "张"])
def test_a_word_without_end_is_cut_and_its_places_are_right(letters):
    text = f"one {letters * 3_000_000}, two. {letters * 10_000} three"
    (words,) = split_words(make_splitter({}), [text])
    assert all(text[word.start : word.end] == word.text for word in words)
    assert "".join(word.text for word in words) == text.replace(" ", "")
    assert [word.text for word in words if len(word.text) < 10_000] == ["one", ",", "two", ".", "three"]
