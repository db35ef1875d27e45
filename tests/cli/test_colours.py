"""Colours, and where there are none."""

import io
import re
from types import SimpleNamespace

import pytest

from gru_nlp.answers.base import Style
from gru_nlp.answers.entities import EntityAnswer
from gru_nlp.training import lightning_parts

COLOURS = re.compile(r"\x1b\[[\d;]*m")
SMALL = ["trainer.max_epochs=1", "trainer.limit_train_batches=2", "encoder.hidden_size=4", "embedding.size=4"]


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)])
def test_a_run_at_a_terminal_has_colours_unless_the_person_wants_none(wish, coloured, terminal):
    here = terminal("train", *SMALL, "trainer.enable_model_summary=true", NO_COLOR=wish, TERM="xterm-256color")
    code, out, shown = here.end()
    assert code == 0
    assert "Epoch 1/1" in shown
    assert "| SequenceClassifier |" in shown
    assert bool(COLOURS.search(shown)) == coloured
    assert "\x1b" not in out
    assert "Params" not in out


@pytest.mark.parametrize(
    ("environment", "draws", "coloured"),
    [
        ({}, True, True),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "0"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_bars_and_entities_follow_the_environment(environment, draws, coloured, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    assert lightning_parts.draws() == draws
    entity = {"start": 0, "end": 2, "text": "Al", "label": "PER", "score": 1.0}
    answer = EntityAnswer(SimpleNamespace(label_names=lambda: ["PER"]), Style(None))
    assert ("\x1b[" in answer.table({"entities": [entity]}, "Al")) == coloured
