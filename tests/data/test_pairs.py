import gzip
from functools import partial
from pathlib import Path

import datasets
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.console import begin
from gru_nlp.data.module import DataModule
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.text.tokenizer import word

WORDS = {"vocabulary_size": 50, "min_frequency": 1, "lowercase": False, "normalization": "nfc"}


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=["task=translation", "data.cache_dir=cache", *overrides])
    return build(OmegaConf.to_container(config.data, resolve=True))


def parallel(source, target, *overrides):
    Path("a.en").write_bytes(source if isinstance(source, bytes) else source.encode())
    Path("a.de").write_bytes(target if isinstance(target, bytes) else target.encode())
    own = ["data.test_source=a.en", "data.test_target=a.de", *overrides]
    return corpus("data=parallel", *own)


def pairs(table):
    return list(zip(table["source"], table["target"], table["line"], strict=True))


def test_parallel_files_are_joined_line_by_line_and_split_at_line_feeds_alone():
    table = parallel("one\u2028two\nthree\n", gzip.compress(b"eins\r\ndrei"), "data.test_target=a.de").load("test")
    assert pairs(table) == [("one\u2028two", "eins", 1), ("three", "drei", 2)]


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("a\nb\nc\n", "x\ny\n", "a.de:2: the file ends here, but a.en goes on with line 3"),
        ("a\n", "x\ny\n", "a.en:1: the file ends here, but a.de goes on with line 2"),
        ("a\nb\n", "x\n  \n", "a.de:2: an empty sentence whose other side is not"),
        ("a\n\n", "x\ny\n", "a.en:2: an empty sentence"),
        ("\n\n", "\n\n", "a.en: holds no sentence pairs (set data.test_source=...)"),
        ("", "", "a.en: holds no sentence pairs"),
        (b"a\nGr\xf6\xdfe\n", "x\ny\n", "a.en:2: not utf-8"),
    ],
)
def test_defects_are_told_with_file_and_line(source, target, told):
    with pytest.raises(UserError) as caught:
        parallel(source, target).load("test")
    assert told in str(caught.value)


def test_blank_lines_on_both_sides_are_passed_over_and_others_on_request():
    assert len(parallel("a\n\nb\n", "x\n\ny\n").load("test")) == 2
    skipping = parallel("\na\n\nb\n\n\n", "w\nx\nz\ny\n\nv\n", "data.skip_empty=true").load("test")
    assert pairs(skipping) == [("a", "x", 2), ("b", "y", 4)]
    assert skipping["left_out"][:] == [1, 3]


def test_one_side_alone_names_the_other_option():
    Path("a.en").write_text("a\n")
    with pytest.raises(UserError, match=r"set data.test_target=<file> too"):
        corpus("data=parallel", "data.test_source=a.en").load("test")
    with pytest.raises(UserError, match=r"set data.train_source=<file> data.train_target=<file>"):
        corpus("data=parallel").load("train")


def test_two_columns_are_mapped_by_name():
    Path("a.tsv").write_text("en\tde\tid\none\teins\t1\n")
    table = corpus("data=pairs_tsv", "data.test=a.tsv", "data.source=de", "data.target=en").load("test")
    assert pairs(table) == [("eins", "one", 2)]
    with pytest.raises(UserError, match=r"a.tsv:2: no column 'source'; the columns are: en, de, id"):
        corpus("data=pairs_tsv", "data.test=a.tsv").load("test")


def test_json_lines_may_hold_a_translation_by_language():
    Path("a.jsonl").write_text('{"translation": {"en": "one", "de": "eins"}}\n{"en": "two", "de": "zwei"}\n')
    table = corpus("data=pairs_jsonl", "data.test=a.jsonl", "data.source=en", "data.target=de").load("test")
    assert pairs(table) == [("one", "eins", 1), ("two", "zwei", 2)]


def test_validation_is_carved_out_of_training():
    lines = [f"line {i}" for i in range(100)]
    Path("t.en").write_text("\n".join(lines) + "\n")
    Path("t.de").write_text("\n".join(lines).upper() + "\n")
    own = corpus("data=parallel", "data.train_source=t.en", "data.train_target=t.de", "data.validation_share=0.1")
    train, validation = own.load("train"), own.load("validation")
    assert sorted([*train["source"], *validation["source"]]) == sorted(lines)
    assert len(validation) == 10
    assert own.load("test") is None


def test_a_preset_in_either_direction_from_a_folder_or_the_layout_of_the_hub(tmp_path):
    (tmp_path / "m").mkdir()
    for name in ("train", "val", "test_2016_flickr"):
        for language in ("en", "de"):
            (tmp_path / "m" / f"{name}.{language}").write_text(f"{name} {language}\n")  # found without .gz too
    there = corpus("data=multi30k", f"data.dir={tmp_path / 'm'}").load("test")
    back = corpus("data=multi30k", f"data.dir={tmp_path / 'm'}", "data.source=de", "data.target=en").load("test")
    assert pairs(there) == [("test_2016_flickr en", "test_2016_flickr de", 1)]
    assert pairs(back) == [("test_2016_flickr de", "test_2016_flickr en", 1)]
    (tmp_path / "hub").mkdir()
    rows = "".join(f'{{"en": "one {i}", "de": "eins {i}"}}\n' for i in range(3))
    for split in ("train", "validation", "test"):
        (tmp_path / "hub" / f"{split}.jsonl").write_text(rows)
    hub = corpus("data=multi30k", f"data.hub_path={tmp_path / 'hub'}").load("test")
    assert isinstance(hub, datasets.Dataset)
    assert pairs(hub)[2] == ("one 2", "eins 2", 3)
    with pytest.raises(UserError, match=r"no column 'fr'; the columns are: en, de \(set data.target="):
        corpus("data=multi30k", f"data.hub_path={tmp_path / 'hub'}", "data.target=fr").load("test")


def test_options_of_the_other_kind_are_refused():
    with pytest.raises(UserError, match=r"set data.test_source and data.test_target here"):
        corpus("data=parallel", "data.test=a.tsv")
    with pytest.raises(UserError, match=r"are for data=parallel: set data.train"):
        corpus("data=pairs_csv", "data.train_source=a")


def test_what_is_left_out_and_what_is_cut_is_told_in_a_line_each_time(capsys):
    Path("a.tsv").write_text("source\ttarget\na b c\tx y z\n\tx\na\t\nb c\ty\n")
    preprocessor = TranslationPreprocessor(tokenizer=partial(word, **WORDS), joint=True, max_length=2, bpe_dropout=0.0)
    for _ in range(2):  # the second time from the cache
        begin()
        own = corpus("data=pairs_tsv", "data.train=a.tsv", "data.validation=a.tsv", "data.skip_empty=true")
        preprocessor.fit(own.load("train"), Hints())
        DataModule(own, preprocessor, batch_size=2, batch_tokens=None, seed=1).encode("train")
        told = capsys.readouterr().err
        assert "2 pairs of train are left out, since a side of each is empty (2 are kept)\n" in told
        assert "1 of 2 texts of train are longer than what is kept of them (preprocessing.max_length)\n" in told
