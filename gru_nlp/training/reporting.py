"""The files of a report: its figures, and the page of them."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from gru_nlp import __version__
from gru_nlp.reports.blocks import Page
from gru_nlp.reports.contents import page
from gru_nlp.reports.html import html
from gru_nlp.reports.markdown import markdown
from gru_nlp.reports.report import REPORT
from gru_nlp.training.run_folder import environment, leave_json
from gru_nlp.whole import write_whole

#: What the page is written as, beside the figures; json: it is not.
PAGES = {"html": ("report.html", html), "markdown": ("report.md", markdown)}


def about(name: str, command: str, given: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report says of the run that it is part of.

    Args:
        name: of the task.
        command: that was given.
        given: its options.
        facts: ``seed``, ``epochs``, ``wall_seconds`` and ``config`` where there are any.
    """
    told = [f"{label} {facts[key]}" for key, label in (("seed", "Seed"), ("epochs", "epochs:")) if key in facts]
    told += [f"{facts['wall_seconds']:,.0f} s of training"] if "wall_seconds" in facts else []
    versions = environment()
    return {
        "title": f"{name}: {command}",
        "told": ", ".join([*told, f"gru_nlp {__version__}, {date.today():%d %B %Y}"]) + ".",
        "command": shlex.join(["gru-nlp", command, *map(typed, given)]),
        "versions": {**versions["versions"], **{key: value for key, value in versions["machine"].items() if value}},
        "config": facts.get("config", {}),
    }


def typed(override: str) -> str:
    """Return an override as a person types it: without the quotes that keep Hydra from reading its value."""
    name, equals, value = override.partition("=")
    whole = len(value) > 1 and value[0] == value[-1] == "'" and "'" not in value[1:-1]
    return f"{name}{equals}{value[1:-1] if whole else value}"


def leave(folder: Path, content: Mapping[str, Any], kind: str, option: str) -> Page:
    """Write a report's figures and its page.

    Args:
        folder: made where there is none.
        content: of the report.
        kind: of the page, among ``PAGES``; json: none is written.
        option: that sets another folder.

    Raises:
        Fault: it cannot be written.
    """
    leave_json(folder, REPORT, content, option)
    made = page(content)
    if kind in PAGES:
        name, write = PAGES[kind]
        write_whole(folder / name, write(made))
    return made
