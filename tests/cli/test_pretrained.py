"""Classifiers that begin from a language model."""

from pathlib import Path

import numpy as np
import pytest
import torch

import gru_nlp
from gru_nlp.errors import UserError
from gru_nlp.samples.sentiment import rows
from gru_nlp.text.special import EOS

SMALL = ["encoder.hidden_size=16", "device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false"]
CLASSIFIER = ["task=sentiment", "model.wide=none", *SMALL, "trainer.max_epochs=1"]


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lm")
    (folder / "a.txt").write_text("\n".join(row["text"] for row in rows("train")[:500]) + "\n")
    options = ["task=language_model", "data=text", f"data.train={folder / 'a.txt'}", "tokenizer=word"]
    options += [
        "tokenizer.lowercase=true",
        "embedding.size=12",
        "batch_size=8",
        "model.sampled_softmax=64",
        f"run_dir={folder / 'run'}",
    ]
    return gru_nlp.train(*options, *SMALL, "trainer.max_epochs=1")


def weights(run):
    return torch.load(run.folder / "best.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("layers", [1, 2])
def test_a_classifier_begins_with_tokenizer_embedding_and_first_layer(language_model, layers, capsys):
    given = [f"pretrained={language_model.folder}", f"encoder.layers={layers}", "run_dir=run", "optimizer.lr=1e-12"]
    run = gru_nlp.train(*CLASSIFIER, *given, "optimizer.weight_decay=0")
    assert "1 of 1 layers" in capsys.readouterr().err
    own, other = weights(run), weights(language_model)
    for name in ("model.embedding.table.weight", "model.encoder.forward_cells.0.unit.weight_hh_l0"):
        assert torch.allclose(own[name], other[name], atol=1e-6), name
    assert not torch.allclose(
        own["model.encoder.backward_cells.0.unit.weight_hh_l0"],
        other["model.encoder.forward_cells.0.unit.weight_hh_l0"],
    )
    assert run.parts.preprocessor.tokens() == language_model.parts.preprocessor.tokens()


@pytest.fixture(scope="module")
def backward(language_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backward") / "run"
    data = f"data.train={language_model.folder.parent / 'a.txt'}"
    options = ["task=language_model", "data=text", data, "preprocessing.direction=backward", "batch_size=8"]
    options += [f"pretrained={language_model.folder}", "embedding.trainable=false", f"run_dir={folder}"]
    return gru_nlp.train(*options, *SMALL, "trainer.max_epochs=1")


def test_a_backward_model_keeps_the_vectors_and_a_classifier_begins_with_both(language_model, backward, capsys):
    forward_weights, backward_weights = weights(language_model), weights(backward)
    table, layer = "model.embedding.table.weight", "cells.0.unit.weight_hh_l0"
    assert torch.equal(forward_weights[table], backward_weights[table])
    both = f"pretrained=[{language_model.folder},{backward.folder}]"
    run = gru_nlp.train(*CLASSIFIER, both, "run_dir=run", "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    told = capsys.readouterr().err
    assert "2 of 2 layers" in told
    assert "other vectors" not in told
    own = weights(run)
    for name, given in ((f"forward_{layer}", forward_weights), (f"backward_{layer}", backward_weights)):
        assert torch.allclose(own[f"model.encoder.{name}"], given[f"model.encoder.forward_{layer}"], atol=1e-6), name


def test_what_reads_backwards_tells_how_likely_a_text_is_and_continues_none(backward):
    answer = backward.predictor()("a fine film")
    assert answer["tokens"] == 4
    assert answer["log_probability"] < 0.0
    read = backward.parts.preprocessor.as_read
    assert read(np.array([7, 8, EOS, 9, EOS])).tolist() == [9, EOS, 8, 7, EOS]
    assert read(np.array([7, 8])).tolist() == [8, 7]
    with pytest.raises(UserError, match="reads backwards, which continues no text"):
        gru_nlp.Generator.from_checkpoint(backward.folder)


@pytest.mark.parametrize(
    ("given", "options", "told"),
    [
        ("[{0},{0}]", [], "reads in the direction of"),
        ("[{1},{1}]", [], "reads in the direction of"),
        ("[{0},{1},{1}]", [], "must be a run of a language model, or two"),
        ("[{0},nowhere]", [], r"nowhere: no such checkpoint \(set pretrained="),
        ("{1}", ["encoder.bidirectional=false"], r"set encoder\.bidirectional=true"),
    ],
)
def test_beginnings_that_do_not_go_together_are_told(language_model, backward, given, options, told):
    with pytest.raises(UserError, match=told):
        gru_nlp.train(*CLASSIFIER, *options, f"pretrained={given.format(language_model.folder, backward.folder)}")
    assert not Path("runs").exists()


def test_a_language_model_begins_from_one_other(language_model, backward):
    both = f"pretrained=[{language_model.folder},{backward.folder}]"
    with pytest.raises(UserError, match="a language model reads in one direction"):
        gru_nlp.train("task=language_model", *SMALL, both, "run_dir=run")
    assert not Path("run").exists()


def test_tokens_of_two_beginnings_must_be_the_same(language_model):
    Path("b.txt").write_text("another text\n" * 200)
    other = ["task=language_model", "data=text", "data.train=b.txt", "tokenizer=word", "run_dir=other"]
    gru_nlp.train(*other, *SMALL, "preprocessing.direction=backward", "trainer.max_epochs=1")
    with pytest.raises(UserError, match=r"other: has other tokens than|best\.ckpt: has other tokens than"):
        gru_nlp.train(*CLASSIFIER, f"pretrained=[{language_model.folder},other]")


def test_it_predicts_and_goes_on_without_the_language_model(language_model):
    path = Path("moved")
    language_model.folder.rename(path)
    try:
        run = gru_nlp.train(*CLASSIFIER, f"pretrained={path}", "run_dir=run")
    finally:
        path.rename(language_model.folder)
    assert run.predictor()("a fine film")["label"] in ("positive", "negative")
    assert gru_nlp.evaluate("run")["test/accuracy"] == run.scores["test/accuracy"]
    assert gru_nlp.train("resume=run", "trainer.max_epochs=2").scores["test/accuracy"] >= 0.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["encoder.hidden_size=24"], r"set encoder=\.\.\. and encoder\.hidden_size="),
        (["encoder=min_gru"], r"set encoder=\.\.\. and encoder\.hidden_size="),
        (["task=ner", "encoder=min_gru"], r"set encoder=\.\.\. and encoder\.hidden_size="),
        (["experiment=mnist_rows", "data=digits"], "pretrained serves models of text, which this is not"),
    ],
)
def test_what_does_not_fit_is_told(language_model, options, told):
    with pytest.raises(UserError, match=told):
        gru_nlp.train(*[*SMALL, *options], f"pretrained={language_model.folder}", "run_dir=run")
    assert not Path("run").exists()


