from pathlib import Path

import numpy as np
import pytest

import gru_nlp
from gru_nlp.cli.shell import composed
from gru_nlp.config import resolved
from gru_nlp.reports.paired import row_scores
from gru_nlp.reports.rows import rows_of
from gru_nlp.training.scoring import evaluate

TINY = ["trainer.enable_progress_bar=false", "encoder.hidden_size=8", "embedding.size=8", "logger=none"]
STRANGE = 41


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_what_lines_add_is_the_score_of_a_language_model(direction):
    lines = [f"the sun shines and the rain falls again{'' if row % 3 else chr(10)}" for row in range(80)]
    text = "\n".join(lines).split("\n")
    text[STRANGE] = "qz xv zq vx"
    Path("a.txt").write_text("\n".join(text) + "\n")
    data = ["data=text", "data.train=a.txt", "data.validation=a.txt", "data.test=a.txt", "data.documents=blank_line"]
    own = ["task=language_model", f"preprocessing.direction={direction}", "trainer.max_epochs=4", "batch_size=4"]
    run = gru_nlp.train(*own, *data, *TINY, "tokenizer=character", "run_dir=run")
    for split in ("validation", "test"):
        scored = evaluate(resolved(composed("evaluate", [f"checkpoint={run.folder}", f"split={split}"])))
        rows = rows_of(scored.task, scored.data, "test", split)
        (tally,) = rows.tallies
        found = tally.score(tally.total())
        assert {f"{split}/{name}": one[0] for name, one in found.items()} == pytest.approx(scored.scores, rel=1e-5)
        losses = np.where([bool(line) for line in text], row_scores(tally)["loss"], 0.0)
        assert losses.argmax() == STRANGE
        assert len(np.unique(rows.documents)) == text.count("") + 1
        assert rows.units().drawn == "documents"


def test_data_that_is_gone_takes_no_score_away(monkeypatch):
    rows = [f"{said} {i},{label},{i // 2}" for i in range(50) for said, label in (("good", "yes"), ("bad", "no"))]
    Path("a.csv").write_text("\n".join(["text,label,document", *rows, ""]))
    data = ["data=csv", "data.train=a.csv", "data.test=a.csv", "trainer.max_epochs=1", *TINY]
    run = gru_nlp.train(*data, "run_dir=run")
    task, parts = run.parts.task, run.parts.data
    assert rows_of(task, parts, "test", "test").units().drawn == "documents"
    Path("a.csv").write_text("\n".join(["text,label,document", *rows[:9], ""]))
    assert rows_of(task, parts, "test", "test").units().drawn == "rows"
    Path("a.csv").unlink()
    gone = rows_of(task, parts, "test", "test")
    assert (gone.documents, gone.units().number) == (None, 100)
