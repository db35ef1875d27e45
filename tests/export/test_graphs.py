"""Graphs of ONNX give what the models give, for every unit and every kind of model."""

import functools
import gc
import itertools
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.onnx._internal.exporter import _registration

from gru_nlp.decoding import ctc
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.errors import UserError
from gru_nlp.export import checks, graphs
from gru_nlp.models.classifier import FrameClassifier, SequenceClassifier
from gru_nlp.models.language_model import LanguageModel
from gru_nlp.models.multilabel import MultilabelClassifier
from gru_nlp.models.recogniser import Recogniser
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.models.tagger import SequenceTagger
from gru_nlp.nn import attention, decoder, pooling
from gru_nlp.nn.cell import Cell
from gru_nlp.nn.characters import CharacterCNN, CharacterNgrams, CharacterRNN
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.gru_variants import GRULayerNorm, GRUResetBefore
from gru_nlp.nn.li_gru import LiGRU
from gru_nlp.nn.min_gru import SSRU, MinGRU, MinLSTM

EMBEDDING = partial(TokenEmbedding, size=6, trainable=True, dropout=0.1, word_dropout=0.1)
RESET_BEFORE = partial(GRUResetBefore, recurrent_dropout=0.0)
LI_GRU = partial(LiGRU, recurrent_dropout=0.0)
LAYER_NORM = partial(GRULayerNorm, recurrent_dropout=0.0)


def encoder(cell, layers=1, bidirectional=True):
    return partial(RecurrentEncoder, cell=cell, hidden_size=4, layers=layers, bidirectional=bidirectional, dropout=0.2)


def classifier(cell):
    parts = {"embedding": EMBEDDING, "encoder": encoder(cell, bidirectional=False), "pooling": pooling.LastState}
    return SequenceClassifier(vocabulary_size=20, num_labels=3, **parts, dropout=0.1)


def frames():
    parts = {"encoder": encoder(LAYER_NORM, bidirectional=False), "pooling": pooling.AttentionPooling}
    return FrameClassifier(frame_size=5, num_labels=3, **parts, input_dropout=0.1, dropout=0.1)


def several():
    return MultilabelClassifier(
        vocabulary_size=20,
        several_labels=4,
        embedding=EMBEDDING,
        encoder=encoder(GRU, layers=2),
        pooling=pooling.ConcatPooling,
        dropout=0.1,
        unseen_words=4,
        num_ngrams=30,
    )


def tagger(cell, characters, crf=True, shape_size=2, num_lists=0):
    return SequenceTagger(
        vocabulary_size=20,
        unseen_words=3,
        num_shapes=4,
        num_characters=12,
        allowed=np.ones((4, 4), dtype=bool),
        embedding=EMBEDDING,
        characters=characters,
        encoder=encoder(cell),
        shape_size=shape_size,
        crf=crf,
        dropout=0.1,
        output_dropout=0.1,
        num_lists=num_lists,
    )


def translator(kind, scores, cell=GRU, **options):
    return Seq2Seq(
        source_vocabulary_size=20,
        target_vocabulary_size=15,
        embedding=EMBEDDING,
        encoder=encoder(cell),
        decoder=partial(kind, hidden_size=8, cell=cell, attention=scores, dropout=0.1),
        decoding=Greedy(max_ratio=2.0, max_extra=10, min_length=0),
        share_embeddings=False,
        dropout=0.1,
        **options,
    )


def alternating(*cells):
    """Return what makes one unit after the other, of the layers of an encoder in one direction."""
    turns = itertools.cycle(cells)
    return lambda *sizes: next(turns)(*sizes)


def language_model(cell, **options):
    parts = {"embedding": EMBEDDING, "encoder": encoder(cell, layers=2, bidirectional=False)}
    return LanguageModel(vocabulary_size=20, **parts, output_dropout=0.1, **options)


def recogniser():
    return Recogniser(
        frame_size=5,
        vocabulary_size=12,
        stack=3,
        encoder=encoder(LI_GRU, layers=2),
        decoding=ctc.Greedy(),
        input_dropout=0.1,
        dropout=0.1,
    )


