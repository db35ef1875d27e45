import pytest
import sacrebleu

from gru_nlp.reports.translations import by_length, faults, loops


def record(source, translation, reference):
    return {"source": source, "translation": translation, "reference": reference}


def test_each_class_of_lengths_has_sacrebleus_scores():
    short = [record("a b c d e", "the old dog sees it", "the old dog sees her"), record("a", "it", "it is")]
    long = [record("a " * 21, "a b c d e f g h", "a b c d e f g x")]
    rows = by_length([*long, *short], "13a")
    assert [(row["from"], row["to"], row["sentences"]) for row in rows] == [(0, 10, 2), (21, 30, 1)]
    for row, members in zip(rows, (short, long), strict=True):
        said, wanted = ([one[name] for one in members] for name in ("translation", "reference"))
        assert row["bleu"] == pytest.approx(sacrebleu.corpus_bleu(said, [wanted]).score)
        assert row["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, [wanted]).score)
    assert [row["length_ratio"] for row in rows] == [6 / 7, 1.0]
    assert by_length([record("x " * 50, "", "y")], "char")[0]["to"] is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("the dog dog dog", True),
        ("the dog dog", False),
        ("a b a b a b", True),
        ("a b a b a", False),
        ("x a b c d a b c d a b c d", True),
        ("a b c d e a b c d e a b c d e", False),
        (". . . . .", False),
        (". . . a . . . a", False),
        ("", False),
    ],
)
def test_what_is_a_loop(text, wanted):
    assert loops(text.split()) is wanted


def test_faults_are_counted_where_the_reference_has_none():
    rows = [
        record("a b", "ja ja ja", "ja"),
        record("a b", "nein nein nein", "nein nein nein"),
        record("New York", "New York ", "New York"),
        record("the cat", "the cat", "die Katze"),
        record("the dog", " ", "der Hund"),
        record("oh", "", ""),
    ]
    found = faults(rows, "13a")
    assert found == {
        "loops": {"count": 1, "rows": [0]},
        "copies": {"count": 1, "rows": [3]},
        "empty": {"count": 1, "rows": [4]},
    }
    chinese = faults([record("ah", "哈哈哈", "啊")], "zh")
    assert chinese["loops"]["count"] == 1
    assert faults([record("a b", "c", "d")] * 20 + [record("a", "a", "b")] * 20, "13a")["copies"] == {
        "count": 20,
        "rows": list(range(20, 30)),
    }
