"""A runner says what the predictor says, for every kind of model.

The graphs are the modules that they are made from, put in the place of onnxruntime's sessions: that a graph gives what
its module does is for tests/export to hold, which it takes seconds a graph to see.
"""

import copy
import pickle
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from gru_nlp import build
from gru_nlp.checkpoint import Checkpoint
from gru_nlp.config import conf_dir, resolved
from gru_nlp.continuing import Limits
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.export import folder as exporting
from gru_nlp.generator import Generator as TorchGenerator
from gru_nlp.models.graphs import Sizes
from gru_nlp.nn.wide import WideLinear
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.runtime import Generator, Runner, graph
from gru_nlp.text.gazetteers import WordList
from gru_nlp.text.lexicon import Lexicon
from gru_nlp.text.terms import Terms, Wishes

TINY = ["encoder.hidden_size=6", "embedding.size=8"]
SHORT = ["decoding.max_ratio=0.3", "decoding.max_extra=4", *TINY]
LINES = ["a fine day, isn't it", "rain again in Rome", "the train was late", "what a tune", "Ada met Bo Li. She left"]
TYPES = {torch.int64: "int64", torch.int32: "int32", torch.float32: "float", torch.bool: "bool"}


class Table:
    """Columns of rows, as ``fit`` reads them."""

    def __init__(self, **columns):
        self.columns = columns

    def iter(self, batch_size):
        yield self.columns


WORDS = [line.split() for line in LINES]
TAGS = [["B-PER" if word[0].isupper() else "O" for word in words] for words in WORDS]
SEVERAL = Table(text=LINES, labels=[["a", "b"], [], ["c"], ["b"], ["a"]])
PAIRS = Table(source=LINES, target=LINES[1:] + LINES[:1])
KINDS = {
    "label": (["task=sentiment", "model.wide=both", *TINY], Table(text=LINES, label=list("xyzxy"))),
    "rating": (["task=rating", *TINY], Table(text=LINES, rating=["10", "9", "1", "1", "9"])),
    "labels": (["task=multilabel", *TINY], SEVERAL),
    "tags": (["task=ner", *TINY], Table(words=WORDS, tags=TAGS)),
    "lists": (["task=ner", *TINY], Table(words=WORDS, tags=TAGS)),
    "independent": (["task=ner", "model.crf=false", *TINY], Table(words=WORDS, tags=TAGS)),
    "words": (["task=tagging", "model.crf=true", *TINY], Table(words=WORDS, word_tags=TAGS)),
    "translation": (["task=translation", "decoder=input_feeding", "decoder.hidden_size=6", *SHORT], PAIRS),
    "parted": (
        ["task=translation", "decoding=greedy", "preprocessing.joint=false", "decoder.hidden_size=6", *SHORT],
        PAIRS,
    ),
    "short_list": (["task=translation", "preprocessing.shortlist=2", "decoder.hidden_size=6", *SHORT], PAIRS),
    "text": (["task=language_model", "encoder.layers=2", *TINY], Table(text=LINES)),
    "bytes": (["task=language_model", "tokenizer=byte_bpe", "tokenizer.min_frequency=1", *TINY], Table(text=LINES)),
}


class Session:
    """What onnxruntime does with a graph, by the module that the graph is made from."""

    def __init__(self, own):
        assert not own.inputs.keys() & own.outputs.keys()  # which ONNX would give other names
        self.own = own
        drawn = own.draw(Sizes(2, 3, 2), torch.Generator().manual_seed(1))
        given = own.module(*drawn)
        self.inputs = list(map(described, own.inputs, drawn))
        self.outputs = list(map(described, own.outputs, [given] if isinstance(given, torch.Tensor) else given))

    def get_inputs(self):
        return self.inputs

    def get_outputs(self):
        return self.outputs

    @torch.no_grad()
    def run(self, names, feeds):
        found = self.own.module(*(torch.from_numpy(feeds[name]) for name in self.own.inputs))
        found = [found] if isinstance(found, torch.Tensor) else found
        named = dict(zip(self.own.outputs, found, strict=True))
        return [named[name].numpy() for name in names]


def described(name, value):
    return SimpleNamespace(name=name, type=f"tensor({TYPES[value.dtype]})", shape=list(value.shape))


@pytest.fixture(params=KINDS, scope="module")
def parts(request):
    """Return the config, the fitted preprocessor and a model of random weights of a kind."""
    overrides, rows = KINDS[request.param]
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = resolved(compose("train", overrides=overrides))
    preprocessor = build.preprocessor(config)
    preprocessor.fit(rows, Hints())
    if request.param == "lists":
        preprocessor.use_gazetteers([WordList("a", ["Bo Li", "rain again in"]), WordList("b", ["Rome"])])
    model = build.model(config, preprocessor.sizes()).eval()
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, std=0.8 if "tags" in name or weight.dim() == 1 else 0.3)
    for part in model.modules():
        if isinstance(part, WideLinear):
            torch.nn.init.normal_(part.table, std=0.5)
            part.table[:, -1].abs_()
        if isinstance(part, torch.nn.Embedding) and part.padding_idx is not None:
            torch.nn.init.zeros_(part.weight[part.padding_idx])
    return SimpleNamespace(config=config, preprocessor=preprocessor, model=model)


@pytest.fixture
def asked(parts, monkeypatch):
    """Return the predictor and the runner of a kind."""
    stored = Checkpoint(None, "0.1.0", parts.config, {}, {"test/x": 0.5}, "", {})
    files = {f"{own.name}.onnx": own for own in parts.model.graphs()}
    names = dict.fromkeys(files, b"")
    exported = exporting.Exported(stored, parts.preprocessor, parts.model, names, "float32", None, {"made_for": "onnx"})
    exporting.write(Path("exported"), exported)
    monkeypatch.setattr(graph, "_session", lambda path, threads: Session(files[path.name]))
    return Predictor(parts.preprocessor, parts.model), Runner("exported")


