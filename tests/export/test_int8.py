"""Graphs with their weights in 8 bits, made by hand: what becomes of each use of weights."""

from collections import Counter
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper, parser

from gru_nlp.export import graphs, int8
from gru_nlp.models.graphs import Sizes
from gru_nlp.models.language_model import LanguageModel
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU

HEAD = '<ir_version: 10, opset_import: ["" : 18]>'
#: A table that is looked up and multiplied, recurrent weights, a matrix with a bias, and a narrow table.
TEXT = """
all (int64[B, T] ids, float[B, D] given)
=> (float[B, H] last, float[B, R] read, float[B, V] logits, float[B, T, K] wide)
{
  embedded = Gather <axis = 0> (table, ids)
  steps = Transpose <perm = [1, 0, 2]> (embedded)
  states, final = GRU <hidden_size = 24, linear_before_reset = 1> (steps, of_inputs, of_states, biases)
  first = Constant <value_ints = [0]> ()
  last = Squeeze (final, first)
  read = Gemm <transB = 1> (last, matrix, bias)
  turned = Transpose <perm = [1, 0]> (table)
  logits = MatMul (given, turned)
  wide = Gather <axis = 0> (narrow, ids)
}"""
SHAPES = {"table": (600, 16), "of_inputs": (1, 72, 16), "of_states": (1, 72, 24), "biases": (1, 144)}
SHAPES |= {"matrix": (60, 24), "bias": (60,), "narrow": (600, 2)}
#: Rows of a table, for some ids, that features are multiplied by.
CHOSEN = """
among (float[B, K, R] given, int64[U] ids) => (float[B, K, U] logits)
{
  rows = Gather <axis = 0> (table, ids)
  columns = Transpose <perm = [1, 0]> (rows)
  logits = MatMul (given, columns)
}"""
#: The body of a loop with a product.
LOOP = """
loop (float[T, B, H] sequence, float[B, H] initial) => (float[T, B, H] states)
{
  last, states = Scan <num_scan_inputs = 1, body = step (hidden, own) => (after, state) {
    product = MatMul (hidden, weight)
    sum = Add (product, own)
    after = Tanh (sum)
    state = Identity (after)
  }> (initial, sequence)
}"""


def made(text, shapes):
    random = np.random.default_rng(0)
    content = parser.parse_model(HEAD + text)
    for name, shape in shapes.items():
        values = random.normal(0.0, 0.3, shape).astype(np.float32)
        content.graph.initializer.append(numpy_helper.from_array(values, name))
    return content


def answers(content, inputs):
    onnx.checker.check_model(content)
    session = onnxruntime.InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def drawn(rows):
    random = np.random.default_rng(1)
    return {
        "ids": random.integers(600, size=(rows, 7)),
        "given": random.standard_normal((rows, 16)).astype(np.float32) * np.float32([[0.01], [1.0], [100.0]])[:rows],
    }


def kinds(content):
    return Counter(node.op_type for node in content.graph.node)


@pytest.mark.parametrize("least", [1, int8.LEAST_MULTIPLIED])
def test_each_use_of_weights_gives_almost_the_same(least, monkeypatch):
    monkeypatch.setattr(int8, "LEAST_MULTIPLIED", least)
    content = made(TEXT, SHAPES)
    before = content.SerializeToString()
    small = int8.quantised(content)
    assert content.SerializeToString() == before
    assert kinds(small)["MatMulInteger"] == (2 if least == 1 else 0)
    stored = {one.name: numpy_helper.to_array(one) for one in small.graph.initializer}
    assert {array.dtype for array in stored.values() if array.size > 600} == {np.dtype("int8"), np.dtype("float16")}
    assert sum(array.nbytes for array in stored.values()) < 0.4 * len(before)
    wanted, found = answers(content, drawn(3)), answers(small, drawn(3))
    for mine, theirs in zip(wanted, found, strict=True):
        assert np.abs(mine - theirs).max() / np.abs(mine).max() < 0.02
        assert not np.array_equal(mine, theirs)


@pytest.mark.parametrize("least", [1, int8.LEAST_MULTIPLIED])
def test_a_row_does_not_depend_on_those_beside_it(least, monkeypatch):
    monkeypatch.setattr(int8, "LEAST_MULTIPLIED", least)
    small = int8.quantised(made(TEXT, SHAPES))
    three, one = drawn(3), {name: values[:1] for name, values in drawn(3).items()}
    for mine, theirs in zip(answers(small, three), answers(small, one), strict=True):
        np.testing.assert_allclose(mine[:1], theirs, atol=1e-6)


