"""Tags as people write them: read where they can only mean one thing, mapped by ``data.tag_map``, refused by line."""

import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.data.tagged import checked_map
from gru_nlp.errors import UserError


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=["task=ner", *overrides, "data.cache_dir=cache"])
    return build(OmegaConf.to_container(config.data, resolve=True))


def read(content, *overrides, data="conll"):
    """Return words and tags of the sentences of a file."""
    Path("a.txt").write_text(content)
    table = corpus(f"data={data}", "data.test=a.txt", *overrides).load("test")
    return list(zip(table["words"], table["tags"], strict=True))


BARE = "Ada PER\nMoor PER\nleft O\n\nRome LOC\nOslo LOC\nAda PER\n"


def remarks(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "data.tag_map" in line]


def told(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_types_alone_make_neighbours_one_entity_which_is_told_once(capsys):
    for name in ("a", "b", "c"):
        Path(f"{name}.txt").write_text(BARE)
    found = corpus("data=conll", "data.train=a.txt", "data.validation=b.txt", "data.test=c.txt")
    tables = [found.load(split) for split in ("train", "validation", "test")]
    assert tables[0]["tags"][:] == tables[2]["tags"][:] == [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "B-PER"]]
    told = [
        "a.txt: tags without B or I, such as PER: neighbouring words of one type are read as one entity "
        "(see data.tag_map)"
    ]
    assert remarks(capsys) == told
    corpus("data=conll", "data.test=c.txt").load("test")
    assert len(remarks(capsys)) == 1  # from the cache too


def test_tags_of_other_ways_are_read_as_iob2():
    assert read("Ada B_PER\nMoor I_PER\nleft O\n")[0][1] == ["B-PER", "I-PER", "O"]
    assert read("Ada PER-B\nMoor PER-E\nleft O\n\nX PER-S\n")[0][1] == ["B-PER", "I-PER", "O"]
    assert read("Ada b-per\nMoor i-per\nleft o\n")[0][1] == ["B-per", "I-per", "O"]
    assert read("Ada B\nMoor I\nleft O\n")[0][1] == ["B-ENT", "I-ENT", "O"]
    rows = json.dumps({"tokens": ["Ada", "left"], "tags": ["PER", "O"]})
    assert read(rows + "\n", data="tagged_jsonl")[0][1] == ["B-PER", "O"]
    # A hash before a sentence is a word where its tag has been seen, and a comment elsewhere.
    assert [row[0] for row in read("# id PER\na PER\nb O\n\n# PER\nc O\n")] == [["a", "b"], ["#", "c"]]


def test_a_map_of_tags_is_taken_as_text():
    numbers = json.dumps({"tokens": ["Ada", "Moor", "left"], "tags": [1, 2, 0]}) + "\n"
    mapped = "data.tag_map={0: O, 1: B-PER, 2: I-PER}"
    assert read(numbers, mapped, data="tagged_jsonl")[0][1] == ["B-PER", "I-PER", "O"]
    assert read("Ada 1\nleft 0\n", mapped)[0][1] == ["B-PER", "O"]
    assert read("Ada PERSON\nleft no\n", "data.tag_map={no: O, PERSON: PER}")[0][1] == ["B-PER", "O"]
    assert read("a B-PERSON\nb B-MISC\n", "data.tag_map={PERSON: PER, MISC: O}")[0][1] == ["B-PER", "O"]
    spans = json.dumps({"text": "Ada left", "spans": [[0, 3, "PERSON"]]}) + "\n"
    assert read(spans, "data.tag_map={PERSON: PER}", data="tagged_jsonl")[0][1] == ["B-PER", "O"]


def test_names_that_no_tag_of_training_has_are_told_of_tags_a_word_too(capsys):
    Path("b.txt").write_text("a NN\n")
    for name in ("a", "c"):  # the second is read from the cache, which knows contents
        Path(f"{name}.txt").write_text("a NN\nb VB\n")
        files = [f"data.train={name}.txt", "data.validation=b.txt", "data.test=b.txt"]
        found = corpus("data=conll", *files, "data.tag_map={NN: NOUN, VB: VERB, X: O, JJ: ADJ}")
        found.serve(("words", "word_tags"))
        assert found.load("train")["word_tags"][:] == [["NOUN", "VERB"]]
        assert found.load("test")["word_tags"][:] == [["NOUN"]]
        assert remarks(capsys) == [f"data.tag_map: 'X' 'JJ' is no tag of {name}.txt"]


def test_another_map_is_another_table():
    content = "a B-PERSON\nb O\n"
    assert read(content)[0][1] == ["B-PERSON", "O"]
    assert read(content, "data.tag_map={PERSON: PER}")[0][1] == ["B-PER", "O"]
    assert read(content, "data.tag_map={PERSON: LOC}")[0][1] == ["B-LOC", "O"]
    assert read(content, "data.tag_map={}")[0][1] == ["B-PERSON", "O"]


