"""What a person already knows: word lists that a tagger learns with, and patterns that come before what it says."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from gru_nlp import samples
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.predictor import Predictor

TINY = ["encoder.hidden_size=4", "embedding.size=4", "characters.filters=4", "trainer.enable_progress_bar=false"]
TEXTS = ["Ada left New Quixby Bay.", "Quixby", "so it goes", "Ada Quixby and new quixby bay"]


def columns_file(path, rows):
    lines = ("".join(f"{w} {t}\n" for w, t in zip(row["words"], row["tags"], strict=True)) for row in rows)
    Path(path).write_text("\n".join(lines))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run with two lists."""
    folder = tmp_path_factory.mktemp("lists")
    rows = samples.generate("entities", "train")[:60]
    columns_file(folder / "a.txt", rows)
    names = sorted({word for row in rows for word, tag in zip(row["words"], row["tags"], strict=True) if tag != "O"})
    (folder / "names, mine.txt").write_text("\n".join(names[::2]))
    (folder / "places.txt").write_text("New Quixby Bay\nQuixby\n")
    own = [f"data.train={folder / 'a.txt'}", f"run_dir={folder / 'run'}", "trainer.max_epochs=1", *TINY]
    lists = f"gazetteers=['{folder / 'names, mine.txt'}', {folder / 'places.txt'}]"
    assert main(["train", "task=ner", "data=conll", *own, lists]) == 0
    return folder / "run"


def out(capsys, *arguments):
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_lists_travel_in_the_checkpoint_and_are_told(run, capsys):
    shutil.copy(run / "best.ckpt", "alone.ckpt")
    told = out(capsys, "info", "checkpoint=alone.ckpt", "output=bare.ckpt")
    assert re.search(r"gazetteers: +names, mine \(\d+ phrases\), places \(2 phrases\)\n", told)
    config = torch.load("bare.ckpt", weights_only=True)["gru_nlp"]["config"]
    assert config["gazetteers"] == ["names, mine.txt", "places.txt"]  # the paths of their maker left out
    predictor = Predictor.from_checkpoint("bare.ckpt")
    changed = []
    predictor.model.lists.register_forward_hook(lambda module, given, found: changed.append(given[0].tolist()))
    predictor(["so Quixby"])
    assert changed == [[[[0, 0], [0, 4]]]]


def test_answers_do_not_depend_on_batches(run):
    predictor = Predictor.from_checkpoint(run)
    for one, other in zip(*(predictor(TEXTS, batch_size=size, top_k=3) for size in (1, 4)), strict=True):
        assert [e["text"] for e in one["entities"]] == [e["text"] for e in other["entities"]]
        scores = [[path["score"] for path in record["paths"]] for record in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_lists_stay_as_they_were_in_a_run_that_goes_on(run, capsys):
    shutil.copytree(run, "again")
    assert main(["train", "resume=again", "trainer.max_epochs=2"]) == 0
    Path("b.txt").write_text("Selby\n")
    assert main(["train", "resume=again", "trainer.max_epochs=3", "gazetteers=[b.txt]"]) == 2
    assert "gazetteers cannot change in a run that goes on" in capsys.readouterr().err.splitlines()[-1]


def test_patterns_come_before_the_model_in_every_way_of_asking(run, capsys):
    Path("rules, mine.tsv").write_text("ORDER\t/[A-Z]{2}-\\d+/\nLOC\tNew Quixby Bay\n-\tAda\n")
    text = "Ada left New Quixby Bay for XY-123."
    own = ["predict", f"checkpoint={run}", "patterns=['rules, mine.tsv']"]
    record = json.loads(out(capsys, *own, "format=jsonl", "--", text))
    sure = [one for one in record["entities"] if one.get("source") == "pattern"]
    assert [(one["text"], one["label"], one["score"]) for one in sure] == [
        ("New Quixby Bay", "LOC", 1.0),
        ("XY-123", "ORDER", 1.0),
    ]
    assert "Ada" not in [one["text"] for one in record["entities"]]
    assert "[ORDER XY-123]" in out(capsys, *own, "format=table", "--", text)
    assert "XY-123 B-ORDER\n" in out(capsys, *own, "format=conll", "--", text)
    predictor = Predictor.from_checkpoint(run)
    predictor.use_patterns(["rules, mine.tsv"])
    assert predictor(text)["entities"] == record["entities"]
    (words,) = predictor([["saw", "XY-123", "here"]])
    assert [(one["start"], one["text"]) for one in words["entities"] if one["label"] == "ORDER"] == [(4, "XY-123")]
    assert predictor([" "]) == [{"entities": []}]


def test_patterns_are_refused_in_one_line(run, capsys):
    Path("a.tsv").write_text("LOC\t/(/\n")
    for given, told in (
        ("[a.tsv]", "a.tsv:1: /(/ is no regular expression: missing ), unterminated subpattern at position 0"),
        ("[gone.tsv]", "gone.tsv: cannot be read"),
        ("a.tsv", "patterns=a.tsv must be a list: patterns=[a.tsv]"),
    ):
        assert main(["predict", f"checkpoint={run}", f"patterns={given}", "--", "x"]) == 2
        assert told in capsys.readouterr().err.splitlines()[-1]
    asked = Predictor.from_checkpoint(run)
    with pytest.raises(UserError, match="must be a list of files"):
        asked.use_patterns("a.tsv")
    asked.preprocessor.takes_patterns = False
    with pytest.raises(UserError, match="patterns are for taggers"):
        asked.use_patterns(["a.tsv"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["task=ner", "gazetteers=[gone.txt]"], "gone.txt: cannot be read: No such file or directory (see gazetteers)"),
        (["task=ner", "gazetteers=gone.txt"], "gazetteers=gone.txt must be a list: gazetteers=[gone.txt]"),
        (["gazetteers=[b.txt]"], "gazetteers are for taggers, which find entities: leave them out"),
        (["task=ner", "gazetteers=[b.txt]", "model.gazetteer_dropout=1.0"], "gazetteer_dropout=1.0 must be a share"),
        (["task=ner", "gazetteers=[b.txt]", "model.gazetteer_size=0"], "gazetteer_size=0 must be at least 1"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, told):
    Path("b.txt").write_text("Selby\n")
    assert main(["train", *arguments]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
