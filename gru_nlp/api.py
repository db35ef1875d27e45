"""The commands as functions, for a script or a notebook: the same options, the same messages as exceptions."""

from pathlib import Path

from gru_nlp import console
from gru_nlp.cli.quoting import without_dirs
from gru_nlp.cli.shell import arranged, composed
from gru_nlp.config import absolute_paths, resolved
from gru_nlp.training import run, scoring


def train(*overrides: str) -> run.Run:
    """Train a model, as ``gru-nlp train`` does with the same options.

    Example::

        run = gru_nlp.train("task=ner", "data=conll", "data.train=a.txt", "data.test=b.txt")
        run.scores["test/f1"]
        run.predictor()("Ms Amara Brook left Selby")

    Args:
        overrides: options as on the command line, ``name=value`` each; ``--config-dir=<folder>`` for yamls of one's
            own.

    Raises:
        UserError: a mistake in data or options, in one line.
    """
    console.begin()
    return run.train(composed("train", overrides), arranged("train", without_dirs(overrides)[0]))


def distill(*overrides: str) -> run.Run:
    """Train a student on what teachers translate, as ``gru-nlp distill`` does with the same options.

    Example::

        gru_nlp.distill("teacher=[runs/a,runs/b]", "decoder.cell=ssru", "run_dir=student").scores["test/bleu"]

    Args:
        overrides: as of ``train``.

    Raises:
        UserError: a mistake in teachers, data or options, in one line.
    """
    console.begin()
    return run.distill(composed("distill", overrides), arranged("distill", without_dirs(overrides)[0]))


def evaluate(checkpoint: str | Path, *overrides: str) -> dict[str, float]:
    """Score a checkpoint file or run folder, as ``gru-nlp evaluate`` does; return its scores by name.

    Args:
        checkpoint: the file or folder.
        overrides: further options, ``data.test=b.csv``.

    Raises:
        UserError: a mistake in data or options, in one line.
    """
    console.begin()
    config = composed("evaluate", [f"checkpoint={checkpoint}", *overrides])
    absolute_paths(config)
    return scoring.evaluate(resolved(config)).scores
