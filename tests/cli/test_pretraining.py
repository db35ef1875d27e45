"""Classifiers whose run begins with language models of its own texts."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp.data.own_texts import lines_of
from gru_nlp.errors import UserError
from gru_nlp.tasks.language_model import LanguageModelTask

SMALL = ["encoder.hidden_size=8", "embedding.size=12", "device=cpu", "threads=1", "logger=none"]
SMALL += ["trainer.enable_progress_bar=false", "trainer.max_epochs=1", "pretraining.epochs=1", "model.wide=none"]
SMALL += ["pretraining.batch_size=8"]
LAYER = "cells.0.unit.weight_hh_l0"


@pytest.fixture
def reviews():
    rows = [f"a {'good' if number % 2 else 'bad'} film {number % 7},{'np'[number % 2]}" for number in range(80)]
    Path("train.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    return ["task=classification", "data=csv", "data.train=train.csv", *SMALL, "run_dir=run"]


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_both_directions_are_read_first_and_the_classifier_begins_from_them(reviews, capsys):
    Path("more").mkdir()
    Path("more/a.txt").write_text("a zebra is seen\n" * 40)
    still = ["optimizer.lr=1e-12", "optimizer.weight_decay=0"]
    run = gru_nlp.train(*reviews, "pretraining.text=[more]", *still)
    told = capsys.readouterr().err
    assert told.index("first a language model, forwards") < told.index("first a language model, backwards")
    assert told.count("begun from") == 1
    assert "2 of 2 layers" in told
    own = weights("run/best.ckpt")
    forward, backward = (weights(f"run/pretraining/{way}/best.ckpt") for way in ("forward", "backward"))
    table = "model.embedding.table.weight"
    assert torch.equal(forward[table], backward[table])
    assert torch.allclose(own[table], forward[table], atol=1e-6)
    assert torch.allclose(own[f"model.encoder.forward_{LAYER}"], forward[f"model.encoder.forward_{LAYER}"], atol=1e-6)
    assert torch.allclose(own[f"model.encoder.backward_{LAYER}"], backward[f"model.encoder.forward_{LAYER}"], atol=1e-6)
    assert not torch.allclose(forward[f"model.encoder.forward_{LAYER}"], backward[f"model.encoder.forward_{LAYER}"])
    assert "zebra" in run.parts.preprocessor.tokens()
    found = json.loads(Path("run/metrics.json").read_text())["pretraining"]
    assert found["forward"]["validation/perplexity"] != found["backward"]["validation/perplexity"]
    assert not list(Path("run/pretraining").rglob("last.ckpt"))


def test_a_run_goes_on_without_reading_again_and_its_language_models_serve_others(reviews, capsys):
    gru_nlp.train(*reviews)
    capsys.readouterr()
    assert gru_nlp.train("resume=run", "trainer.max_epochs=2").scores
    assert "first a language model" not in capsys.readouterr().err
    paths = "[run/pretraining/forward,run/pretraining/backward]"
    options = [option for option in reviews if not option.startswith("run_dir")]
    gru_nlp.train(*options, "pretraining.epochs=0", f"pretrained={paths}", "run_dir=other")
    assert "2 of 2 layers" in capsys.readouterr().err


def test_a_run_that_was_stopped_in_its_language_models_goes_on_there(reviews, monkeypatch):
    gru_nlp.train(*reviews)
    shutil.move("run", "through")
    real = LanguageModelTask.training_step

    def step(self, batch, batch_idx):
        if self.record["config"]["preprocessing"]["direction"] == "backward":
            raise ZeroDivisionError
        return real(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModelTask, "training_step", step)
        with pytest.raises(ZeroDivisionError):
            gru_nlp.train(*reviews)
    assert sorted(path.name for path in Path("run/pretraining").iterdir()) == ["backward", "forward"]
    assert not Path("run/best.ckpt").exists()
    done = Path("run/pretraining/forward/best.ckpt").stat().st_mtime_ns
    gru_nlp.train("resume=run")
    assert Path("run/pretraining/forward/best.ckpt").stat().st_mtime_ns == done
    through, gone_on = weights("through/best.ckpt"), weights("run/best.ckpt")
    assert all(torch.equal(value, gone_on[name]) for name, value in through.items())
    facts = [json.loads(Path(run, "metrics.json").read_text())["pretraining"] for run in ("through", "run")]
    assert facts[0] == facts[1]


def test_language_models_of_other_texts_are_not_taken_for_those_of_a_run(reviews):
    gru_nlp.train(*reviews)
    for name in ("last.ckpt", "best.ckpt", "metrics.json"):
        Path("run", name).unlink()
    path = Path("run/pretraining/forward/best.ckpt")
    content = torch.load(path, weights_only=True)
    content["gru_nlp"]["preprocessing"]["tokenizer"] += " "
    torch.save(content, path)
    with pytest.raises(UserError, match="learned other tokens than these texts have"):
        gru_nlp.train("resume=run")


def test_language_models_outlive_a_run_that_fails_after_them(reviews):
    with pytest.raises(UserError, match="diverged"):
        gru_nlp.train(*reviews, "optimizer.lr=1e9")
    assert len(list(Path("run/pretraining").rglob("best.ckpt"))) == 2
    assert gru_nlp.train("resume=run", "optimizer.lr=0.001").scores


def test_a_run_that_is_rarely_validated_begins_likewise(reviews):
    options = [option for option in reviews if "max_epochs" not in option]
    assert gru_nlp.train(*options, "trainer.max_epochs=2", "+trainer.check_val_every_n_epoch=2").scores


def test_an_encoder_of_one_direction_has_one_language_model(reviews):
    gru_nlp.train(*reviews, "encoder.bidirectional=false")
    assert [path.name for path in Path("run/pretraining").iterdir()] == ["forward"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["pretraining.epochs=0", "pretraining.text=[a.txt]"], "pretraining.text has no effect without"),
        (["pretraining.epochs=null"], "pretraining.epochs=null: this option needs a value"),
        (["pretraining.epochs={a:1}"], "pretraining.epochs needs a value, not a map"),
        (["pretraining.batch_size=null"], "pretraining.batch_size=null: this option needs a value"),
        (["pretraining.text=null"], "pretraining.text=null: this option needs a value"),
        (["pretraining.text=['']"], "must be a list of paths"),
        (["pretraining.text=[${seed}]"], "must be a list of paths"),
        (["pretraining.lr=-1"], "pretraining.lr=-1 must be a number above 0"),
        (["pretraining.epochs=-1"], "pretraining.epochs=-1 must not be negative"),
        (["pretraining.text=[nowhere.txt]"], r"nowhere\.txt.*pretraining\.text"),
        (["pretraining.text=[empty.txt]"], r"empty\.txt: holds no text \(set pretraining\.text"),
        (["pretraining.dropout=1.5"], "pretraining.dropout=1.5 must be a share"),
        (["pretraining.sampled_softmax=0"], "pretraining.sampled_softmax=0 must be at least 1"),
        (["pretrained=run"], "both say what the model begins from"),
        (["pretraining.lr=1e9"], r"diverged: lower pretraining\.lr"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(reviews, options, told):
    Path("empty.txt").write_text("\n \n")
    with pytest.raises(UserError, match=told):
        gru_nlp.train(*reviews, *options)
    assert not Path("run").exists()


@pytest.mark.parametrize("task", ["task=ner", "task=translation", "task=language_model"])
def test_other_tasks_have_no_use_for_it(task):
    with pytest.raises(UserError, match="pretraining serves classifiers of text"):
        gru_nlp.train(task, *[option for option in SMALL if "wide" not in option], "run_dir=run")
    assert not Path("run").exists()


def test_a_text_is_read_line_by_line():
    assert list(lines_of("a b\n\nc")) == [{"text": text, "ended": True, "starts": False} for text in ("a b", "", "c")]
    parts = list(lines_of("word " * 2000))
    assert "".join(part["text"] for part in parts) == "word " * 2000
    assert [part["ended"] for part in parts] == [False] * (len(parts) - 1) + [True]