STILL = ["trainer.max_epochs=1", "trainer.limit_train_batches=1", "optimizer.lr=1e-12", "optimizer.weight_decay=0"]
TABLE, RECURRENT = "model.embedding.table.weight", "cells.0.unit.weight_hh_l0"
INPUT = "cells.0.unit.weight_ih_l0"


def test_a_tagger_begins_with_the_words_that_both_know_and_with_the_layers(language_model, backward):
    both = f"pretrained=[{language_model.folder},{backward.folder}]"
    run = gru_nlp.train("task=ner", *SMALL, *STILL, both, "run_dir=run")
    own, forward, other = weights(run), weights(language_model), weights(backward)
    names, given = run.parts.preprocessor.tokens(), language_model.parts.preprocessor.tokens()
    shared = [name for name in names if name in given]
    assert 4 < len(shared) < len(names)
    rows = own[TABLE][[names.index(name) for name in shared]]
    assert torch.allclose(rows, forward[TABLE][[given.index(name) for name in shared]], atol=1e-6)
    for way, weight in (("forward", forward), ("backward", other)):
        assert torch.allclose(own[f"model.encoder.{way}_{RECURRENT}"], weight[f"model.encoder.forward_{RECURRENT}"])
        wide, narrow = own[f"model.encoder.{way}_{INPUT}"], weight[f"model.encoder.forward_{INPUT}"]
        assert wide.shape[1] > narrow.shape[1] == 12
        assert torch.allclose(wide[:, :12], narrow, atol=1e-6)


@pytest.mark.parametrize("joint", [False, True])
def test_a_translator_begins_with_the_vectors_of_the_source(language_model, joint):
    given = [f"pretrained={language_model.folder}", f"preprocessing.joint={str(joint).lower()}", "tokenizer=word"]
    run = gru_nlp.train("task=translation", *SMALL, *STILL, *given, "run_dir=run", "model.scale_embeddings=true")
    own, other = weights(run), weights(language_model)
    names, known = run.parts.preprocessor.tokens(), language_model.parts.preprocessor.tokens()
    assert joint or names == known
    shared = [name for name in names[4:] if name in known]
    assert shared
    rows = 12**0.5 * own["model.source.table.weight"][[names.index(name) for name in shared]]
    assert torch.allclose(rows, other[TABLE][[known.index(name) for name in shared]], atol=1e-5)
    assert torch.allclose(own[f"model.encoder.forward_{RECURRENT}"], other[f"model.encoder.forward_{RECURRENT}"])


def test_a_classifier_of_several_labels_begins_likewise(language_model):
    Path("train.csv").write_text("text,label\n" + "a fine film,good\nthe cast is bad,bad;dull\n" * 40)
    data = ["task=multilabel", "data.train=train.csv", "data.label_separator=;", "model.wide=none", "run_dir=run"]
    run = gru_nlp.train(*data, *SMALL, *STILL, f"pretrained={language_model.folder}", "task.floor_decay=0.5")
    own = weights(run)
    table = next(name for name in own if name.endswith("embedding.table.weight"))
    assert torch.allclose(own[table], weights(language_model)[TABLE], atol=1e-6)


def test_a_beginning_without_a_word_in_common_is_told(language_model):
    Path("train.conll").write_text("zzz O\nZürich B-place\n\n" * 40)
    with pytest.raises(UserError, match="has none of the"):
        gru_nlp.train(
            *("task=ner", "data=conll", "data.train=train.conll", "run_dir=run"),
            *SMALL,
            f"pretrained={language_model.folder}",
        )


def test_other_checkpoints_are_no_beginning(language_model):
    other = gru_nlp.train(*CLASSIFIER, "run_dir=other", "trainer.limit_train_batches=1")
    with pytest.raises(UserError, match=r"no language model, which alone others begin from \(set pretrained=\.\.\.\)"):
        gru_nlp.train(*CLASSIFIER, f"pretrained={other.folder}", "run_dir=run")
    with pytest.raises(UserError, match="nowhere"):
        gru_nlp.train(*CLASSIFIER, "pretrained=nowhere", "run_dir=run")
