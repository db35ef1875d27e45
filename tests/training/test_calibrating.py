"""Runs whose confidences are fitted to validation: what the checkpoint keeps of it, and what predictions say."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.reports.calibration import calibration_error, curve

TINY = ("embedding.size=8", "batch_size=16", "encoder.hidden_size=8", "trainer.max_epochs=3", "optimizer.lr=0.03",
        "logger=none", "device=cpu", "threads=1", "trainer.enable_progress_bar=false", "patience=9")  # fmt: skip
WORDS = "the a one this that film play song cast plot with and of in was is very too so quite".split()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the options of texts whose label is the right one four times of five; some have a second one."""
    folder, random = tmp_path_factory.mktemp("texts"), Random(1)
    for split, rows in (("train", 240), ("validation", 120), ("test", 120)):
        lines = ["text,label,labels"]
        for _ in range(rows):
            good = random.random() < 0.5
            words = [*random.choices(WORDS, k=6), random.choice(("fine", "great") if good else ("dull", "bad"))]
            label = "up" if good == (random.random() < 0.8) else "down"
            lines.append(f"{' '.join(words)},{label},{label}{';long' if random.random() < 0.3 else ''}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    splits = ("train", "validation", "test")
    return ("data=csv", *(f"data.{split}={folder / split}.csv" for split in splits))


@pytest.fixture(scope="module")
def runs(files, tmp_path_factory):
    """Return two runs, of which only the first is calibrated."""
    folder = tmp_path_factory.mktemp("runs")
    options = ("task=classification", *files, *TINY, "model.wide=none")
    return [gru_nlp.train(*options, f"calibrate={on}", f"run_dir={folder / on}") for on in ("auto", "false")]


def test_answers_stay_and_confidences_fit(runs):
    kept, plain = runs
    assert kept.scores == plain.scores
    stored = checkpoint.load(kept.folder)
    assert stored.temperature > 1.1
    assert checkpoint.load(plain.folder).temperature == 1.0
    told = json.loads((kept.folder / "report.json").read_text())["calibration"]
    assert told["temperature"] == stored.temperature
    pairs = [(record["score"], record["label"] == record["target"]) for record in kept.predictions]
    sure, right = map(np.array, zip(*pairs, strict=True))
    assert told["ece"] == pytest.approx(calibration_error(curve(sure, right)), abs=1e-5) != told["ece_before"]
    assert told["coverage"][0]["accuracy"] == kept.scores["test/accuracy"]
    for one, other in zip(kept.predictions, plain.predictions, strict=True):
        assert one["label"] == other["label"]
        odds = [float(torch.tensor(record["score"], dtype=torch.float64).logit()) for record in (one, other)]
        assert odds[0] * stored.temperature == pytest.approx(odds[1], rel=1e-3, abs=1e-3)


def test_what_reads_the_checkpoint_uses_its_temperature(runs):
    kept, first = runs[0], runs[0].predictions[0]
    assert kept.predictor()(first["text"])["score"] == pytest.approx(first["score"], abs=1e-5)
    tested = {name: value for name, value in kept.scores.items() if name.startswith("test/")}
    assert gru_nlp.evaluate(kept.folder) == tested
    assert main(["info", f"checkpoint={kept.folder}", "output=copy.ckpt"]) == 0
    assert checkpoint.load("copy.ckpt").temperature == checkpoint.load(kept.folder).temperature


def test_a_temperature_that_is_none_is_refused(runs):
    content = torch.load(runs[0].folder / "best.ckpt", weights_only=True)
    for value in (0.0, -1.0, float("nan"), float("inf"), 1e9, 2, True, "2", None, [1.0], torch.ones(())):
        content["gru_nlp"]["temperature"] = value
        torch.save(content, "bad.ckpt")
        with pytest.raises(UserError, match=r"^bad.ckpt: a checkpoint whose 'gru_nlp' record is broken: .*temperature"):
            checkpoint.load("bad.ckpt")
    del content["gru_nlp"]["temperature"]  # as before there was one
    torch.save(content, "old.ckpt")
    assert checkpoint.load("old.ckpt").temperature == 1.0


def test_each_label_of_several_is_as_likely_as_it_says(files):
    options = ("task=multilabel", *files, *TINY, "data.label=labels", "data.label_separator=;", "trainer.max_epochs=2")
    run, plain = (gru_nlp.train(*options, f"calibrate={on}", f"run_dir={on}") for on in ("true", "false"))
    told = json.loads(Path("true/report.json").read_text())["calibration"]
    assert told["answers"] == 3 * 120
    assert told["temperature"] == checkpoint.load("true").temperature != 1.0
    assert run.scores == plain.scores
    assert [one["labels"] for one in run.predictions] == [one["labels"] for one in plain.predictions]
    with pytest.raises(UserError, match="^abstain_below is for models that say one label"):
        run.predictor()("a film", abstain_below=0.5)


def test_a_model_without_confidences_has_none_to_calibrate():
    with pytest.raises(UserError, match="^calibrate=true is for models that label texts, which task=translation"):
        gru_nlp.train("task=translation", "calibrate=true", "run_dir=run")
    assert not Path("run").exists()
    with pytest.raises(UserError, match="^calibrate=maybe must be auto, true or false"):
        gru_nlp.train("calibrate=maybe")


def test_a_model_abstains_below_a_score(runs, capsys):
    predictor = runs[0].predictor()
    texts = [record["text"] for record in runs[0].predictions]
    usual = predictor(texts)
    least = sorted(record["score"] for record in usual)[60]
    found = predictor([*texts, " "], abstain_below=least)
    assert predictor.abstained == sum(record["score"] < least for record in usual) > 0
    for record, before in zip(found[:-1], usual, strict=True):
        assert record == {"label": before["label"] if before["score"] >= least else None, "score": before["score"]}
    assert found[-1] == {"label": None, "score": None}
    for wrong in (-0.1, 1.1, "0.5", True, float("nan")):
        with pytest.raises(UserError, match="^abstain_below=.* must be a number from 0 to 1, or null"):
            predictor("a film", abstain_below=wrong)
    assert main(["predict", f"checkpoint={runs[0].folder}", "abstain_below=1", "--", "a film"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["label"] is None
    assert "1 texts have no label, since their scores are below abstain_below=1" in err
    assert main(["predict", f"checkpoint={runs[0].folder}", "abstain_below=2", "--", "a film"]) == 2
    assert "abstain_below=2 must be a number from 0 to 1" in capsys.readouterr().err
