"""Runs that are broken off within an epoch, by force or by a signal, and go on."""

import csv
import os
import signal
from pathlib import Path
from random import Random

import pytest
import torch

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.tasks.base import Task
from gru_nlp.training import halfway
from gru_nlp.training.stopping import Stopped

SMALL = ("embedding.size=8", "encoder.hidden_size=8", "batch_size=16", "trainer.max_epochs=2", "logger=csv",
         "trainer.limit_train_batches=12", "+trainer.limit_val_batches=2",
         "trainer.log_every_n_steps=1", "trainer.enable_progress_bar=false", "patience=9")  # fmt: skip
EVERY = "checkpoint_every_steps=1"
WORDS = ("a", "dull", "fine", "film", "and", "bad", "good", "very", "not", "long")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return the options of a small data set of labelled texts."""
    folder, random = tmp_path_factory.mktemp("texts"), Random(1)
    for split, rows in {"train": 300, "validation": 40, "test": 20}.items():
        with (folder / f"{split}.csv").open("w") as file:
            file.write("text,label\n")
            for _ in range(rows):
                words = random.choices(WORDS, k=random.randint(2, 9))
                file.write(f"{' '.join(words)},{'up' if 'good' in words else 'down'}\n")
    files = (f"data.{split}={folder / split}.csv" for split in ("train", "validation", "test"))
    return ("task=classification", "model.wide=none", "data=csv", *files)


@pytest.fixture(scope="module")
def through(texts, tmp_path_factory):
    """Return the folder of a run that was not broken off."""
    folder = tmp_path_factory.mktemp("through")
    gru_nlp.train(*texts, *SMALL, f"run_dir={folder / 'run'}")
    return folder / "run"


class Broken(Exception):
    """Stands for a kill: nothing is saved any more."""


def breaking(monkeypatch, number, act):
    """Let ``act`` happen before the ``number``-th batch that is trained on."""
    real, seen = Task.training_step, []

    def step(self, batch, batch_idx):
        seen.append(batch_idx)
        if len(seen) == number:
            act()
        return real(self, batch, batch_idx)

    monkeypatch.setattr(Task, "training_step", step)


def broken():
    raise Broken


def broken_off(monkeypatch, number, *options):
    """Train in the folder ``broken`` until the ``number``-th batch."""
    with monkeypatch.context() as patch:
        breaking(patch, number, broken)
        with pytest.raises(Broken):
            gru_nlp.train(*options, "run_dir=broken")


def same_weights(run="through", name="last.ckpt"):
    through, gone_on = (torch.load(f"{folder}/{name}", weights_only=True) for folder in (run, "broken"))
    assert through["global_step"] == gone_on["global_step"]
    return all(torch.equal(value, gone_on["state_dict"][key]) for key, value in through["state_dict"].items())


def logged(run):
    """Return the losses by step; of two sittings with the same step the later one counts."""
    losses = {}
    for file in sorted(Path(run).glob("logs/*/metrics.csv")):
        with file.open() as lines:
            losses |= {row["step"]: row["train/loss"] for row in csv.DictReader(lines) if row["train/loss"]}
    return losses


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (8, ["task.average_decay=0.9", "schedule=cosine", "trainer.accumulate_grad_batches=3"]),
        (20, ["trainer.val_check_interval=0.25", "schedule=plateau", "task.thaw_epochs=1"]),
        (20, ["batch_tokens=200", "num_workers=1", "checkpoint_every_steps=4", "trainer.gradient_clip_val=0.1"]),
        (20, ["task=ner", "data=sample_entities"]),
        (20, ["task=translation", "data=sample_translation", "decoder.hidden_size=8"]),
        (20, ["task=language_model", "data=sample_stories", "preprocessing.sequence_length=8"]),
    ],
)
def test_a_run_that_was_broken_off_ends_as_one_that_was_not(number, options, texts, monkeypatch):
    options = options if options[0].startswith("task=") else [*texts, *options]
    gru_nlp.train(*SMALL, EVERY, *options, "run_dir=through")
    broken_off(monkeypatch, number, *SMALL, EVERY, *options)
    begun = torch.load("broken/last.ckpt", weights_only=True)
    assert 0 < begun[halfway.KEY]["batches"] < 12
    gru_nlp.train("resume=broken")
    assert same_weights()
    assert same_weights(name="best.ckpt")
    assert logged("through") == logged("broken")


def test_a_run_without_a_checkpoint_begins_anew_in_its_folder(texts, through, monkeypatch):
    broken_off(monkeypatch, 3, *texts, *SMALL)
    assert not Path("broken/last.ckpt").exists()
    gru_nlp.train("resume=broken")
    assert same_weights(through)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_says_how_to_go_on(number, texts, through, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        breaking(patch, 5, lambda: os.kill(os.getpid(), number))
        assert main(["train", *texts, *SMALL, "run_dir=broken"]) == 128 + number
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "gru-nlp: stopped and saved: go on with gru-nlp train resume=broken"
    assert torch.load("broken/last.ckpt", weights_only=True)[halfway.KEY]["batches"] == 5
    assert signal.getsignal(number) is signal.default_int_handler or number != signal.SIGINT
    assert main(["train", "resume=broken"]) == 0
    assert same_weights(through)


def test_a_signal_in_a_validation_stops_after_it(texts, through, monkeypatch):
    real = Task.validation_step

    def step(self, batch, batch_idx):
        if batch_idx == 0 and self.current_epoch == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(Task, "validation_step", step)
        assert main(["train", *texts, *SMALL, "run_dir=broken"]) == 128 + signal.SIGTERM
    assert torch.load("broken/last.ckpt", weights_only=True)["global_step"] == 12
    assert main(["train", "resume=broken"]) == 0
    assert same_weights(through)


def test_a_signal_in_an_epoch_of_one_batch_stops_after_it(texts, monkeypatch, capsys):
    options = (*texts, *SMALL, "batch_size=300", "trainer.max_epochs=50", "run_dir=broken")
    breaking(monkeypatch, 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert main(["train", *options]) == 128 + signal.SIGTERM
    last = torch.load("broken/last.ckpt", weights_only=True)
    assert halfway.KEY not in last
    assert last["global_step"] == 2


def test_a_second_signal_stops_at_once(texts, monkeypatch):
    def twice():
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)

    breaking(monkeypatch, 5, twice)
    with pytest.raises(KeyboardInterrupt) as caught:
        gru_nlp.train(*texts, *SMALL, "run_dir=broken")
    assert not isinstance(caught.value, Stopped)


def test_resume_auto_begins_goes_on_and_ends(texts, through, monkeypatch, capsys):
    options = (*texts, *SMALL, EVERY, "run_dir=broken", "resume=auto")
    broken_off(monkeypatch, 9, *options)
    gru_nlp.train(*options)
    assert same_weights(through)
    before = {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in Path("broken").rglob("*")}
    capsys.readouterr()
    done = gru_nlp.train(*options)
    assert "nothing is left to do, and nothing is touched: 2 epochs are done: set a larger trainer.max_epochs" in (
        capsys.readouterr().err
    )
    assert before == {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in Path("broken").rglob("*")}
    assert 0.0 <= done.scores["test/accuracy"] <= 1.0
    with pytest.raises(UserError, match=r"encoder\.hidden_size cannot change"):
        gru_nlp.train(*options, "encoder.hidden_size=9")
    with pytest.raises(UserError, match="resume=auto needs run_dir"):
        gru_nlp.train("resume=auto")


def test_patience_that_is_exhausted_leaves_nothing_to_do_until_it_is_raised(texts, capsys):
    gru_nlp.train(*texts, *SMALL, "optimizer.lr=1e-9", "patience=1", "trainer.max_epochs=4", "run_dir=run")
    capsys.readouterr()
    gru_nlp.train("resume=run")
    assert "no better score in 1 validations: set a larger patience" in capsys.readouterr().err
    gru_nlp.train("resume=run", "patience=2")
    assert "training ended after epoch 3" in capsys.readouterr().err


def test_another_batch_size_goes_on_at_the_same_share(texts, monkeypatch, capsys):
    broken_off(monkeypatch, 11, *texts, *SMALL, "checkpoint_every_steps=9", "trainer.limit_train_batches=1.0")
    gru_nlp.train("resume=broken", "batch_size=8")
    assert "epoch 1 goes on at batch 19 of 38, in another order than it began with" in capsys.readouterr().err
    assert torch.load("broken/last.ckpt", weights_only=True)["global_step"] == 9 + 20 + 38


BREAKS = {
    "batches": lambda state: state.update(batches=-1),
    "more batches than there are": lambda state: state.update(batches=10**9),
    "no order": lambda state: state.pop("order"),
    "processes": lambda state: state.update(processes=[{}]),
    "random numbers": lambda state: state["processes"][0].update(random=torch.zeros(3, dtype=torch.uint8)),
    "a carried state": lambda state: state["processes"][0].update(carried="x"),
    "nothing": lambda state: state.clear(),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Return the folder of a language model that was broken off."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        broken_off(patch, 5, *SMALL, EVERY, "task=language_model", "preprocessing.sequence_length=8")
    return folder / "broken"


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_place_is_one_line(name, begun, tmp_path, capsys):
    content = torch.load(begun / "last.ckpt", weights_only=True)
    BREAKS[name](content[halfway.KEY])
    (tmp_path / "run").mkdir()
    torch.save(content, "run/last.ckpt")
    Path("run/config.yaml").write_text((begun / "config.yaml").read_text())
    assert main(["train", "resume=run"]) == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("gru-nlp: run/last.ckpt: what it says of its unfinished epoch is broken")
    )


def test_a_carried_state_of_another_size_is_one_line(begun, tmp_path, capsys):
    content = torch.load(begun / "last.ckpt", weights_only=True)
    content[halfway.KEY]["processes"][0]["carried"] = torch.zeros(1, 2, 3)
    (tmp_path / "run").mkdir()
    torch.save(content, "run/last.ckpt")
    Path("run/config.yaml").write_text((begun / "config.yaml").read_text())
    assert main(["train", "resume=run"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("gru-nlp: run/last.ckpt: what it says of")
