"""How exactly matrices are multiplied in training, whatever the machine that the test runs on."""

import json
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp import precision
from gru_nlp.cli.main import main
from gru_nlp.training import run

QUICK = ("trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "logger=none",
         "trainer.enable_progress_bar=false", "model.wide=none")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("flags\t: fpu avx2 amx_bf16 amx_tile\n", True),
        ("flags\t: fpu avx512_bf16\n", True),
        ("model name: amx_bf16\nflags\t: avx512f\n", False),
        ("flags\t: fpu avx2\nother: amx_bf16\n", False),
        ("", False),
    ],
)
def test_a_processor_says_what_units_it_has(text, found):
    Path("cpuinfo").write_text(text)
    assert precision.has_units(Path("cpuinfo")) is found
    assert not precision.has_units(Path("nowhere"))


@pytest.mark.parametrize(
    ("units", "device", "chosen"), [(True, "cpu", "medium"), (False, "cpu", "highest"), (True, "cuda", "highest")]
)
def test_auto_takes_what_the_processor_says(units, device, chosen, monkeypatch):
    monkeypatch.setattr(precision, "has_units", lambda _: units)
    assert precision.choose_precision("auto", device) == chosen
    assert precision.choose_precision("high", device) == "high"


def test_a_precision_holds_inside_alone():
    before = torch.get_float32_matmul_precision()
    with precision.multiplying("medium"):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


def test_a_run_records_its_choice_and_a_resumed_one_keeps_it(monkeypatch):
    seen = []
    fit = run.fit
    monkeypatch.setattr(run, "fit", lambda *parts: (seen.append(torch.get_float32_matmul_precision()), fit(*parts)))
    monkeypatch.setattr(precision, "has_units", lambda _: True)
    gru_nlp.train("run_dir=run", *QUICK)
    assert json.loads(Path("run/metrics.json").read_text())["matmul_precision"] == "medium"
    monkeypatch.setattr(precision, "has_units", lambda _: False)
    gru_nlp.train("resume=run", "trainer.max_epochs=2")
    gru_nlp.train("run_dir=other", *QUICK)
    assert seen == ["medium", "medium", "highest"]
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("value", ["low", "3", "null", "[high]"])
def test_another_precision_is_one_line(value, capsys):
    assert main(["train", f"matmul_precision={value}", "run_dir=run"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("gru-nlp: ")
    assert "matmul_precision" in told
    assert not Path("run").exists()
