"""Speech recognition from the command line, by a model of the sample's strings that is not meant to be good."""

import json
from pathlib import Path

import numpy as np
import pytest

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.metrics.transcripts import TranscriptMetric
from gru_nlp.samples import spoken_strings

sounds = pytest.importorskip("soundfile")
TINY = ("encoder.hidden_size=12", "trainer.enable_progress_bar=false", "threads=1", "logger=none")
SIZES = ("model.stack=4", "preprocessing.mels=12", "batch_size=4")
SMALL = ("task=speech_recognition", "optimizer.lr=0.02", *SIZES, *TINY)


def write(folder, split, count):
    """Write some of the sample's recordings, and a table of them; return its path."""
    lines = ["path,text,speaker"]
    folder.mkdir(exist_ok=True)
    for row in spoken_strings.rows(split)[:count]:
        sounds.write(folder / f"{row['name']}.wav", row["recording"], row["rate"])
        lines.append(f"{folder.name}/{row['name']}.wav,{row['text']},{row['speaker']}")
    table = folder.with_suffix(".csv")
    table.write_text("\n".join(lines) + "\n")
    return table


def own(folder):
    """Return the options of a small run on some of the sample's recordings, whose files are written once."""
    train = folder / "train.csv"
    if not train.exists():
        write(folder / "train", "train", 48)
    data = ["data=recordings", f"data.train={train}", f"data.test={folder / 'sounds.csv'}"]
    return [*SMALL, *data]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Return the folder of a run, and of five recordings with a language model of what is said beside it."""
    folder = tmp_path_factory.mktemp("learned")
    write(folder / "sounds", "test", 5)
    (folder / "said.txt").write_text("".join(f"{row['text']}\n" for row in spoken_strings.rows("train")))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = gru_nlp.train(*own(folder), "trainer.max_epochs=6", "run_dir=run")
        language = ["task=language_model", "data=text", "data.train=said.txt", "tokenizer=character", *TINY]
        gru_nlp.train(*language, "embedding.size=8", "trainer.max_epochs=1", "run_dir=language")
    return folder, run


def said(capsys, *arguments):
    assert main(["predict", "format=jsonl", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_recordings_are_recognised_from_a_folder_a_file_and_a_list(learned, capsys):
    folder, _ = learned
    known = [f"checkpoint={folder / 'run'}"]
    records = said(capsys, *known, f"input={folder / 'sounds'}")
    assert [record["recording"] for record in records] == sorted(path.name for path in (folder / "sounds").iterdir())
    first = folder / "sounds" / records[0]["recording"]
    assert said(capsys, *known, f"input={first}", "batch_size=1")[0]["transcript"] == records[0]["transcript"]
    Path("list.txt").write_text("".join(f"{folder / 'sounds' / one['recording']}\n" for one in records))
    listed = said(capsys, *known, "input=list.txt")
    assert [one["transcript"] for one in listed] == [one["transcript"] for one in records]
    for record in records:
        assert 0.0 <= record["score"] <= 1.0
        assert [one["word"] for one in record["words"]] == record["transcript"].split()
        edges = [edge for one in record["words"] for edge in (one["start"], one["end"])]
        assert edges == sorted(edges)
    assert any(record["words"] for record in records)
    assert said(capsys, *known, f"input={first}", "top_k=3")[0]["n_best"][0][0] == records[0]["transcript"]
    assert len(said(capsys, *known, f"input={folder / 'sounds'}", "decoding=ctc_greedy")) == 5


def test_answers_are_written_in_every_format(learned, capsys):
    folder, _ = learned
    for kind in ("csv", "table", "lines"):
        assert main(["predict", f"checkpoint={folder / 'run'}", f"input={folder / 'sounds'}", f"format={kind}"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) >= 5
        assert "string_ada_0.wav" in " ".join(lines) or kind == "lines"


def test_a_run_scores_as_it_says(learned, capsys):
    folder, run = learned
    assert set(run.scores) >= {"test/wer", "test/cer", "validation/wer", "validation/loss"}
    assert run.monitored == run.scores["validation/wer"]
    records = [json.loads(line) for line in (folder / "run/predictions.jsonl").read_text().splitlines()]
    zeros = np.zeros(len(records))
    counted = TranscriptMetric().tally(
        *([one[name] for one in records] for name in ("transcript", "target")), zeros, zeros
    )
    assert run.scores["test/wer"] == pytest.approx(float(counted.score(counted.total())["wer"][0]))
    assert main(["evaluate", f"checkpoint={folder / 'run'}", "report=report", "slices=[speaker]"]) == 0
    assert f"test/wer {run.scores['test/wer']!r}" in capsys.readouterr().out
    report = json.loads(Path("report/report.json").read_text())
    assert report["scores"]["test/wer"]["low"] <= run.scores["test/wer"] <= report["scores"]["test/wer"]["high"]


def test_a_language_model_is_weighed_in(learned, capsys):
    folder, _ = learned
    known = [f"checkpoint={folder / 'run'}", f"input={folder / 'sounds'}"]
    alone = said(capsys, *known)
    none = said(capsys, *known, f"decoding.language_model={folder / 'language'}", "decoding.language_model_weight=0")
    assert [one["transcript"] for one in none] == [one["transcript"] for one in alone]
    much = [f"decoding.language_model={folder / 'language'}", "decoding.language_model_weight=3"]
    assert [one["transcript"] for one in said(capsys, *known, *much)] != [one["transcript"] for one in alone]
    assert main(["evaluate", f"checkpoint={folder / 'run'}", *much]) == 0
    assert "test/wer" in capsys.readouterr().out


def test_an_exported_recogniser_says_the_same_without_torch(learned, capsys):
    pytest.importorskip("onnxscript")
    folder, _ = learned
    assert main(["export", f"checkpoint={folder / 'run'}", "output=out"]) == 0
    capsys.readouterr()
    own, graphs = (said(capsys, f"checkpoint={one}", f"input={folder / 'sounds'}") for one in (folder / "run", "out"))
    assert [one["transcript"] for one in graphs] == [one["transcript"] for one in own]
    assert [one["score"] for one in graphs] == pytest.approx([one["score"] for one in own], abs=1e-5)
    known = ["predict", "checkpoint=out", f"input={folder / 'sounds'}", "decoding=ctc_beam"]
    assert main([*known, f"decoding.language_model={folder / 'language'}"]) == 2
    assert "decoding.language_model needs the recogniser's checkpoint, not its graphs" in capsys.readouterr().err


MISTAKES = [
    ("decoding.language_model=nowhere", "no such checkpoint (set decoding.language_model=<file or run folder>)"),
    ("decoding.language_model={run}", "no language model, which alone continues text"),
    ("decoding=beam", "BeamSearch writes token by token, as translators do: set decoding=ctc_greedy"),
    ("decoding.beam_size=0", "decoding.beam_size=0 must be at least 1"),
    ("top_k=2 format=csv", "top_k=2 has no effect on format=csv: set format=jsonl"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "told"), MISTAKES)
def test_mistakes_are_told_in_a_line(learned, option, told, capsys):
    folder, _ = learned
    command = ["predict", f"checkpoint={folder / 'run'}", f"input={folder / 'sounds'}"]
    assert main([*command, *option.format(run=folder / "run").split()]) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1


def test_what_teaches_nothing_is_told_and_a_language_model_is_none_of_training(learned, capsys):
    options = own(learned[0])
    assert main(["train", *options, "model.stack=60", "run_dir=run"]) == 2
    assert "training recordings are too short for their transcripts: set model.stack" in capsys.readouterr().err
    assert main(["train", *options, "decoding.language_model=x", "run_dir=run"]) == 2
    assert "decoding.language_model is for predict and evaluate: leave it out of training" in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_stopped_run_goes_on_to_the_same_end(learned):
    options = [*own(learned[0]), "schedule=constant"]
    first = gru_nlp.train(*options, "trainer.max_epochs=1", "run_dir=run")
    more = gru_nlp.train("resume=run", "trainer.max_epochs=2")
    whole = gru_nlp.train(*options, "trainer.max_epochs=2", "run_dir=whole")
    assert first.scores["validation/loss"] > more.scores["validation/loss"]
    assert more.scores == whole.scores
