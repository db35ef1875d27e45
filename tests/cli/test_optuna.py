"""Hydra's Optuna sweeper, an extra, searches by the score that a job returns."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gru_nlp.cli.composing import explain

SMALL = ["trainer.max_epochs=2", "encoder.hidden_size=8", "embedding.size=8", "logger=none", "data=csv"]
SMALL.append("model.wide=none")  # whose weights no rate bears on


@pytest.fixture
def own_csv():
    rows = "".join(f"good fine {i % 7},yes\nbad poor {i % 7},no\n" for i in range(60))
    Path("a.csv").write_text("text,label\n" + rows)
    return "data.train=a.csv"


def test_optuna_finds_the_better_of_two_rates(own_csv):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    sweep = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1"]
    sweep += ["hydra.sweeper.direction=maximize", "hydra.sweeper.sampler.seed=1"]
    options = [*sweep, "optimizer.lr=choice(0.0000001,0.02)", own_csv, *SMALL]
    # A process of its own: importing Optuna 2 warns, which is an error in this one.
    command = [sys.executable, "-m", "gru_nlp", "train", "-m", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = Path("runs").glob("multirun-*/optimization_results.yaml")
    results = yaml.safe_load(found.read_text())
    assert results["best_params"] == {"optimizer.lr": 0.02}
    assert results["best_value"] > 0.9
    table = done.stdout.splitlines()[-5:]
    assert table[0].split()[:2] == ["validation/accuracy", "folder"]
    assert table[1].startswith("optimizer.lr=0.02 ")
    assert table[-1].startswith("optimizer.lr=1e-07 ")


def test_without_its_package_the_way_to_it_is_told():
    told = explain(Exception("Could not find 'hydra/sweeper/optuna'\nAvailable options in x:\n\tbasic"), "train")
    assert told == "hydra/sweeper=optuna is not known: choose from basic (optuna needs: pip install 'gru_nlp[optuna]')"