RNN = partial(CharacterRNN, size=4, cell=MinLSTM, hidden_size=3, dropout=0.1)
CNN = partial(CharacterCNN, size=4, filters=5, width=3, dropout=0.1)
NGRAMS = partial(CharacterNgrams, size=4, buckets=30, shortest=3, longest=5, dropout=0.1)
ADDITIVE = partial(attention.AdditiveAttention, hidden_size=5)
HEADS = partial(attention.MultiHeadAttention, hidden_size=6, heads=2)


class Elman(Cell):
    """A unit of somebody's own (Elman 1990)."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.inputs, self.states = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def step(self, inputs, hidden):
        return torch.tanh(self.inputs(inputs) + self.states(hidden))

    def forward(self, sequence, initial=None):
        hidden = sequence.new_zeros(len(sequence), self.hidden_size) if initial is None else initial
        states = []
        for inputs in sequence.unbind(dim=1):
            hidden = self.step(inputs, hidden)
            states.append(hidden)
        return torch.stack(states, dim=1)


class Unsized(Elman):
    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        del self.hidden_size


#: Every unit over a sequence and step by step, one of somebody's own, every kind of model, decoder and attention.
MODELS = {
    "classifier": lambda: classifier(Elman),
    "several labels": several,
    "frames": frames,
    "tagger without a field": lambda: tagger(LI_GRU, CNN, crf=False),
    "tagger": lambda: tagger(RESET_BEFORE, RNN, num_lists=2),
    "tagger by n-grams": lambda: tagger(GRU, NGRAMS),
    "conditional": lambda: translator(decoder.ConditionalDecoder, attention.DotAttention, MinGRU),
    "language model": lambda: language_model(alternating(GRU, RESET_BEFORE)),
    "recogniser": recogniser,
    "shown": lambda: translator(decoder.ParallelDecoder, attention.GeneralAttention, SSRU, has_candidates=True),
}
#: Operators that run over steps: a layer of the reset units has one for both directions, others one each.
RECURRENCES = {"classifier": 1, "several labels": 2, "frames": 1, "tagger": 3, "conditional": 2, "shown": 2}
RECURRENCES |= {"tagger without a field": 2, "tagger by n-grams": 1, "recogniser": 4}
STEPS = {
    "bahdanau": lambda: translator(decoder.BahdanauDecoder, ADDITIVE, LAYER_NORM, scale_embeddings=True),
    "input feeding": lambda: translator(decoder.InputFeedingDecoder, HEADS, MinLSTM, tie_output=False),
}


#: Graphs of a translator that run once a token, without a recurrence in them.
OF_A_TOKEN = ("step", "output", "among")


@pytest.fixture(autouse=True, scope="module")
def _known_operators():
    """Let the exporter read the forms of torch's operators once, and not for every graph, which takes a second."""
    kind = _registration.ONNXRegistry
    gc.freeze()  # what is there is not gone through again and again
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "from_torchlib", staticmethod(functools.cache(kind.from_torchlib)))
        yield
    gc.unfreeze()


def made(make):
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():
        for name, values in (*model.named_parameters(), *model.named_buffers()):
            if values.is_floating_point():  # biases too, which begin as zeros
                values.normal_(std=0.5)
            if name.endswith("variance"):
                values.abs_()
            if name.endswith("wide.table"):
                values[:, -1].square_()  # what the length of a bag is the root of
    return model


def apart(own, form, recurrences):
    content = graphs.to_onnx(form)
    assert [node.op_type in ("GRU", "Scan") for node in content.graph.node].count(True) == recurrences
    written = content.SerializeToString()
    assert b"gru_nlp/" not in written  # the name of a file of this machine
    return checks.farthest(own, checks.onnx_answer(written))


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_gives_what_the_model_gives(name):
    model = made(MODELS[name])
    for own, form in zip(model.graphs(), graphs.formed(model).graphs(), strict=True):
        assert apart(own, form, RECURRENCES[name] if own.name not in OF_A_TOKEN else 0) < 2e-6


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_a_decoder_gives_what_the_model_gives(name):
    model = made(STEPS[name])
    assert apart(model.graphs()[1], graphs.formed(model).graphs()[1], 0) < 2e-6


