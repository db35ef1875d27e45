"""The wide part from the command line: its scores, its kinds, its place in the one file."""

import csv
import json
import random
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main

QUICK = ["trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "logger=none", "data=csv"]
#: Letters of made-up words; no blank stands between the words of a text.
LETTERS = {"chinese": "天地人山水火木金土日月年大小上下", "thai": "กขคงจชซดตนบปพมยรลวสหอ"}


def write(place, texts):
    """Write texts with their labels as a table."""
    with Path(place).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows(texts)
    return f"data.train={place}"


def unbroken(letters, number):
    """Return texts without a blank; the label says which of two pairs of letters stands in one."""
    draw = random.Random(3)
    pairs = {"pro": letters[0] + letters[1], "con": letters[1] + letters[0]}
    made = []
    for _ in range(number):
        label = draw.choice(sorted(pairs))
        parts = ["".join(draw.choices(letters[2:], k=draw.randint(2, 9))) for _ in range(2)]
        made.append((pairs[label].join(parts), label))
    return made


@pytest.mark.parametrize("script", sorted(LETTERS))
def test_text_without_blanks_is_known_by_its_characters(script):
    option = write("own.csv", unbroken(LETTERS[script], 400))
    run = gru_nlp.train(*QUICK, option, "run_dir=run")
    state = checkpoint.load("run").preprocessing["ngrams"]
    assert state["words"] == ""
    assert state["characters"]
    assert run.scores["validation/accuracy_wide"] > 0.95
    assert run.scores["validation/accuracy"] > 0.95
    for text, label in unbroken(LETTERS[script], 20):
        assert run.predictor()(text)["label"] == label


def test_scores_of_the_parts_stand_beside_that_of_the_whole(trained):
    scores = json.loads((trained / "metrics.json").read_text())
    assert {"test/accuracy", "test/accuracy_wide", "test/accuracy_recurrent"} <= scores.keys()
    assert scores["test/accuracy"] >= max(scores["test/accuracy_wide"], scores["test/accuracy_recurrent"]) - 0.01


def test_without_a_wide_part_nothing_of_it_is_stored():
    texts = [(f"{word} film {place}", word) for place in range(20) for word in ("good", "bad")]
    run = gru_nlp.train(*QUICK, write("own.csv", texts), "run_dir=run", "model.wide=none")
    stored = checkpoint.load("run")
    assert not [name for name in run.scores if "wide" in name or "recurrent" in name]
    assert "ngrams" not in stored.preprocessing
    assert not [name for name in stored.weights if "wide" in name or "shares" in name]


def test_an_unknown_kind_is_one_line(capsys):
    texts = [(word, word) for _ in range(9) for word in ("good", "bad")]
    assert main(["train", *QUICK, write("own.csv", texts), "model.wide=letters"]) == 2
    assert "model.wide" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("part", [None, {}, {"words": "AAAA", "characters": ""}, {"words": "", "characters": "é"}])
def test_hashes_that_do_not_fit_are_refused(trained, part, capsys):
    content = torch.load(trained / "best.ckpt", weights_only=True)
    content[checkpoint.KEY]["preprocessing"]["ngrams"] = part
    torch.save(content, "odd.ckpt")
    assert main(["predict", "checkpoint=odd.ckpt", "--", "x"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("gru-nlp: odd.ckpt: ")
