"""Data configs as format 1 stored them are built by today's program."""

from pathlib import Path

import numpy as np
import pytest

from gru_nlp import build, targets
from gru_nlp.upgrade import ADDED, LATER, MOVED, upgrade

CARVED = {"validation_share": 0.1, "split_seed": 1}
FILES = {
    "dir": None,
    "files": None,
    "train": "train",
    "validation": None,
    "test": "test",
    "encoding": "utf-8",
    "cache_dir": "cache",
    **CARVED,
}
LABELLED = {
    "_target_": "gru_nlp.data.corpus.FileCorpus",
    **FILES,
    "format": "labelled_lines",
    "text": "text",
    "label": "label",
    "columns": None,
    "delimiter": ",",
    "label_names": {"0": "negative", "1": "positive"},
    "label_cut": None,
    "skip_empty": False,
    "hub": {
        "_target_": "gru_nlp.data.hub.HubSource",
        "path": "SetFit/sst2",
        "name": None,
        "text": "text",
        "label": "label",
        "splits": {"train": "train", "validation": "validation", "test": "test"},
    },
}
PAIRS = {
    "_target_": "gru_nlp.data.pair_corpus.PairCorpus",
    **FILES,
    "format": "tsv",
    "source": "en",
    "target": "de",
    "train_source": None,
    "train_target": None,
    "validation_source": None,
    "validation_target": None,
    "test_source": None,
    "test_target": None,
    "skip_empty": False,
    "hub_path": None,
}
TAGGED = {
    "_target_": "gru_nlp.data.tagged_corpus.TaggedCorpus",
    **FILES,
    "format": "conll",
    "columns": None,
    "word": "tokens",
    "tag": "ner_tags",
    "scheme": None,
    "hub_path": "tomaarsen/conll2003",
}
IMAGES = {
    "_target_": "gru_nlp.data.image_corpus.IdxCorpus",
    "dir": ".",
    "files": {"train_images": "train", "train_labels": "train.l", "test_images": "test", "test_labels": "test.l"},
    "hub_path": "ylecun/mnist",
    "cache_dir": None,
    **CARVED,
}
OLD = {
    "labelled": (LABELLED, "1 fine\n0 bad\n", {"text": ["fine", "bad"], "label": ["positive", "negative"]}),
    "pairs": (PAIRS, "en\tde\none\teins\n", {"source": ["one"], "target": ["eins"]}),
    "tagged": (TAGGED, "a I-X\nb O\n", {"words": [["a", "b"]], "tags": [["B-X", "O"]]}),
}


@pytest.mark.parametrize("kind", OLD)
def test_files_are_read_as_they_were(kind):
    data, content, expected = OLD[kind]
    Path("test").write_text(content)
    new = upgrade({"data": data, "seed": 1})
    targets.check_stored("data", new["data"])
    table = build.build(new["data"]).load("test")
    assert {name: table[name][:] for name in expected} == expected


@pytest.mark.parametrize("kind", OLD)
def test_options_that_came_later_stand_in_an_older_config_and_change_nothing(kind):
    data, _, _ = OLD[kind]
    new = upgrade({"data": data})["data"]
    added = ADDED.get(new["_target_"], {})
    assert new == {**added, **data, "_target_": new["_target_"]}
    without = {name: value for name, value in new.items() if name not in added}
    assert {name: getattr(build.build(without), name) for name in added} == added
    changed = upgrade({"data": {**new, **dict.fromkeys(added, "x")}})["data"]
    assert {name: changed[name] for name in added} == dict.fromkeys(added, "x")


def test_images_are_read_as_they_were():
    for name in ("train", "test"):
        sizes = np.array([2, 1, 2], ">u4").tobytes()
        Path(name).write_bytes(b"\0\0\x08\x03" + sizes + bytes([1, 2, 3, 4]))
        Path(f"{name}.l").write_bytes(b"\0\0\x08\x01" + np.array([2], ">u4").tobytes() + bytes([7, 8]))
    table = build.build(upgrade({"data": IMAGES})["data"]).load("test")
    assert np.array(table["pixels"][:]).tolist() == [[1, 2], [3, 4]]
    assert table["label"][:] == ["7", "8"]


@pytest.mark.parametrize(
    "data",
    [
        {"_target_": "gru_nlp.data.corpus.SampleCorpus", "name": "topics"},
        {"_target_": "gru_nlp.data.image_corpus.DigitsCorpus", **CARVED},
    ],
)
def test_what_needs_no_files_is_read_as_it_was(data):
    new = upgrade({"data": data})["data"]
    targets.check_stored("data", new)
    assert len(build.build(new).load("test")) > 300


def test_every_target_of_format_1_is_there_and_nothing_else_is_touched():
    stored = {case[0]["_target_"] for case in OLD.values()} | {IMAGES["_target_"]}
    assert set(MOVED) == stored | {"gru_nlp.data.corpus.SampleCorpus", "gru_nlp.data.image_corpus.DigitsCorpus"}
    old = {"data": dict(LABELLED), "model": {"_target_": "gru_nlp.models.x.Y"}}
    new = upgrade(old)
    assert old["data"] == LABELLED
    own = {**LABELLED, "_target_": "gru_nlp.data.file_kinds.LabelledCorpus"}
    assert new == {**old, **LATER, "data": {**ADDED[own["_target_"]], **own}}
    assert upgrade(new) == new


@pytest.mark.parametrize(
    "config", [{}, {"data": None}, {"data": {}}, {"data": {"_target_": ["x"]}}, {"data": {"_target_": "own.X"}}]
)
def test_what_is_no_config_of_ours_comes_back_as_it_is(config):
    assert upgrade({**LATER, "threads": 1, **config}) == {**LATER, "threads": 1, **config}


def test_a_strategy_of_an_older_config_gets_what_came_later():
    beam = {"_target_": "gru_nlp.decoding.beam.BeamSearch", "beam_size": 5}
    data = {"data": {"_target_": "own.X"}}
    new = upgrade({**data, "decoding": beam, "model": {"decoding": beam}})
    assert new["decoding"] == new["model"]["decoding"] == {**beam, "early_stop": False}
    assert "early_stop" not in beam
    assert upgrade({**data, "decoding": {**beam, "early_stop": True}})["decoding"]["early_stop"] is True
    for other in (None, {}, {"_target_": ["x"]}, {"_target_": "gru_nlp.decoding.greedy.Greedy"}):
        assert upgrade({**data, "decoding": other, "model": {"decoding": other}})["decoding"] == other