def test_weights_inside_of_a_loop_are_stored():
    content = made(LOOP, {"weight": (40, 40)})
    small = int8.quantised(content)
    assert len(small.SerializeToString()) < 0.5 * len(content.SerializeToString())
    random = np.random.default_rng(1)
    inputs = {"sequence": random.standard_normal((5, 2, 40)), "initial": random.standard_normal((2, 40))}
    inputs = {name: values.astype(np.float32) for name, values in inputs.items()}
    np.testing.assert_allclose(answers(content, inputs)[0], answers(small, inputs)[0], atol=0.05)


def test_rows_that_are_looked_up_and_multiplied_are_taken_out_as_whole_numbers():
    content = made(CHOSEN, {"table": (4096, 64)})
    small = int8.quantised(content)
    assert kinds(small)["MatMulInteger"] == 1
    assert kinds(small)["MatMul"] == 0
    assert len(small.SerializeToString()) < 0.3 * len(content.SerializeToString())
    random = np.random.default_rng(1)
    inputs = {"given": random.standard_normal((3, 2, 64)).astype(np.float32), "ids": random.integers(4096, size=50)}
    wanted, found = (answers(one, inputs)[0] for one in (content, small))
    np.testing.assert_allclose(found, wanted, atol=0.15)
    assert np.abs(wanted).max() > 5.0
    # A smaller table stays one of float32.
    assert kinds(int8.quantised(made(CHOSEN, {"table": (100, 64)})))["MatMul"] == 1


def test_a_model_with_a_large_vocabulary_multiplies_whole_numbers():
    """Of a real model, a step of whose graph looks rows of a table up, and turns features into logits by it."""
    torch.manual_seed(0)
    embedding = partial(TokenEmbedding, size=64, trainable=True, dropout=0.0, word_dropout=0.0)
    reader = partial(RecurrentEncoder, cell=GRU, hidden_size=64, layers=1, bidirectional=False, dropout=0.0)
    model = LanguageModel(vocabulary_size=8200, embedding=embedding, encoder=reader, output_dropout=0.0).eval()
    assert int8.LEAST_MULTIPLIED <= 8200 * 64
    files, _ = graphs.onnx_files(model)
    small, apart = graphs.rounded_files(model, files)
    assert apart < 0.02
    content = onnx.load_from_string(small["step.onnx"])
    assert kinds(content)["MatMulInteger"] == 1
    assert len(small["step.onnx"]) < 0.3 * len(files["step.onnx"])
    (graph,) = model.graphs()
    tokens, before = (part.numpy() for part in graph.draw(Sizes(9, 1), torch.Generator().manual_seed(1)))
    together = answers(content, {"tokens": tokens, "before": before})
    for row in range(9):
        alone = answers(content, {"tokens": tokens[row : row + 1], "before": before[:, row : row + 1]})
        np.testing.assert_allclose(alone[0][0], together[0][row], atol=2e-6)
    wanted = answers(onnx.load_from_string(files["step.onnx"]), {"tokens": tokens, "before": before})
    assert (wanted[0].argmax(axis=1) == together[0].argmax(axis=1)).all()


def test_what_has_no_half_precision_stays_and_rows_of_zeros_stay_zeros():
    content = made(TEXT, SHAPES)
    values = {one.name: numpy_helper.to_array(one).copy() for one in content.graph.initializer}
    values["narrow"][0, 0] = 1e6
    values["table"][:] = 0.0
    del content.graph.initializer[:]
    content.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in values.items())
    found = answers(int8.quantised(content), drawn(3))
    assert not found[2].any()
    np.testing.assert_array_equal(found[3], values["narrow"][drawn(3)["ids"]])


def test_whole_numbers_are_right_within_half_a_scale():
    weights = np.random.default_rng(0).standard_normal((5, 30)).astype(np.float32)
    values, scales = int8.rounded(weights, 1, 127)
    assert (values.dtype, scales.shape, int(np.abs(values).max())) == (np.int8, (5, 1), 127)
    assert (np.abs(values * scales - weights) <= scales / 2 + 1e-7).all()
