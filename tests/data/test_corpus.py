import os
from collections import Counter
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.data.labelled import LabelledText
from gru_nlp.data.splitting import stratified
from gru_nlp.errors import UserError


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=["data=csv", "data.cache_dir=cache", *overrides])
    return build(OmegaConf.to_container(config.data, resolve=True))


def write(name, rows):
    Path(name).write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


def test_validation_is_carved_out_stratified_seeded_and_apart():
    write("a.csv", [(f"t{i}", "rare" if i % 10 == 0 else "often") for i in range(200)])
    splits = [corpus("data.train=a.csv").load(split) for split in ("train", "validation")]
    train, validation = (set(split["text"]) for split in splits)
    assert not train & validation
    assert len(train | validation) == 200
    assert Counter(splits[1]["label"]) == {"often": 18, "rare": 2}
    assert set(corpus("data.train=a.csv").load("validation")["text"]) == validation
    assert set(corpus("data.train=a.csv", "data.split_seed=2").load("validation")["text"]) != validation


def test_every_label_keeps_a_row_for_training():
    import numpy as np

    kept, carved = stratified(np.array([0] * 10 + [1, 2, 3]), 0.3, seed=1)
    assert set(range(10, 13)) <= set(kept.tolist())
    assert sorted([*kept.tolist(), *carved.tolist()]) == list(range(13))
    assert len(carved) == 4


def test_a_changed_file_of_equal_size_and_time_is_read_anew():
    write("a.csv", [("one", "a"), ("two", "b")])
    stamp = os.stat("a.csv")
    assert corpus("data.train=a.csv", "data.test=a.csv").load("test")["text"] == ["one", "two"]
    write("a.csv", [("six", "a"), ("two", "b")])
    os.utime("a.csv", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert corpus("data.train=a.csv", "data.test=a.csv").load("test")["text"] == ["six", "two"]


def test_other_options_give_other_rows_of_the_same_file():
    Path("a.csv").write_text("text,label,stars\nx,a,1\n")
    assert corpus("data.test=a.csv").load("test")["label"] == ["a"]
    assert corpus("data.test=a.csv", "data.label=stars").load("test")["label"] == ["1"]


def test_an_own_file_is_found_with_or_without_gz_and_a_row_is_located():
    write("a.csv", [("x", "a"), ("y", "b")])
    own = corpus("data.test=a.csv.gz")
    assert own.load("test")["line"] == [2, 3]
    assert own.locate("test", 3) == "a.csv:3"


def test_a_preset_without_files_or_network_says_what_to_set():
    with pytest.raises(UserError, match=r"cannot be loaded from the hub .*data.dir=<folder with stsa"):
        corpus("data=sst2", "data.hub.path=nowhere/at-all").load("train")


def test_an_own_test_file_does_not_fetch_a_preset_from_the_hub():
    write("a.csv", [("x", "a"), ("y", "b")])
    with pytest.raises(UserError, match="no training data: set data.dir"):
        corpus("data=banking77", "data.test=a.csv").load("train")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_file_is_read_once_and_then_mapped_from_the_cache(name, monkeypatch):
    write("a.csv", [(f"t{i}", "ab"[i % 2]) for i in range(40)])
    first = corpus("data.train=a.csv")
    train, validation = first.load("train"), first.load("validation")
    monkeypatch.setattr(LabelledText, "row", None)  # whoever reads again fails
    second = corpus(f"data.train={name}")
    assert second.load("train")[:] == train[:]
    assert second.load("validation")[:] == validation[:]
    assert second.load("train").cache_files == train.cache_files != []


def test_a_share_outside_0_to_1_and_a_format_that_is_not_there_are_refused_at_once():
    with pytest.raises(UserError, match=r"data.validation_share=1.5 must lie between 0 and 1"):
        corpus("data.validation_share=1.5")
    with pytest.raises(UserError, match=r"data.format=cvs is not known: choose from csv, tsv, .*did you mean 'csv'"):
        corpus("data.format=cvs")


def test_too_few_rows_to_carve_from_name_the_option():
    write("a.csv", [("x", "a")])
    with pytest.raises(UserError, match=r"1 training rows are too few .*: set data.validation=<file>"):
        corpus("data.train=a.csv").load("train")


def test_a_corpus_shows_its_options():
    assert repr(corpus("data.train=a.csv")).startswith(
        "LabelledCorpus(validation_share=0.1, split_seed=1, format='csv'"
    )
