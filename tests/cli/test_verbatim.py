"""What a person types as a name reaches the config as it was typed, on the command line, in a sweep and from Python."""

import json
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from gru_nlp import build
from gru_nlp.cli.main import main
from gru_nlp.cli.shell import composed
from gru_nlp.cli.verbatim import written
from gru_nlp.config import resolved, text_map, undisguised
from gru_nlp.errors import UserError

ODD = [
    "a b", "a, b", "[x]", "{x}", "(x)", "x=y", "0", "1.0", "1e3", "yes", "no", "on", "off", "null_", "true", "größe",
    "it's", 'a "b" c', "c:\\d\\", "-x", "*", "#", "~x", "a:b", "電影", "nan", " a ", "'a' b 'c'", "$x", "%", "\t",
]  # fmt: skip


def value(argument):
    return OverridesParser.create().parse_override(written(argument, sweep=False)).value()


def tried(argument):
    """Return the values that a sweep tries, each as a job of it gets it."""
    override = OverridesParser.create().parse_override(written(argument, sweep=True))
    typed = override.sweep_string_iterator() if override.is_sweep_override() else [override.get_value_element_as_str()]
    return [OverridesParser.create().parse_override(f"x={one}").value() for one in typed]


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_taken_as_it_is_alone_in_a_list_and_in_a_map(name):
    assert value(f"data.label={name}") == name
    mark = "'" if '"' in name else '"'
    if not name.endswith("\\") and mark not in name:  # which needs a backslash of its own before the quote
        assert value(f"data.text=[a,{mark}{name}{mark}]") == ["a", name]
        assert text_map(value(f"data.tag_map={{{mark}{name}{mark}: {mark}{name}{mark}}}"), "x") == {name: name}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("data.text=[title,body]", ["title", "body"]),
        ("data.text=[ title (en) , 'body, text', it's, 0, yes, 1e3, null]",
         ["title (en)", "body, text", "it's", "0", "yes", "1e3", "null"]),
        ("data.text='[x]'", "[x]"),
        ("data.text=['don\\'t',\"c:\\d\\\\\"]", ["don't", "c:\\d\\"]),
        ("data.text=[]", []),
        ("data.text=null", None),
        ("data.label='null'", "null"),
    ],
)  # fmt: skip
def test_lists_hold_texts(argument, expected):
    assert value(argument) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("data.label_names={0:negative,1:positive}", {"0": "negative", "1": "positive"}),
        ("data.label_names={yes: no, 'a, b': \"c: d\", 1.0: x, true: y, 1: z, ä: ü, 01: v, +1: w, 1_0: u}",
         {"yes": "no", "a, b": "c: d", "1.0": "x", "true": "y", "1": "z", "ä": "ü", "01": "v", "+1": "w", "1_0": "u"}),
        ("data.label_names=[negative,positive]", {"0": "negative", "1": "positive"}),
        ("data.tag_map={}", {}),
        ("data.tag_map=[]", {}),
        ("data.tag_map={a:b:c, \"x:y\": O, '': O, _: O, _typed_41: O}",
         {"a": "b:c", "x:y": "O", "": "O", "_": "O", "_typed_41": "O"}),
    ],
)  # fmt: skip
def test_maps_hold_texts(argument, expected):
    assert text_map(value(argument), "x") == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("data.label=a,b", ["a", "b"]),
        ("data.label=0,yes,größe", ["0", "yes", "größe"]),
        ("data.label=a b,\"c, d\",'e'", ["a b", "c, d", "e"]),
        ("data.text=[title,body],title", [["title", "body"], "title"]),
        ("data.label_names={0:a,1:b},[c,d],null", [{0: "a", 1: "b"}, {0: "c", 1: "d"}, None]),
        ("data.delimiter=;", [";"]),
        ("data.delimiter=,", [","]),
        ("data.delimiter=;,|", [";", "|"]),
        ("data.train=größe.csv,b (1).csv", ["größe.csv", "b (1).csv"]),
        ("data.label=choice(a,b)", ["a", "b"]),
    ],
)
def test_a_comma_stands_between_the_values_of_a_sweep(argument, expected):
    assert tried(argument) == expected


def test_a_value_that_a_sweep_lacks_is_told():
    with pytest.raises(UserError, match="data.text=a,,b: nothing between two commas of a sweep; quote a name"):
        written("data.text=a,,b", sweep=True)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("data.tag_map={a}", "data.tag_map: 'a' is no pair: write {key: value, ...}, names with commas in quotes"),
        ("data.tag_map={a, b: O}", "data.tag_map: 'a' is no pair"),
        ("data.label_names={a: b, a: c}", "data.label_names: 'a' occurs twice"),
        ("data.label_names=a", "data.label_names=a must be a map such as {a: b, c: d}, or a list such as [b, d] for 0"),
        ("data.label_names={0:a,1:b", "data.label_names={0:a,1:b must be a map such as"),
        ("data.label_names={0: '', 1: b}", "data.label_names: 0 stands for nothing, which is no name"),
        ("data.label_names={_target_: x, 1: b}", "data.label_names: _target_ is a word of Hydra's"),
        ("data.text=null", "data.text=null names no column"),
        ("data.text=[]", "data.text=[] names no column"),
        ("data.label=null", "data.label=null names no column"),
    ],
)
def test_what_is_no_name_is_told(argument, told):
    with pytest.raises(UserError) as caught:
        build.build(resolved(composed("train", ["data=csv", "data.train=a.csv", argument]))["data"])
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def rows(*options):
    config = resolved(composed("train", ["data=csv", "data.train=a.csv", "data.validation_share=0.5", *options]))
    corpus = build.build(config["data"])
    table = corpus._whole("train")
    return list(zip(table["text"], table["label"], strict=True)), corpus.label_order()


