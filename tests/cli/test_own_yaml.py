"""A person's own yaml, a group that is taken away, and a flag's wrong value: one line and exit code 2, no traceback."""

from pathlib import Path

import pytest

from gru_nlp.cli.main import main


def refused(capsys, *arguments):
    """Run train, which must refuse; return its one line."""
    assert main(["train", *arguments]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line != "reading the data"]
    assert len(told) == 1, told
    assert not Path("runs").exists()
    return told[0]


def own(group, content):
    Path("own", group).mkdir(parents=True)
    Path("own", group, "mine.yaml").write_text(content)
    return "--config-dir", "own", f"{group}=mine"


@pytest.mark.parametrize("group", ["data", "encoder", "decoder", "optimizer", "model", "task", "trainer", "schedule"])
def test_a_group_that_is_needed_cannot_be_taken_away(capsys, group):
    for argument in (f"{group}=null", f"~{group}"):
        assert f"{argument}: {group} is needed; choose one" in refused(capsys, "batch_size=8", argument)


@pytest.mark.parametrize("argument", ["~seed", "~task.monitor", "~data._target_"])
def test_an_option_that_is_needed_cannot_be_taken_away(capsys, argument):
    assert f"{argument}: this option cannot be taken away" in refused(capsys, argument)


def test_what_others_are_taken_from_cannot_be_taken_away(capsys):
    assert "decoder.cell is taken from encoder.cell, which is not there" in refused(capsys, "~encoder.cell")


@pytest.mark.parametrize("argument", ["experiment=null", "~experiment"])
def test_a_group_that_is_null_anyway_may_be_so_named(capsys, argument):
    assert "batch_size=0" in refused(capsys, argument, "batch_size=0")


@pytest.mark.parametrize(
    ("group", "content", "told"),
    [
        ("encoder", "defaults: [gru]\n_target_: nomod.X\n", "_target_=nomod.X cannot be imported: No module named"),
        ("encoder", "defaults: [gru]\n_target_: gru_nlp.nn.encoder.X\n", "gru_nlp.nn.encoder.X cannot be imported"),
        ("encoder", "defaults: [gru]\n_target_: os.sep\n", "_target_=os.sep is no class and no function"),
        ("data", "_target_: nomod.X\n", "_target_=nomod.X cannot be imported: No module named 'nomod'"),
        ("data", "name: x\n", "a part with the options name names no _target_ to build"),
        ("encoder", "cell: {}\nhidden_size: 3\n", "'encoder' names no _target_ to build"),
        ("encoder", "a: [1,\nb: }\n", 'mine.yaml", line 2'),
        ("encoder", "- a\n- b\n", "encoder: its yaml must hold options"),
        ("data", "- a\n", "data: its yaml must hold options"),
        ("encoder", "just a word\n", "is not there"),
        ("encoder", "defaults: 3\n", "defaults must be a list"),
        ("encoder", "defaults: [nowhere]\n", "Could not load 'encoder/nowhere'"),
        ("encoder", "defaults: [gru]\nhidden_size: abc\n", "encoder.hidden_size=abc must be a whole number"),
        ("encoder", "defaults: [gru]\nhidden_size: ${nix}\n", "encoder.hidden_size is taken from nix"),
        ("trainer", "_target_: lightning.Trainer\n", "is missing: begin a yaml of your own with 'defaults: [default]'"),
    ],
)
def test_a_broken_yaml_of_a_persons_own_is_told_in_one_line(capsys, group, content, told):
    assert told in refused(capsys, "data=sample_topics" if group != "data" else "seed=1", *own(group, content))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cfg"], "--cfg/-c: expected one argument"),
        (["--cfg", "jobb"], "--cfg/-c: invalid choice: 'jobb'"),
        (["--config-dir", "nowhere"], "nowhere' not found"),
        (["--config-dir"], "--config-dir/-cd: expected one argument"),
        (["--run", "--multirun"], "only one of --run and --multirun can be given"),
    ],
)
def test_a_flag_without_its_value_is_told_in_one_line(capsys, arguments, told):
    assert told in refused(capsys, *arguments)
