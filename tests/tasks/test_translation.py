"""Trainings of translators that repeat."""

from pathlib import Path

import torch

import gru_nlp
from gru_nlp.samples.translation import rows

SMALL = ["task=translation", "data=parallel", "data.train_source=a.en", "data.train_target=a.de", "batch_size=16"]
SMALL += ["data.validation_source=b.en", "data.validation_target=b.de", "preprocessing.bpe_dropout=0.1"]
SMALL += ["tokenizer.vocabulary_size=150", "encoder.hidden_size=4", "decoder.hidden_size=4", "embedding.size=4"]
SMALL += ["schedule=constant", "device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false"]


def test_bpe_dropout_draws_the_same_pieces_in_a_run_that_repeats_or_goes_on():
    pairs = rows("validation")[:70]  # of the embedded sample
    for side, ending in (("source", "en"), ("target", "de")):
        said = [f"{pair[side]}\n" for pair in pairs]
        Path(f"a.{ending}").write_text("".join(said[:64]), encoding="utf-8")
        Path(f"b.{ending}").write_text("".join(said[64:]), encoding="utf-8")
    gru_nlp.train(*SMALL, "run_dir=whole", "trainer.max_epochs=2")
    gru_nlp.train(*SMALL, "run_dir=halves", "trainer.max_epochs=1")
    gru_nlp.train("resume=halves", "trainer.max_epochs=2")
    whole, halves = (torch.load(f"{run}/last.ckpt", weights_only=True) for run in ("whole", "halves"))
    assert whole["epoch"] == halves["epoch"] == 1
    assert all(torch.equal(weight, halves["state_dict"][name]) for name, weight in whole["state_dict"].items())
