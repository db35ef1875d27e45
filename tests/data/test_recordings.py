import json
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError


def sound(path, seed=1, samples=400):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(seed).integers(-9000, 9000, samples).astype("<i2").tobytes())
    return path


def corpus(*overrides, columns=("recording", "label"), data="recordings"):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=[f"data={data}", "data.cache_dir=cache", *overrides])
    made = build(OmegaConf.to_container(config.data, resolve=True))
    made.serve(columns)
    return made


def rows(made, split="test"):
    table = made.load(split)
    return [
        (os.path.relpath(row["recording"][0]), row["name"], row.get("label", row.get("text")), row["speaker"])
        for row in table
    ]


ROWS = [("clips/1.wav", "yes"), ("clips/2.wav", "no"), ("clips/3.wav", "yes")]
WRITTEN = {
    "l.csv": "path,label\n" + "".join(f"{path},{label}\n" for path, label in ROWS),
    "l.tsv": "path\tlabel\n" + "".join(f"{path}\t{label}\n" for path, label in ROWS),
    "l.jsonl": "".join(json.dumps({"path": path, "label": label}) + "\n" for path, label in ROWS),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_tables_name_recordings_beside_them(name):
    for number, (path, _) in enumerate(ROWS):
        sound(f"set/{path}", number)
    (Path("set") / name).write_text(WRITTEN[name])
    expected = [(f"set/{path}", path, label, "") for path, label in ROWS]
    assert rows(corpus(f"data.test=set/{name}")) == expected
    Path("piped").write_text(WRITTEN[name].replace("clips", "set/clips"))
    found = rows(corpus("data.test=piped", f"data.format={name[2:]}"))
    assert [row[0] for row in found] == [row[0] for row in expected]


def test_folders_and_names_tell_labels_and_speakers():
    for number, name in enumerate(("yes/a.wav", "yes/b.flac", "no/a.wav", "no/notes.txt")):
        sound(f"folders/{name}", number)
    assert rows(corpus("data.test=folders")) == [
        ("folders/no/a.wav", "a.wav", "no", ""),
        ("folders/yes/a.wav", "a.wav", "yes", ""),
        ("folders/yes/b.flac", "b.flac", "yes", ""),
    ]
    for name in ("7_ann_lee_3.wav", "2_bo_0.wav", ".hidden_a_1.wav", "README"):
        sound(f"names/{name}")
    made = corpus("data.test=names", "data.label_names={2: two, 7: seven}")
    assert rows(made) == [
        ("names/2_bo_0.wav", "2_bo_0.wav", "two", "bo"),
        ("names/7_ann_lee_3.wav", "7_ann_lee_3.wav", "seven", "ann_lee"),
    ]
    assert made.column("test", "speaker", "slices") == ["bo", "ann_lee"]
    assert made.label_order() == ["two", "seven"]


def test_a_transcript_is_given_to_who_reads_text():
    sound("a.wav")
    Path("a.csv").write_text('path,words,who\na.wav,"three, nine",ann\n')
    made = corpus("data.test=a.csv", "data.text=words", "data.speaker=who", columns=("recording", "text"))
    assert rows(made) == [("a.wav", "a.wav", "three, nine", "ann")]
    sound("names/3_ann_0.wav")
    made = corpus("data.test=names", "data.label_names={3: three}", columns=("recording", "text"))
    assert rows(made)[0][2] == "three"


def test_rows_are_held_out_by_a_column():
    for label in "012":
        for speaker in ("ann", "bo"):
            for take in range(8):
                sound(f"fsdd/recordings/{label}_{speaker}_{take}.wav", take)
    made = corpus("data.dir=fsdd", data="fsdd")
    takes = {split: {row[1].split("_")[2][0] for row in rows(made, split)} for split in ("train", "validation", "test")}
    assert takes["test"] == set("01234")
    assert takes["train"] | takes["validation"] == set("567")
    assert len(made.load("test")) == 30
    assert {row[2] for row in rows(made)} == {"zero", "one", "two"}
    by = corpus("data.dir=fsdd", "data.hold_out=[bo]", "data.hold_out_by=speaker", data="fsdd")
    assert {row[3] for row in rows(by)} == {"bo"}
    assert {row[3] for row in rows(by, "train")} == {"ann"}
    one = corpus("data.dir=fsdd", "data.hold_out=bo", "data.hold_out_by=speaker", data="fsdd")  # and no letters of it
    assert rows(one) == rows(by)
    with pytest.raises(UserError, match="holds no recordings .set data.hold_out=...."):
        corpus("data.dir=fsdd", "data.hold_out=[zoe]", "data.hold_out_by=speaker", data="fsdd").load("test")
    with pytest.raises(UserError, match="no column 'age'.* .set data.hold_out_by"):
        corpus("data.dir=fsdd", "data.hold_out_by=age", data="fsdd").load("test")
    with pytest.raises(UserError, match="set data.hold_out_by=<column>"):
        corpus("data.dir=fsdd", "data.hold_out_by=null", data="fsdd")
    with pytest.raises(UserError, match="both give a test split"):
        corpus("data.dir=fsdd", "data.test=fsdd", data="fsdd")


def test_a_recording_that_changes_is_no_longer_the_cached_one():
    sound("a.wav", 1)
    Path("a.csv").write_text("path,label\na.wav,yes\n")
    first, same = (corpus("data.test=a.csv").load("test")._fingerprint for _ in range(2))
    sound("a.wav", 2)
    assert first == same != corpus("data.test=a.csv").load("test")._fingerprint


def bad(content, **made):
    return lambda: (sound("a.wav"), Path("a.csv").write_text(content), *(make(name) for name, make in made.items()))


MISTAKES = {
    "missing": (bad("path,label\na.wav,yes\nb.wav,no\n"), r"a.csv:3: \S*/b.wav: no such file"),
    "folder": (bad("path,label\na.wav,yes\nd,no\n", d=os.mkdir), r"a.csv:3: \S*/d: a folder, where"),
    "pipe": (bad("path,label\np,no\n", p=os.mkfifo), r"a.csv:2: \S*/p: no regular file"),
    "empty": (bad("path,label\ne,no\n", e=lambda name: Path(name).touch()), r"a.csv:2: \S*/e: an empty file"),
    "no path": (bad("path,label\n ,no\n"), r"a.csv:2: column 'path' holds no path"),
    "no column": (
        bad("file,label\na.wav,no\n"),
        r"a.csv:2: no column 'path'; the columns are: file, label .set data.rec",
    ),
    "no column of labels": (
        bad("path,word\na.wav,no\n"),
        r"a.csv:2: no column 'label'; the columns are: path, word .set data.lab",
    ),
    "no label": (bad("path,label\na.wav,\n"), r"a.csv:2: a recording without label"),
    "no rows": (bad("path,label\n"), r"a.csv: holds no recordings .set data.test"),
    "no speaker": (bad("path,label\na.wav,a\n"), r"a.csv:2: no column 'who'"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_are_told_with_their_line(kind):
    make, told = MISTAKES[kind]
    make()
    with pytest.raises(UserError, match=told):
        corpus("data.test=a.csv", *(["data.speaker=who"] if kind == "no speaker" else [])).load("test")


def test_places_that_hold_no_recordings_are_told():
    Path("empty/yes").mkdir(parents=True)
    sound("odd/a.wav")
    Path("list").write_text("path,label\n")
    cases = {
        "data.test=empty": "empty: no recording in this folder, or in folders of it",
        "data.test=odd": r"a.wav: no name such as label_speaker_take.wav",
        "data.test=list": "list: no table by its name: set data.format=csv, tsv, jsonl or parquet",
        "data.test=gone": "gone: no such file",
    }
    for option, told in cases.items():
        with pytest.raises(UserError, match=told):
            corpus(option).load("test")
    with pytest.raises(UserError, match="odd: a folder, which is not data.format=csv"):
        corpus("data.test=odd", "data.format=csv").load("test")
    with pytest.raises(UserError, match="list: no folder, which is not data.format=names"):
        corpus("data.test=list", "data.format=names").load("test")


def test_a_column_of_a_table_may_be_named_by_its_number():
    sound("a.wav")
    Path("a.csv").write_text("file,label\na.wav,yes\n")
    assert rows(corpus("data.test=a.csv", "data.recording='0'")) == [("a.wav", "a.wav", "yes", "")]
