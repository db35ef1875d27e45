"""Words tagged from the command line: train, evaluate, predict."""

import json
from pathlib import Path

import pytest

from gru_nlp import samples
from gru_nlp.cli.main import main

TINY = ["encoder.hidden_size=24", "embedding.size=24", "characters=none", "optimizer.lr=0.02", "trainer.max_epochs=3"]
QUIET = ["trainer.enable_progress_bar=false", "logger=csv"]


def columns(path, rows):
    lines = (
        "".join(f"{w} {t} {t[0]}-x O\n" for w, t in zip(row["words"], row["word_tags"], strict=True)) for row in rows
    )
    Path(path).write_text("\n".join(lines))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run that learned parts of speech from the second column of a file."""
    folder = tmp_path_factory.mktemp("words")
    rows = samples.generate("parts_of_speech", "train")[:600]
    columns(folder / "a.txt", rows)
    data = [f"data.train={folder}/a.txt", "data.columns=[word,pos,chunk,ner]", "data.word=word", "data.tag=pos"]
    assert main(["train", "task=tagging", "data=conll", *data, f"run_dir={folder}/run", *TINY, *QUIET]) == 0
    return folder / "run"


def out(capsys, *arguments):
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_parts_of_speech_are_learned_from_a_column(run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation/accuracy"] > 0.8
    assert {"validation/accuracy_unseen", "validation/macro_f1", "validation/loss"} <= set(metrics)
    assert metrics["classes"]["DET"]["f1"] > 0.8
    report = json.loads((run / "report.json").read_text())
    assert "NOUN" in report["confusion"]["labels"]
    assert report["calibration"]["ece"] < 0.5
    assert all(set(one) == {"tokens", "entities", "true"} for one in report["worst"])


def test_a_checkpoint_tags_words_and_scores_other_files(run, capsys, tmp_path):
    own = f"checkpoint={run}"
    text = "They watch the road. The watch stopped!"
    (record,) = map(json.loads, out(capsys, "predict", own, "top_k=3", "--", text).splitlines())
    assert [word["text"] for word in record["tagged"]] == "They watch the road . The watch stopped !".split()
    assert record["tagged"][4] == {
        "start": 19,
        "end": 20,
        "text": ".",
        "tag": "PUNCT",
        "score": record["tagged"][4]["score"],
    }
    assert len(record["paths"]) == 3
    assert record["paths"][0]["tags"] == [word["tag"] for word in record["tagged"]]
    lines = out(capsys, "predict", own, "format=conll", "--", text).splitlines()
    assert lines == [*(f"{word['text']} {word['tag']}" for word in record["tagged"]), ""]
    rows = samples.generate("parts_of_speech", "test")[:40]
    Path("b.jsonl").write_text("".join(json.dumps({"tokens": r["words"], "tags": r["word_tags"]}) + "\n" for r in rows))
    told = out(capsys, "evaluate", own, "data=tagged_jsonl", "data.test=b.jsonl", "output=said.jsonl")
    assert float(told.split("test/accuracy ")[1].split()[0]) > 0.7
    said = json.loads(Path("said.jsonl").read_text().splitlines()[0])
    assert set(said) == {"words", "target", "tags", "scores"}


def test_what_is_for_entities_is_told(run, capsys):
    Path("spans.jsonl").write_text('{"text": "a b", "spans": [[0, 1, "X"]]}\n')
    Path("b.jsonl").write_text('{"tokens": ["a"], "tags": ["XX"]}\n')
    for options, told in (
        (["data.scheme=iob2"], "data.scheme=iob2 is for entities, not for a tag a word: leave it out, or set task=ner"),
        (["data.overlap=longest"], "data.overlap=longest is for entities"),
        (["data=tagged_jsonl", "data.test=spans.jsonl"], "spans.jsonl:1: no list of strings 'tokens'"),
        (["data=tagged_jsonl", "data.test=b.jsonl"], "b.jsonl:1: the tag 'XX' does not occur in training"),
        (["data=sample_entities"], "this task reads words and word_tags, but the data has words and tags"),
    ):
        capsys.readouterr()
        assert main(["evaluate", f"checkpoint={run}", *options]) == 2
        assert told in capsys.readouterr().err
