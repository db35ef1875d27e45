"""Recordings from end to end: trained on, scored, labelled, resumed; what is none is one line."""

import io
import json
import os
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.export.folder import Exported, write
from gru_nlp.predictor import Predictor
from gru_nlp.runtime.folder import read_folder
from gru_nlp.samples import generate

pytest.importorskip("soundfile")
WORDS = ("one", "three", "six")
SMALL = ["task=spoken_words", "data=recordings", "data.hold_out=[9,10,11]", "data.hold_out_by=take"]
SMALL += ["encoder.hidden_size=16", "batch_size=16", "optimizer.lr=0.01", "trainer.enable_progress_bar=false"]
CHANGES = ("speed=0.1", "noise=0.1", "warp=0.1", "equaliser=3", "time_masks=1")
CHANGED = [f"preprocessing.augmentation.{change}" for change in CHANGES]


def written(path, sound):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((sound * 32768).astype("<i2").tobytes())


@pytest.fixture(scope="session")
def voices(tmp_path_factory):
    """Return a folder of recordings of three words."""
    folder = tmp_path_factory.mktemp("voices") / "my voices"
    folder.mkdir()
    for row in generate("spoken_digits", "train"):
        if row["label"] in WORDS:
            written(folder / f"{row['name']}.wav", row["recording"])
    return folder


@pytest.fixture(scope="session")
def listener(voices):
    """Return the run folder of what tells these words."""
    folder = voices.parent / "run"
    assert main(["train", *SMALL, f"data.train={voices}", "trainer.max_epochs=8", f"run_dir={folder}"]) == 0
    return folder


