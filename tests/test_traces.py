"""Paths of a maker in a checkpoint, and the copy without them."""

import os
import zipfile
from pathlib import Path

import pytest
import torch

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor
from gru_nlp.traces import paths, without_paths

CSV = {
    **{"_target_": "gru_nlp.data.file_kinds.LabelledCorpus", "format": "csv", "dir": None, "validation": None},
    **{"files": None, "text": "text", "label": "label", "columns": None, "delimiter": "/", "encoding": "utf-8"},
    **{"label_names": {"0": "/home/label/kept"}, "label_cut": None, "skip_empty": False, "validation_share": 0.1},
    **{"split_seed": 1, "hub": None, "cache_dir": "/home/maker/cache"},
    **{"train": "/home/maker/secret/learn.csv", "test": "/home/maker/secret/held out.csv"},
}
FOUND = {
    "run_dir": "/home/maker/runs/first",
    "data.cache_dir": "/home/maker/cache",
    "data.train": "/home/maker/secret/learn.csv",
    "data.test": "/home/maker/secret/held out.csv",
    "embedding.vectors": "~/glove/words.txt",
    "logger.mlflow.tracking_uri": "sqlite:////home/maker/ml.db",
    "callbacks.own.folders.1": "C:\\Users\\maker\\x",
}


@pytest.fixture(scope="module")
def telling(trained, tmp_path_factory):
    """Return a checkpoint as training on files writes it, one with all that ``last.ckpt`` has."""
    content = torch.load(trained / "last.ckpt", weights_only=True)
    config = content["gru_nlp"]["config"]
    config["run_dir"] = "/home/maker/runs/first"
    config["data"] = CSV
    config["embedding"]["vectors"] = "~/glove/words.txt"
    config["logger"] = {"mlflow": {"_target_": "x.Y", "tracking_uri": "sqlite:////home/maker/ml.db"}}
    config["callbacks"] = {"own": {"folders": ["a/b", "C:\\Users\\maker\\x"], "site": "https://a.org/b/c"}}
    assert str(trained) in str(content["callbacks"])
    content["hyper_parameters"] = {"file": "/home/maker/hyper"}
    path = tmp_path_factory.mktemp("telling") / "telling.ckpt"
    torch.save(content, path)
    return path


def test_info_names_the_paths_of_the_maker(telling, capsys):
    assert main(["info", f"checkpoint={telling}"]) == 0
    told = capsys.readouterr()
    listed = told.out.partition("paths of its maker:\n")[2].splitlines()
    assert dict(line.strip().split("=", 1) for line in listed) == FOUND
    assert told.err == "output=<file> writes a copy without them\n"


def test_a_copy_answers_the_same_and_holds_no_trace_of_its_maker(telling, trained, capsys):
    assert main(["info", f"checkpoint={telling}", "output=copy.ckpt"]) == 0
    assert capsys.readouterr().out.endswith("\ncopy without them: copy.ckpt\n")
    assert [path.name for path in Path().iterdir()] == ["copy.ckpt"]
    content = b"".join(zipfile.ZipFile("copy.ckpt").read(name) for name in zipfile.ZipFile("copy.ckpt").namelist())
    for trace in (
        b"maker",
        b"secret",
        str(trained).encode(),
        trained.name.encode(),
        b"hyper_parameters",
        b"optimizer_",
    ):
        assert trace not in content
    before, after = checkpoint.load(telling), checkpoint.load("copy.ckpt")
    assert all(torch.equal(values, after.weights[name]) for name, values in before.weights.items())
    assert (before.preprocessing, before.scores) == (after.preprocessing, after.scores)
    texts = ["good food", "a slow, dull film"]
    assert Predictor.from_checkpoint("copy.ckpt")(texts) == Predictor.from_checkpoint(telling)(texts)
    assert after.config["data"]["label_names"] == {"0": "/home/label/kept"}
    assert after.config["data"]["delimiter"] == "/"
    assert main(["info", "checkpoint=copy.ckpt"]) == 0
    assert "paths of its maker: none\n" in capsys.readouterr().out


def test_evaluating_a_copy_names_the_file_to_give(telling, capsys):
    assert main(["info", f"checkpoint={telling}", "output=copy.ckpt"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "checkpoint=copy.ckpt"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "gru-nlp: copy.ckpt: held out.csv: no such file (set data.test=...)"
    Path("held out.csv").write_text("text/label\ngood food/positive\n")
    assert main(["evaluate", "checkpoint=copy.ckpt", "data.label_names=null"]) == 0


def test_a_folder_in_the_hubs_layout_is_no_name_of_the_hubs(telling):
    stored = checkpoint.load(telling)
    stored.config["data"] = {"path": "/home/maker/films", "hub_path": "maker/films"}
    assert without_paths(stored).config["data"] == {"path": "./films", "hub_path": "maker/films"}


def test_what_only_looks_a_little_like_a_path_is_none():
    assert paths({"data": {"text": "/text", "delimiter": "/", "label": "~"}, "x": ["a/b", "https://a.org/b/c"]}) == {}
    assert paths({"data": {"train": "/a.csv"}, "x": [["//share/a"], "~me/a"]}) == {
        "data.train": "/a.csv",
        "x.1": "~me/a",
    }


@pytest.mark.parametrize("way", ["itself", "link", "folder", "special", "nothing", "nowhere"])
def test_a_copy_takes_the_place_of_nothing_that_is_read_and_of_no_other_thing(way, telling, capsys):
    places = {"itself": telling, "special": os.devnull, "folder": telling.parent, "nothing": "", "nowhere": "no/x.ckpt"}
    Path("link").symlink_to(telling)
    before = telling.read_bytes()
    assert main(["info", f"checkpoint={telling}", f"output='{places.get(way, way)}'"]) == 2
    assert telling.read_bytes() == before
    assert "output=" in capsys.readouterr().err.splitlines()[-1]
    assert Path(os.devnull).is_char_device()
