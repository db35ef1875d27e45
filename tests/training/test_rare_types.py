"""Training where one type of entities is rare: its sentences read more often, the model chosen by all types alike."""

import csv
import json
import random
from pathlib import Path

import pytest

import gru_nlp

TINY = ["encoder.hidden_size=8", "embedding.size=6", "trainer.enable_progress_bar=false", "device=cpu", "logger=csv"]


def write(path, count, seed):
    """Write sentences of a word before a name: one in ten tells of a firm, the others of places."""
    draw = random.Random(seed)
    for _ in range(count):
        kind, before = ("ORG", "firm") if draw.random() < 0.1 else ("LOC", "in")
        name = draw.choice(["Selby", "Hull", "York", "Leeds"])
        with path.open("a", encoding="utf-8") as file:
            file.write(f"the O\n{before} O\n{name} B-{kind}\n. O\n\n")
    return path


def test_the_epoch_is_chosen_by_all_types_alike_and_rare_ones_are_read_more_often(tmp_path):
    files = [f"data.{name}={write(tmp_path / name, 60, seed)}" for seed, name in enumerate(("train", "validation"))]
    chosen = ["task.monitor=validation/macro_f1", "trainer.max_epochs=5", "patience=9", "batch_size=8"]
    options = ["task=ner", "data=conll", *files, *TINY, *chosen, "optimizer.lr=0.03"]
    run = gru_nlp.train(*options, "preprocessing.oversample=0.9", "run_dir=run")
    with Path("run/logs/sitting-1/metrics.csv").open(encoding="utf-8") as file:
        epochs = [row for row in csv.DictReader(file) if row["validation/macro_f1"]]
    best = max(float(row["validation/macro_f1"]) for row in epochs)
    assert run.scores["validation/macro_f1"] == pytest.approx(best)
    assert best == pytest.approx((run.scores["validation/f1_LOC"] + run.scores["validation/f1_ORG"]) / 2)
    gru_nlp.train(*options, "trainer.max_epochs=1", "run_dir=plain")
    steps, plain = (json.loads(Path(name, "metrics.json").read_text())["steps"] for name in ("run", "plain"))
    assert steps / 5 > plain == 8
