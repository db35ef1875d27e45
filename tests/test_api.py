"""Training, scoring and predicting from Python, without a command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gru_nlp

TINY = ["trainer.max_epochs=2", "encoder.hidden_size=8", "embedding.size=8", "trainer.enable_progress_bar=false"]


@pytest.fixture
def own_csv():
    rows = "".join(f"good fine {i % 7},yes\nbad poor {i % 7},no\n" for i in range(60))
    Path("größe (1).csv").write_text("text,label\n" + rows, encoding="utf-8")
    return "größe (1).csv"


def test_a_run_has_its_folder_its_scores_and_a_predictor_twice_in_one_process(own_csv):
    first = gru_nlp.train("data=csv", f"data.train={own_csv}", f"data.test={own_csv}", "run_dir=a", *TINY)
    second = gru_nlp.train("data=csv", f"data.train={own_csv}", f"data.test={own_csv}", "run_dir=b", *TINY)
    assert first.folder == Path("a")
    assert first.scores == second.scores
    assert first.scores["test/accuracy"] == json.loads(Path("a/metrics.json").read_text())["test/accuracy"]
    assert first.monitored == first.scores["validation/accuracy"]
    assert len(first.predictions) == 120
    assert repr(first).startswith("Run('a', test/accuracy=")
    predictor = second.predictor()
    assert predictor("good fine")["label"] == predictor(["good fine"])[0]["label"]
    scores = gru_nlp.evaluate("a")
    assert scores == {name: value for name, value in first.scores.items() if name.startswith("test/")}
    assert gru_nlp.evaluate(first.folder, "split=validation")["validation/accuracy"] == first.monitored


def test_a_run_goes_on_from_python(own_csv):
    gru_nlp.train("data=csv", f"data.train={own_csv}", "run_dir=a", *TINY)
    gru_nlp.train("resume=a", "trainer.max_epochs=3")
    assert json.loads(Path("a/metrics.json").read_text())["epochs"] == 3


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["data=csv", "data.train=gone.csv"], "gone.csv: no such file"),
        (["encoder.hidden_sizes=3"], "did you mean 'encoder.hidden_size'"),
        (["encoder=nothing"], "choose from gru"),
        (["encoder.layers=0"], "must be at least 1"),
        (["--multirun"], "--multirun is a flag of the command line alone"),
        (["--config-dir", "gone"], "gone: no such folder"),
    ],
)
def test_mistakes_are_exceptions_with_the_same_words(overrides, told):
    with pytest.raises(gru_nlp.UserError, match=told):
        gru_nlp.train(*overrides)
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("task", ["sentiment", "ner", "translation"])
def test_training_that_diverges_stops_and_leaves_nothing(task):
    Path("a.jsonl").write_text('{"text": "a b", "label": "x"}\n{"text": "c d", "label": "y"}\n' * 40)
    Path("b.jsonl").write_text('{"tokens": ["Ann", "left"], "tags": ["B-PER", "O"]}\n' * 40)
    Path("c.jsonl").write_text('{"source": "a b", "target": "c d"}\n' * 80)
    data = {"sentiment": ("jsonl", "a"), "ner": ("tagged_jsonl", "b"), "translation": ("pairs_jsonl", "c")}[task]
    options = [f"task={task}", f"data={data[0]}", f"data.train={data[1]}.jsonl", "optimizer.lr=1e30", "run_dir=a"]
    if task == "translation":
        options.append("tokenizer=word")
    with pytest.raises(gru_nlp.UserError, match="training has diverged: lower optimizer.lr"):
        gru_nlp.train(*options, "batch_size=4", *TINY)
    assert not Path("a").exists()


def test_a_yaml_that_hydra_breaks_on_is_told_in_a_line():
    Path("own/encoder").mkdir(parents=True)
    Path("own/encoder/mine.yaml").write_text("defaults: 3\n")
    with pytest.raises(gru_nlp.UserError, match="defaults"):
        gru_nlp.train("--config-dir=own", "encoder=mine")


def test_the_package_shows_few_names_and_imports_nothing_heavy():
    assert len(gru_nlp.__all__) <= 12
    assert all(getattr(gru_nlp, name) for name in gru_nlp.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gru_nlp.nothing
    code = "import sys, gru_nlp; print([m for m in ('torch', 'hydra', 'numpy', 'lightning') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_epochs_are_told_where_no_bar_can_be_drawn_and_loggers_are_chosen(own_csv, capsys):
    quiet = [option for option in TINY if "progress" not in option]
    gru_nlp.train("data=csv", f"data.train={own_csv}", "run_dir=a", "logger=csv", "optimizer.lr=0.5", *quiet)
    captured = capsys.readouterr()
    assert captured.out == ""
    told = captured.err.splitlines()
    assert [line.partition(":")[0] for line in told[2:4]] == ["epoch 1", "epoch 2"]
    assert ", validation/accuracy " in told[2]
    assert ", rate 0.5, " in told[2]
    assert told[-1].startswith("training ended after epoch 2: trainer.max_epochs=2; the best was epoch ")
    assert {path.name for path in Path("a/logs/sitting-1").iterdir()} == {"hparams.yaml", "metrics.csv"}
    assert "train/rate" in Path("a/logs/sitting-1/metrics.csv").read_text().splitlines()[0]
    assert "optimizer.lr=0.5" in json.loads(Path("a/metrics.json").read_text())["overrides"]
    gru_nlp.train("data=csv", f"data.train={own_csv}", "run_dir=b", "logger=none", *TINY)
    assert not Path("b/logs").exists()
    with pytest.raises(gru_nlp.UserError, match="logger=wandb needs a package"):
        gru_nlp.train("data=csv", f"data.train={own_csv}", "run_dir=c", "logger=wandb", *TINY)


def test_a_callback_of_ones_own_is_called(own_csv, capsys):
    Path("conf/callbacks").mkdir(parents=True)
    Path("conf/callbacks/mine.yaml").write_text("timer:\n  _target_: lightning.pytorch.callbacks.Timer\n")
    command = [sys.executable, "-m", "gru_nlp", "train", "--config-dir", "conf", "callbacks=mine", "data=csv"]
    done = subprocess.run([*command, f"data.train={own_csv}", "run_dir=a", *TINY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    import torch

    assert any("Timer" in name for name in torch.load("a/last.ckpt", weights_only=True)["callbacks"])
