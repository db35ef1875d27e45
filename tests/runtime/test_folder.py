"""Exported folders: answers without torch, and what is refused of a stranger's."""

import json
import pickle
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gru_nlp.errors import UserError
from gru_nlp.runtime import Generator, Runner
from gru_nlp.runtime import runner as module
from gru_nlp.runtime.folder import is_exported
from gru_nlp.runtime.onnx_file import is_alone

#: Refuses what an exported folder must not need, imports all of the runtime, and answers.
PROGRAM = """
import importlib, json, pkgutil, sys

class Absent:
    NAMES = ("torch", "lightning", "hydra", "omegaconf", "yaml", "datasets", "pyarrow", "pandas", "sacrebleu", "onnx")

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.NAMES:
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Absent())
import gru_nlp.runtime as package

for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")
runner = package.Runner(sys.argv[1])
found = [name for name in Absent.NAMES if name in sys.modules]
print(json.dumps([runner(["a fine day", "", "rain"], top_k=2), runner.folder.scores, found]))
"""


def test_a_folder_answers_where_there_is_no_torch(exported):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(exported.path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    records, scores, found = json.loads(done.stdout)
    assert found == []
    assert scores == {"test/accuracy": 1.0}
    assert records == Runner(exported.path)(["a fine day", "", "rain"], top_k=2)
    assert records[1] == {"label": None, "score": None}


def test_the_records_are_those_of_the_graph(exported):
    runner = Runner(exported.path, threads=2)
    texts = ["a fine day", "no rain again " * 9, "unheard of"]
    for text, record in zip(texts, runner(texts), strict=True):
        ids = exported.preprocessor.encode({"text": [text]})["ids"][0]
        shares = np.exp(2.0 * exported.table[ids].sum(axis=0))
        shares /= shares.sum()
        assert record["score"] == pytest.approx(float(shares.max()), rel=1e-5)
        assert record["label"] == ["bad", "good"][int(shares.argmax())]
    assert runner.truncated == 1
    assert runner("a fine day", abstain_below=1.0)["label"] is None
    assert runner.abstained == 1
    assert pickle.loads(pickle.dumps(runner))(texts) == runner(texts)
    assert is_exported(exported.path)
    assert not is_exported(exported.path / "model.onnx")


def test_a_classifier_neither_continues_nor_aligns(exported):
    runner = Runner(exported.path)
    with pytest.raises(UserError, match="no language model"):
        Generator(runner)
    with pytest.raises(UserError, match="alignments need"):
        runner.align("a", "b")


TARGET = "gru_nlp.preprocessing.classification.ClassificationPreprocessor"
ALTERED = [
    ({"format": 1}, "export.json: format 1 of exported folders"),
    ({"made_for": "torch"}, "made for torch, which alone runs it: export with format=onnx"),
    ({"scores": {"a": "b"}}, "export.json: a record that is broken: see its scores"),
    ({"options": [], "precision": "int4"}, "export.json: a record that is broken: see its options"),
    ({"runner": "labls"}, "export.json: runner=labls is not known: .*did you mean 'labels'"),
    ({"runner": "text"}, "export.json: no language model"),
    ({"runner": "la\nbel"}, "export.json: runner=la bel is not known"),
    ({"format": "x" * 1000}, "export.json: format x{20} ... of exported folders"),
    ({"runner": "tags"}, "export.json: its preprocessing is not one of a runner 'tags'"),
    ({"options": {"temperature": 0.0}}, "export.json: see its 'temperature'"),
    ({"preprocessing.max_length": 0}, r"export.json: preprocessing.max_length=0 must be at least 1"),
    ({"preprocessing.max_length": "8"}, "export.json: .*max_length=8 must be a whole number"),
    ({"preprocessing.more": 1}, "export.json: .* takes no option 'more'"),
    ({"preprocessing.truncation": "none"}, "export.json: preprocessing.truncation=none is not known"),
    ({"preprocessing._target_": "gru_nlp.training.run.Run"}, "export.json: wants to build"),
    ({"preprocessing._target_": "gru_nlp.preprocessing.classification.TextTokenizer"}, "export.json: .*no class"),
    ({"preprocessing._target_": "gru_nlp.preprocessing.base.Preprocessor"}, "export.json: "),
    ({"preprocessing.tokenizer": {"_target_": "os.system", "_partial_": True}}, "export.json: wants to build"),
    ({"preprocessing.tokenizer": {"_target_": f"{TARGET}.x.y"}}, "export.json: .*no class"),
    ({"preprocessing.tokenizer": 3}, "export.json: .*tokenizer"),
]


@pytest.mark.parametrize(("changes", "message"), ALTERED)
def test_an_altered_record_is_told_in_one_line(exported, changes, message):
    record = exported.record
    for name, value in changes.items():
        part, _, last = name.rpartition(".")
        (record[part] if part else record)[last] = value
    (exported.path / "export.json").write_text(json.dumps(record))
    refused(exported, message)


def refused(exported, message):
    with pytest.raises(UserError, match=message) as caught:
        Runner(exported.path)
    assert "\n" not in str(caught.value)
    assert str(exported.path) in str(caught.value)


BROKEN = [
    ("export.json", b"[" * 100_000, "export.json: no JSON"),
    ("export.json", b"[]", "export.json: JSON, but no object"),
    ("export.json", b'{"format": 1e999}', "export.json: no JSON"),
    ("export.json", b'{"format": NaN}', "export.json: no JSON"),
    ("export.json", b'{"format": "\xff"}', "export.json: no UTF-8"),
    ("export.json", rb'{"format": "\uD800"}', "export.json: no JSON"),
    ("export.json", b"[" + b"0," * 4_000_001, "export.json: holds more values"),
    ("state.json", None, "state.json: no such file"),
    ("state.json", b"{}", "state.json or tokenizer.json: .*labels"),
    ("state.json", b'{"labels": ["bad", "bad"]}', "state.json or tokenizer.json: .*labels"),
    ("state.json", b'{"labels": ["bad", "good", "odd"]}', r"model.onnx: gives 'logits' of shape \[1, 2\]"),
    ("tokenizer.json", None, "tokenizer.json: no such file"),
    ("tokenizer.json", b"{}", "tokenizer.json: .*a tokenizer whose JSON"),
    ("model.onnx", None, "model.onnx: no such file"),
    ("model.onnx", b"", "model.onnx: no file of ONNX"),
    ("model.onnx", b"\x08\x0a", "model.onnx: no graph that onnxruntime"),
    ("model.onnx", b"\x3a\x80\x89\x7a" + bytes((10, 0)) * 1_000_000, "model.onnx: no file of ONNX"),
    ("model.onnx", b"\x18\x00\x00\x00ORTM" + bytes(64), "model.onnx: no file of ONNX"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN)
def test_a_broken_file_is_told_in_one_line(exported, name, content, message):
    place = exported.path / name
    place.unlink() if content is None else place.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        Runner(exported.path)("a fine day")
    assert "\n" not in str(caught.value)


def test_no_file_is_read_that_is_too_large_or_no_file(exported, monkeypatch):
    monkeypatch.setattr("gru_nlp.runtime.folder.MOST_BYTES", 100)
    refused(exported, "export.json: more than 100 bytes")
    monkeypatch.undo()
    (exported.path / "state.json").unlink()
    (exported.path / "state.json").symlink_to("/dev/zero")
    refused(exported, "state.json: no such file")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "input"}, "a graph of another kind than export.json says: see its input"),
        ({"gives": "scores"}, "see its logits"),
        ({"type": TensorProto.INT32}, "see its inputs"),
        ({"rank": ["B"]}, "see its inputs, logits"),
    ],
)
def test_a_graph_of_another_kind_is_told(exported, changed, message):
    onnx.save(exported.graph(exported.table, **changed), exported.path / "model.onnx")
    refused(exported, message)


