"""A sweep's jobs in other processes: Hydra's launchers, which are extras, and what comes back of what they run."""

import importlib.util
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from gru_nlp.cli import launching, quoting
from gru_nlp.cli.composing import explain
from gru_nlp.cli.main import main
from gru_nlp.cli.shell import Job
from gru_nlp.errors import UserError

SMALL = ["trainer.max_epochs=1", "encoder.hidden_size=8", "embedding.size=8", "logger=none", "data=csv"]
SMALL += ["data.train=a.csv", "trainer.enable_progress_bar=false"]


def has(plugin):
    try:
        return importlib.util.find_spec(f"hydra_plugins.{plugin}") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(not has("hydra_joblib_launcher"), reason="an extra")
def test_joblib_runs_jobs_side_by_side_and_a_mistake_ends_its_own_alone(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    Path("a.csv").write_text("text,label\n" + "".join(f"good fine {i},yes\nbad poor {i},no\n" for i in range(30)))
    options = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "batch_size=64,-3", "hydra.sweep.dir=sweep", *SMALL]
    done = subprocess.run([sys.executable, "-m", "gru_nlp", "train", "-m", *options], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert [line for line in done.stderr.splitlines() if "gru-nlp: " in line or "Traceback" in line] == [
        "gru-nlp: job 1: batch_size=-3 must be at least 1"
    ]
    head, row = done.stdout.splitlines()[-2:]
    assert head.split() == ["validation/accuracy", "folder"]
    assert row.endswith(str(Path("sweep/0").absolute()))
    assert sorted(path.parent.name for path in Path("sweep").glob("*/best.ckpt")) == ["0"]
    assert json.loads(Path("sweep/0/metrics.json").read_text())["machine"]["threads"] == 1  # what so small a model pays


@pytest.mark.parametrize(
    ("launcher", "package", "option"),
    [
        ("joblib", "hydra_joblib_launcher", "n_jobs=2"),
        ("submitit_local", "hydra_submitit_launcher", "timeout_min=9"),
        ("submitit_slurm", "hydra_submitit_launcher", "partition=long"),
        ("ray", "hydra_ray_launcher", "ray.remote.num_cpus=1"),
    ],
)
def test_a_launcher_and_its_options_reach_hydra(launcher, package, option, capsys):
    if not has(package):
        pytest.skip("an extra")
    options = [f"hydra/launcher={launcher}", f"{'+' if 'num' in option else ''}hydra.launcher.{option}"]
    assert main(["train", "--cfg", "hydra", "--package", "hydra.launcher", *options]) == 0
    composed = OmegaConf.create(capsys.readouterr().out)
    name, _, value = option.partition("=")
    assert str(OmegaConf.select(composed, name)) == value
    assert composed._target_.startswith(f"hydra_plugins.{package}.")


@pytest.mark.parametrize("option", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra/sweeper=optuna"])
def test_what_a_sweep_alone_heeds_is_refused_without_one(option):
    with pytest.raises(UserError, match=rf"{option} has no effect without -m"):
        quoting.check_sweep(["seed=1", option])
    for flag in ("-m", "--multirun", "--cfg", "hydra.mode=MULTIRUN"):
        quoting.check_sweep([flag, option])


def test_without_their_packages_the_way_to_launchers_is_told():
    told = explain(Exception("Could not find 'hydra/launcher/joblib'\nAvailable options in x:\n\tbasic"), "train")
    assert told.startswith("hydra/launcher=joblib is not known: choose from basic (joblib, ")
    assert told.endswith("need: pip install 'gru_nlp[scale]'; ray needs: pip install hydra-ray-launcher)")


class Elsewhere:
    """A launcher whose jobs run as pickled copies, with what the copies raise pickled on the way back."""

    def __init__(self, job, configs):
        self.job = pickle.dumps(job)
        self.configs = configs

    def launch(self, job_overrides, initial_job_idx):
        returned = []
        for config in self.configs:
            job = JobReturn()
            try:
                job.return_value, job.status = pickle.loads(self.job)(config), JobStatus.COMPLETED
            except Exception as error:
                job.return_value, job.status = pickle.loads(pickle.dumps(error)), JobStatus.FAILED
            returned.append(job)
        return returned


class Ending(Job):
    """A job that ends as its config says."""

    def run(self, config):
        if isinstance(config, Exception):
            raise config
        return config


def test_what_jobs_elsewhere_return_and_raise_comes_back(capsys):
    job, returned, codes = Ending("train", None, sys.argv), [], []
    ends = [0.5, UserError("a.csv: no such file"), MemoryError(), KeyError("a bug")]
    launching.Collecting(Elsewhere(job, ends), returned, codes).launch([[]] * 4, 3)
    assert codes == [2, 2]
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "gru-nlp: job 4: a.csv: no such file"
    assert told[1].startswith("gru-nlp: job 5: out of memory")
    assert [launching.is_scored(one) for one in returned] == [True, False, False, False]
    assert returned[0].return_value == 0.5
    assert returned[1].return_value is None
    with pytest.raises(KeyError) as raised:  # a bug ends the sweep, and tells where it was
        _ = returned[3].return_value
    assert "in run\n" in raised.value.__notes__[0]


def test_a_sweeper_that_no_score_reached_ends_quietly_once_mistakes_were_told():
    with launching.collected([2]):
        raise ValueError("No trials are completed yet.")
    with pytest.raises(ValueError, match="a bug"), launching.collected([]):
        raise ValueError("a bug")
