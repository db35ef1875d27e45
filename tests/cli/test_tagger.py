import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

from gru_nlp import samples
from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor

TEXT = "Ms Amara Brook left Selby for the Brook Bank."


@pytest.fixture(scope="session")
def tagger(tmp_path_factory):
    """Return the run folder of ``gru-nlp train task=ner``, with nothing else said."""
    folder = tmp_path_factory.mktemp("tagger") / "run"
    assert main(["train", "task=ner", f"run_dir={folder}", "trainer.enable_progress_bar=false"]) == 0
    return folder


def out(capsys, *arguments):
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def columns_file(path, rows, scheme_of=list):
    text = "\n".join("".join(f"{w} x {t}\n" for w, t in zip(*row, strict=True)) for row in rows)
    Path(path).write_text(text)
    return str(Path(path).absolute())


def sample(split, count):
    return [(row["words"], row["tags"]) for row in samples.generate("entities", split)[:count]]


def test_unseen_names_are_found(tagger):
    metrics = json.loads((tagger / "metrics.json").read_text())
    assert metrics["test/f1"] >= 0.97
    assert metrics["test/f1_unseen"] >= 0.97  # no form of the test split occurs in training
    assert {"test/precision", "test/recall", "test/macro_f1", "test/f1_PER", "test/f1_LOC", "test/f1_ORG"} <= set(
        metrics
    )
    assert metrics["classes"]["PER"]["support"] > 100
    records = [json.loads(line) for line in (tagger / "predictions.jsonl").read_text().splitlines()]
    assert set(records[0]) == {"words", "target", "tags", "entities"}
    told = [{tag[0] for record in records for tag in record[name]} for name in ("target", "tags")]
    assert told == [{"B", "I", "O"}] * 2
    assert sum(record["target"] == record["tags"] for record in records) >= 0.97 * len(records)


def test_no_name_of_the_test_split_occurs_in_training():
    names = {
        split: {w for words, tags in sample(split, None) for w, t in zip(words, tags, strict=True) if t != "O"}
        for split in ("train", "validation", "test")
    }
    general = {"Lake", "North", "Bay", "&", "Sons", "Motors", "Bank", "University", "of", "College", "United"}
    assert not names["test"] & (names["train"] | names["validation"]) - general
    assert len(names["test"] - general) > 100


def test_entities_of_raw_text_are_written_in_every_format(tagger, capsys):
    own = f"checkpoint={tagger}"
    record = json.loads(out(capsys, "predict", own, "--", TEXT))
    assert record["text"] == TEXT
    assert [(e["start"], e["end"], e["text"], e["label"]) for e in record["entities"]] == [
        (3, 14, "Amara Brook", "PER"),
        (20, 25, "Selby", "LOC"),
        (34, 44, "Brook Bank", "ORG"),
    ]
    assert all(0.5 < entity["score"] <= 1.0 for entity in record["entities"])
    fields = out(capsys, "predict", own, "format=tsv", "--", TEXT).rstrip("\n").split("\t")
    assert fields[:2] == ["Amara Brook", "PER"]
    assert fields[-1] == TEXT
    marked = out(capsys, "predict", own, "format=table", "--", TEXT)
    assert marked == "Ms [PER Amara Brook] left [LOC Selby] for the [ORG Brook Bank].\n"
    tags = out(capsys, "predict", own, "format=conll", "scheme=bioes", "--", TEXT)
    assert tags.startswith("Ms O\nAmara B-PER\nBrook E-PER\nleft O\nSelby S-LOC\n")
    best = json.loads(out(capsys, "predict", own, "top_k=3", "--", TEXT))["paths"]
    assert best[0]["entities"] == record["entities"]
    assert 1.0 >= best[0]["score"] >= best[1]["score"] >= best[2]["score"] > 0.0