def records(capsys, *arguments):
    capsys.readouterr()
    assert main(["predict", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_words_are_told_of_takes_that_were_held_out(listener, capsys):
    assert json.loads((listener / "metrics.json").read_text())["test/accuracy"] >= 0.9
    said = [json.loads(line) for line in (listener / "predictions.jsonl").read_text().splitlines()]
    assert len(said) == 36
    assert said[0]["recording"] == "one_ada_10.wav"
    assert said[0]["target"] == "one"
    own = [f"checkpoint={listener}", "report=report", "report_format=json", "slices=[speaker]"]
    assert main(["evaluate", *own]) == 0
    report = json.loads(Path("report/report.json").read_text())
    assert set(report["slices"]["speaker"]) == {"ada", "bert", "carl", "dora"}


def test_files_folders_lists_and_standard_input_are_read(listener, voices, capsys, monkeypatch):
    own = f"checkpoint={listener}"
    Path("some/clips").mkdir(parents=True)
    names = ["one_ada_0.wav", "six_bert_1.wav", "three_dora_2.wav"]
    for name in names:
        (Path("some/clips") / name).write_bytes((voices / name).read_bytes())
    expected = records(capsys, own, "input=some/clips")
    assert [record["text"] for record in expected] == names
    assert [record["label"] for record in expected] == ["one", "six", "three"]
    assert records(capsys, own, f"input=some/clips/{names[1]}") == expected[1:2]
    Path("some/list.txt").write_text("".join(f"clips/{name}\n" for name in names) + "\n")
    found = records(capsys, own, "input=some/list.txt", "batch_size=1")
    assert [record["label"] for record in found] == ["one", "six", "three", None]
    assert [record["score"] for record in found[:3]] == pytest.approx(
        [record["score"] for record in expected], abs=1e-5
    )
    Path("some/list.csv").write_text("n,file\n" + "".join(f"7,clips/{name}\n" for name in names))
    assert main(["predict", own, "input=some/list.csv", "text=file", "format=csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("7,clips/one_ada_0.wav,one,")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"some/clips/{names[2]}\n".encode())))
    assert records(capsys, own)[0]["label"] == "three"
    assert main(["predict", own, "format=lines", "--", f"some/clips/{names[0]}"]) == 0
    assert capsys.readouterr().out == "one\n"


def test_an_answer_depends_on_neither_the_batch_nor_what_holds_the_samples(listener, voices):
    predictor = Predictor.from_checkpoint(listener)
    paths = sorted(map(str, voices.iterdir()))[:24]
    whole, single = predictor(paths), predictor(paths, batch_size=1)
    assert [record["label"] for record in whole] == [record["label"] for record in single]
    assert [r["score"] for r in whole] == pytest.approx([r["score"] for r in single], abs=1e-5)
    with wave.open(paths[0]) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert predictor([samples])[0] == predictor([samples / np.float32(32768)])[0] == predictor(paths[0])
    for wrong in (samples[None], samples.astype(np.int64), np.array([0.1, np.nan] * 500)):
        with pytest.raises(UserError, match="samples"):
            predictor([wrong])


def test_an_exported_folder_reads_recordings_as_the_checkpoint_does(listener, voices):
    stored = checkpoint.load(listener)
    preprocessor, model = checkpoint.restore(stored)
    content = Exported(stored, preprocessor, model, {"model.onnx": b""}, "float32", None, {"made_for": "onnx"})
    write(Path("exported"), content)
    other = read_folder("exported").preprocessor
    path = str(voices / "one_ada_0.wav")
    one, same = (made.encode({"recording": [path]})["frames"][0] for made in (preprocessor, other))
    assert np.array_equal(one, same)
    assert other.label_names() == sorted(WORDS)
    assert "soundfile" in Path("exported/requirements.txt").read_text()
    assert 'runner(["recording.wav"])' in Path("exported/README.md").read_text()


def test_a_run_that_was_resumed_ends_as_one_that_was_not(voices):
    own = ["train", *SMALL, *CHANGED, f"data.train={voices}", "run_dir=whole", "trainer.max_epochs=2"]
    assert main(own) == 0
    assert main([*own, "run_dir=parts", "trainer.max_epochs=1"]) == 0
    assert main(["train", "resume=parts", "trainer.max_epochs=2"]) == 0
    one, other = (torch.load(f"{run}/last.ckpt", weights_only=True)["state_dict"] for run in ("whole", "parts"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def odd_files(folder):
    """Write what is no recording, and return what is told of each by its name."""
    (folder / "jpeg.wav").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(500))
    (folder / "empty.wav").touch()
    written(folder / "header.wav", np.zeros(0))
    written(folder / "one.wav", np.zeros(1))
    with (folder / "header.wav").open("rb") as file:
        start = file.read(40)
    with (folder / "hours.wav").open("wb") as file:
        file.write(start + (2 * 8000 * 7200).to_bytes(4, "little"))
        file.truncate(44 + 2 * 8000 * 7200)
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")
    return {
        "jpeg.wav": "not a recording that can be read",
        "empty.wav": "an empty file",
        "header.wav": "holds no sound",
        "one.wav": "holds 1 sample only",
        "hours.wav": "7,200.0 s long, more than preprocessing.max_seconds=60",
        "folder.wav": "a folder, where a recording is needed",
        "pipe.wav": "no regular file",
        "gone.wav": "no such file",
    }


def test_what_is_no_recording_is_one_line_that_names_file_and_line(listener, voices, capsys):
    own, folder = f"checkpoint={listener}", Path("odd")
    folder.mkdir()
    for name, told in odd_files(folder).items():
        (folder / "list.txt").write_text(f"{voices}/one_ada_0.wav\n{name}\n")
        capsys.readouterr()
        assert main(["predict", own, "input=odd/list.txt", "output=out.jsonl"]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"gru-nlp: odd/list.txt:2: odd/{name}: {told}"), captured.err
        assert captured.err.count("\n") == 1
        assert not Path("out.jsonl").exists()
    (folder / "train.csv").write_text(
        f"path,label\n{voices}/one_ada_0.wav,yes\njpeg.wav,no\n{voices}/six_ada_0.wav,no\n"
    )
    train = ["train", *SMALL[:2], "data.train=odd/train.csv", "data.validation=odd/train.csv"]
    assert main(train) == 2
    captured = capsys.readouterr()
    assert f"odd/train.csv:3: {folder.absolute()}/jpeg.wav: not a recording" in captured.err
    assert "damaged" not in captured.err
    Path("none").mkdir()
    cases = {
        "input=odd/jpeg.wav": "gru-nlp: odd/jpeg.wav: not a recording",
        "input=none": "none: no recording in this folder (.wav, .flac,",
        "input=gone.flac": "gru-nlp: gone.flac: no such file",
    }
    for option, told in cases.items():
        assert main(["predict", own, option]) == 2
        assert told in capsys.readouterr().err
    assert main(["serve", own]) == 2
    assert "a model of recordings, which are not served: use predict" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["soundfile", "soxr"])
def test_a_library_that_is_missing_is_named_with_its_extra(library, listener, voices, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    predictor = Predictor.from_checkpoint(listener)
    predictor.preprocessor.log_mel.sample_rate = 16000  # so that there is something to resample
    with pytest.raises(UserError, match=r"pip install 'gru_nlp\[speech\]'"):
        predictor(str(voices / "one_ada_0.wav"))