def texts(count):
    """Return texts of words that are known and of any characters."""
    chance = random.Random(5)
    words = " ".join(LINES).split()
    letters = [chr(code) for code in range(0x20, 0x30000) if not 0xD800 <= code < 0xE000 and chr(code).isprintable()]
    made = ["", " ", "\u200b", "a\nb", "<pad> </s>", "👩‍👩‍👧", "é" * 90, "Ada " * 20]
    while len(made) < count:
        parts = [
            chance.choice(words) if chance.random() < 0.7 else chance.choice(letters)
            for _ in range(chance.randrange(25))
        ]
        made.append(chance.choice(["", " ", " "]).join(parts))
    return made


def same(found, wanted):
    """Hold two records against each other: numbers may differ a little."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            same(found[name], value)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    elif isinstance(wanted, float):
        assert type(found) is float
        assert found == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    else:
        assert found == wanted
        assert type(found) is type(wanted)


def test_the_records_are_those_of_the_predictor(asked):
    predictor, runner = asked
    given = texts(100)
    records = runner(given)
    same(records, predictor(given))
    same(runner(given[:30], top_k=3), predictor(given[:30], top_k=3))
    assert len({str(record) for record in records}) > 10
    assert runner(given[20]).keys() == records[20].keys()
    assert runner.truncated > 0 or predictor.truncated == 0
    short = [place for place, text in enumerate(given) if len(text) < 30]  # random weights turn rounding into words
    same(runner([given[place] for place in short], batch_size=7), [records[place] for place in short])


def test_a_short_list_leaves_the_same_tokens(asked):
    predictor, runner = asked
    predictor = Predictor(copy.deepcopy(predictor.preprocessor), predictor.model)  # the other is every test's
    if not predictor.preprocessor.sizes().get("has_candidates"):
        with pytest.raises(UserError, match="^shortlist=true: no short-list was learned"):
            runner.preprocessor.use_shortlist()
        return
    given = texts(60)
    whole = runner(given)
    for one in (predictor, runner):
        count = one.preprocessor.source.vocabulary_size
        one.preprocessor.lexicon = Lexicon([[4 + token % 9] for token in range(count)], [0, 1, 2, 3])
        one.preprocessor.use_shortlist()
    records = runner(given)
    same(records, predictor(given))
    same(runner(given, batch_size=7), records)
    assert sum(one != other for one, other in zip(records, whole, strict=True)) > 10
    assert pickle.loads(pickle.dumps(runner)).preprocessor.shortened


def test_alignments_and_continuations(asked, monkeypatch):
    predictor, runner = asked
    if "gru_nlp.models.seq2seq" in type(predictor.model).__module__:
        one, other = (place.align("a fine day", "rain in Rome") for place in asked)
        assert one[:2] == other[:2]
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-4, atol=1e-6)
        wishes, given = Wishes(Terms({"day": "rain"}), "in", copy=True), ["a fine day 42", "é 猫x", "rain " * 30, ""]
        records = runner(given, wishes=wishes, min_log_probability=-1.0)
        same(records, predictor(given, wishes=wishes, min_log_probability=-1.0))
        same(records, [runner(text, wishes=wishes, min_log_probability=-1.0) for text in given])
        assert all(record["translation"].startswith("in") for record in records[:3])
        assert "rain" in records[0]["translation"]
        assert "42" in records[0]["translation"]
        assert "猫x" in records[1]["translation"]
        wishes = Wishes(prefix="猫 in")
        records = runner(given[:2], wishes=wishes)
        same(records, predictor(given[:2], wishes=wishes))
        assert all(record["translation"].startswith("猫 in") for record in records)
        assert runner.lacking == predictor.lacking == 0
        monkeypatch.setattr("gru_nlp.preprocessing.demands.MOST_FORCED", 0)  # so that nothing fits
        runner(given[:1], wishes=Wishes(copy=True))
        assert runner.lacking == 1
        return
    with pytest.raises(UserError, match="alignments need"):
        runner.align("a", "b")
    for other in asked:
        with pytest.raises(UserError, match="^terms, prefix, copy and sentences are for translators: leave them out$"):
            other("a fine day", wishes=Wishes(copy=True))
        with pytest.raises(UserError, match="^terms, prefix, copy and sentences are for translators: leave them out$"):
            other("a fine day", wishes=Wishes(sentences=True))
        with pytest.raises(UserError, match="^min_log_probability is for translators: leave it out$"):
            other("a fine day", min_log_probability=-1.0)
    if not predictor.preprocessor.tokens() or "language" not in type(predictor.model).__module__:
        with pytest.raises(UserError, match="no language model"):
            Generator(runner)
        return
    prompts, limits = ["", "a fine day", "the", "rain again in Rome\na", "the"], Limits(25, ("e d",))
    for drawing in (Drawing(temperature=0.0), Drawing(temperature=0.0, repetition_penalty=1.7), Drawing(top_k=1)):
        wanted = TorchGenerator(predictor.preprocessor, predictor.model).records(prompts, drawing, limits, seed=3)
        same(Generator(runner).records(prompts, drawing, limits, seed=3), wanted)
    drawing = Drawing(temperature=0.7, top_p=0.9)
    drawn = Generator(runner).records(prompts, drawing, limits, seed=3)
    assert len({record["text"] for record in drawn}) > 2
    (alone,) = Generator(runner).records(["the"], drawing, limits, seed=7)
    same(alone, drawn[4])
    pieces = [one.piece for one in Generator(runner).stream(["the"], drawing, limits, seed=7)]
    assert "".join(pieces) == alone["text"]
