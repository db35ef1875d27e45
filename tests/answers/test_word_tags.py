"""Tagged words in each format."""

import csv
import json
from types import SimpleNamespace

import pytest

from gru_nlp.answers.base import Style
from gru_nlp.answers.reading import Entry
from gru_nlp.answers.word_tags import WordTagAnswer

TEXT = "A&B  run\x1b"
TAGGED = [
    {"start": 0, "end": 3, "text": "A&B", "tag": "<X>", "score": 0.5},
    {"start": 5, "end": 9, "text": "run\x1b", "tag": "VB", "score": 0.75},
]


def rendered(kind, text=TEXT, tagged=TAGGED):
    made = WordTagAnswer(SimpleNamespace(one_label=False), Style(kind))
    return made.render({"tagged": tagged}, Entry(text, text, "a:1"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lines", "A&B/<X> run\\x1b/VB"),
        ("table", "A&B/<X> run\\x1b/VB"),
        ("conll", "A&B <X>\nrun\\x1b VB\n"),
        ("tsv", "A&B\t<X>\t0.5000\trun\\x1b\tVB\t0.7500\tA&B run\\x1b"),
        (
            "html",
            '<p dir="auto"><span title="&lt;X&gt; 0.5000">A&amp;B <small>&lt;X&gt;</small></span>  '
            '<span title="VB 0.7500">run\\x1b <small>VB</small></span></p>',
        ),
    ],
)
def test_words_are_written_with_their_tags(kind, expected):
    assert rendered(kind) == expected


def test_tables_and_objects_hold_all_of_them():
    assert json.loads(rendered("jsonl")) == {"tagged": TAGGED, "text": TEXT}
    head, row = csv.reader(rendered("csv").splitlines())
    assert (head, json.loads(row[1])) == (["text", "tagged"], TAGGED)


def test_what_is_blank_has_no_words():
    assert (rendered("lines", "", []), rendered("conll", "", [])) == ("", "")
    assert rendered("conll", ["New York"], [{**TAGGED[0], "text": "New York", "end": 8}]) == "New_York <X>\n"
    made = WordTagAnswer(SimpleNamespace(one_label=False), Style("jsonl"))
    assert made.uncertainty({"tagged": TAGGED}) == 0.5
    assert made.uncertainty({"tagged": []}) is None
