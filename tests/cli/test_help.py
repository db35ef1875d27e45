"""Help explains what a command takes, from the yaml alone, at once."""

import subprocess
import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.cli import help as helping
from gru_nlp.cli import quoting, voice
from gru_nlp.cli.main import COMMANDS, main
from gru_nlp.config import conf_dir
from gru_nlp.ranges import leaves


def told(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_shown_and_none_that_it_does_not_take(command, capsys):
    text = told(capsys, command, "--help")
    shown = {line.split("=")[0].strip() for line in text.splitlines() if line.startswith("  ") and "=" in line}
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        plain = OmegaConf.to_container(compose(command), resolve=False)
    taken = {name for name, _ in leaves(plain) if "._" not in name and not name.startswith("_")}
    assert taken - shown == set()
    assert {name for name in shown - taken if not name.startswith("--") and " " not in name} == set()


@pytest.mark.parametrize("group", sorted(helping.groups("train")))
def test_every_choice_of_a_group_is_shown_with_the_options_that_it_takes(group):
    for choice in helping.choices(group):
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose("train", overrides=[f"{group}={choice}"])
        plain = OmegaConf.to_container(composed, resolve=False).get(group, {})
        names = [name for name, _ in leaves(plain)]
        taken = {f"{group}.{name}" for name in names if name and name.rpartition(".")[2][0] != "_"}
        shown = {name for name in helping.options(group, choice) if name.startswith(f"{group}.")}
        assert shown == taken, choice


def test_a_command_explains_its_options_by_the_comments_of_its_yaml(capsys):
    text = told(capsys, "train", "--help")
    assert "  patience=3                        validations without a better score before training stops" in text
    assert "tokenizer: bpe, byte_bpe, character, unigram, whitespace, word, wordpiece\n    default: word" in text
    assert "encoder.hidden_size=128          features of a state in one direction" in text


def test_a_group_is_explained_choice_by_choice(capsys):
    text = told(capsys, "train", "--help", "encoder")
    assert "encoder=gru (default)" in text
    assert "Gates that see the input alone: one linear recurrence (Feng et al. 2024)." in text
    assert "encoder.layers=2            a gate that sees one input alone" in text
    assert "tokenizer" not in text
    assert "sets data=sample_entities" in told(capsys, "train", "task", "--help")


def test_a_choice_beside_help_is_the_one_that_is_shown(capsys):
    assert "data.train=null" in told(capsys, "train", "data=csv", "--help")


def test_a_group_that_there_is_not_is_refused(capsys):
    assert main(["train", "--help", "encodr"]) == 2
    assert "did you mean 'encoder'?" in capsys.readouterr().err


def test_help_loads_neither_hydra_nor_torch():
    code = "import sys; from gru_nlp.cli.main import main; main(['train', '--help', 'data'])\n"
    code += "sys.exit(any(name in sys.modules for name in ('hydra', 'torch', 'lightning')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_explained(command):
    assert [name for name, option in helping.command_options(command).items() if not option.explained] == []
    for group in helping.groups(command):
        for choice in helping.choices(group):
            bare = [name for name, option in helping.options(group, choice).items() if not option.explained]
            assert bare == [], choice
            assert helping.read(conf_dir() / group / f"{choice}.yaml").head, choice


def test_an_option_that_a_choice_only_sets_is_explained_where_it_comes_from():
    said = {name: option.explained for name, option in helping.options("experiment", "multi30k_de_en").items()}
    assert said["decoder.hidden_size"] == "features of a state"
    assert said["batch_size"] == "most sentences in a batch"
    assert said["data.target"] == "the same for the target sentences"
    assert helping.options("data", "sst2")["data.files.test"].explained == "names of a preset's files in dir"
    assert helping.options("model", "classifier")["model.embedding.size"].explained == "that of embedding.size"


def test_a_task_beside_help_shows_what_it_chooses(capsys):
    text = told(capsys, "train", "task=ner", "--help")
    assert "shown: sample_entities" in text
    assert "model.crf=true" in text


def test_a_group_whose_default_is_a_list_is_shown(capsys):
    assert "logger: csv, mlflow, none, tensorboard, wandb\n    default: [csv, tensorboard]" in told(
        capsys, "train", "--help"
    )


def test_the_flags_that_people_use_are_explained_and_are_taken(capsys):
    text = told(capsys, "predict", "--help")
    for flag in helping.FLAGS:
        assert f"  {flag}" in text
        for name in flag.split(", "):
            assert name in (*quoting.HYDRA_FLAGS, *voice.FLAGS)
