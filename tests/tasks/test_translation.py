"""Trainings of translators that repeat."""

from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp.samples.translation import rows
from gru_nlp.tasks.base import Task

SMALL = ["task=translation", "data=parallel", "data.train_source=a.en", "data.train_target=a.de", "batch_size=16"]
SMALL += ["data.validation_source=b.en", "data.validation_target=b.de", "preprocessing.bpe_dropout=0.1"]
SMALL += ["tokenizer.vocabulary_size=150", "encoder.hidden_size=4", "decoder.hidden_size=4", "embedding.size=4"]
SMALL += ["schedule=constant", "device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false"]


class Broken(Exception):
    """Stands for a kill: nothing is saved any more."""


def pairs_in_files():
    """Write 64 pairs of the embedded sample to train with, and six to validate with."""
    pairs = rows("validation")[:70]
    for side, ending in (("source", "en"), ("target", "de")):
        said = [f"{pair[side]}\n" for pair in pairs]
        Path(f"a.{ending}").write_text("".join(said[:64]), encoding="utf-8")
        Path(f"b.{ending}").write_text("".join(said[64:]), encoding="utf-8")


def test_bpe_dropout_draws_the_same_pieces_in_a_run_that_repeats_or_goes_on():
    pairs_in_files()
    gru_nlp.train(*SMALL, "run_dir=whole", "trainer.max_epochs=2")
    gru_nlp.train(*SMALL, "run_dir=halves", "trainer.max_epochs=1")
    gru_nlp.train("resume=halves", "trainer.max_epochs=2")
    whole, halves = (torch.load(f"{run}/last.ckpt", weights_only=True) for run in ("whole", "halves"))
    assert whole["epoch"] == halves["epoch"] == 1
    assert all(torch.equal(weight, halves["state_dict"][name]) for name, weight in whole["state_dict"].items())


@pytest.mark.parametrize("budget", ["null", "300"])
def test_pieces_are_the_same_in_a_run_that_was_broken_off_within_an_epoch(budget, monkeypatch, capsys):
    pairs_in_files()
    options = (*SMALL, f"batch_tokens={budget}", "trainer.max_epochs=2", "checkpoint_every_steps=1")
    gru_nlp.train(*options, "run_dir=whole")
    real, seen = Task.training_step, []

    def step(self, batch, batch_idx):
        seen.append(batch_idx)
        if len(seen) == len(in_first) + 3:
            raise Broken
        in_first.extend([batch_idx] * (self.current_epoch == 0))
        return real(self, batch, batch_idx)

    in_first = []
    monkeypatch.setattr(Task, "training_step", step)
    for name in ("same", "other"):
        seen.clear()
        in_first.clear()
        with pytest.raises(Broken):
            gru_nlp.train(*options, f"run_dir={name}")
    monkeypatch.setattr(Task, "training_step", real)
    capsys.readouterr()
    gru_nlp.train("resume=same")
    assert "another order" not in capsys.readouterr().err
    whole, same = (torch.load(f"{run}/last.ckpt", weights_only=True)["state_dict"] for run in ("whole", "same"))
    assert all(torch.equal(weight, same[name]) for name, weight in whole.items())
    gru_nlp.train("resume=other", "preprocessing.bpe_dropout=0.4")
    assert "in another order than it began with" in capsys.readouterr().err
