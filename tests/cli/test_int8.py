"""``precision=int8``: a checkpoint answers by graphs in 8 bits, which are made once and kept in the cache."""

import os
import sys
from pathlib import Path

import pytest
import torch

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.data import cache
from gru_nlp.export import cached, exporting, folder
from gru_nlp.predictor import Predictor
from gru_nlp.runtime import Runner

TEXTS = ["a great cast", "far too slow", "Ünïcode \U0001f600 and more of it"]


@pytest.fixture(scope="module")
def exported(trained):
    return exporting.rounded(trained / "best.ckpt", [])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the folder of a cache of the test's own."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub" / "gru_nlp"


@pytest.fixture
def quick(exported, monkeypatch):
    """Let the checkpoint's graphs be those that were made before; return the files that they were made of."""
    asked = []
    monkeypatch.setattr(exporting, "rounded", lambda file, trusted: asked.append(file) or exported)
    return asked


def predict(capsys, run, *options):
    capsys.readouterr()
    assert main(["predict", f"checkpoint={run}", "precision=int8", "format=jsonl", *options, "--", TEXTS[0]]) == 0
    return capsys.readouterr()


def test_graphs_are_made_once_told_shown_and_cleared(trained, home, capsys, monkeypatch):
    first = predict(capsys, trained)
    told = f"{trained / 'best.ckpt'}: its graphs in 8 bits are made, once: gru-nlp cache shows and clears them\n"
    assert first.err == told
    monkeypatch.setattr(exporting, "rounded", None)
    again = predict(capsys, trained / "best.ckpt")
    assert (again.out, again.err) == (first.out, "")
    (kept,) = cache.tables(home)
    runner, model = Runner(kept.path), Predictor.from_checkpoint(trained)
    assert runner.folder.precision == "int8"
    for mine, theirs in zip(runner(TEXTS), model(TEXTS), strict=True):
        assert mine["label"] == theirs["label"]
        assert mine["score"] == pytest.approx(theirs["score"], abs=0.02)
    assert first.out == f'{{"label": "positive", "score": {runner(TEXTS[0])["score"]}, "text": "a great cast"}}\n'
    assert main(["cache"]) == 0
    assert "tables: 0\ngraphs: 1\n" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"removed: 0 tables and 1 graphs, {kept.size / 1e6:.1f} MB\n"
    assert os.listdir(home / "graphs") == []


@pytest.mark.parametrize("name", ["export.json", "state.json", "model.onnx"])
def test_a_broken_folder_in_the_cache_is_made_anew(trained, quick, home, capsys, name):
    first = predict(capsys, trained)
    (kept,) = cache.tables(home)
    (kept.path / name).write_bytes(b"{")
    again = predict(capsys, trained)
    assert again.out == first.out
    assert len(again.err.splitlines()) == 2
    assert again.err.startswith(f"{kept.path}/{name}: ")
    assert ": these graphs are made anew\n" in again.err
    assert predict(capsys, trained).err == ""
    assert len(cache.tables(home)) == 1
    assert main(["predict", f"checkpoint={trained}", "precision=int8", "threads=9999", "--", "x"]) == 2
    assert kept.path.is_dir()
    assert len(quick) == 2


def test_another_content_or_trust_is_another_folder(trained, quick, home, capsys):
    predict(capsys, trained)
    content = torch.load(trained / "best.ckpt", weights_only=True)
    content["state_dict"]["model.output.bias"][0] += 1.0
    torch.save(content, "best.ckpt")
    predict(capsys, "best.ckpt")
    predict(capsys, "best.ckpt", "trust=[torch]")
    predict(capsys, "best.ckpt")
    assert quick == [trained / "best.ckpt", Path("best.ckpt"), Path("best.ckpt")]
    assert len(cache.tables(home)) == 3


def test_what_is_in_use_stays_and_what_a_killed_process_left_goes(trained, quick, home, capsys):
    runner = cached.runner(str(trained), "int8", [], 1)
    left = home / "graphs" / f".{'a' * 32}.int8.123.part"
    foreign = home / "graphs" / f"{'b' * 32}.int8"
    for place in (left, foreign):
        place.mkdir()
        (place / "model.onnx").write_bytes(b"half of it")
    (foreign / "mine").write_text("")
    assert main(["cache", "clear"]) == 0
    told = capsys.readouterr()
    assert told.out == "removed: 0 tables and 1 graphs, 0.0 MB\n"
    assert "0 tables and 2 graphs stay" in told.err
    assert not left.exists()
    assert [path.name for path in home.rglob("mine")] == ["mine"]
    assert runner(TEXTS[0])["label"] == "positive"
    assert Runner(runner.folder.path)(TEXTS) == runner(TEXTS)


