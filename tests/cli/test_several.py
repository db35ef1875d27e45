"""Several processes that train one model, as this program and torchrun start them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gru_nlp

PROGRAM = ["-m", "gru_nlp", "train", "device=cpu", "threads=1", "trainer.max_epochs=1"]
TINY = ["trainer.enable_progress_bar=false", "encoder.hidden_size=4", "embedding.size=4", "logger=none"]
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2"]


def program(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def scored(folder):
    """Return the test scores of a run; one process must repeat them, and those of validation, to the last digit."""
    metrics = json.loads(Path(folder, "metrics.json").read_text())
    found = {}
    for split in ("validation", "test"):
        found = {name: value for name, value in metrics.items() if name.startswith(f"{split}/")}
        assert gru_nlp.evaluate(folder, "threads=1", "device=cpu", f"split={split}") == found
    return found, metrics


def test_two_processes_train_and_score_each_row_once():
    """Of a test split of three rows, a batch, one of them has none; of nine of validation each has some."""
    rows = [f"{said}{' so' * (i % 5)} {i},{label}" for i in range(33) for said, label in (("good", 1), ("bad", 0))]
    for name, some in (("train", rows), ("validation", rows[:9]), ("test", rows[:3])):
        Path(f"{name}.csv").write_text("\n".join(["text,label", *some, ""]))
    data = ["data=csv", *(f"data.{name}={name}.csv" for name in ("train", "validation", "test"))]
    own = [*data, "batch_size=4", "model.wide=words", "trainer.devices=2", "run_dir=two"]
    done = program(*PROGRAM, *TINY, *own)
    assert done.returncode == 0, done.stderr
    scores, metrics = scored("two")
    assert metrics["steps"] == 9  # 66 training rows in 17 batches, 9 for each process
    assert sum(row["support"] for row in metrics["classes"].values()) == 3
    report = json.loads(Path("two/report.json").read_text())
    assert (report["rows"], report["intervals"]["units"]) == (3, 3)
    assert sum(part["rows"] for part in report["slices"]["length"].values()) == 3
    assert all(one["low"] <= one["value"] <= one["high"] for one in report["scores"].values())
    records = [json.loads(line) for line in Path("two/predictions.jsonl").read_text().splitlines()]
    assert [record["text"] for record in records] == [row.partition(",")[0] for row in rows[:3]]
    assert sum(record["label"] == record["target"] for record in records) / 3 == scores["test/accuracy"]


def test_torchrun_trains_a_language_model():
    Path("a.txt").write_text("the sun shines and the rain falls again\n" * 60)
    data = ["task=language_model", "data=text", "data.train=a.txt", "data.test=a.txt", "batch_size=4"]
    done = program(*TORCHRUN, *PROGRAM, *TINY, *data, "run_dir=two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "run folder: two"
    scores, _ = scored("two")
    report = json.loads(Path("two/report.json").read_text())
    parts = report["slices"]["length"].values()
    assert sum(part["rows"] for part in parts) == 60
    mean = sum(part["rows"] * part["scores"]["test/bits_per_byte"]["value"] for part in parts) / 60
    assert mean == pytest.approx(scores["test/bits_per_byte"])


def test_a_mistake_under_torchrun_is_told_once():
    done = program(*TORCHRUN, *PROGRAM, "data=csv", "data.train=none.csv", "run_dir=two")
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("gru-nlp:")]
    assert told == [f"gru-nlp: {Path('none.csv').absolute()}: no such file (set data.train=...)"]
    assert not Path("two").exists()
