"""Remarks, and what is said again and again."""

import numpy as np

from gru_nlp import console
from gru_nlp.cli.main import main
from gru_nlp.data import tables


def test_a_remark_is_made_once_a_command_and_progress_is_said_each_time(capsys):
    for _ in range(2):
        console.begin()
        for _ in range(3):
            console.remark("only once")
            console.say("again")
    assert capsys.readouterr().err.splitlines() == ["only once", "again", "again", "again"] * 2


def test_several_damaged_tables_are_one_remark(capsys):
    for _ in range(2):
        found = iter([ValueError("cut off"), np.zeros(3)])

        def made(found=found):
            value = next(found)
            if isinstance(value, Exception):
                raise value
            return value

        tables._anew(made, lambda: None)
    assert capsys.readouterr().err == "a cached table was damaged: it is made anew\n"


def test_a_sweep_tells_once_what_all_its_jobs_share(trained, capsys):
    capsys.readouterr()
    split = "split=test,validation"
    assert main(["evaluate", "-m", f"checkpoint='{trained}'", split, "hydra.sweep.dir=sweep"]) == 0
    out, err = capsys.readouterr()
    assert out.count("/accuracy ") == 2
    assert err.count("scored by: ") == 1
