"""How many threads a command takes, whatever the machine that the test runs on."""

import json
import os

import pytest
import torch
from torch import nn

import gru_nlp
from gru_nlp import threads
from gru_nlp.cli.main import main


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Give every test a machine of eight cores without limits, and torch its threads back."""
    before = torch.get_num_threads()
    monkeypatch.delenv(threads.SHELL, raising=False)
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    monkeypatch.setattr(threads, "quotas", lambda *_: iter(()))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    yield
    torch.set_num_threads(before)


def groups(root, lines, files):
    """Write a tree of control groups; return where it is mounted and the file that names a process's own."""
    for name, content in files.items():
        place = root / "mount" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    (root / "own").write_text(lines)
    return root / "mount", root / "own"


QUOTAS = threads.quotas


@pytest.mark.parametrize(
    ("lines", "files", "found"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n", "a/cpu.max": "max 100000\n"}, [1.5]),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "400000 100000\n"}, [4.0]),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, [0.5]),
        ("0::/gone\n", {"cpu.max": "50000 100000\n"}, [0.5]),
        (
            "4:memory:/m\n3:cpu,cpuacct:/d\n",
            {"cpu/d/cpu.cfs_quota_us": "300000", "cpu/d/cpu.cfs_period_us": "100000", "m/cpu.max": "1 1"},
            [3.0],
        ),
        ("3:cpu:/d\n", {"cpu/d/cpu.cfs_quota_us": "-1", "cpu/d/cpu.cfs_period_us": "100000"}, []),
        ("0::/\n", {"cpu.max": "nonsense"}, []),
        ("0::/\n", {"cpu.max": "1 0"}, []),
        ("0::/\n", {"cpu.max": ""}, []),
        ("nonsense\n", {"cpu.max": "nan 1"}, []),
        ("", {"cpu.max": "50000 100000"}, []),
    ],
)
def test_the_quota_of_a_container_is_read(lines, files, found, tmp_path):
    assert list(QUOTAS(*groups(tmp_path, lines, files))) == found


def test_groups_with_names_that_are_no_text_are_passed_over(tmp_path):
    (tmp_path / "own").write_bytes(b"0::/\xff\n")
    assert list(QUOTAS(tmp_path, tmp_path / "own")) == []


def test_a_machine_without_control_groups_has_no_quota(tmp_path):
    assert list(QUOTAS(tmp_path / "gone", tmp_path / "gone")) == []


@pytest.mark.parametrize(("quota", "cores"), [([], 8), ([0.5], 1), ([1.5, 4.0], 2), ([64.0], 8)])
def test_cores_are_those_that_the_process_may_use(quota, cores, monkeypatch):
    monkeypatch.setattr(threads, "quotas", lambda *_: iter(quota))
    assert threads.cores() == cores


@pytest.mark.parametrize(
    ("model", "paid"),
    [
        (nn.GRU(128, 128), 1),
        (nn.GRU(256, 256), 2),
        (nn.GRU(512, 512), 8),
        (nn.Embedding(100_000, 300), 1),
        (nn.Linear(4096, 4096).requires_grad_(False), 1),
        (nn.LayerNorm(10**6), 1),
        (nn.Module(), 1),
    ],
)
def test_a_model_pays_for_threads_by_its_largest_matrix(model, paid):
    assert threads.paid(model) == paid
    assert threads.set_threads("auto", model) == torch.get_num_threads() == paid


def test_processes_share_the_cores_and_keep_lightning_from_sharing_them_otherwise():
    assert threads.set_threads("auto", nn.GRU(512, 512), processes=4) == 2
    assert os.environ.pop(threads.SHELL) == "2"
    assert threads.set_threads("auto", nn.GRU(512, 512), processes=16) == 1
    assert os.environ.pop(threads.SHELL) == "1"


def test_a_number_wins_over_the_shell_and_the_shell_over_the_model(monkeypatch):
    torch.set_num_threads(3)
    monkeypatch.setenv(threads.SHELL, "3")  # torch has read it
    assert threads.set_threads("auto", nn.GRU(4, 4)) == 3
    assert threads.set_threads(2, nn.GRU(4, 4)) == 2


def test_tokenizers_start_a_thread_a_core_unless_the_shell_says_otherwise(monkeypatch):
    threads.limit_tokenizers()
    assert os.environ["RAYON_NUM_THREADS"] == "1"
    monkeypatch.delenv("RAYON_NUM_THREADS")
    threads.limit_tokenizers()
    assert os.environ["RAYON_NUM_THREADS"] == "8"


@pytest.mark.parametrize("value", ["0", "-1", "x", "2000", "1.5", "true", "[1]"])
def test_a_number_of_threads_that_cannot_be_is_one_line(value, capsys):
    assert main(["train", f"threads={value}"]) == 2
    said = {"true": "True"}.get(value, value)
    assert capsys.readouterr().err == f"gru-nlp: threads={said} must be auto, or a whole number from 1 to 1024\n"


def test_every_command_takes_its_threads_and_training_tells_them(tmp_path):
    quick = ("encoder.hidden_size=4", "embedding.size=4", "trainer.max_epochs=1", "logger=none")
    gru_nlp.train(*quick, "run_dir=run", "trainer.enable_progress_bar=false")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["machine"]["threads"] == 1
    for command in (
        ["train", "resume=run", "threads=3", "trainer.max_epochs=2"],
        ["evaluate", "checkpoint=run", "threads=3"],
        ["predict", "checkpoint=run", "threads=3", "--", "good"],
    ):
        torch.set_num_threads(1)
        assert main(command) == 0
        assert torch.get_num_threads() == 3
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["machine"]["threads"] == 3


def test_a_process_beside_others_keeps_to_its_share_and_takes_no_more_than_its_model_pays(monkeypatch):
    monkeypatch.setenv(threads.SHELL, "3")
    monkeypatch.setenv(threads.SHARE, "8")
    threads.keep_to_share()
    assert threads.SHELL not in os.environ
    assert threads.cores() == 3
    assert threads.set_threads("auto", nn.Linear(10, 10)) == 1
    assert threads.set_threads("auto", nn.Linear(1000, 1000)) == 3
    threads.keep_to_share()  # as a second job of the process does
    assert threads.cores() == 3
