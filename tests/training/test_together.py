"""Who started the processes of a run, and which options that decides."""

import pytest

from gru_nlp.errors import UserError
from gru_nlp.processes.company import Place
from gru_nlp.training import together

GIVEN = {"devices": "auto", "num_nodes": 1, "strategy": "auto", "precision": "32-true"}
TORCHRUN = {"RANK": "5", "WORLD_SIZE": "6", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "a"}
SLURM = {"SLURM_PROCID": "5", "SLURM_NTASKS": "6", "SLURM_LOCALID": "1", "SLURM_NTASKS_PER_NODE": "2(x3)"}
SLURM |= {"SLURM_JOB_ID": "123456", "SLURM_NODEID": "2", "SLURM_NODELIST": "node[7-9]", "SLURM_JOB_NAME": "train"}


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch):
    for name in (*TORCHRUN, *SLURM, "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE"):
        monkeypatch.setenv(name, "")  # so that what Lightning sets goes again
        monkeypatch.delenv(name)


def launched(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return together.launched()


def test_a_process_is_alone_where_nobody_started_it():
    assert together.launched() is None
    assert together.options(GIVEN, None) == GIVEN


def test_torchrun_says_where_a_process_stands(monkeypatch):
    own = {**TORCHRUN, "MASTER_PORT": "9", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    assert launched(monkeypatch, own) == Place(5, 6, 1, 2, "a", 9, hosted=True)


def test_slurm_says_where_a_process_stands(monkeypatch):
    assert launched(monkeypatch, SLURM) == Place(5, 6, 1, 2, "node7", 15000 + 3456, hosted=False)


def test_a_job_of_slurm_that_lightning_cannot_read_is_refused(monkeypatch):
    with pytest.raises(UserError, match="ntasks-per-node"):
        launched(monkeypatch, {name: value for name, value in SLURM.items() if name != "SLURM_NTASKS_PER_NODE"})


def test_a_trainer_has_what_was_started():
    place = Place(5, 6, 1, 2, "a", 9, hosted=True)
    found = together.options(GIVEN, place)
    assert found == {**GIVEN, "devices": 2, "num_nodes": 3, "strategy": "ddp"}
    assert together.options({**GIVEN, "devices": "2", "num_nodes": 3, "strategy": "fsdp"}, place)["strategy"] == "fsdp"
    for option, number, told in (("devices", 1, 2), ("num_nodes", 2, 3)):
        with pytest.raises(UserError, match=rf"^trainer\.{option}={number}, but there are {told}, "):
            together.options({**GIVEN, option: number}, place)
    assert together.options(GIVEN, Place(0, 1, 0, 1, "a", 9, hosted=True)) == GIVEN