@pytest.mark.parametrize("name", [*MODELS, *STEPS])
def test_rounding_is_measured_of_every_kind_of_graph(name):
    for graph in made((MODELS | STEPS)[name]).graphs():
        inputs = graph.draw(checks.Sizes(4, 3, 2), torch.Generator().manual_seed(1))
        with torch.no_grad():
            given = graph.module(*inputs)
        values = (given,) if isinstance(given, torch.Tensor) else given
        for output, value in zip(graph.outputs, values, strict=True):
            assert checks.rounding(graph, output, inputs, value) < 1e-5


def test_numbers_at_padded_steps_are_not_compared_and_masks_are():
    graph = made(MODELS["conditional"]).graphs()[0]
    inputs = {"inputs": np.zeros((2, 3), dtype=np.int64), "lengths": np.array([3, 1])}
    numbers, mask = np.arange(6.0).reshape(2, 3, 1), np.zeros((2, 3), dtype=bool)
    assert [part.tolist() for part in checks.real(graph, "keys", inputs, numbers)] == [[[0.0], [1.0], [2.0], [3.0]]]
    assert checks.real(graph, "mask", inputs, mask)[0].shape == (2, 3)
    assert checks.real(graph, "hidden", inputs, numbers)[0].shape == (2, 3, 1)
    assert checks.distance(*checks.real(graph, "keys", inputs, numbers, numbers[:, :2])) == np.inf


def test_a_unit_without_a_size_is_told():
    with pytest.raises(UserError, match="the unit Unsized is not exported: let its constructor set hidden_size"):
        graphs.formed(made(lambda: classifier(Unsized)))


@pytest.mark.parametrize("change", [1.001, float("nan"), float("inf")])
def test_what_is_not_right_is_refused(change):
    graph = made(lambda: language_model(GRU)).graphs()[0]

    def wrong(inputs):
        likely, after = (part.numpy() for part in graph.module(*map(torch.from_numpy, inputs.values())))
        return [likely, after * change if len(after[0]) > 1 else after]  # right for a single row

    told = "the graph 'step' gives 'after' .* away from torch, for 2 rows of 3 steps and 1 hypotheses: not exported"
    with torch.no_grad(), pytest.raises(UserError, match=told):
        checks.farthest(graph, wrong)


def test_rounding_is_how_far_torch_is_from_double_precision():
    (graph,) = made(lambda: language_model(GRU)).graphs()
    inputs = graph.draw(checks.Sizes(9, 1, 1), torch.Generator().manual_seed(3))
    with torch.no_grad():
        mine = dict(zip(graph.outputs, graph.module(*inputs), strict=True))
    assert 0.0 < max(checks.rounding(graph, name, inputs, value) for name, value in mine.items()) < 1e-6
    assert checks.rounding(graph, "after", inputs, mine["after"] + 0.01) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(("rounds", "passes"), [(1e-7, False), (2e-6, True), (float("nan"), False)])
def test_a_graph_may_be_as_far_as_rounding_takes_it(rounds, passes, monkeypatch):
    graph = made(lambda: language_model(GRU)).graphs()[0]
    monkeypatch.setattr(checks, "rounding", lambda *_: rounds)

    def near(inputs):
        with torch.no_grad():
            return [(part * (1 + 2e-5)).numpy() for part in graph.module(*map(torch.from_numpy, inputs.values()))]

    if passes:
        assert checks.farthest(graph, near) == pytest.approx(2e-5, rel=0.1)
    else:
        with pytest.raises(UserError, match="not exported"):
            checks.farthest(graph, near)


def test_what_has_another_shape_or_infinity_is_far_away():
    assert checks.distance(np.array([1.0, -np.inf]), np.array([1.0, -np.inf])) == 0.0
    assert checks.distance(np.array([1.0, -np.inf]), np.array([1.0, -1e9])) == np.inf
    assert checks.distance(np.zeros((1, 2)), np.zeros((2, 1))) == np.inf
    assert checks.distance(np.array([True]), np.array([False])) == np.inf
    assert checks.distance(np.array([1000.0, 1.0]), np.array([1000.0, 1.1])) == pytest.approx(1e-4)
