"""``--quiet`` and ``--verbose``."""

import logging
import warnings
from pathlib import Path

import pytest

import gru_nlp
from gru_nlp import console
from gru_nlp.cli import voice
from gru_nlp.cli.main import main
from gru_nlp.training import lightning_parts

SMALL = ["trainer.max_epochs=1", "trainer.limit_train_batches=2", "encoder.hidden_size=4", "embedding.size=4"]


@pytest.mark.parametrize(
    ("given", "left", "said"),
    [
        (["a=1"], ["a=1"], "usual"),
        (["--quiet", "a=1", "--quiet"], ["a=1"], "quiet"),
        (["a=1", "--verbose", "--", "--quiet"], ["a=1", "--", "--quiet"], "verbose"),
        (["--", "--verbose"], ["--", "--verbose"], "usual"),
    ],
)
def test_flags_are_taken_wherever_they_stand_but_not_out_of_a_text(given, left, said):
    assert voice.taken(given) == (left, said)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["train", "--quiet", "--verbose"], "only one of --quiet and --verbose can be given"),
        (["--quiet", "train"], "--quiet comes after the command: gru-nlp <command> --quiet"),
        (["info", "--quiet=yes"], "--quiet takes no value"),
        (["train", "--quite"], "unknown flag '--quite'; did you mean '--quiet'?"),
    ],
)
def test_what_makes_no_sense_is_refused(given, told, capsys):
    assert main(given) == 2
    assert capsys.readouterr().err.startswith(f"gru-nlp: {told}")


def test_from_python_they_are_refused():
    with pytest.raises(gru_nlp.UserError, match="--quiet is a flag of the command line alone"):
        gru_nlp.train("--quiet")


def test_a_quiet_run_gives_its_results_alone_and_a_verbose_one_what_libraries_say(capsys):
    assert main(["train", *SMALL, "run_dir=run", "--quiet"]) == 0
    quiet, err = capsys.readouterr()
    assert err == ""
    assert quiet.endswith("run folder: run\n") or quiet.splitlines()[-1].endswith("/run")
    assert main(["evaluate", "checkpoint=run", "--verbose"]) == 0
    out, err = capsys.readouterr()
    scores = {"accuracy", "accuracy_recurrent", "accuracy_wide", "loss", "macro_f1"}
    assert {line.partition(" ")[0] for line in out.splitlines()} == {f"test/{name}" for name in scores}
    assert err.count("scored by: ") == 1
    assert err.count("GPU available: ") <= 1
    lightning_parts.quieten()
    assert logging.getLogger("lightning.pytorch").level == logging.ERROR


def test_a_mistake_is_one_line_and_verbose_says_where_it_was_found(capsys):
    for flag, lines in (("--quiet", 1), ("--verbose", None)):
        assert main(["info", "checkpoint=nowhere", flag]) == 2
        told = capsys.readouterr().err.splitlines()
        assert told[0] == "gru-nlp: nowhere: no such checkpoint (set checkpoint=<file or run folder>)"
        assert lines is None or len(told) == lines
    assert told[1] == "Traceback (most recent call last):"
    assert any(str(Path("gru_nlp", "checkpoint.py")) in line for line in told)


def test_libraries_are_as_before_once_the_command_has_ended(capsys):
    with voice.speaking("quiet"):
        console.say("a remark")
        console.ask("> ")
        warnings.warn("a warning", stacklevel=1)
        logging.getLogger("some").warning("a log line")
        console.show("a result")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("a result\n", "")
    assert logging.root.manager.disable == logging.NOTSET
    console.say("a remark")
    assert capsys.readouterr().err == "a remark\n"
