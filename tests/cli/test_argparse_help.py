"""Python 3.14's check of help strings, put into the argparse at hand: every command works under it."""

import argparse
import contextlib

import pytest
from hydra._internal import utils

from gru_nlp.cli import shell
from gru_nlp.cli.argparse_help import LateHelp, Parser, hydra_help_as_strings
from gru_nlp.cli.main import main

COMMANDS = ["train", "evaluate", "predict", "translate", "info"]


@pytest.fixture
def strict(monkeypatch):
    """Check help when an option is added, as 3.14's ``_check_help`` does."""
    plain = argparse._ActionsContainer.add_argument

    def add_argument(self, *names, **options):
        action = plain(self, *names, **options)
        if action.help and hasattr(self, "_get_formatter"):
            try:
                self._get_formatter()._expand_help(action)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError("badly formed help string") from error
        return action

    monkeypatch.setattr(argparse._ActionsContainer, "add_argument", add_argument)


@pytest.fixture
def unmended(monkeypatch):
    monkeypatch.setattr(shell, "hydra_help_as_strings", contextlib.nullcontext)


def exit_code(*arguments):
    """Run a command; Hydra leaves by ``SystemExit`` after its help."""
    try:
        return main(list(arguments))
    except SystemExit as end:
        return end.code


@pytest.mark.usefixtures("strict", "unmended")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_check_ends_every_command_without_the_mend(command):
    with pytest.raises(ValueError, match="badly formed help string"):
        main([command, "--cfg", "job"])


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("option", [["--help"], ["--cfg", "job"]])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_under_the_check(command, option, capsys):
    assert exit_code(command, *option) == 0
    assert capsys.readouterr().out


@pytest.mark.usefixtures("strict")
def test_a_command_runs_under_the_check(trained, capsys):
    assert main(["info", f"checkpoint={trained}"]) == 0
    assert capsys.readouterr().out.startswith("checkpoint:")


@pytest.mark.usefixtures("strict")
def test_hydras_own_help_still_tells_of_completion(capsys):
    assert exit_code("train", "--hydra-help") == 0
    assert "Install or Uninstall shell completion" in capsys.readouterr().out


def test_the_text_is_made_only_when_it_is_printed():
    made = []

    class Late:
        def __repr__(self):
            made.append(1)
            return "made late"

    action = Parser(add_help=False).add_argument("--x", help=Late())
    assert isinstance(action.help, LateHelp)
    assert made == []
    assert f"{action.help}" == str(action.help) == "made late"


def fail_inside():
    with hydra_help_as_strings():
        assert utils.argparse.ArgumentParser is Parser
        assert argparse.ArgumentParser is not Parser
        raise KeyError


def test_argparse_is_left_as_it_was_even_after_an_error():
    with pytest.raises(KeyError):
        fail_inside()
    assert utils.argparse is argparse
