"""Any data set in the hub's layout, without a preset."""

import json
from pathlib import Path

import datasets
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.cli.main import main
from gru_nlp.config import conf_dir
from gru_nlp.data.labelled import LabelledText
from gru_nlp.errors import UserError


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=[*overrides, "data.path=hub", "data.cache_dir=cache"])
    return build(OmegaConf.to_container(config.data, resolve=True))


def put(split, rows, features=None, folder="hub/data"):
    Path(folder).mkdir(parents=True, exist_ok=True)
    table = datasets.Dataset.from_list(rows, features)
    table.to_parquet(f"{folder}/{split}-00000-of-00001.parquet")


def reviews(split, count=20, **more):
    kinds = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features({"sentence": datasets.Value("string"), "stars": kinds})
    put(split, [{"sentence": f"{split} {i}", "stars": i % 2} for i in range(count)], features, **more)


OWN = ("data=hub", "data.text=sentence", "data.label=stars")


def test_labelled_text_gives_the_names_of_its_class_labels():
    for split in ("train", "validation", "test"):
        reviews(split)
    own = corpus(*OWN)
    assert own.load("test")[:3] == {
        "text": ["test 0", "test 1", "test 2"],
        "label": ["bad", "good", "bad"],
        "line": [1, 2, 3],
    }
    assert len(own.load("train")) == len(own.load("validation")) == 20
    assert own.locate("test", 3) == "hub (test):3"
    assert own.label_order() is None
    renamed = corpus(*OWN, "data.label_names={bad: negative, good: positive}")
    assert renamed.load("test")["label"][:2] == ["negative", "positive"]
    assert renamed.label_order() == ["negative", "positive"]


def test_a_missing_validation_split_is_carved_and_a_missing_test_split_allowed():
    reviews("train")
    own = corpus(*OWN)
    assert own.load("test") is None
    train, validation = own.load("train"), own.load("validation")
    assert sorted([*train["line"], *validation["line"]]) == list(range(1, 21))
    assert sorted(validation["label"]) == ["bad", "good"]
    assert own.locate("validation", 4) == "hub (train):4"


def test_splits_of_other_names_and_parts_of_splits_are_taken():
    reviews("train")
    reviews("dev")
    put("unsupervised", [{"sentence": "x", "stars": 0}])
    own = corpus(*OWN, "data.splits.validation=dev", "data.splits.test='train[:3]'")
    assert own.load("validation")["text"][0] == "dev 0"
    assert own.load("test")["text"][:] == ["train 0", "train 1", "train 2"]
    assert len(own.load("train")) == 20


def test_a_split_that_was_named_must_be_there_and_one_may_be_left_out():
    reviews("train")
    reviews("validation")
    with pytest.raises(UserError, match=r"^hub: no split 'vali'; the splits are: train, validation \(set data.splits"):
        corpus(*OWN, "data.splits.test=vali").load("test")
    with pytest.raises(UserError, match=r"no split 'test'; .*set data.splits.test="):
        corpus(*OWN, "data.splits.test=test").load("test")
    with pytest.raises(UserError, match=r"data.splits=tset is not known: .*did you mean 'test'"):
        corpus(*OWN, "+data.splits.tset=validation")
    left = corpus(*OWN, "data.splits.validation=null")
    assert len(left.load("train")) + len(left.load("validation")) == 20


def test_without_a_training_split_its_option_is_named():
    reviews("test")
    with pytest.raises(UserError, match=r"no training data: set data.splits.train=<one of test>"):
        corpus(*OWN).load("train")
    reviews("train", count=1)
    with pytest.raises(UserError, match=r"1 training rows are too few .*: set data.splits.validation=<one of "):
        corpus(*OWN).load("train")


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        (
            [{"sentence": "x", "stars": 1}],
            ["data.text=sentense"],
            "hub (test):1: no column 'sentense'; the columns are: ",
        ),
        ([{"sentence": "x", "stars": 1}], ["data.text=sentense"], "(set data.text=...); did you mean 'sentence'?"),
        ([{"sentence": "x", "stars": 1}], ["data.label=star"], "(set data.label=...); did you mean 'stars'?"),
        ([{"sentence": "x", "stars": 1}, {"sentence": None, "stars": 1}], [], "hub (test):2: a row without text"),
        ([{"sentence": "x", "stars": None}], [], "hub (test):1: a row without label"),
        ([{"sentence": "x", "stars": 3}], ["data.label_names={1: bad}"], "hub (test):1: the label '3' is not among"),
    ],
)
def test_what_is_wrong_is_told_with_row_and_option(rows, options, told):
    put("test", rows)
    with pytest.raises(UserError) as caught:
        corpus(*OWN, *options).load("test")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_hidden_label_is_none_and_numbers_may_be_named():
    features = datasets.Features({"sentence": datasets.Value("string"), "stars": datasets.ClassLabel(names=["a", "b"])})
    put("test", [{"sentence": "x", "stars": -1}], features)
    with pytest.raises(UserError, match=r"hub \(test\):1: a row without label"):
        corpus(*OWN).load("test")
    assert corpus(*OWN, "data.splits.test=null").load("test") is None
    put("train", [{"sentence": "x", "stars": 1}])
    put("validation", [{"sentence": "x", "stars": 0}])
    named = corpus(*OWN, "data.label_names={0: bad, 1: good}", "data.splits.test=null")
    assert named.load("validation")["label"][:] == ["bad"]