@pytest.mark.parametrize(
    ("head", "options", "text"),
    [
        ("a (b),x,label", ["data.text=a (b)"], "one"),
        ('"a, b",x,label', ["data.text=a, b"], "one"),
        ('"a, b",x,label', ["data.text=[x,'a, b']"], "two one"),
        ("[a],x,label", ["data.text='[a]'"], "one"),
        ("x=y,x,label", ["data.text=x=y"], "one"),
        ("it's,x,label", ["data.text=it's"], "one"),
        ("größe,x,label", ["data.text=[größe,x]"], "one two"),
        ("true,1e3,label", ["data.text=[true,1e3]"], "one two"),
        ("a,x,label", ["data.text=1"], "two"),
        ("a,x,label", ["data.text=[1,0]"], "two one"),
        ("a,x,label", ["data.text=0", "data.label=2"], "one"),
        ("null,x,label", ["data.text='null'"], "one"),
    ],
)
def test_columns_of_any_name_or_number_are_read(head, options, text):
    Path("a.csv").write_text(f"{head}\none,two,p\none,two,q\n")
    assert rows(*options) == ([(text, "p"), (text, "q")], None)


@pytest.mark.parametrize(
    ("labels", "option", "names"),
    [
        ("0 1", "{0:negative,1:positive}", "negative positive"),
        ("0 1", "[negative,positive]", "negative positive"),
        ("yes no", "{yes: good, no: bad}", "good bad"),
        ("on off", "{on: off, off: on}", "off on"),
        ("null 1.0 1e3 true", "{null: a, 1.0: b, 1e3: c, true: d}", "a b c d"),
        ("1 2 3", "{1: x, 2: x, 3: y}", "x x y"),
        ("size layers", "{size: 1, layers: no}", "1 no"),
    ],
)
def test_labels_that_yaml_takes_for_something_else_are_named(labels, option, names):
    Path("a.csv").write_text("text,label\n" + "".join(f"a,{label}\n" for label in labels.split()))
    found, order = rows(f"data.label_names={option}")
    assert [label for _, label in found] == names.split()
    assert order == list(dict.fromkeys(names.split()))


def test_a_preset_of_named_labels_takes_others_and_a_record_shows_them_as_typed():
    given = ["data=sst2", "data.train=a.txt", "data.label_names={0: bad, größe: good}"]
    names = {"0": "bad", "1": "positive", "größe": "good"}
    assert resolved(composed("train", given))["data"]["label_names"] == names
    assert resolved(composed("train", [*given[:2], "data.label_names=[a,b]"]))["data"]["label_names"]["1"] == "b"
    assert undisguised(written(given[2], sweep=False)) == "++data.label_names={0:'bad',größe:'good'}"


def test_a_yaml_of_ones_own_may_hold_switches_and_numbers():
    words = ("no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE")
    assert text_map({False: "bad", 1: 2}, "x") == {**dict.fromkeys(words, "bad"), "1": "2"}
    with pytest.raises(UserError, match="x: a stands for true, which is no name .* needs quotes"):
        text_map({"a": True}, "x")
    Path("own/data").mkdir(parents=True)
    Path("own/data/mine.yaml").write_text("defaults: [csv]\ntrain: a.csv\nlabel_names:\n  yes: good\n  NO: bad\n")
    Path("a.csv").write_text("text,label\na,yes\na,NO\n")
    config = composed("train", ["--config-dir=own", "data=mine"])
    assert all(isinstance(key, str) for key in OmegaConf.to_container(config.data.label_names))
    table = build.build(resolved(config)["data"])._whole("train")
    assert table["label"][:] == ["good", "bad"]


def test_names_go_with_a_checkpoint_and_predict_takes_several_columns(capsys):
    Path("a.csv").write_text("the title,body,0\n" + "good,day (1),yes\nbad,night,no\n" * 20)
    names = ["data.text=[the title,body]", "data.label=2", "data.label_names={yes: 1e3, no: null, größe: x}"]
    tiny = ["trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false"]
    assert main(["train", "-m", "data=csv", "data.train=a.csv", "hydra.sweep.dir=a", *names, *tiny, "seed=1"]) == 0
    assert (
        "++data.label_names={yes:'1e3',no:'null',größe:'x'}"
        in json.loads(Path("a/0/metrics.json").read_text())["overrides"]
    )
    assert main(["evaluate", "checkpoint=a/0", "data.test=a.csv"]) == 0
    Path("b.csv").write_text("text,tag\n" + "good,on\nbad,off\n")
    own = ["data.test=b.csv", "data.text=text", "data.label=tag", "data.label_names={on: 1e3, off: null}"]
    assert main(["evaluate", "checkpoint=a/0", *own]) == 0
    assert main(["train", "resume=a/0", "trainer.max_epochs=2"]) == 0
    capsys.readouterr()
    assert main(["predict", "checkpoint=a/0", "input=a.csv", "text=[the title,body]"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["text"] for record in records[:2]] == ["good day (1)", "bad night"]
    assert {record["label"] for record in records} <= {"1e3", "null"}
    assert main(["predict", "checkpoint=a/0", "input=a.csv", "text=0", "format=csv"]) == 0
    assert capsys.readouterr().out.startswith("the title,body,0,label,score\ngood,day (1),yes,")
    assert main(["predict", "checkpoint=a/0", "input=a.csv", "text=[body,nothing]"]) == 2
    assert "a.csv:2: no column 'nothing'" in capsys.readouterr().err
