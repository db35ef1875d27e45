"""A run and an evaluation leave a report, of the split that was scored."""

import json
from pathlib import Path

import pytest

from gru_nlp.cli.main import main
from gru_nlp.training.history import History
from gru_nlp.training.reporting import typed

TINY = ["trainer.max_epochs=2", "encoder.hidden_size=8", "embedding.size=8", "trainer.limit_train_batches=3", "seed=1"]


def written(name, rows):
    text = "text,label\n" + "".join(f"the {'good' if row % 2 else 'bad'} film {row},{row % 2}\n" for row in range(rows))
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_without_a_test_split_the_report_is_of_validation_and_says_so():
    data = ["data=csv", f"data.train={written('a.csv', 60)}", f"data.validation={written('b.csv', 30)}"]
    assert main(["train", "task=sentiment", *data, *TINY, "run_dir=run", "report_format=markdown"]) == 0
    found = json.loads(Path("run/report.json").read_text(encoding="utf-8"))
    assert (found["split"], found["rows"]) == ("validation", 30)
    assert [gone for gone, _ in found["curves"]["validation/accuracy"]] == [1.0, 2.0]
    assert found["scores"]["validation/accuracy"]["value"] == found["curves"]["validation/accuracy"][-1][1]
    wrong = sum(map(sum, found["confusion"]["counts"])) - sum(
        row[place] for place, row in enumerate(found["confusion"]["counts"])
    )
    assert len(found["worst"]) == min(wrong, 20)
    page = Path("run/report.md").read_text(encoding="utf-8")
    assert "since there is no test split" in page
    assert "gru-nlp train task=sentiment" in page
    assert "run_dir=run" in page
    assert not Path("run/report.html").exists()
    assert main(["evaluate", "checkpoint=run", f"data.test={written('c.csv', 20)}", "report=told"]) == 0
    assert json.loads(Path("told/report.json").read_text(encoding="utf-8"))["rows"] == 20
    assert "20 rows of the test split" in Path("told/report.html").read_text(encoding="utf-8")


def test_the_curves_go_on_where_a_run_does_and_take_numbers_alone():
    history = History()
    history.load_state_dict({"curves": {"train/mean_loss": [[1, 0.5], (2.0, 0.25)]}})
    assert history.state_dict() == {"curves": {"train/mean_loss": [(1.0, 0.5), (2.0, 0.25)]}}
    hostile = {"x" * 10: [[1, 1]], "validation/f1": [[1, float("nan")], [2, 0.5]], "validation/" + "x" * 1000: [[1, 1]]}
    history.load_state_dict({"curves": hostile})
    assert history.curves == {"validation/f1": [(2.0, 0.5)]}
    for points in ([[1, {}]], [[1, 2, 3]]):
        with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
            History().load_state_dict({"curves": {"train/mean_loss": points}})
    for broken in ({}, {"curves": 3}):
        with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
            History().load_state_dict(broken)


def test_the_command_that_repeats_a_run_is_as_it_was_typed():
    assert typed("run_dir='a b'") == "run_dir=a b"
    assert typed("stop=['a','b']") == "stop=['a','b']"
    assert typed("x='a'b'") == "x='a'b'"
