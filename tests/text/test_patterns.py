"""What a person's patterns find in a text, and which of them are refused."""

import pickle
from pathlib import Path

import pytest

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.windows import ruled
from gru_nlp.text.patterns import Match, Patterns
from gru_nlp.text.words import make_splitter, split_words

FILE = "LOC\tBad Homburg\nORDER\t/[A-Z]{2}-\\d{4,6}/\n\n-\tMay\nO\tnew york times\nLOC\tNew York\nTAG\t/#\\w+/\n"


def read(tmp_path, content):
    path = tmp_path / "rules.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Patterns.read([path])


def found(patterns, text):
    matches = patterns.found(text, split_words(make_splitter({}), [text])[0])
    return [(text[match.start : match.end], match.label) for match in matches]


def test_terms_and_expressions_are_found_by_whole_words_the_longest_first(tmp_path):
    patterns = pickle.loads(pickle.dumps(read(tmp_path, FILE)))
    assert found(patterns, "In May, Bad  Homburg sent XY-12345.") == [
        ("May", None),
        ("Bad  Homburg", "LOC"),
        ("XY-12345", "ORDER"),
    ]
    assert found(patterns, "the New York Times of New York") == [("New York Times", None), ("New York", "LOC")]
    assert found(patterns, "may Mayor MAY badHomburg") == []
    assert found(patterns, "we #tagged AXY-1234 XY-12345678") == [("#tagged", "TAG"), ("XY-12345678", "ORDER")]
    assert found(patterns, "😀 #x") == [("#x", "TAG")]
    assert found(patterns, "") == []


def test_of_what_overlaps_the_longest_counts_then_the_first(tmp_path):
    patterns = read(tmp_path, "A\t/a b c/\nB\t/c d e f/\nC\t/a b/\nD\t/g h/\nE\t/h i/\n")
    assert found(patterns, "a b c d e f g h i") == [("a b", "C"), ("c d e f", "B"), ("g h", "D")]
    for lines, label in (
        ("-\t/[Mm]ay/\nPER\t/M\\w+/\n", None),
        ("PER\t/M\\w+/\n-\t/[Mm]ay/\n", "PER"),
        ("PER\t/M\\w+/\n-\tMay\n", None),
    ):
        assert found(read(tmp_path, lines), "in May") == [("May", label)]


def test_what_a_pattern_says_comes_before_the_model():
    places = ((0, 3), (4, 10), (11, 14))
    entities = [{"start": start, "end": end, "text": "", "label": "PER", "score": 0.5} for start, end in places]
    record = {"entities": entities, "paths": [1]}
    text = "abc defghi jkl"
    answer = ruled(record, [Match(4, 7, "LOC"), Match(8, 14, None)], text)
    assert answer["entities"] == [
        entities[0],
        {"start": 4, "end": 7, "text": "def", "label": "LOC", "score": 1.0, "source": "pattern"},
    ]
    assert answer["paths"] == [1]
    assert ruled(record, [Match(0, 2, None)], text) == record  # a longer entity stays


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("LOC Rome\n", "rules.tsv:1: no type, tab and a term or /regular expression/: LOC Rome (see patterns)"),
        ("LOC\t\n", "rules.tsv:1: no type, tab and a term"),
        ("a b\tRome\n", "rules.tsv:1: no type, tab and a term"),
        ("A\tx\n\nB\tx\n", "rules.tsv:3: 'x' is A above"),
        ("A\t/(x/\n", "rules.tsv:1: /(x/ is no regular expression: missing ), unterminated subpattern at position 0"),
        ("A\t/[[x]/\n", "rules.tsv:1: /[[x]/ is no regular expression: Possible nested set"),
        ("A\t/x*/\n", "rules.tsv:1: /x*/ matches nothing at all, everywhere"),
        ("A\t/(a+)+b/\n", "rules.tsv:1: /(a+)+b/ may take for ever, since what it repeats may match in several ways"),
        ("A\tK\xf6ln\n".encode("latin-1"), "rules.tsv:1: not utf-8"),
        ("\n", "hold no pattern"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_line(tmp_path, content, told):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"gone\.tsv: cannot be read: No such file"):
        Patterns.read([Path("gone.tsv")])


@pytest.mark.parametrize(
    "expression",
    ["(a|ab)*c", r"(\w+\s?)+x", "((ab?)c)*d", "(x(a*)y){10,}z", "(?=(a+)+b)a", r"(a)(?:(?(1)b|bc))*d", "a(b{1,3})+?c"],
)
def test_what_may_take_for_ever_is_refused(tmp_path, expression):
    with pytest.raises(UserError, match="may take for ever"):
        read(tmp_path, f"A\t/{expression}/")


@pytest.mark.parametrize(
    "expression",
    [r"(?:\d{1,3}\.){3}\d{1,3}", r"(?:\w++ )+x", "(?>a|ab)+c", "(ab){2,20}", "(?:a|b)+c", r"[A-Z]\w+(?: [A-Z]\w+)?"],
)
def test_what_ends_soon_is_taken(tmp_path, expression):
    assert len(read(tmp_path, f"A\t/{expression}/").expressions) == 1
