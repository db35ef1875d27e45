"""A task kind of a person's own joins from outside, through yaml alone: nothing in the package knows of it."""

import csv
import json
import random
import shutil
import sys
from pathlib import Path

import pytest

import gru_nlp
from gru_nlp.cli.main import main

SMALL = ["task=vowels", "encoder.hidden_size=16", "optimizer.lr=0.01", "trainer.max_epochs=12"]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Copy the package to a temporary folder from which alone it is imported; return its folder of yamls."""
    shutil.copytree(Path(__file__).parent / "toy_kind", tmp_path / "lib" / "toy_kind")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    yield tmp_path / "lib" / "toy_kind" / "conf"
    for name in [name for name in sys.modules if name.split(".")[0] == "toy_kind"]:
        del sys.modules[name]


@pytest.fixture
def vowels():
    drawn = random.Random(1)
    with Path("vowels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for _ in range(500):
            text = "".join(drawn.choice("aeioubcdfgh") for _ in range(drawn.randint(3, 20)))
            rows.writerow([text, sum(text.count(vowel) for vowel in "aeiou")])
    return "data.train=vowels.csv", "data.test=vowels.csv"


def test_a_task_kind_of_ones_own_trains_predicts_and_evaluates(toy, vowels, capsys):
    assert main(["train", "--config-dir", str(toy), *SMALL, *vowels, "run_dir=run"]) == 0
    out = capsys.readouterr().out
    scores = json.loads(Path("run/metrics.json").read_text())
    assert scores["test/error"] < 0.6  # of 5 vowels on average; knowing nothing gives 2
    assert scores["scorer"] == "mean absolute error"
    assert f"test/error            {scores['test/error']:.4f}" in out
    text = Path("vowels.csv").read_text().split()[1].partition(",")[0]
    assert f"next: gru-nlp predict checkpoint=run -- {text}\n" in out

    for arguments, written in (
        (["--", "bebop"], '"count": '),
        (["format=lines", "--", "aabebubifogh"], "6 ||||||"),
        (["format=csv", "--", "bebop"], "text,count\nbebop,"),
    ):
        assert main(["predict", "checkpoint=run", "trust=[toy_kind]", *arguments]) == 0
        assert written in capsys.readouterr().out
    assert main(["evaluate", "checkpoint=run", "trust=[toy_kind]"]) == 0
    assert f"test/error {scores['test/error']!r}" in capsys.readouterr().out
    assert main(["train", "resume=run", "trainer.max_epochs=13", "trust=[toy_kind]"]) == 0

    capsys.readouterr()
    assert main(["predict", "checkpoint=run", "--", "bebop"]) == 2
    assert "toy_kind.preprocessor.VowelPreprocessor" in capsys.readouterr().err


def test_it_trains_from_python(toy, vowels):
    run = gru_nlp.train(f"--config-dir={toy}", *SMALL, *vowels, "run_dir=run", "trust=[toy_kind]")
    assert run.scores["test/error"] < 0.6
    assert abs(run.predictor()("bebop")["count"] - 2) < 1
    assert gru_nlp.evaluate(run.folder, "trust=[toy_kind]")["test/error"] == run.scores["test/error"]


def test_its_mistakes_name_file_and_line(toy, vowels, capsys):
    with Path("vowels.csv").open("a") as file:
        file.write("bad,many\n")
    assert main(["train", "--config-dir", str(toy), *SMALL, *vowels, "run_dir=run"]) == 2
    assert "vowels.csv:502: 'many' is no whole number" in capsys.readouterr().err
