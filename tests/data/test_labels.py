"""Labels that one split has and another lacks, and the folders that are read."""

import json
from pathlib import Path

import datasets
import pytest

import gru_nlp
from gru_nlp.answers.reading import input_format
from gru_nlp.cli.main import main
from gru_nlp.data.encoded import encode
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.text import tokenizer as kinds

QUICK = ("trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "logger=none",
         "trainer.enable_progress_bar=false", "run_dir=run")  # fmt: skip


def folders(root, **texts):
    """Write a folder a class with so many texts each."""
    for label, count in texts.items():
        place = Path(root, label)
        place.mkdir(parents=True)
        for number in range(count):
            (place / f"{number}.txt").write_text(f"{label} film {number} of many words")


def table(path, *rows):
    Path(path).write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


@pytest.fixture
def train():
    return table("train.csv", *[(f"{word} film {n}", label) for n in range(20) for word, label in MEANT.items()])


MEANT = {"good": "yes", "bad": "no", "red": "colour"}


def test_the_original_folders_of_reviews_have_two_classes(capsys):
    folders("aclImdb/train", neg=20, pos=20, unsup=20)
    folders("aclImdb/test", neg=3, pos=3)
    options = ["data=folders", "data.train=aclImdb/train", "data.test=aclImdb/test", *QUICK]
    assert main(["train", *options, "data.folders=[neg,pos]"]) == 0
    assert "split holds no" not in capsys.readouterr().err
    assert sorted(json.loads(Path("run/metrics.json").read_text())["classes"]) == ["neg", "pos"]
    assert main(["evaluate", "checkpoint=run"]) == 0
    assert json.loads(Path("run/metrics.json").read_text())["classes"]["neg"]["support"] == 3


