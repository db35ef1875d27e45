"""What stands in a run folder's last checkpoint when the run goes on."""

import re
import shutil
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp.cli.main import main

QUICK = ("trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "logger=none",
         "trainer.enable_progress_bar=false")  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder of three short runs."""
    folder = tmp_path_factory.mktemp("runs")
    for task in ("sentiment", "classification", "ner"):
        assert main(["train", f"task={task}", f"run_dir={folder / task}", *QUICK]) == 0
    return folder


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ("classification/last.ckpt", "data.name is topics there and sentiment in config.yaml"),
        ("ner/last.ckpt", "preprocessing._target_ is gru_nlp.preprocessing.tagging.TaggingPreprocessor there"),
    ],
)
def test_the_last_checkpoint_of_another_run_is_refused(other, differs, runs, tmp_path, capsys):
    shutil.copytree(runs / "sentiment", "run")
    shutil.copy(runs / other, "run/last.ckpt")
    assert main(["train", "resume=run", "trainer.max_epochs=2"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"gru-nlp: run/last.ckpt: the checkpoint of another run ({differs}")


@pytest.mark.parametrize("stored", ["trust: [os]", "mistrust: []"])
def test_what_a_folder_trusts_counts_for_nothing(stored, runs):
    shutil.copytree(runs / "sentiment", "run")
    place = Path("run/config.yaml")
    place.write_text(place.read_text().replace("trust: []", stored))
    assert gru_nlp.train("resume=run", "trainer.max_epochs=2").trusted == ()


def test_weights_alone_are_no_checkpoint_to_go_on_from(runs, capsys):
    shutil.copytree(runs / "sentiment", "run")
    shutil.copy("run/best.ckpt", "run/last.ckpt")
    assert main(["train", "resume=run", "trainer.max_epochs=2"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(
        "gru-nlp: run/last.ckpt: what it says of optimiser and loops cannot be taken back (KeyError)"
    )


@pytest.mark.parametrize("config", ["", "a: b", "- a", "x: [", "null", "preprocessing:\n  min_frequenc", "\x85\x00"])
def test_a_damaged_config_is_one_line(config, runs, capsys):
    shutil.copytree(runs / "sentiment", "run")
    with open("run/config.yaml", "w", encoding="latin-1") as file:
        file.write(config)
    assert main(["train", "resume=run", "trainer.max_epochs=2"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("gru-nlp: run/config.yaml: ")
    assert "\x00" not in told


@pytest.mark.parametrize("option", ["seed", "patience", "device", "embedding", "batch_size"])
def test_a_config_that_lacks_an_option_is_one_line(option, runs, capsys):
    shutil.copytree(runs / "sentiment", "run")
    place = Path("run/config.yaml")
    place.write_text(re.sub(rf"(?m)^{option}:", "x:", place.read_text()))
    assert main(["train", "resume=run", "trainer.max_epochs=2"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("gru-nlp: run/config.yaml: ")
    assert option in told


def test_a_last_checkpoint_that_was_cut_off_is_refused(runs, capsys):
    shutil.copytree(runs / "sentiment", "run")
    with open("run/last.ckpt", "wb"):
        pass
    assert main(["train", "resume=run"]) == 2
    assert capsys.readouterr().err == "gru-nlp: run/last.ckpt: not a checkpoint, or a file that was cut off\n"


def test_a_run_whose_options_refer_to_others_within_a_text_goes_on():
    given = ["-m", "task=sentiment", *QUICK, "trainer.limit_train_batches=2", "seed=3,4", "run_dir=run-${seed}"]
    lists = ["data=csv", "data.train=rows-${seed}.csv", "data.text=[text]"]
    for seed in (3, 4):
        Path(f"rows-{seed}.csv").write_text("text,label\n" + "good,yes\nbad,no\n" * 20)
    assert main(["train", *given, *lists]) == 0
    assert "run_dir: run-3\n" in Path("run-3/config.yaml").read_text()
    assert main(["train", "resume=run-3", "trainer.max_epochs=2"]) == 0
    assert torch.load("run-3/last.ckpt", weights_only=True)["epoch"] == 1
    assert main(["train", *given[1:5], *QUICK, *lists, "seed=4", "run_dir=run-${seed}", "resume=auto"]) == 0
