"""Teachers translate, a student learns: from the command to the run folder, stopped anywhere, with wrong teachers."""

import copy
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.cli.shell import composed
from gru_nlp.config import conf_dir, resolved
from gru_nlp.data import cache
from gru_nlp.data.distilled import Pair, read_pairs, write_pairs
from gru_nlp.errors import UserError
from gru_nlp.predictor import Predictor, joined
from gru_nlp.samples.translation import rows
from gru_nlp.training import distilling, teaching

TINY = ["encoder.hidden_size=4", "decoder.hidden_size=4", "embedding.size=4", "batch_size=16", "schedule=constant"]
TINY += ["device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false", "trainer.max_epochs=1"]
TINY += ["tokenizer.vocabulary_size=120", "report_format=json"]
SOURCES = 40


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with pairs, two teachers of one tokenizer, one of another, and a classifier."""
    home = tmp_path_factory.mktemp("teachers")
    said = rows("validation")[: SOURCES + 8]  # of the embedded sample
    data = ["task=translation", "data=parallel"]
    for split, part in (("train", said[:SOURCES]), ("validation", said[SOURCES:])):
        for side in ("source", "target"):
            file = home / f"{split}.{side}"
            file.write_text("".join(f"{row[side]}\n" for row in part), encoding="utf-8")
            data.append(f"data.{split}_{side}={file}")
    for name, own in (("a", ["seed=1"]), ("b", ["seed=2"]), ("other", ["tokenizer.vocabulary_size=100"])):
        gru_nlp.train(*data, *TINY, f"run_dir={home / name}", *own)
    labelled = home / "labelled.csv"
    labelled.write_text("text,label\n" + "".join(f"good {n},yes\nbad {n},no\n" for n in range(20)))
    small = [option for option in TINY if not option.startswith("decoder")]
    gru_nlp.train("data=csv", f"data.train={labelled}", *small, f"run_dir={home / 'classifier'}")
    return home


def told(capsys, *arguments):
    code = main(["distill", *TINY, *arguments])
    return code, capsys.readouterr().err


def sides(home, side):
    return (home / f"train.{side}").read_text(encoding="utf-8").splitlines()


def test_a_student_learns_what_its_teachers_translate_together(home, capsys, monkeypatch):
    monkeypatch.setattr(teaching, "CHUNK", 16)
    teachers = f"teacher=[{home / 'a'},{home / 'b'}]"
    code, said = told(capsys, teachers, "decoder.cell=ssru", "run_dir=student")
    assert code == 0, said
    first, second = checkpoint.load(home / "a"), checkpoint.load(home / "b")
    preprocessor, model = checkpoint.restore(first)
    ensemble = Predictor(preprocessor, joined(first, model, [second], ()))
    expected = [record["translation"] for record in ensemble(sides(home, "source"))]
    pairs = [Pair(*pair, line) for line, pair in enumerate(zip(sides(home, "source"), expected, strict=True), 1)]
    assert read_pairs(Path("student/distilled.jsonl")) == [pair for pair in pairs if pair.target.strip()]
    student = checkpoint.load("student")
    assert student.config["data"]["train_source"] == str(home / "train.source")
    assert student.config["model"]["decoder"]["cell"]["_target_"].endswith("SSRU")
    assert json.loads(Path("student/metrics.json").read_text())["validation/bleu"] >= 0.0
    assert f"translated 32 of {SOURCES} training sentences" in said
    # Another student of the same teachers: nothing is translated again.
    code, said = told(capsys, teachers, "references=false", "teacher_tokenizer=true", "run_dir=second")
    assert (code, f"all {SOURCES} training sentences were translated before" in said) == (0, True), said
    assert checkpoint.load("second").preprocessing == first.preprocessing
    assert checkpoint.load("second").config["references"] is False


def test_hypotheses_are_learned_from_and_the_closest_may_be_chosen(home):
    given = [f"teacher=[{home / 'a'}]", "task=translation", "data=parallel", "device=cpu", "threads=1"]
    given += [f"data.train_{side}={home / 'train'}.{side}" for side in ("source", "target")]
    given += ["data.validation_share=0.1", "beam_size=4", "hypotheses=3"]
    several, closest = (
        distilling.corpus(resolved(composed("distill", [*given, *own])), None)
        for own in (["references=false"], ["interpolation=true"])
    )
    kept = SOURCES - len(several.load("validation"))
    assert len(several.load("train")) == len(several.pairs) > 2 * kept
    assert len(set(several.pairs)) == len(several.pairs)
    assert len(closest.load("train")) == kept + len(closest.pairs) == 2 * kept
    assert set(closest.pairs) < set(several.pairs)
    assert closest.locate("train", 3).endswith("train.source:3")
    assert distilling.closest(["ein Hund", "eine Katze", "x"], "Eine Katze.") == ["eine Katze"]
    assert distilling.closest([], "Eine Katze.") == []


def test_backward_teachers_translate_the_targets_into_sources(home, monkeypatch, capsys):
    swapped = {"source": "target", "target": "source"}
    given = [f"teacher={home / 'a'}", f"backward_teacher={home / 'a'}", "task=translation", "data=parallel"]
    given += [f"data.train_{side}={home}/train.{swapped[side]}" for side in swapped]
    given += ["data.validation_share=0.1", "device=cpu", "threads=1", "references=false"]
    config = composed("distill", given)
    with distilling.begun(config, given):
        taught = distilling.corpus(resolved(config), None)
    assert config.backward_teacher == [str(home / "a")]
    own = [(row["source"], row["target"]) for row in taught.corpus.load("train")]
    teacher = Predictor.from_checkpoint(home / "a")
    forward, backward = ([record["translation"] for record in teacher([pair[side] for pair in own])] for side in (0, 1))
    expected = [(source, text) for (source, _), text in zip(own, forward, strict=True) if text]
    expected += [(text, target) for (_, target), text in zip(own, backward, strict=True) if text]
    assert [(pair.source, pair.target) for pair in taught.pairs] == expected
    assert [pair.line for pair in taught.pairs[-3:]] == taught.corpus.load("train")["line"][-3:]
    # A teacher that hands the targets back translates into no source.
    monkeypatch.setattr(teaching.Teacher, "translate", lambda self, texts: [[text] for text in texts])
    monkeypatch.setattr(teaching, "CHUNK", 17)  # another cache
    capsys.readouterr()
    distilling.corpus(resolved(config), None)
    assert "does backward_teacher translate into the source language?" in capsys.readouterr().err


def test_what_was_translated_before_a_stop_is_kept_and_a_broken_part_made_anew(home, monkeypatch):
    monkeypatch.setattr(teaching, "CHUNK", 16)
    sources, asked = sides(home, "source"), []
    config = {"trust": [], "beam_size": 2, "hypotheses": 1, "threads": 1, "trainer": {"accelerator": "cpu"}}
    teacher = teaching.teacher_of(config, [str(home / "a")])
    plain = teacher.predictor.__class__.__call__

    def call(self, texts, **options):
        asked.append(len(texts))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return plain(self, texts, **options)

    monkeypatch.setattr(teacher.predictor.__class__, "__call__", call)
    with pytest.raises(KeyboardInterrupt, match=r"stopped: 16 of 40 training sentences .*: the same command goes on"):
        list(teaching.translated(teacher, sources, "own"))
    found = list(teaching.translated(teacher, sources, "own"))
    assert asked == [16, 16, 16, 8]  # the first was kept
    files = sorted(Path("own").rglob("*.jsonl"))
    assert [file.name for file in files] == [f"translations-{start:08}.jsonl" for start in (0, 16, 32)]
    whole = files[1].read_text(encoding="utf-8")
    for broken in (whole[:-9], whole.replace("translations", "x"), "[" * 9999, whole + "{}\n", '{"source": 1}\n' * 16):
        files[1].write_text(broken, encoding="utf-8")
        assert list(teaching.translated(teacher, sources, "own")) == found
        assert files[1].read_text(encoding="utf-8") == whole
    assert asked[4:] == [16] * 5
    home = Path("own", cache.NAME)
    files[0].with_name(f".{files[0].name}.1.part").touch()  # of a process that was killed
    assert [table.size > 3 * len(whole) / 2 for table in cache.tables(home)] == [True]
    cache.clear(home)
    assert not files[0].parent.exists()


def test_a_student_goes_on_without_its_teachers_and_ends_as_one_that_was_never_stopped(home, monkeypatch, capsys):
    shutil.copytree(home / "a", "a")
    options = ["teacher=a", "decoder.cell=ssru"]
    assert told(capsys, *options, "run_dir=whole", "trainer.max_epochs=2")[0] == 0
    assert told(capsys, *options, "run_dir=halves", "resume=auto")[0] == 0
    shutil.copytree("halves", "others")
    shutil.rmtree("a")
    monkeypatch.setattr(teaching, "teacher_of", None)  # nothing is translated
    assert told(capsys, *options, "run_dir=halves", "resume=auto", "trainer.max_epochs=2")[0] == 0
    gru_nlp.train("resume=others", "trainer.max_epochs=2")
    weights = [checkpoint.load(f"{run}/last.ckpt").weights for run in ("whole", "halves", "others")]
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name])
        assert torch.equal(weight, weights[2][name])
    code, said = told(capsys, "teacher=a", "run_dir=halves", "resume=auto", "hypotheses=2", "decoder.cell=ssru")
    assert (code, "hypotheses cannot change in a run that goes on" in said) == (2, True), said
    Path("others/distilled.jsonl").write_text('{"source": "a", "target": 3, "line": 1}\n')
    with pytest.raises(UserError, match=r"distilled.jsonl:1: not a pair that distill wrote: train anew"):
        gru_nlp.train("resume=others", "trainer.max_epochs=3")
    Path("others/distilled.jsonl").unlink()
    with pytest.raises(UserError, match=r"go on with gru-nlp distill, its options and resume=auto run_dir=others"):
        gru_nlp.train("resume=others", "trainer.max_epochs=3")


@pytest.fixture(scope="module")
def usual():
    return composed("distill", ["teacher=[a]", "device=cpu", "threads=1"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"teacher": ["classifier"]}, r"classifier/best.ckpt: no translator but a sentiment model: set teacher=\.\.\."),
        ({"teacher": ["a", "classifier"]}, "classifier/best.ckpt: no translator but a sentiment model"),
        ({"teacher": ["nowhere"]}, r"nowhere: no such checkpoint \(set teacher=<file or run folder>\)"),
        (
            {"teacher": ["a", "other"]},
            "other/best.ckpt: another tokenizer than that of .*: train both on the same data",
        ),
        ({"backward_teacher": ["classifier"]}, r"no translator but a sentiment model: set backward_teacher=\.\.\."),
        ({"backward_teacher": [1]}, r"distill needs backward_teacher=<run>, or backward_teacher=\[<run>,<run>\]"),
        ({"backward_teacher": ["nowhere"]}, r"no such checkpoint \(set backward_teacher=<file or run folder>\)"),
        ({"backward_teacher": ["a", "other"]}, "other/best.ckpt: another tokenizer than that of"),
        ({"teacher": ["broken"]}, "broken: not a checkpoint, or a file that was cut off"),
        ({"teacher": []}, r"distill needs teacher=<run>, or teacher=\[<run>,<run>\]"),
        ({"hypotheses": 6}, "hypotheses=6 must lie between 1 and beam_size=5"),
        ({"interpolation": True}, "chooses among several hypotheses: set hypotheses=5 too"),
        ({"trainer.devices": 2}, "distill goes on in one process: set trainer.devices=1"),
        ({"resume": "a"}, "resume=a: a run goes on by gru-nlp train resume=a, or by the same command"),
    ],
)
def test_a_mistake_is_told_before_anything_is_translated(home, usual, options, expected, monkeypatch):
    monkeypatch.chdir(home)
    Path("broken").write_bytes(Path("a", "best.ckpt").read_bytes()[:3000])
    config = copy.deepcopy(usual)
    for name, value in options.items():
        OmegaConf.update(config, name, value, merge=False)
    with pytest.raises(UserError, match=expected), distilling.begun(config, []):
        distilling.corpus(resolved(config), None)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("data=sample_topics", "this data has no source: set data=..."),
        ("hypotheses=0", "hypotheses=0 must lie between"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_nothing_is_left(home, option, expected, capsys):
    code, said = told(capsys, f"teacher={home / 'a'}", option, "run_dir=student")
    lines = [line for line in said.splitlines() if not line.startswith(("texts are", "reading"))]
    assert (code, len(lines)) == (2, 1), said
    assert expected in lines[0]
    assert not Path("student").exists()


def test_the_options_of_a_training_are_those_of_train():
    read = (OmegaConf.load(conf_dir() / f"{name}.yaml") for name in ("train", "distill"))
    train, distill = (OmegaConf.to_container(part) for part in read)
    entries = (part.pop("defaults") for part in (train, distill))
    groups = [[list(entry) for entry in part if isinstance(entry, dict)] for part in entries]
    assert groups[0] == groups[1]
    assert {name: distill[name] for name in train} == train


def test_teachers_search_as_translators_do_by_default():
    shipped = OmegaConf.load(conf_dir() / "decoding" / "_limits.yaml")
    shipped.merge_with(OmegaConf.load(conf_dir() / "decoding" / "beam.yaml"))
    assert {name: shipped[name] for name in teaching.LIMITS} == teaching.LIMITS


def test_pairs_are_read_as_they_were_written(tmp_path):
    pairs = [Pair("a “b”\u2028c", "ä\t1", 1), Pair("d", "e", 7)]
    write_pairs(tmp_path / "pairs", pairs)
    assert read_pairs(tmp_path / "pairs") == pairs
    for last in (
        '"target": "\\ud800", "line": 1',
        '"target": "b", "line": 1e400',
        f'"target": "b", "line": {1 << 64}',
        '"line": 1',
    ):
        (tmp_path / "pairs").write_text(f'{{"source": "a", {last}}}\n')
        with pytest.raises(UserError, match="pairs:1: not a pair that distill wrote: train anew"):
            read_pairs(tmp_path / "pairs")


def test_a_hostile_chunk_is_no_chunk(tmp_path):
    for texts in ('["\\ud800"]', '["a", "b"]', "[1]", '"a"', "null"):
        (tmp_path / "chunk").write_text(f'{{"source": "s", "translations": {texts}}}\n')
        assert teaching.read_chunk(tmp_path / "chunk", ["s"], 1) is None
    (tmp_path / "chunk").write_text('{"source": "s", "translations": ["a"]}\n')
    assert teaching.read_chunk(tmp_path / "chunk", ["s"], 1) == [["a"]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are Unix's")
def test_a_pipe_is_no_chunk_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "chunk")
    assert teaching.read_chunk(tmp_path / "chunk", ["s"], 1) is None
