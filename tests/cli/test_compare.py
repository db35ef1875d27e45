import json
from pathlib import Path

import pytest

from gru_nlp.cli.main import main

TINY = ["trainer.enable_progress_bar=false", "encoder.hidden_size=4", "embedding.size=4", "logger=none"]
ROWS = [f"{said}{' so' * (i % 5)} {i},{label}" for i in range(30) for said, label in (("good", "yes"), ("bad", "no"))]


def csv(name, rows):
    Path(name).write_text("\n".join(["text,label", *rows, ""]))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with two runs of a small model, in a folder of theirs, and one of a smaller one."""
    home = tmp_path_factory.mktemp("models")
    csv(home / "a.csv", ROWS)
    data = ["data=csv", f"data.train={home}/a.csv", f"data.test={home}/a.csv", "batch_size=8"]
    for folder, more in (
        ("two, seeds/1", ["seed=1", "trainer.max_epochs=3"]),
        ("two, seeds/2", ["seed=2", "trainer.max_epochs=3"]),
        ("[one]", ["model.wide=none", "trainer.max_epochs=1"]),
    ):
        assert main(["train", *data, *TINY, *more, f"run_dir={home}/{folder}"]) == 0
    return home


def test_two_models_are_compared_and_the_rows_listed_on_which_they_differ(runs, capsys):
    pair = f"checkpoint=[{runs}/[one],'{runs}/two, seeds/1']"
    assert main(["compare", pair, "output=unlike.jsonl", "report=out"]) == 0
    told = json.loads(Path("out/compare.json").read_text())
    assert told["checkpoint"] == {"a": [f"{runs}/[one]"], "b": [f"{runs}/two, seeds/1"]}
    scores = told["scores"]["test/accuracy"]
    assert {"test/macro_f1", "test/loss"} < set(told["scores"])
    assert "test/accuracy_wide" not in told["scores"]  # which the first has not
    for side, run in (("a", "[one]"), ("b", "two, seeds/1")):
        assert scores[side]["value"] == json.loads((runs / run / "metrics.json").read_text())["test/accuracy"]
    assert scores["p_value"] == scores["p_values"]["mcnemar"]
    rows = [json.loads(line) for line in Path("unlike.jsonl").read_text().splitlines()]
    assert rows
    assert all(row["a"]["label"] != row["b"]["label"] for row in rows)
    assert scores["difference"]["value"] == pytest.approx(sum(row["difference"]["accuracy"] for row in rows) / 60)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["score", "a", "b", "difference", "95", "%", "p_value", "test"]
    assert f"{len(rows)} rows differ:" in shown


def test_a_folder_of_runs_stands_for_all_of_them(runs, capsys):
    assert main(["compare", f"checkpoint=[{runs}/[one],'{runs}/two, seeds']", "report=out"]) == 0
    told = json.loads(Path("out/compare.json").read_text())
    assert told["checkpoint"]["b"] == [f"{runs}/two, seeds/{seed}" for seed in (1, 2)]
    scores = told["scores"]["test/loss"]["runs"]
    values = [json.loads((runs / "two, seeds" / seed / "metrics.json").read_text())["test/loss"] for seed in "12"]
    assert scores["b"]["scores"] == values
    assert scores["b"]["mean"] == pytest.approx(sum(values) / 2)
    assert scores["a"]["deviation"] is None


def test_what_cannot_be_compared_is_refused_in_a_line(runs, capsys):
    csv("c.csv", ["so so,maybe", *ROWS])
    csv("d.csv", ["good and better,yes", *ROWS[1:]])
    one = f"{runs}/[one]"
    for name, table in (("other", "d.csv"), ("labels", "c.csv")):
        data = ["data=csv", f"data.train={runs}/a.csv", f"data.test={table}", "batch_size=8"]
        data[1] = f"data.train={table}" if name == "labels" else data[1]
        assert main(["train", *data, *TINY, "trainer.max_epochs=1", "model.wide=none", f"run_dir={name}"]) == 0
    for given, told in (
        (f"[{one},other]", ", the first of them number 1: give both the same data="),
        (f"[{one},labels]", "labels has other labels than "),
        (f"[{one}]", "two models are compared: set checkpoint=[<run>,<run>]"),
        (one, "two models are compared: set checkpoint=[<run>,<run>]"),
        (f"[{one},none]", "none: no such checkpoint"),
    ):
        capsys.readouterr()
        assert main(["compare", f"checkpoint={given}", "output=unlike.jsonl"]) == 2, given
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gru-nlp: ")]
        assert len(lines) == 1
        assert told in lines[0]
        assert not Path("unlike.jsonl").exists()
