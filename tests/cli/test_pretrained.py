"""Classifiers that begin from a language model."""

from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp.errors import UserError
from gru_nlp.samples.sentiment import rows

SMALL = ["encoder.hidden_size=16", "device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false"]
CLASSIFIER = ["task=sentiment", "model.wide=none", *SMALL, "trainer.max_epochs=1"]


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lm")
    (folder / "a.txt").write_text("\n".join(row["text"] for row in rows("train")[:500]) + "\n")
    options = ["task=language_model", "data=text", f"data.train={folder / 'a.txt'}", "tokenizer=word"]
    options += ["tokenizer.lowercase=true", "embedding.size=12", "batch_size=8", f"run_dir={folder / 'run'}"]
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
        (["task=ner"], "pretrained serves classifiers of text"),
        (["task=translation"], "pretrained serves classifiers of text"),
    ],
)
def test_what_does_not_fit_is_told(language_model, options, told):
    with pytest.raises(UserError, match=told):
        gru_nlp.train(*[*SMALL, *options], f"pretrained={language_model.folder}", "run_dir=run")
    assert not Path("run").exists()


def test_other_checkpoints_are_no_beginning(language_model):
    other = gru_nlp.train(*CLASSIFIER, "run_dir=other", "trainer.limit_train_batches=1")
    with pytest.raises(UserError, match=r"no language model, which alone others begin from \(set pretrained=\.\.\.\)"):
        gru_nlp.train(*CLASSIFIER, f"pretrained={other.folder}", "run_dir=run")
    with pytest.raises(UserError, match="nowhere"):
        gru_nlp.train(*CLASSIFIER, "pretrained=nowhere", "run_dir=run")