def test_words_as_columns_or_lists_give_the_entities_of_the_same_text(tagger, capsys):
    own, words = f"checkpoint={tagger}", TEXT[:-1].split()
    expected = json.loads(out(capsys, "predict", own, "--", TEXT[:-1]))["entities"]
    Path("a.conll").write_text("".join(f"{word} O\n" for word in words))
    Path("a.jsonl").write_text(json.dumps({"text": words}) + "\n")
    for name in ("a.conll", "a.jsonl"):
        record = json.loads(out(capsys, "predict", own, f"input={name}"))
        assert record == {"entities": expected, "text": TEXT[:-1]}


def test_entities_do_not_depend_on_batch_order_or_padding(tagger):
    predictor = Predictor.from_checkpoint(tagger)
    texts = [" ".join(words) for words, _ in sample("test", 60)] + ["", "A. " * 80]
    whole = predictor(texts, batch_size=64)
    for batch_size, order in ((1, 1), (7, -1)):
        other = predictor(texts[::order], batch_size=batch_size)[::order]
        for one, two in zip(whole, other, strict=True):
            assert [e["text"] for e in one["entities"]] == [e["text"] for e in two["entities"]]
            assert [e["score"] for e in one["entities"]] == pytest.approx(
                [e["score"] for e in two["entities"]], abs=1e-5
            )


def test_a_single_text_gives_a_single_record_and_a_list_of_words_stays_one_of_several(tagger):
    predictor = Predictor.from_checkpoint(tagger)
    record = predictor(TEXT)
    assert [entity["text"] for entity in record["entities"]] == ["Amara Brook", "Selby", "Brook Bank"]
    assert predictor([TEXT]) == [record]
    assert predictor([["Amara", "Brook"], "Selby"])[0]["entities"][0]["text"] == "Amara Brook"
    assert len(predictor(TEXT, top_k=3)["paths"]) == 3


def test_a_moved_checkpoint_scores_own_files_and_tells_bad_ones(tagger, tmp_path, capsys):
    shutil.copy(tagger / "best.ckpt", tmp_path / "alone.ckpt")
    own, stored = "checkpoint=alone.ckpt", json.loads((tagger / "metrics.json").read_text())
    told = out(capsys, "evaluate", own)
    assert all(f"{name} {stored[name]!r}" in told for name in ("test/f1", "test/f1_unseen"))
    path = columns_file("own.txt", sample("test", 50))
    scores = out(capsys, "evaluate", own, "data=conll", f"data.test={path}", "output=out.jsonl")
    assert float(scores.split("test/f1 ")[1].split()[0]) > 0.9
    assert len(Path("out.jsonl").read_text().splitlines()) == 50
    bad = columns_file("bad.txt", [(["a"], ["B-PRE"])])
    assert main(["evaluate", own, "data=conll", f"data.test={bad}"]) == 2
    assert "bad.txt:1: entities 'PRE' do not occur in training" in capsys.readouterr().err


def test_intervals_are_by_document_where_a_file_has_marks_of_them(tagger):
    shutil.copy(tagger / "best.ckpt", "alone.ckpt")
    sentences = [Path(columns_file("one.txt", [row])).read_text() for row in sample("test", 60)]
    for mark, drawn in (("-DOCSTART- O\n\n", ("documents", 30)), ("", ("rows", 60))):
        pairs = ["\n".join(sentences[place : place + 2]) for place in range(0, 60, 2)]
        Path("a.txt").write_text(f"\n{mark}".join(pairs))
        assert main(["evaluate", "checkpoint=alone.ckpt", "data=conll", "data.test=a.txt", "report=."]) == 0
        report = json.loads(Path("report.json").read_text())
        assert (report["intervals"]["drawn"], report["intervals"]["units"]) == drawn
        assert all(one["low"] <= one["value"] <= one["high"] for one in report["scores"].values())


