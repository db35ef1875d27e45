"""Phrases of word lists in sentences: the longest at each word, whatever the lists."""

import random
from pathlib import Path

import pytest

from gru_nlp.errors import UserError
from gru_nlp.text import gazetteers
from gru_nlp.text.gazetteers import Gazetteer, flat_codes


def spelled(phrases, sentence, normal=str.lower):
    return "".join("-BIES"[code] for code in Gazetteer("a", phrases, normal).codes(sentence.split()))


def test_the_longest_phrase_at_a_word_counts_and_a_word_belongs_to_one():
    phrases = ["new york", "New York City", "York City Council", "york", "of"]
    assert spelled(phrases, "the NEW York city council of york") == "-BIE-SS"
    assert spelled(phrases, "the York City Council") == "-BIE"
    assert spelled(phrases, "New York") == "BE"
    assert spelled(["New York", "of"], "new york of New York Of", str) == "--SBE-"
    assert spelled(phrases, "") == ""


def test_random_sentences_are_marked_as_by_trying_every_stretch():
    draw = random.Random(3)
    for _ in range(200):
        phrases = [" ".join(draw.choices("abc", k=draw.randint(1, 4))) for _ in range(draw.randint(1, 6))]
        words = draw.choices("abcd", k=draw.randint(1, 12))
        wanted, place = [], 0
        while place < len(words):
            fits = [size for size in range(1, 5) if " ".join(words[place : place + size]) in phrases]
            size = max((size for size in fits if place + size <= len(words)), default=0)
            wanted += "-" if not size else "S" if size == 1 else "B" + "I" * (size - 2) + "E"
            place += size or 1
        assert spelled(phrases, " ".join(words)) == "".join(wanted)


def test_codes_of_several_lists_stand_word_by_word():
    lists = [Gazetteer("a", ["x y"], str), Gazetteer("b", ["y"], str)]
    assert flat_codes(lists, ["x", "y", "z"]) == [1, 0, 3, 4, 0, 0]
    assert flat_codes(lists, []) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "a.txt: holds no phrase: write one a line (see gazetteers)"),
        (b"\n  \r\n", "a.txt: holds no phrase"),
        ("Rom\nKöln\n".encode("latin-1"), "a.txt:2: not utf-8 (see gazetteers)"),
        (b"a\n" + b"x" * 201, "a.txt:2: a phrase of 201 characters, and at most 200 are looked for"),
        (None, "a.txt: cannot be read: No such file or directory (see gazetteers)"),
    ],
)
def test_a_file_that_is_no_list_is_told_in_one_line(tmp_path, monkeypatch, content, told):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("a.txt").write_bytes(content)
    with pytest.raises(UserError, match="^" + told.replace("(", r"\(").replace(")", r"\)")) as caught:
        gazetteers.read(["a.txt"])
    assert "\n" not in str(caught.value)


def test_files_are_read_by_line_and_their_names_kept(tmp_path):
    path = tmp_path / "places of mine.txt"
    path.write_bytes("\ufeffNew  York\r\n\r\n Rom \n".encode())
    assert gazetteers.read([str(path)]) == [("places of mine", ["New  York", "Rom"])]
    for wrong in ([""], [1], ["a"] * 65):
        with pytest.raises(UserError, match="must be a list of files"):
            gazetteers.read(wrong)


@pytest.mark.parametrize(
    "lists",
    [
        [],
        {"name": "a", "phrases": ["x"]},
        [{"name": "a", "phrases": []}],
        [{"name": "a", "phrases": ["x "]}],
        [{"name": "a", "phrases": ["x\ny"]}],
        [{"name": "a", "phrases": [""]}],
        [{"name": "a", "phrases": [7]}],
        [{"name": "a", "phrases": ["x" * 401]}],
        [{"name": 3, "phrases": ["x"]}],
        [{"name": "a", "phrases": ["x"], "more": 1}],
        [{"name": "a", "phrases": ["x"]}] * 65,
    ],
)
def test_what_is_stored_is_a_list_of_phrases_or_refused(lists):
    assert gazetteers.stored(lists) is None
    assert gazetteers.stored([{"name": "a", "phrases": ["x y"]}]) == [("a", ["x y"])]