def test_pictures_beside_a_text_are_not_decoded():
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "stars": datasets.Value("string"), "image": datasets.Image()}
    )
    put("test", [{"sentence": "x", "stars": "a", "image": {"bytes": b"no picture", "path": None}}], features)
    assert corpus(*OWN).load("test")["text"][:] == ["x"]


def test_rows_are_read_once_and_then_mapped_from_the_cache(monkeypatch):
    reviews("train")
    first = corpus(*OWN).load("train")
    monkeypatch.setattr(LabelledText, "row", None)  # whoever reads again fails
    assert corpus(*OWN).load("train")[:] == first[:]


def test_configurations_are_chosen_by_name():
    reviews("train", folder="hub/short")
    put("train", [{"sentence": "long", "stars": "one"}] * 20, folder="hub/long")
    folders = [{"config_name": name, "data_dir": name} for name in ("short", "long")]
    Path("hub/README.md").write_text(f"---\nconfigs: {json.dumps(folders)}\n---\n")
    assert set(corpus(*OWN, "data.name=long").load("train")["label"]) == {"one"}
    with pytest.raises(UserError, match=r"'hub' cannot be loaded from the hub .*short.*: check data.path, data.name"):
        corpus(*OWN).load("train")
    with pytest.raises(UserError, match=r"BuilderConfig 'lang' not found.*long.*: check data.path, data.name"):
        corpus(*OWN, "data.name=lang").load("train")


def test_a_data_set_that_cannot_be_reached_names_what_to_check():
    with pytest.raises(
        UserError, match=r"^the data set 'hub' cannot be loaded .*: check data.path, data.name and data"
    ):
        corpus(*OWN).load("train")


def test_a_broken_file_of_a_local_folder_is_told_in_one_line():
    Path("hub").mkdir()
    Path("hub/train.jsonl").write_text('{"sentence": "x"\n')
    with pytest.raises(UserError) as caught:
        corpus(*OWN).load("train")
    assert "cannot be loaded" in str(caught.value)
    assert "\n" not in str(caught.value)


PAIRS = ("task=translation", "data=hub_pairs")


@pytest.mark.parametrize("nested", [False, True])
def test_pairs_stand_in_columns_or_in_a_column_of_translations(nested):
    rows = [{"en": f"one {i}", "de": f"eins {i}"} for i in range(100)]
    put("train", [{"id": i, "translation": row} for i, row in enumerate(rows)] if nested else rows)
    own = corpus(*PAIRS, "data.source=de", "data.target=en")
    train, validation = own.load("train"), own.load("validation")
    assert len(validation) == 2
    found = {(row["source"], row["target"], row["line"]) for table in (train, validation) for row in table}
    assert found == {(f"eins {i}", f"one {i}", i + 1) for i in range(100)}
    with pytest.raises(UserError, match=r"hub \(train\):1: no column 'fr'; the columns are: .*set data.target="):
        corpus(*PAIRS, "data.source=de", "data.target=fr").load("train")


def test_the_hubs_own_type_of_translations_is_read_and_empty_sides_are_told():
    features = datasets.Features({"translation": datasets.Translation(languages=["de", "en"])})
    put("test", [{"translation": {"de": "a", "en": "b"}}, {"translation": {"de": "a", "en": " "}}], features)
    options = [*PAIRS, "data.source=de", "data.target=en"]
    with pytest.raises(UserError, match=r"^hub \(test\):2, column 'en': an empty sentence .*data.skip_empty=true"):
        corpus(*options).load("test")
    assert corpus(*options, "data.skip_empty=true").load("test")["target"][:] == ["b"]