def test_graphs_that_another_process_made_meanwhile_answer(trained, exported, home, capsys, monkeypatch):
    def made(file, trusted):
        folder.write(cache.graphs_place(home, cached.key_of(file, trusted)), exported)
        return exported

    monkeypatch.setattr(exporting, "rounded", made)
    assert predict(capsys, trained).err.count("\n") == 1
    assert len(cache.tables(home)) == 1


def test_a_cache_that_cannot_be_written_is_told(trained, quick, capsys, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", "/dev/null/cache")
    told = predict(capsys, trained)
    assert '"label": "positive"' in told.out
    assert "cannot be written" in told.err
    assert "until the program ends" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["predict", "device=cuda"], "device=cuda: precision=int8 answers on the processor: leave device out"),
        (["predict", "precision=int4"], "precision=int4 is not known: choose from float32, int8"),
        (["predict", "checkpoint=gone"], "gone: no such checkpoint"),
        (["translate", "ensemble=[a.ckpt]"], "and precision=int8 is one model's graphs: leave it out"),
        (["translate"], "no translator: use predict"),
        (["generate"], "no language model"),
        (["serve", "device=cuda"], "device=cuda: precision=int8 answers on the processor: leave device out"),
    ],
)
def test_what_8_bits_do_not_do_is_told(trained, quick, home, capsys, monkeypatch, arguments, told):
    pytest.importorskip("fastapi", reason="the extra serve")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    command, *options = arguments
    given = {"checkpoint": str(trained), "precision": "int8", **dict(option.split("=", 1) for option in options)}
    text = [] if command == "serve" else ["--", "a text"]
    assert main([command, *(f"{name}={value}" for name, value in given.items()), *text]) == 2
    error = capsys.readouterr().err.splitlines()
    assert told in error[-1]
    assert [line for line in error[:-1] if "in 8 bits are made" not in line] == []


def test_what_is_not_installed_is_named(trained, home, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert main(["predict", f"checkpoint={trained}", "precision=int8", "--", "a text"]) == 2
    assert capsys.readouterr().err == "gru-nlp: export needs onnxscript: pip install 'gru_nlp[export]'\n"


def test_a_folder_in_another_precision_is_told(exported, capsys):
    folder.write(Path("small"), exported)
    assert main(["predict", "checkpoint=small", "precision=float32", "--", "a text"]) == 2
    assert "precision=float32: small was exported in int8: leave it out" in capsys.readouterr().err
    assert main(["predict", "checkpoint=small", "precision=int8", "--", "a text"]) == 0


def test_a_checkpoint_whose_data_are_gone_is_exported_unscored(trained, exported, capsys, monkeypatch):
    content = torch.load(trained / "best.ckpt", weights_only=True)
    stored = content[checkpoint.KEY]["config"]["data"]
    gone = {"_target_": "gru_nlp.data.file_kinds.LabelledCorpus", "format": "csv", "dir": None, "files": None}
    gone |= {"text": "text", "label": "label", "columns": None, "delimiter": ",", "encoding": "utf-8", "hub": None}
    gone |= {"label_names": None, "label_cut": None, "skip_empty": False, "validation_share": 0.1, "split_seed": 1}
    stored.clear()
    stored.update({**gone, "train": "gone.csv", "validation": None, "test": "gone.csv", "cache_dir": None})
    torch.save(content, "best.ckpt")
    graphs = {name: data for name, data in exported.files.items() if name.endswith(".onnx")}
    monkeypatch.setitem(exporting.MAKERS, "onnx", lambda model: (graphs, 0.0))
    monkeypatch.setattr(exporting.graphs, "rounded_files", lambda model, files: (files, 0.0))
    capsys.readouterr()
    assert main(["export", "checkpoint=best.ckpt", "output=small", "precision=int8"]) == 0
    told = capsys.readouterr()
    assert "scores before and after are not known: " in told.err
    assert "gone.csv" in told.err
    assert "before" not in told.out
    assert Runner("small").folder.options["temperature"] == checkpoint.load("best.ckpt").temperature
    assert "in 8 bits" not in Path("small/README.md").read_text()


def test_the_cache_lies_where_datasets_says(monkeypatch):
    import datasets

    assert cache.parent() == datasets.config.HF_DATASETS_CACHE
    monkeypatch.setenv("HF_HOME", "home")
    monkeypatch.delenv("HF_DATASETS_CACHE", raising=False)
    assert cache.parent() == Path("home/datasets")
