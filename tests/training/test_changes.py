"""What a person changes in a run that goes on."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml

import gru_nlp
from gru_nlp.errors import UserError
from gru_nlp.training.changes import Patience, changed, share_of_rate

QUICK = ("encoder.hidden_size=4", "embedding.size=4", "logger=none", "trainer.enable_progress_bar=false", "threads=1")
QUICK += ("model.wide=none", "trainer.limit_train_batches=3", "device=cpu")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return the folder of a run of one epoch, at a rate that stays."""
    folder = tmp_path_factory.mktemp("first") / "run"
    gru_nlp.train("task=sentiment", *QUICK, "trainer.max_epochs=1", f"run_dir={folder}")
    return folder


def gone_on(first, *options):
    shutil.copytree(first, "run")
    gru_nlp.train("resume=run", "trainer.max_epochs=2", *options)
    return torch.load("run/last.ckpt", weights_only=True)


def test_a_rate_that_is_given_is_the_rate_of_the_steps_to_come(first):
    before = torch.load(first / "last.ckpt", weights_only=True)["state_dict"]
    after = gone_on(first, "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    assert all(torch.allclose(weight, before[name], atol=1e-7) for name, weight in after["state_dict"].items())
    groups = after["optimizer_states"][0]["param_groups"]
    assert [group["lr"] for group in groups] == pytest.approx([1e-12] * 2)
    assert yaml.safe_load(Path("run/config.yaml").read_text())["optimizer"]["lr"] == 1e-12


def test_a_rate_of_nothing_is_in_force_and_leads_no_further(first):
    before = torch.load(first / "last.ckpt", weights_only=True)["state_dict"]
    after = gone_on(first, "optimizer.lr=0")
    assert all(torch.equal(weight, before[name]) for name, weight in after["state_dict"].items() if "model." in name)
    with pytest.raises(UserError, match=r"optimizer\.lr=0 cannot change"):
        gru_nlp.train("resume=run", "trainer.max_epochs=3", "optimizer.lr=0.1")


def test_an_option_that_the_run_has_not_is_told(first):
    stored = yaml.safe_load((first / "config.yaml").read_text())
    shutil.copytree(first, "run")
    del stored["task"]["thaw_epochs"]
    Path("run/config.yaml").write_text(yaml.safe_dump(stored))
    with pytest.raises(UserError, match=r"^task\.thaw_epochs: the run in run has no such option"):
        gru_nlp.train("resume=run", "trainer.max_epochs=2", "task.thaw_epochs=1")


def test_weight_decay_that_is_given_meets_matrices_alone(first):
    groups = gone_on(first, "optimizer.weight_decay=0.5")["optimizer_states"][0]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0]


@pytest.mark.parametrize("schedule", ["cosine", "plateau", "constant"])
def test_the_schedule_goes_on_from_a_rate_that_is_given(schedule):
    options = ["task=sentiment", *QUICK, f"schedule={schedule}", "patience=9"]
    rates = []
    for name, given in (("a", []), ("b", ["optimizer.lr=0.001"])):
        gru_nlp.train(*options, "trainer.max_epochs=2", f"run_dir={name}")
        gru_nlp.train(f"resume={name}", "trainer.max_epochs=4", *given)
        groups = torch.load(f"{name}/last.ckpt", weights_only=True)["optimizer_states"][0]["param_groups"]
        rates.append([(group["lr"], group.get("initial_lr")) for group in groups])
    for (whole, first_whole), (half, first_half) in zip(*rates, strict=True):
        assert half == pytest.approx(whole / 2)
        assert first_half == (first_whole and pytest.approx(first_whole / 2))


def test_nothing_given_changes_nothing():
    assert share_of_rate({"optimizer": {"lr": 0.003}}, {"optimizer": {"lr": 0.003}}) == 1.0
    assert share_of_rate({}, {"optimizer": {"lr": 0.003}}) == 1.0


def test_patience_is_that_of_the_config():
    old, new = Patience("a", patience=1), Patience("a", patience=7)
    old.wait_count = 1
    new.load_state_dict(old.state_dict())
    assert (new.patience, new.wait_count) == (7, 1)


def test_a_run_that_was_stopped_early_goes_on_with_more_patience(capsys):
    options = ["task=sentiment", *QUICK, "optimizer.lr=1e-12", "trainer.max_epochs=9"]
    gru_nlp.train(*options, "patience=1", "run_dir=run")
    assert "after epoch 2" in capsys.readouterr().err
    gru_nlp.train("resume=run", "patience=4")
    assert "after epoch 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("encoder.hidden_size=8", "model.encoder.hidden_size"),
        ("preprocessing.max_length=20", "preprocessing.max_length"),
        ("tokenizer.min_frequency=2", "preprocessing.tokenizer.min_frequency"),
        ("task.mode=min", "task.mode"),
        ("task.floor_decay=0.5", "task.floor_decay"),
        ("pretrained=other", "pretrained"),
        ("pretraining.epochs=3", "pretraining.epochs"),
        ("pretraining.dropout=0.3", "pretraining.dropout"),
        ("data.name=topics", "data.name"),
        ("embedding.trainable=false", "model.embedding.trainable"),
        ("embedding.vectors=other.txt", "embedding.vectors"),
        ("run_dir=other", "run_dir"),
    ],
)
def test_what_cannot_change_is_refused_by_name(given, named, first):
    shutil.copytree(first, "run")
    kept = {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()}
    with pytest.raises(UserError, match=named.replace(".", r"\.")):
        gru_nlp.train("resume=run", "trainer.max_epochs=2", given)
    assert {path.name: path.read_bytes() for path in Path("run").iterdir() if path.is_file()} == kept


@pytest.mark.parametrize("broken", [[1], None, "x"])
def test_a_stored_config_whose_group_is_none_is_told(broken, first):
    shutil.copytree(first, "run")
    stored = yaml.safe_load(Path("run/config.yaml").read_text())
    Path("run/config.yaml").write_text(yaml.safe_dump({**stored, "pretraining": broken}))
    with pytest.raises(UserError, match="a run's config that is broken: see its pretraining"):
        gru_nlp.train("resume=run", "trainer.max_epochs=2")


def test_the_shares_of_data_are_its_splits_and_cannot_change():
    parts = [{"data": {"test_share": share}, "model": {"dropout": share}} for share in (0.1, 0.2)]
    assert list(changed(*parts)) == ["data.test_share"]