def test_switches_of_yaml_are_the_words_that_they_were_written_as():
    made = checked_map({False: "O", 1: "B-PER", "yes": "LOC"})
    assert {tag for tag, value in made.items() if value == "O"} == {
        *("no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE")
    }
    assert made["1"] == "B-PER"
    assert checked_map(None) == {}


@pytest.mark.parametrize(
    ("content", "options", "told_as"),
    [
        ("a O\n\nb B-X\nc PER\n", [], "a.txt:4: 'PER' is no tag like O, B-PER or I-LOC: see data.columns and data.tag, "
         "or set data.tag_map={PER: B-PER}"),
        ("a B_X\nb I_X\n\nc O\nd PER\n", [], "a.txt:5: 'PER' is no tag like 'B_X', as others of the file are: see"),
        ("a O\nb 3\n", [], "a.txt:2: '3' is a number and no tag: see data.columns and data.tag, or set data.tag_map={"),
        ("a O\nb " + "x-b" * 40 + "\n", [], "a.txt:2: '" + ("x-b" * 40)[:40] + "...' may be a type"),
        ("a O\nb PER\n", ["data.scheme=bioes"], "a.txt: its tags have neither B nor I, so data.scheme=bioes has no ef"),
        ("a O\n", ["data.tag_map=[{a: b}]"], "data.tag_map: 0 stands for {"),
        ("a O\n", ["data.tag_map=x"], "data.tag_map=x must be a map such as"),
        ("a O\n", ["data.tag_map={PER: B_PER}"], "{PER: B_PER}: 'B_PER' is no tag like B-PER, no O and no type"),
        ("a O\n", ["data.tag_map={PER: null}"], "data.tag_map: PER stands for null, which is no name"),
        ("a O\n", ["data.tag_map={PER: 3}"], "data.tag_map={PER: 3}: '3' is no tag like B-PER"),
    ],
)  # fmt: skip
def test_tags_and_maps_that_mean_nothing_are_told(content, options, told_as):
    with pytest.raises(UserError) as caught:
        read(content, *options)
    assert told_as in told(caught)


def test_numbers_of_json_are_refused_by_line_with_the_option_that_names_them():
    rows = "".join(json.dumps({"tokens": ["a"], "tags": [tag]}) + "\n" for tag in (0, 7))
    with pytest.raises(UserError) as caught:
        read(rows, "data.tag_map={0: O}", data="tagged_jsonl")
    assert told(caught) == (
        "a.txt:2: no list of strings 'tags' (set data.tag=..., or give text and spans, "
        "or name numbers: data.tag_map={7: B-PER})"
    )


@pytest.mark.parametrize(("tag", "told_as"), [("", "''"), ("B-P ER", "'B-P ER'"), ("PER ", "'PER '")])
def test_tags_of_json_that_are_no_words_are_refused_by_line(tag, told_as):
    rows = "".join(json.dumps({"tokens": ["a", "b"], "tags": tags}) + "\n" for tags in (["O", "PER"], ["O", tag]))
    with pytest.raises(UserError) as caught:
        read(rows, data="tagged_jsonl")
    assert told(caught).startswith(f"a.txt:2: {told_as} is no tag like 'PER', as others of the file are: see data.tag,")


def test_splits_that_write_tags_in_two_ways_are_refused():
    Path("a.txt").write_text("a B-PER\nb I-PER\nc O\n")
    Path("b.txt").write_text(BARE)
    Path("c.txt").write_text("a O\n\nb O\n")
    Path("d.txt").write_text("a PER_B\nb O\n")
    found = corpus("data=conll", "data.train=a.txt", "data.validation=d.txt", "data.test=b.txt")
    assert found.load("train")["tags"][:] == [["B-PER", "I-PER", "O"]]
    assert found.load("validation")["tags"][:] == [["B-PER", "O"]]  # which can only mean the same
    with pytest.raises(UserError) as caught:
        found.load("test")
    assert told(caught) == (
        "b.txt: has tags such as PER, but another split has tags such as B-PER: write them alike, "
        "or set data.tag_map=..."
    )
    none = corpus("data=conll", "data.train=b.txt", "data.validation=c.txt")
    assert none.load("train")["tags"][0] == ["B-PER", "I-PER", "O"]
    assert none.load("validation")["tags"][:] == [["O"], ["O"]]


def test_what_is_mapped_in_vain_is_told_of_training(capsys):
    Path("a.txt").write_text("a B-PERSON\n\n" * 9)
    options = ["data=conll", "data.train=a.txt", "data.test=a.txt", "data.tag_map={PERSN: PER, PERSON: PER}"]
    for _ in range(2):
        found = corpus(*options)
        assert found.load("train")["tags"][0] == found.load("test")["tags"][0] == ["B-PER"]
    assert remarks(capsys) == ["data.tag_map: 'PERSN' is neither a tag nor a type of a.txt"]