def test_lists_of_class_labels_give_the_names_of_several_labels():
    several = datasets.List(datasets.ClassLabel(names=["joy", "anger"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": several})
    put("test", [{"text": "a", "labels": [1, 0]}, {"text": "b", "labels": []}], features)
    data = corpus("task=multilabel", "data=hub", "data.label=labels")
    data.serve(("text", "labels"))
    assert data.load("test")[:] == {"text": ["a", "b"], "labels": [["anger", "joy"], []], "line": [1, 2]}
    with pytest.raises(UserError, match=r"hub \(test\):1: column 'labels' holds a list .* task=multilabel"):
        corpus("data=hub", "data.label=labels").load("test")


TAGGED = ("task=ner", "data=hub_tagged")


def test_tagged_sentences_give_the_names_of_their_tags():
    names = ["O", "B-PER", "I-PER"]
    tags = datasets.List(datasets.ClassLabel(names=names))
    features = datasets.Features({"words": datasets.List(datasets.Value("string")), "labels": tags})
    put("test", [{"words": ["a", "b"], "labels": [1, 2]}, {"words": [], "labels": []}], features)
    table = corpus(*TAGGED, "data.word=words", "data.tag=labels").load("test")
    found = {"broken": [""], "widened": [""], "dropped": [0], "style": ["places"], "unused": [""]}
    assert table[:] == {"words": [["a", "b"]], "tags": [["B-PER", "I-PER"]], "line": [1], **found}
    with pytest.raises(UserError, match=r"hub \(test\):1: no list of strings 'tokens' \(set data.word=.*words, labels"):
        corpus(*TAGGED, "data.tag=labels").load("test")


def test_other_schemes_are_read_as_iob2_and_bad_tags_told():
    put("test", [{"tokens": ["a", "b"], "ner_tags": ["B-X", "E-X"]}, {"tokens": ["c"], "ner_tags": ["S-X"]}])
    assert corpus(*TAGGED).load("test")["tags"][:] == [["B-X", "I-X"], ["B-X"]]
    put("test", [{"tokens": ["a"], "ner_tags": [3]}])
    with pytest.raises(UserError, match=r"hub \(test\):1: no list of strings 'ner_tags' \(set data.tag="):
        corpus(*TAGGED).load("test")


def test_a_run_on_a_local_folder_is_evaluated_from_another(tmp_path, monkeypatch, capsys):
    reviews("train", count=60)
    reviews("test")
    tiny = ["encoder.hidden_size=4", "embedding.size=4", "trainer.max_epochs=1", "trainer.enable_progress_bar=false"]
    assert main(["train", *OWN, "data.path=hub", *tiny, "run_dir=run"]) == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    capsys.readouterr()
    assert main(["evaluate", "checkpoint=../run"]) == 0
    assert "test/accuracy" in capsys.readouterr().out


def test_the_path_is_asked_for(capsys):
    assert main(["train", "data=hub"]) == 2
    assert "train needs data.path=<...>" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "option", "expected"),
    [
        (["O", "PER_B", "PER_I"], [], ["B-PER", "I-PER", "O"]),
        (["O", "PER", "LOC"], [], ["B-PER", "B-LOC", "O"]),
        (["none", "PER", "LOC"], ["data.tag_map={none: O, LOC: PLACE}"], ["B-PER", "B-PLACE", "O"]),
    ],
)
def test_names_of_class_labels_are_read_as_people_write_tags(names, option, expected):
    tags = datasets.List(datasets.ClassLabel(names=names))
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": tags})
    put("test", [{"tokens": ["a", "b", "c"], "ner_tags": [1, 2, 0]}], features)
    assert corpus(*TAGGED, *option).load("test")["tags"][:] == [expected]


def test_numbers_without_names_are_named_by_a_map():
    put("test", [{"tokens": ["a", "b", "c"], "ner_tags": [1, 2, 0]}])
    with pytest.raises(UserError, match=r"hub \(test\):1: no list of strings 'ner_tags' .*data.tag_map=\{1: B-PER\}"):
        corpus(*TAGGED).load("test")
    assert corpus(*TAGGED, "data.tag_map={0: O, 1: B-PER, 2: I-PER}").load("test")["tags"][:] == [
        ["B-PER", "I-PER", "O"]
    ]
