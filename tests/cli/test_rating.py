"""Ratings: labels that are numbers with an order."""

import json
import random
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError

WORDS = {"1": "awful", "2": "bad", "9": "good", "10": "superb"}
SMALL = ("task=rating", "encoder.hidden_size=16", "embedding.size=16", "logger=none", "optimizer.lr=0.01",
         "trainer.enable_progress_bar=false", "run_dir=run")  # fmt: skip


def rows(count, seed):
    drawn = random.Random(seed)
    return [
        (f"{drawn.choice(['a', 'the'])} {WORDS[stars]} film", stars) for stars in drawn.choices(list(WORDS), k=count)
    ]


def table(name, pairs):
    Path(name).write_text("text,label\n" + "".join(f'{text},"{stars}"\n' for text, stars in pairs))
    return name


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Train on words that name the stars; some ratings are written otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("learned"))
        train = [(text, drawn) for text, stars in rows(200, 1) for drawn in (stars, f"{stars}.0", f"0{stars}")]
        files = (f"data.train={table('train.csv', train)}", f"data.test={table('test.csv', rows(60, 2))}")
        run = gru_nlp.train("data=csv", *files, *SMALL, "trainer.max_epochs=6")
        return run.folder.absolute(), run


def test_ratings_are_in_the_order_of_their_values(learned, capsys):
    folder, run = learned
    assert run.parts.preprocessor.label_names() == ["1", "2", "9", "10"]
    assert run.scores["test/accuracy"] > 0.95
    assert run.scores["test/mae"] < 0.3
    assert run.scores["test/quadratic_kappa"] > 0.95
    assert run.monitored == run.scores["validation/quadratic_kappa"]
    records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    error = sum(abs(float(record["label"]) - float(record["target"])) for record in records) / 60
    assert run.scores["test/mae"] == pytest.approx(error)
    assert main(["evaluate", f"checkpoint={folder}"]) == 0
    assert f"test/quadratic_kappa {run.scores['test/quadratic_kappa']!r}" in capsys.readouterr().out
    assert main(["info", f"checkpoint={folder}"]) == 0
    assert "1, 2, 9, 10" in capsys.readouterr().out


def test_the_expected_rating_is_the_mean_of_all(learned, capsys):
    folder, _ = learned
    command = ["predict", f"checkpoint={folder}"]
    assert main([*command, "top_k=4", "format=jsonl", "--", "a superb film"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["label"] == "10"
    assert record["expected"] == pytest.approx(sum(float(label) * score for label, score in record["top"]), rel=1e-5)
    Path("in.txt").write_text("a bad film\n\n")
    assert main([*command, "input=in.txt", "format=csv", "top_k=2"]) == 0
    head, answer, blank = capsys.readouterr().out.splitlines()
    assert head == "text,label,score,label_2,score_2,expected"
    assert answer.startswith("a bad film,2,")
    assert answer.count(",") == blank.count(",") == 5
    assert main([*command, "input=in.txt", "format=tsv"]) == 0
    assert [line.count("\t") for line in capsys.readouterr().out.splitlines()] == [3, 3]
    assert main([*command, "input=in.txt", "format=lines"]) == 0
    assert capsys.readouterr().out == "2\n\n"


def test_json_lines_hold_numbers_of_both_kinds(learned):
    Path("a.jsonl").write_text('{"text": "a bad film", "label": 2}\n{"text": "a good film", "label": 9.0}\n')
    scores = gru_nlp.evaluate(learned[0], "data=jsonl", "data.test=a.jsonl")
    assert scores["test/accuracy"] == 1.0


@pytest.mark.parametrize(
    "label", ["good", "nan", "inf", "1e999", "1_0", "4,5", "9007199254740992", "\u0663", "5 stars"]
)
def test_what_is_no_number_is_refused_by_line(label):
    table("a.csv", [*rows(20, 1), ("odd", label)])
    with pytest.raises(UserError) as told:
        gru_nlp.train("data=csv", "data.train=a.csv", *SMALL)
    assert f"a.csv:22: the label '{label}' is no finite number below 2^53, which a rating is" in str(told.value)
    assert not Path("run").exists()


@pytest.mark.parametrize(("label", "told"), [("null", "a row without label"), ("NaN", "a row without label"),
                                             ("true", "a switch (true)"), ("[1]", "task=multilabel")])  # fmt: skip
def test_other_values_of_json_are_refused_by_line(label, told):
    Path("a.jsonl").write_text(f'{{"text": "x", "label": 1.5}}\n{{"text": "y", "label": {label}}}\n')
    with pytest.raises(UserError, match="a.jsonl:2: ") as refused:
        gru_nlp.train("data=jsonl", "data.train=a.jsonl", *SMALL)
    assert told in str(refused.value)


def test_names_stand_for_ratings_and_unknown_ones_are_refused_or_wrong(capsys):
    table("a.csv", [(text, {"1": "poor", "10": "great"}.get(stars, stars)) for text, stars in rows(60, 1)])
    table("b.csv", [("a bad film", "2"), ("odd", "7")])
    names = "data.label_names={poor: 01, great: 10, '2': 2, '9': 9, '7': 7}"
    options = ["data=csv", "data.train=a.csv", "data.test=b.csv", names, *SMALL, "trainer.max_epochs=1"]
    with pytest.raises(UserError, match=r"b.csv:3: the label '7' does not occur in training \(labels: 1, 2, 9, 10\)"):
        gru_nlp.train(*options)
    run = gru_nlp.train(*options, "data.unknown_labels=wrong")
    assert "1 of 2 rows of test have a label that training does not have" in capsys.readouterr().err
    right = run.predictions[0]["label"] == "2"
    assert run.scores["test/accuracy"] == right / 2
    assert run.scores["test/mae"] == abs(float(run.predictions[0]["label"]) - 2)


@pytest.mark.parametrize(
    "labels", [["1", "2", "10", "9"], ["1", "2", "9", "nan"], ["1", "2", "9", "x"], ["1", "1.0", "9", "10"]]
)
def test_stored_ratings_that_are_none_or_out_of_order_are_refused(learned, labels, capsys):
    content = torch.load(learned[0] / "best.ckpt", weights_only=True)
    content["gru_nlp"]["preprocessing"]["labels"] = labels
    torch.save(content, "odd.ckpt")
    assert main(["predict", "checkpoint=odd.ckpt", "--", "a film"]) == 2
    assert "the learned state is broken: see 'labels'" in capsys.readouterr().err


def test_labels_of_another_preprocessing_are_refused():
    table("a.csv", [(text, WORDS[stars]) for text, stars in rows(40, 1)])
    with pytest.raises(UserError, match="this task needs labels that are numbers: set preprocessing=rating"):
        gru_nlp.train("data=csv", "data.train=a.csv", *SMALL, "preprocessing=classification")


def test_a_resumed_rating_goes_on(learned):
    table("a.csv", rows(40, 1))
    gru_nlp.train("data=csv", "data.train=a.csv", *SMALL, "trainer.max_epochs=1")
    assert "validation/mae" in gru_nlp.train("resume=run", "trainer.max_epochs=2").scores
