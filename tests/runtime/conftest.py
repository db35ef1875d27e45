"""A folder as ``gru-nlp export`` writes it, with a graph made by hand."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.runtime.folder import FORMAT
from gru_nlp.text.tokenizer import word

TEXTS, LABELS = ["a fine day", "rain again", "a lovely tune", "no rain"], ["good", "bad", "good", "bad"]


class Table:
    """Columns of rows, as ``fit`` reads them."""

    def __init__(self, **columns):
        self.columns = columns

    def iter(self, batch_size):
        yield self.columns


def graph(table, **changed):
    """Return a graph whose logits are the sum of a row of ``table`` a token; what is changed says so."""
    given = {"name": "inputs", "type": TensorProto.INT64, "rank": ["B", "T"], "gives": "logits", **changed}
    nodes = [
        helper.make_node("Gather", ["table", given["name"]], ["rows"]),
        helper.make_node("ReduceSum", ["rows", "steps"], [given["gives"]], keepdims=0),
    ]
    stored = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([len(given["rank"]) - 1]), "steps"),
    ]
    inputs = [helper.make_tensor_value_info(given["name"], given["type"], given["rank"])]
    outputs = [helper.make_tensor_value_info(given["gives"], TensorProto.FLOAT, [*given["rank"][:-1], table.shape[1]])]
    made = helper.make_graph(nodes, "model", inputs, outputs, stored)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.fixture
def exported(tmp_path):
    """Return a folder of a classifier, its preprocessor, the table of its graph, and what makes other graphs."""
    train = partial(word, vocabulary_size=50, min_frequency=1, lowercase=True, normalization="nfc")
    preprocessor = ClassificationPreprocessor(tokenizer=train, max_length=8, truncation="both")
    preprocessor.fit(Table(text=TEXTS, label=LABELS), Hints())
    folder = tmp_path / "exported"
    folder.mkdir()
    state = preprocessor.state_dict()
    (folder / "tokenizer.json").write_text(state.pop("tokenizer"), encoding="utf-8")
    (folder / "state.json").write_text(json.dumps(state))
    tokenizer = {"_target_": "gru_nlp.text.tokenizer.word", "_partial_": True, "vocabulary_size": 50}
    tokenizer |= {"min_frequency": 1, "lowercase": True, "normalization": "nfc"}
    config = {"_target_": "gru_nlp.preprocessing.classification.ClassificationPreprocessor", "tokenizer": tokenizer}
    record = {
        "format": FORMAT,
        "version": "0.1.0",
        "license": None,
        "precision": "float32",
        "made_for": "onnx",
        "runner": "label",
        "options": {"temperature": 0.5},
        "preprocessing": {**config, "max_length": 8, "truncation": "both"},
        "config": {"task": {"name": "classification"}},
        "scores": {"test/accuracy": 1.0},
        "scorer": "",
    }
    (folder / "export.json").write_text(json.dumps(record))
    size = preprocessor.tokenizer.vocabulary_size
    table = np.random.default_rng(1).normal(size=(size, 2)).astype(np.float32)
    table[0] = 0.0
    onnx.save(graph(table), folder / "model.onnx")
    return SimpleNamespace(path=folder, preprocessor=preprocessor, table=table, record=record, graph=graph)
