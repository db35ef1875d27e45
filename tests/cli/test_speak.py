"""Synthesis from the command line: training on the sample, speaking, scoring, going on, and mistakes."""

import json
import wave
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.narrator import Narrator
from gru_nlp.serving.models import load

SMALL = ["task=speech_synthesis", "encoder.hidden_size=8", "decoder.hidden_size=8", "embedding.size=8"]
SMALL += ["attention.hidden_size=8", "model.size=12", "model.speaker_size=2", "model.most_frames=3"]
SMALL += ["preprocessing.mels=12", "device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false"]
SMALL += ["batch_size=32", "trainer.limit_train_batches=3", "+trainer.limit_val_batches=1", "schedule=constant"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the run folder of a voice that has learned next to nothing."""
    folder = tmp_path_factory.mktemp("voice") / "run"
    gru_nlp.train(*SMALL, "trainer.max_epochs=2", f"run_dir={folder}")
    return folder


def samples(path):
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_run_has_scores_and_is_scored_again(trained, capsys):
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["test/mcd"] > 0.0
    assert 0.0 <= metrics["test/ended"] <= 1.0
    said = [json.loads(line) for line in (trained / "predictions.jsonl").read_text().splitlines()]
    assert set(said[0]) == {"recording", "text", "speaker", "seconds", "ended"}
    assert main(["evaluate", f"checkpoint={trained}", "device=cpu", "batch_size=32"]) == 0
    scores = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert {name: float(value) for name, value in scores.items()} == {
        name: value for name, value in metrics.items() if name.startswith("test/")
    }


def test_a_run_that_goes_on_ends_as_one_that_was_not_stopped(trained):
    gru_nlp.train(*SMALL, "trainer.max_epochs=1", "run_dir=halves")
    gru_nlp.train("resume=halves", "trainer.max_epochs=2")
    whole, halves = (torch.load(run / "last.ckpt", weights_only=True) for run in (trained, Path("halves")))
    assert all(torch.equal(weight, halves["state_dict"][name]) for name, weight in whole["state_dict"].items())


def test_a_text_becomes_a_file_and_a_picture(trained, capsys):
    words = ["--", "three", "nine", "one"]
    own = [f"checkpoint={trained / 'best.ckpt'}", "device=cpu"]
    assert main(["speak", *own, "output=a.wav", "picture=a.svg", *words]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "ada speaks; others by speaker=...: bert, carl, dora" in told.err
    assert len(samples("a.wav")) > 2000
    tags = [element.tag.rpartition("}")[2] for element in ElementTree.parse("a.svg").iter()]
    assert tags.count("image") == 2
    assert tags.count("text") >= 15  # a letter each, and seconds
    assert main(["speak", *own, "output=b.wav", "speaker=bert", *words]) == 0
    assert main(["speak", *own, "output=c.wav", "speaker=bert", *words]) == 0
    assert Path("b.wav").read_bytes() == Path("c.wav").read_bytes() != Path("a.wav").read_bytes()


def test_each_line_becomes_a_file_by_its_number(trained, capsys):
    Path("lines.txt").write_text("one\n\nsix six two\nseven\n")
    own = [f"checkpoint={trained}", "device=cpu", "input=lines.txt", "speaker=carl"]
    for size in (1, 8):
        assert main(["speak", *own, f"output=said/{size}", f"batch_size={size}"]) == 0
    assert "3 of 4 lines are spoken: said/8" in capsys.readouterr().err
    assert sorted(path.name for path in Path("said/8").iterdir()) == ["1.wav", "3.wav", "4.wav"]
    narrator = Narrator.from_checkpoint(trained)
    texts = ["one", "six six two", "seven"]
    for one, other in zip(narrator(texts, "carl", 1), narrator(texts, "carl", 8), strict=True):
        np.testing.assert_allclose(one.frames, other.frames, atol=1e-4)
        assert one.weights.shape == (len(one.frames) // 4, len(one.characters))
    assert len(samples("said/1/3.wav")) == len(samples("said/8/3.wav"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--", "one"], "speak needs output=<...>"),
        (["output=a.mp3", "--", "one"], "output=a.mp3: only WAV is written: give a name that ends in .wav"),
        (["output=old.wav", "--", "one"], "output=old.wav: there is something already: set output=<a new file>"),
        (["output=a.wav", "picture=a.png", "--", "one"], "picture=a.png: only SVG is written"),
        (["output=a.wav", "speaker=eve", "--", "one"], "the speaker 'eve' does not occur in training (speakers: ada"),
        (["output=a.wav", "--", "one ß"], "the text after --: the model cannot speak 'ß', which training does not"),
        (["output=a.wav", "--", " "], "the text after --: there is nothing to speak"),
        (["output=no/a.wav", "--", "one"], "no/a.wav: cannot be written: No such file or directory (set output=...)"),
        (["output=a.wav", "input=t.txt"], "output=a.wav: lines are spoken into a folder of files"),
        (["output=full", "input=t.txt"], "output=full: there is something already: set output=<a new folder>"),
        (["output=new", "input=t.txt"], "t.txt:2: the model cannot speak '7', which training does not have"),
        (["output=new", "input=blank.txt"], "blank.txt: nothing to speak: each line is blank"),
        (["output=new", "input=none.txt"], "none.txt: no such file (set input=...)"),
        (["output=a.wav", "input=t.txt", "--", "one"], "input=t.txt has no effect on the text after --"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(options, told, trained, capsys):
    Path("old.wav").write_text("mine")
    Path("t.txt").write_text("one\none 7\n")
    Path("blank.txt").write_text("\n \n")
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    before = sorted(Path().rglob("*"))
    assert main(["speak", f"checkpoint={trained}", "device=cpu", *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"gru-nlp: {told}")
    assert sum(line.startswith("gru-nlp:") for line in lines) == 1
    assert sorted(Path().rglob("*")) == before
    assert Path("old.wav").read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["predict", "--", "one"], "a synthesiser gives no labels: use speak"),
        (["export", "output=x"], "a synthesiser is not exported: use gru-nlp speak"),
        (["translate", "--", "one"], "no translator but a speech_synthesis model"),
        (["generate", "--", "one"], "no language model, which alone continues text"),
    ],
)
def test_other_commands_say_to_speak(command, told, trained, capsys):
    place = command.index("--") if "--" in command else len(command)
    assert main([*command[:place], f"checkpoint={trained}", *command[place:]]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert not Path("x").exists()


def test_no_server_speaks(trained):
    with pytest.raises(UserError, match="a synthesiser is not served: use speak"):
        load(str(trained), "cpu", ())
