"""``gru-nlp export``: the folder, how it is used, and what is refused."""

import errno
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.export import exporting, graphs, web
from gru_nlp.export import folder as folder_module
from gru_nlp.predictor import Predictor
from gru_nlp.runtime import Runner
from gru_nlp.runtime.folder import FORMAT

FILES = ["README.md", "export.json", "labels.json", "requirements.txt", "state.json", "tokenizer.json"]
TEXTS = ["a great cast", "far too slow", "", "Ünïcode \U0001f600 and more of it than the others have"]


def contents(folder):
    """Yield the bytes of each file, those inside archives too."""
    for path in folder.iterdir():
        yield path.read_bytes()
        if path.suffix == ".pt2":
            archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
            yield from map(archive.read, archive.namelist())


def code_of(readme):
    return re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    place = tmp_path_factory.mktemp("exports") / "one folder"
    assert main(["export", f"checkpoint={trained}", f"output={place}", "license=My own: 1"]) == 0
    return place


def test_a_folder_holds_all_that_is_known_and_no_trace_of_its_maker(trained, folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "model.onnx"])
    record = json.loads((folder / "export.json").read_text())
    stored = checkpoint.load(trained)
    assert (record["format"], record["runner"], record["precision"]) == (FORMAT, "label", "float32")
    assert (record["license"], record["scores"], record["difference"] < 1e-5) == ("My own: 1", stored.scores, True)
    assert json.loads((folder / "labels.json").read_text()) == ["negative", "positive"]
    for content in contents(folder):
        for trace in (str(trained), trained.name, "/gru_nlp/", str(Path(sys.prefix))):
            assert trace.encode() not in content


def test_a_folder_answers_as_the_checkpoint_does(trained, folder):
    wanted, found = (who(TEXTS) for who in (Predictor.from_checkpoint(trained), Runner(folder)))
    for mine, theirs in zip(wanted, found, strict=True):
        assert mine["label"] == theirs["label"]
        assert mine["score"] == theirs["score"] or abs(mine["score"] - theirs["score"]) < 1e-5


def test_the_readmes_code_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    readme = Path("README.md").read_text()
    assert readme.startswith('---\nlibrary_name: gru_nlp\nlicense: "My own: 1"\n---\n')
    names = {}
    exec(code_of(readme), names)
    assert names["runner"]("a great cast")["label"] == "positive"


def test_a_program_of_torch_answers_as_the_model_does(trained, monkeypatch, capsys):
    assert main(["export", f"checkpoint={trained}", "output=programs", "format=torch"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("programs/model.pt2: ")
    assert re.search(r"MB in all; at most \d\.\de-\d\d away from torch\n$", told)
    for content in contents(Path("programs")):
        assert b"/gru_nlp/" not in content
    monkeypatch.chdir("programs")
    readme = Path("README.md").read_text()
    assert "Licence: none is given" in readme
    names = {}
    exec(code_of(readme), names)
    logits = names["model"](*(part for part in names["batch"] if part is not None))
    temperature = json.loads(Path("export.json").read_text())["options"]["temperature"]
    record = Predictor.from_checkpoint(trained)("a text")
    assert float((logits / temperature).softmax(dim=1).max()) == pytest.approx(record["score"], abs=1e-5)


def test_a_page_is_a_folder_with_more_files(trained, monkeypatch):
    monkeypatch.setitem(exporting.MAKERS, "web", lambda model: ({"model.onnx": b"graph"}, 0.0))
    Path("dist").mkdir()
    for name in web.RUNTIME:
        Path("dist", name).write_bytes(b"of npm")
    assert main(["export", f"checkpoint={trained}", "output=page", "format=web", "web_runtime=dist"]) == 0
    names = {path.name for path in Path("page").iterdir()}
    assert names > {*FILES, *web.RUNTIME, web.LICENSE, "model.onnx", "page.json", "index.html", "app.js"}
    assert json.loads(Path("page/page.json").read_text())["reader"] == "LabelReader"
    assert "python -m http.server" in Path("page/README.md").read_text()


def test_a_model_in_8_bits_is_small_and_scored_before_and_after(trained, folder, capsys):
    assert main(["export", f"checkpoint={trained}", "output=small", "precision=int8"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^test/accuracy: 0\.99\d\d before, 0\.99\d\d in 8 bits$", told, re.MULTILINE)
    assert re.search(r"^\d+\.\d\d ms in float32 and \d+\.\d\d ms in int8, a short text$", told, re.MULTILINE)
    record = json.loads(Path("small/export.json").read_text())
    assert record["precision"] == "int8"
    compared, scores = record["compared"], record["scores"]
    assert compared["before"]["test/accuracy"] == pytest.approx(scores["test/accuracy"])
    assert compared["after"]["test/accuracy"] == pytest.approx(scores["test/accuracy"], abs=0.003)
    assert Path("small/model.onnx").stat().st_size < 0.35 * (folder / "model.onnx").stat().st_size
    assert "- test/accuracy, in 8 bits: 0.99" in Path("small/README.md").read_text()
    for mine, theirs in zip(Runner(folder)(TEXTS), Runner("small")(TEXTS), strict=True):
        assert mine["label"] == theirs["label"]


MISTAKES = {
    "data=csv": "data=... is for precision=int8, which is scored: leave it out",
    "checkpoint=[a,b]": "one model is exported at a time, and no ensemble: set checkpoint=<run>",
    "format=onxn": "format=onxn is not known: choose from onnx, torch, web; did you mean 'onnx'?",
    "format=web": "format=web needs onnxruntime-web: run npm install onnxruntime-web, set web_runtime=node_modules/",
    "license=3": "license=3 must be text",
    "precision=int4": "precision=int4 is not known",
    "output=full": "output=full: there is something already: set output=<a new folder>",
    "output=full/file": "output=full/file: there is something already: set output=<a new folder>",
    "output=full/file/more": "output=full/file/more: cannot be written",
    "web_runtime=full": "web_runtime is for format=web: leave it out",
}


@pytest.mark.parametrize("option", MISTAKES)
def test_a_mistake_is_told_in_a_line(option, trained, capsys):
    Path("full").mkdir()
    Path("full/file").write_text("")
    given = {"checkpoint": str(trained), "output": "new", **dict([option.split("=")])}
    assert main(["export", *(f"{name}={value}" for name, value in given.items())]) == 2
    told = capsys.readouterr().err
    assert told.startswith("gru-nlp: ")
    assert MISTAKES[option] in told
    assert told.count("\n") == 1
    assert os.listdir() == ["full"]


def test_what_is_not_installed_is_named(trained, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert main(["export", f"checkpoint={trained}", "output=new"]) == 2
    assert "export needs onnxscript: pip install 'gru_nlp[export]'" in capsys.readouterr().err


def test_nothing_is_left_of_a_folder_that_does_not_fit(trained, monkeypatch, capsys):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_module, "_synced", full)
    assert main(["export", f"checkpoint={trained}", "output=new/deep/one"]) == 2
    assert "output=new/deep/one: cannot be written: No space left" in capsys.readouterr().err
    assert os.listdir() == []


def test_nothing_is_left_of_a_graph_that_is_not_right(trained, monkeypatch, capsys):
    monkeypatch.setattr(graphs, "to_onnx", lambda graph: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        main(["export", f"checkpoint={trained}", "output=new"])
    assert os.listdir() == []