def test_a_place_that_cannot_be_looked_at_is_told():
    for place in ("a" * 300, "\0"):
        assert not is_exported(place)
        with pytest.raises(UserError, match="no such folder"):
            Runner(place)


def test_memory_that_there_is_not_is_told_without_the_place_in_another_source(exported):
    model = exported.graph(exported.table)
    size = numpy_helper.from_array(np.array([1 << 60]), "size")
    model.graph.initializer.append(size)
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["size"], ["huge"]))
    model.graph.node.append(helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0))
    model.graph.node[-2].output[0] = "before"
    model.graph.node.append(helper.make_node("Add", ["before", "sum"], ["logits"]))
    onnx.save(model, exported.path / "model.onnx")
    with pytest.raises(UserError, match="model.onnx: does not run: [^/]*$"):
        Runner(exported.path)("a fine day")


def test_what_a_graph_gives_is_looked_at(exported):
    onnx.save(exported.graph(np.full_like(exported.table, np.nan)), exported.path / "model.onnx")
    with pytest.raises(UserError, match="model.onnx: gives 'logits' with values that are no numbers"):
        Runner(exported.path)("a fine day")
    onnx.save(exported.graph(exported.table[:3]), exported.path / "model.onnx")
    with pytest.raises(UserError, match="model.onnx: does not run: .*out of") as caught:
        Runner(exported.path)("a fine day")
    assert "\n" not in str(caught.value)


def test_a_graph_opens_no_other_file(exported):
    made = exported.graph(exported.table)
    assert is_alone(made.SerializeToString())
    onnx.save(made, exported.path / "model.onnx", save_as_external_data=True, location="weights", size_threshold=0)
    assert (exported.path / "weights").is_file()
    refused(exported, "model.onnx: no file of ONNX, or one that names other files")
    hidden = made.graph.initializer[0]
    hidden.ClearField("raw_data")
    hidden.data_location = TensorProto.EXTERNAL
    hidden.external_data.add(key="location", value="/etc/passwd")
    inner = helper.make_graph([helper.make_node("Constant", [], ["x"], value=hidden)], "then", [], [])
    for attribute in ("then_branch", "else_branch"):
        node = helper.make_node("If", ["a"], ["b"], **{attribute: inner})
        model = helper.make_model(helper.make_graph([node], "model", [], []))
        assert not is_alone(model.SerializeToString())
        model.graph.node[0].attribute[0].g.node[0].attribute[0].t.ClearField("external_data")
        assert not is_alone(model.SerializeToString())
    assert not is_alone(b"\xba\x80\x80\x80\x10" + bytes(60))  # whose lower half might be read as another field


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, 5000])
def test_threads_are_a_number(exported, threads):
    with pytest.raises(UserError, match=f"threads={threads} must be a whole number from 1 to"):
        Runner(exported.path, threads=threads)


def test_a_folder_that_is_none():
    with pytest.raises(UserError, match="nowhere: no such folder"):
        Runner("nowhere")


def test_every_kind_is_known():
    assert list(module.KINDS) == ["label", "labels", "tags", "translation", "text", "speech"]
