"""Runs that are broken off within an epoch, by force or by a signal, and go on."""

import csv
import os
import signal
import statistics
from pathlib import Path
from random import Random

import pytest
import torch
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import ReduceLROnPlateau

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.targets import MISFITS
from gru_nlp.tasks import schedules
from gru_nlp.tasks.averaging import WeightAverage
from gru_nlp.tasks.base import Task
from gru_nlp.training import halfway, run_folder
from gru_nlp.training.changes import Patience, check_fused
from gru_nlp.training.stopping import Asked, Stopped

SMALL = ("embedding.size=8", "encoder.hidden_size=8", "batch_size=16", "trainer.max_epochs=2", "logger=csv",
         "trainer.limit_train_batches=12", "+trainer.limit_val_batches=2",
         "trainer.log_every_n_steps=1", "trainer.enable_progress_bar=false", "patience=9")  # fmt: skip
EVERY = "checkpoint_every_steps=1"
WORDS = ("a", "dull", "fine", "film", "and", "bad", "good", "very", "not", "long")


@pytest.fixture(autouse=True)
def _heeds_interrupts():
    """Heed Ctrl-C, which is ignored where a shell has started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
    """Return the losses by step, and their means; of two sittings with the same step the later one counts."""
    losses = {}
    for file in sorted(Path(run).glob("logs/*/metrics.csv")):
        with file.open() as lines:
            rows = list(csv.DictReader(lines))
        for name in ("train/loss", "train/mean_loss"):
            losses |= {(name, row["step"]): row[name] for row in rows if row.get(name)}
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


def test_the_loss_that_is_told_of_an_epoch_is_the_mean_of_its_batches(texts, capsys):
    gru_nlp.train(*SMALL, *texts, "trainer.enable_progress_bar=true", "run_dir=run")
    losses = logged("run")
    steps = [float(loss) for (name, _), loss in losses.items() if name == "train/loss"]
    means = [float(loss) for (name, _), loss in losses.items() if name == "train/mean_loss"]
    halves = [statistics.mean(steps[: len(steps) // 2]), statistics.mean(steps[len(steps) // 2 :])]
    assert len(steps) > 4
    assert means == pytest.approx(halves, rel=1e-5)
    told = [line for line in capsys.readouterr().err.splitlines() if ": loss " in line]
    assert [f"epoch {epoch}: loss {mean:.4f}" for epoch, mean in enumerate(means, start=1)] == [
        line.split(",")[0] for line in told
    ]


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
    with pytest.raises(UserError, match="the run there has seed=1, not 2"):
        gru_nlp.train(*options, "seed=2")
    with pytest.raises(UserError, match=r"embedding\.size cannot change"):
        gru_nlp.train(*options, "embedding.size=9")
    with pytest.raises(UserError, match="resume=auto needs run_dir"):
        gru_nlp.train("resume=auto")


def test_patience_that_is_exhausted_leaves_nothing_to_do_until_it_is_raised(texts, capsys):
    gru_nlp.train(*texts, *SMALL, "optimizer.lr=1e-9", "patience=1", "trainer.max_epochs=4", "run_dir=run")
    capsys.readouterr()
    gru_nlp.train("resume=run")
    assert "no better score in 1 validations: set a larger patience" in capsys.readouterr().err
    gru_nlp.train("resume=run", "patience=2")
    assert "training ended after epoch 3" in capsys.readouterr().err


def test_steps_that_end_within_an_epoch_go_on_there(texts, through, capsys):
    gru_nlp.train(*texts, *SMALL, "trainer.max_steps=17", "run_dir=broken")
    assert torch.load("broken/last.ckpt", weights_only=True)[halfway.KEY]["batches"] == 5
    capsys.readouterr()
    gru_nlp.train("resume=broken")
    assert "17 steps are done: set a larger trainer.max_steps" in capsys.readouterr().err
    gru_nlp.train("resume=broken", "trainer.max_steps=24")
    assert same_weights(through)


def test_another_batch_size_goes_on_at_the_same_share(texts, monkeypatch, capsys):
    options = ("checkpoint_every_steps=9", "trainer.limit_train_batches=1.0", "task.thaw_epochs=1")
    broken_off(monkeypatch, 11, *texts, *SMALL, *options)
    before = torch.load("broken/last.ckpt", weights_only=True)["state_dict"]
    gru_nlp.train("resume=broken", "batch_size=8")
    assert "epoch 1 goes on at batch 19 of 38, in another order than it began with" in capsys.readouterr().err
    after = torch.load("broken/last.ckpt", weights_only=True)
    assert after["global_step"] == 9 + 20 + 38
    frozen = [name for name in before if "embedding" in name]
    assert frozen
    assert all(torch.equal(before[name], after["state_dict"][name]) for name in frozen)


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_last_scoring_says_how_to_go_on(number, texts, monkeypatch, capsys):
    monkeypatch.setattr(Task, "on_test_epoch_start", lambda self: os.kill(os.getpid(), number))
    assert main(["train", *texts, *SMALL, "trainer.max_epochs=1", "run_dir=broken"]) == 128 + number
    assert capsys.readouterr().err.splitlines()[-1] == (
        "gru-nlp: stopped and saved: go on with gru-nlp train resume=broken"
    )
    assert signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL)


@pytest.mark.parametrize("value", [torch.zeros(3), "x", [[]], None])
def test_states_of_other_kinds_are_told_before_they_are_used(value):
    weight = torch.nn.Parameter(torch.zeros(2))
    plateau, patience = ReduceLROnPlateau(SGD([weight])), Patience("x")
    with pytest.raises(MISFITS):
        schedules.take_back(plateau, {**plateau.state_dict(), "best": value})
    for name in ("best_score", "wait_count"):
        with pytest.raises(MISFITS):
            patience.load_state_dict({**patience.state_dict(), name: value})
    average = WeightAverage(torch.nn.Linear(1, 1), 0.9)
    for updates in (value, -15):
        with pytest.raises(MISFITS):
            average.load_state_dict({**average.state_dict(), "updates": updates})


def test_a_fused_step_is_not_taken_with_a_state_of_another_shape():
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = Adam([weight], fused=True)
    optimizer.state[weight] = {"step": torch.zeros(()), "exp_avg": torch.zeros(2)}
    check_fused(optimizer)
    optimizer.state[weight]["exp_avg"] = torch.zeros(1)
    with pytest.raises(ValueError, match="of a weight of"):
        check_fused(optimizer)


@pytest.mark.parametrize("place", ["..", ".", "../precious", "precious"])
def test_the_paths_of_a_checkpoint_remove_nothing(place, tmp_path):
    (tmp_path / "run/precious").mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    last = halfway.LastCheckpoint(tmp_path / "run", None, None, Asked())
    last.load_state_dict({**last.state_dict(), "best_model_path": place, "best_k_models": {place: 0.5}})
    own = str(tmp_path / "run/last.ckpt")
    assert last.best_model_path == own
    assert list(last.best_k_models) == [own]
    assert last.last_model_path == ""


def test_a_tensor_that_claims_more_than_is_stored_is_refused(begun, tmp_path, capsys):
    content = torch.load(begun / "last.ckpt", weights_only=True)
    content["optimizer_states"][0]["state"][0]["exp_avg"] = torch.zeros(1).expand(10**11)
    (tmp_path / "run").mkdir()
    torch.save(content, "run/last.ckpt")
    Path("run/config.yaml").write_text((begun / "config.yaml").read_text())
    assert main(["train", "resume=run"]) == 2
    told = "gru-nlp: run/last.ckpt: a tensor claims to be larger than what is stored of it"
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_nothing_of_the_vectors_that_a_folder_names_is_quoted(begun, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    Path("secret").write_text("hunter2 1 2\nroot 3 4\n")
    config = (begun / "config.yaml").read_text().replace("vectors: null", f"vectors: {tmp_path}/secret")
    Path("run/config.yaml").write_text(config)
    assert main(["train", "resume=run"]) == 2
    told = capsys.readouterr().err
    assert f"reading embedding.vectors={tmp_path}/secret, which the run names" in told
    assert "give it by hand to see why: embedding.vectors=" in told
    assert "hunter2" not in told


def test_what_a_run_did_not_make_stays_where_it_comes_to_nothing(tmp_path):
    (tmp_path / "run/logs/sitting-1").mkdir(parents=True)
    (tmp_path / "run/config.yaml").touch()
    (tmp_path / "run/mine.csv").touch()
    run_folder.remove_unused(tmp_path / "run")
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["mine.csv"]
    (tmp_path / "run/mine.csv").unlink()
    run_folder.remove_unused(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_callbacks_forget_files_outside_the_run_folder(tmp_path, capsys):
    inside, outside = str(tmp_path / "run" / "a.ckpt"), str(tmp_path / "run" / ".." / "letter.txt")
    states = {
        "ours": {"best_model_path": outside},
        "inside": {"best_model_path": inside, "best_k_models": {inside: 1.0}},
        "outside": {"best_k_models": {outside: 1.0}},
        "elsewhere": {"last_model_path": outside},
        "junk": {"best_model_path": 7},
        "counts": {"wait_count": 3},
    }
    halfway.forget_elsewhere(states, ["ours"], tmp_path / "run")
    assert sorted(states) == ["counts", "inside", "ours"]
    assert capsys.readouterr().err.count("names files outside") == 3
    halfway.forget_elsewhere("junk", [], tmp_path)
