"""Labels that may be wrong: flipped ones are found by models that have not seen them, and nothing is left behind."""

import csv
import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest

from gru_nlp.cli.main import main
from gru_nlp.data.folds import parts_of
from gru_nlp.errors import UserError
from gru_nlp.training import suspects

TINY = ["encoder.hidden_size=8", "embedding.size=8", "trainer.max_epochs=3", "optimizer.lr=0.02", "batch_size=16"]
LABELS = ("good", "bad")
WORDS = {"good": ["great", "good", "fine", "lovely"], "bad": ["awful", "bad", "poor", "dull"]}
FLIPPED = (3, 40, 77)


def write(path, size, flipped=()):
    source = random.Random(size)
    texts = [" ".join(source.choices(WORDS[LABELS[number % 2]], k=4)) for number in range(size)]
    rows = [[text, LABELS[(number + (number in flipped)) % 2]] for number, text in enumerate(texts)]
    rows += [["only here", "other"]] if flipped else []
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows])


def test_flipped_labels_are_found_in_the_split_that_a_run_was_trained_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(suspects, "FOLDS", 2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    write(Path("a.csv"), 120, FLIPPED)
    write(Path("b.csv"), 30)
    assert main(["train", "data=csv", "data.train=a.csv", "data.validation=b.csv", *TINY, "run_dir=run"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "checkpoint=run", "suspects=true", "output=found.jsonl"]) == 0
    found = [json.loads(line) for line in Path("found.jsonl").read_text().splitlines()]
    assert {record["row"] for record in found[:3]} == {row + 2 for row in FLIPPED}  # lines, the header among them
    assert found[0]["text"].split()[0] in WORDS[found[0]["suggested"]]
    assert {found[0]["label"], found[0]["suggested"]} == set(LABELS)
    assert 0.5 < found[0]["confidence"] <= 1.0
    assert all(record["label"] != "other" for record in found)  # of which no other part has one
    assert list((tmp_path / "work").iterdir()) == []
    assert "labels of training that may be wrong" in capsys.readouterr().err
    assert main(["evaluate", "checkpoint=run", "suspects=true", "split=train"]) == 2
    assert "split=train has no effect where suspects are sought" in capsys.readouterr().err
    assert main(["evaluate", "checkpoint=run/best.ckpt", "suspects=true"]) == 2
    assert "no run folder" in capsys.readouterr().err


def test_data_without_one_label_a_row_has_no_suspects(monkeypatch):
    class Tags:
        label_columns = None

    monkeypatch.setattr(suspects.build, "preprocessor", lambda config: Tags())
    with pytest.raises(UserError, match="needs one label a row, which ner has not"):
        suspects.label_of({"task": {"name": "ner"}})


@pytest.mark.parametrize("sizes", [[50, 31, 4, 1], [3]])
def test_parts_are_even_in_all_and_in_each_label(sizes):
    labels = np.repeat(np.array(list("abcd"[: len(sizes)]), dtype=object), sizes)
    part = parts_of(labels, 3, 1)
    assert np.ptp(np.bincount(part, minlength=3)) <= 1
    for label in set(labels):
        assert np.ptp(np.bincount(part[labels == label], minlength=3)) <= 1
    assert (parts_of(labels, 3, 1) == part).all()
    assert len(sizes) == 1 or (parts_of(labels, 3, 2) != part).any()