def test_a_split_without_a_label_of_training_is_told(capsys):
    folders("train", neg=20, pos=20, unsup=20)
    folders("test", neg=3, pos=3)
    assert main(["train", "data=folders", "data.train=train", "data.test=test", *QUICK]) == 0
    told = "the test split holds no unsup, which training has, so that its scores miss them"
    assert told in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["data=folders", "data.folders=[neg,posi]"], "t: no folder 'posi' (folders: neg, pos); did you mean 'pos'?"),
        (["data=folders", "data.folders=[]"], "data.folders=[] names no column"),
        (["data=csv", "data.folders=[neg]"], "data.folders has no effect on data.format=csv: set data=folders"),
    ],
)
def test_folders_that_are_not_there_are_refused(options, told, capsys):
    folders("t", neg=3, pos=3)
    assert main(["train", "data.train=t", *options]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_an_unknown_label_is_refused_by_line_unless_it_is_to_count_as_wrong(train, capsys):
    test = table("test.csv", ("good film 1", "yes"), ("bad film 2", "No"), ("red film", "maybe"), ("good", "maybe"))
    options = ["data=csv", f"data.train={train}", f"data.test={test}", *QUICK]
    assert main(["train", *options]) == 2
    told = "test.csv:3: the label 'No' does not occur in training (labels: colour, no, yes); did you mean 'no'?"
    assert capsys.readouterr().err.splitlines()[-1].endswith(told)
    assert main(["train", *options, "data.unknown_labels=wrong", "trainer.max_epochs=3"]) == 0
    told = "3 of 4 rows of test have a label that training does not have"
    assert f"{told}: they are scored as wrong (data.unknown_labels)" in capsys.readouterr().err.splitlines()
    records = [json.loads(line) for line in Path("run/predictions.jsonl").read_text().splitlines()]
    assert [record["target"] for record in records] == ["yes", "No", "maybe", "maybe"]
    right = sum(record["label"] == record["target"] for record in records)
    assert json.loads(Path("run/metrics.json").read_text())["test/accuracy"] == right / 4
    again = gru_nlp.evaluate("run")
    assert again["test/accuracy"] == right / 4
    with pytest.raises(UserError, match="the label 'No' does not occur in training"):
        gru_nlp.evaluate("run", "data.unknown_labels=refuse", f"data.test={test}")
    with pytest.raises(UserError, match="data.unknown_labels=x is not known: choose from refuse, wrong"):
        gru_nlp.evaluate("run", "data.unknown_labels=x")


def test_texts_that_are_cut_are_counted_from_the_cache_too(train, capsys):
    for _ in range(2):
        options = ["data=csv", f"data.train={train}", *QUICK, "preprocessing.max_length=2", "run_dir=null"]
        assert main(["train", *options]) == 0
        err = capsys.readouterr().err
        told = "54 of 54 texts of train are longer than what is kept of them (preprocessing.max_length)"
        assert told in err.splitlines()
    assert main(["train", *options, "preprocessing.max_length=3"]) == 0
    assert "longer" not in capsys.readouterr().err


def test_a_test_file_that_changes_during_training_keeps_its_texts_and_answers_together(train, monkeypatch):
    rows = [(f"good film {n}", "yes") for n in range(5)]
    table("test.csv", *rows)
    fit = gru_nlp.training.run.fit

    def changed(*arguments):
        fit(*arguments)
        table("test.csv", ("another text", "no"), *rows)

    monkeypatch.setattr(gru_nlp.training.run, "fit", changed)
    run = gru_nlp.train("data=csv", f"data.train={train}", "data.test=test.csv", *QUICK)
    assert [record["text"] for record in run.predictions] == [text for text, _ in rows]


def test_names_of_labels_are_texts_however_they_are_typed():
    table("train.csv", *[(f"{word} film {n}", label) for n in range(20) for word, label in (("good", 1), ("bad", 0))])
    scores = [
        gru_nlp.train(
            "data=csv", "data.train=train.csv", names, *QUICK, "run_dir=null"
        ).parts.preprocessor.label_names()
        for names in (
            "data.label_names={0:bad,1:good}",
            "data.label_names={'0':bad,'1':good}",
            "data.label_names={0:x,1:y}",
        )
    ]
    assert scores == [["bad", "good"], ["bad", "good"], ["x", "y"]]


def test_a_label_without_a_name_counts_as_wrong_in_other_splits_alone(capsys):
    rows = "".join(f"good {number},1\nbad {number},0\n" for number in range(20))
    Path("a.csv").write_text(f"text,label\n{rows}")
    Path("b.csv").write_text("text,label\ngood 1,1\nodd,7\n")
    options = ["data=csv", "data.train=a.csv", "data.test=b.csv", "data.label_names={0: bad, 1: good}"]
    assert main(["train", *options, *QUICK]) == 2
    assert "b.csv:3: the label '7' is not among those of data.label_names: 0, 1" in capsys.readouterr().err
    assert main(["train", *options, "data.unknown_labels=wrong", *QUICK]) == 0
    said = [json.loads(line) for line in Path("run/predictions.jsonl").read_text().splitlines()]
    assert [record["target"] for record in said] == ["good", "7"]
    assert "1 of 2 rows of test have a label that training does not have" in capsys.readouterr().err
    with Path("a.csv").open("a") as file:
        file.write("odd,7\n")
    assert main(["train", *options, "data.unknown_labels=wrong", *QUICK[:-1], "run_dir=other"]) == 2
    assert "a.csv:42: the label '7' is not among those of data.label_names: 0, 1" in capsys.readouterr().err


@pytest.mark.parametrize(("most", "count"), [(1, 40), (2, 39), (3, 39), (4, 0)])
def test_pairs_are_counted_once_whichever_side_is_cut(most, count):
    preprocessor = TranslationPreprocessor(tokenizer=words, joint=True, max_length=most, bpe_dropout=0.0)
    pairs = {"source": ["a b"] * 38 + ["a b c d", "a b"], "target": ["a b c d"] * 38 + ["a b c d", "b a"]}
    pairs["target"][38] = "a b c"
    rows = datasets.Dataset.from_dict({**pairs, "line": list(range(40))})
    preprocessor.fit(rows, Hints())
    assert encode(rows, preprocessor).cut() == count


def words(texts):
    return kinds.word(texts, vocabulary_size=50, min_frequency=1, lowercase=True, normalization="nfc", extra_words=())


def test_a_table_that_is_read_as_lines_is_told(capsys):
    Path("a.TSV.gz").write_text("label\ttext\n" + "yes\tgood film\nno\tbad film\n" * 20)
    assert main(["train", "data=labelled_lines", "data.train=a.TSV.gz", *QUICK]) == 0
    told = "a.TSV.gz: is read as plain lines, its first one too; for a table set data=tsv"
    assert [line for line in capsys.readouterr().err.splitlines() if line.endswith(told)]


@pytest.mark.parametrize(
    ("name", "format"),
    [("NEW.CSV", "csv"), ("n.ndjson", "jsonl"), ("a.JSONL", "jsonl"), ("x.TSV.GZ", "tsv"), ("p.Parquet", "parquet"),
     ("c.conll", "conll"), ("notes.txt", "lines"), ("csv", "lines"), (None, "lines")],
)  # fmt: skip
def test_endings_tell_the_format_in_any_case(name, format):
    assert input_format(None, name) == format