def test_a_map_of_tags_goes_with_the_checkpoint(capsys):
    rows = [(["Ada", "Moor", "left", "Rome"], ["person", "person", "_", "city"]), (["so", "what"], ["_", "_"])]
    columns_file("a.txt", rows * 20)
    columns_file("b.txt", [(["Ada", "left"], ["B-PER", "O"]), (["so"], ["O"])])
    tiny = ["trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false"]
    mapped = "data.tag_map={_: O, person: PER, city: LOC}"
    assert main(["train", "task=ner", "data=conll", "data.train=a.txt", mapped, "run_dir=a", *tiny]) == 0
    assert "a.txt: tags without B or I, such as PER" in capsys.readouterr().err
    assert {"validation/f1_PER", "validation/f1_LOC"} <= set(json.loads(Path("a/metrics.json").read_text()))
    told = out(capsys, "evaluate", "checkpoint=a", "data.test=a.txt", "output=a.jsonl")
    assert "test/f1_PER" in told
    assert json.loads(Path("a.jsonl").read_text().splitlines()[0])["target"] == ["B-PER", "I-PER", "O", "B-LOC"]
    out(capsys, "evaluate", "checkpoint=a", "data.test=b.txt")
    columns_file("c.txt", [(["Ada", "left"], ["name", "_"])])
    assert main(["evaluate", "checkpoint=a", "data.test=c.txt"]) == 2
    assert "c.txt:1: entities 'name' do not occur in training" in capsys.readouterr().err
    out(capsys, "evaluate", "checkpoint=a", "data.test=c.txt", "data.tag_map={name: PER}")  # beside the stored map
    assert main(["train", "resume=a", "trainer.max_epochs=2"]) == 0
    assert json.loads(Path("a/metrics.json").read_text())["epochs"] == 2


def test_words_foretold_beside_the_tags_leave_nothing_in_the_best_checkpoint(capsys):
    columns_file("a.txt", sample("train", 60))
    tiny = ["encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false", "schedule=constant"]
    own = ["train", "task=ner", "data=conll", "data.train=a.txt", *tiny]
    assert main([*own, "task.language_model_weight=-1"]) == 2
    assert "task.language_model_weight=-1 must be a number, at least 0" in capsys.readouterr().err.splitlines()[-1]
    weighed = [*own, "task.language_model_weight=0.2", "task.average_decay=0.9"]
    for folder, epochs in (("whole", 2), ("stopped", 1)):
        assert main([*weighed, f"run_dir={folder}", f"trainer.max_epochs={epochs}"]) == 0
    assert main(["train", "resume=stopped", "trainer.max_epochs=2"]) == 0
    whole, stopped, best = (
        torch.load(name, weights_only=True)["state_dict"]
        for name in ("whole/last.ckpt", "stopped/last.ckpt", "stopped/best.ckpt")
    )
    assert all(torch.equal(value, stopped[name]) for name, value in whole.items())
    assert {name.partition(".")[0] for name in best} < {name.partition(".")[0] for name in whole}
    assert all(name.startswith("model.") for name in best)
    out(capsys, "evaluate", "checkpoint=stopped")
    assert main(["train", "resume=stopped", "trainer.max_epochs=3", "task.language_model_weight=0"]) == 2
    assert "cannot go from 0 or to 0: train anew" in capsys.readouterr().err.splitlines()[-1]


def test_hostile_lines_get_a_record_each(tagger, capsys, monkeypatch):
    lines = ["", "   ", "\u200b", "x" * 20_000, "😀" * 50, "e\u0301 \x00 \x1b[0m", "Ada. " * 500, "\t"]
    stream = io.TextIOWrapper(io.BytesIO("\n".join(lines).encode() + b"\n"))
    monkeypatch.setattr(sys, "stdin", stream)
    records = [json.loads(line) for line in out(capsys, "predict", f"checkpoint={tagger}").splitlines()]
    assert [record["text"] for record in records] == lines
    for record in records:
        assert all(record["text"][e["start"] : e["end"]] == e["text"] for e in record["entities"])


def test_data_of_another_task_is_refused_in_one_line(capsys):
    Path("a.csv").write_text("text,label\n" + "a,x\nb,y\n" * 20)
    assert main(["train", "task=ner", "data=csv", "data.train=a.csv"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "this task reads words and tags, but the data has text and label: choose another data=..." in told
