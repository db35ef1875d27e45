import gzip
import json
from pathlib import Path

import datasets
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp import console
from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError

GOOD = "-DOCSTART- -X- O\n\nPeter NNP I-PER\nBlackburn NNP I-PER\nleft . O\n\nBRUSSELS NNP I-LOC\nRome NNP B-LOC\n"


MIXED = (
    "a.txt:1: 'a NN' before the tab may be one word or several columns: "
    "set data.separator=tab (cut at tabs alone) or data.separator=blank (cut at blanks and tabs)"
)


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=["task=ner", *overrides, "data.cache_dir=cache"])
    return build(OmegaConf.to_container(config.data, resolve=True))


def read(content, *overrides, data="conll"):
    Path("a.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    table = corpus(f"data={data}", "data.test=a.txt", *overrides).load("test")
    return list(zip(table["words"], table["tags"], table["line"], strict=True))


def test_columns_are_read_and_told_as_iob2():
    expected = [
        (["Peter", "Blackburn", "left"], ["B-PER", "I-PER", "O"], 3),
        (["BRUSSELS", "Rome"], ["B-LOC", "B-LOC"], 7),
    ]
    assert read(GOOD) == expected
    assert read(gzip.compress(GOOD.encode())) == expected
    assert read(GOOD.replace(" ", "\t").replace("\n", "\r\n")) == expected
    assert read("# id 7\n" + GOOD.replace(" ", "   "))[0][:2] == expected[0][:2]


def test_columns_of_any_order_and_encoding_are_named():
    names = ["data.columns=[tag,lemma,word]", "data.word=word", "data.tag=tag"]
    text = "B-LOC x Köln\nO x ist\n\nS-PER x Ö\n"
    read_rows = read(text.encode("latin-1"), *names, "data.encoding=latin-1")
    assert [row[:2] for row in read_rows] == [(["Köln", "ist"], ["B-LOC", "O"]), (["Ö"], ["B-PER"])]


def test_a_hash_is_a_word_where_it_has_a_tag():
    assert [row[0] for row in read("# O\n#tag\tO\n\n#\tB-X\n")] == [["#", "#tag"], ["#"]]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a NN\tO\n", ["data.separator=tab"], [["a NN"]]),
        ("a NN\tO\n", ["data.separator=blank"], [["a"]]),
        ("-DOCSTART- x\tO\n\n# b c\td\na NN\tO\n", ["data.separator=blank"], [["a"]]),
        # One reading alone fits the number of columns, which earlier lines or the names of the columns tell.
        ("a NN O\nb NN\tB-X\n", [], [["a", "b"]]),
        ("w NN\tO\n", ["data.columns=[w,pos,t]", "data.word=w", "data.tag=t"], [["w"]]),
        ("w NN\tO\n", ["data.columns=[w,t]", "data.word=w", "data.tag=t"], [["w NN"]]),
        # Both readings give the same words and tags, or a tag would hold a blank.
        ("a\tb c\tO\nd\te\tO\n", [], [["a", "d"]]),
        ("a\tNN O\n b\tNN O\n", [], [["a", "b"]]),
        # Blanks that are none of ASCII are letters of a word; at the edges of a field, blanks are none of it.
        ("10\u00a0000\tO\na\u3000b \t O\n", [], [["10\u00a0000", "a\u3000b"]]),
        ("10\u00a0000 O\n", ["data.separator=blank"], [["10\u00a0000"]]),
    ],
)
def test_columns_are_cut_where_they_can_only_mean_one_thing(content, options, expected):
    assert [row[0] for row in read(content, *options)] == expected


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("", [], "a.txt: holds no tagged sentence (set data.test=...)"),
        ("# one\n# two\n", [], "a.txt: holds no tagged sentence"),
        ("a O\nb NN O\n", [], "a.txt:2: 3 columns where 2 are expected: see data.columns"),
        ("a O\n\nb\n", [], "a.txt:3: 1 columns where 2 are expected"),
        ("a\nb\n", [], "a.txt:1: one column only"),
        ("a NN O\n", ["data.columns=[word,tag]"], "a.txt:1: 3 columns where 2 are expected (word tag)"),
        ("a O\n", ["data.columns=[word,tag]", "data.word=wrd"], "data.word=wrd is not among data.columns=[word, tag]"),
        ("a O\n", ["data.columns=[tokens,pos]"], "data.tag=tags is not among"),
        ("\tO\n", [], "a.txt:1: an empty word"),
        ("a NN\tO\n", [], MIXED),
        (
            "a NN\tO\nb\tO\n",
            ["data.columns=[word,pos,tag,x]", "data.word=word", "data.tag=tag"],
            "1: 2 columns where 4",
        ),
        ("b\tO\n10 000\tO\n", [], "a.txt:2: '10 000' before the tab may be one word or several columns"),
        (
            "a O\n",
            ["data.separator=tab"],
            "a.txt:1: one column only, where a word and its tag are expected: see data.c",
        ),
        (
            "a O\n",
            ["data.separator=tabs"],
            "data.separator=tabs is not known: choose from tab, blank; did you mean 'tab'",
        ),
        ("{}", ["data.format=jsonl", "data.separator=tab"], "data.separator=tab has no effect on data.format=jsonl"),
        ("a O\nb NN\n", [], "a.txt:2: 'NN' is no tag like O, B-PER or I-LOC"),
        (b"a O\nGr\xf6\xdfe O\n", [], "a.txt:2: not utf-8"),
        ("a I-PER\n\n" * 30 + "b B-PER\nc E-PER\n\n" * 30, [], "a.txt:1: I-PER is not BIOES"),
    ],
)
def test_a_bad_file_is_told_with_its_line(content, options, told):
    with pytest.raises(UserError) as caught:
        read(content, *options)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_few_broken_tags_are_mended_and_told(capsys):
    rows = read("a B-PER\nb I-PER\nc O\n\n" * 99 + "d O\ne I-LOC\n")
    assert rows[-1][:2] == (["d", "e"], ["O", "B-LOC"])
    console.begin()
    assert read("a B-PER\nb I-PER\nc O\n\n" * 99 + "d O\ne I-LOC\n") == rows
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2  # a table from the cache tells it again
    assert all(remark.startswith("a.txt:398 breaks") for remark in told)


def test_json_lines_hold_tags_or_spans():
    lists = json.dumps({"tokens": ["Ö", "x"], "tags": ["U-PER", "O"]})
    spans = json.dumps(
        {"text": "😀 O'Neill's in Rome.", "spans": [[2, 9, "PER"], {"start": 15, "end": 19, "label": "LOC"}]}
    )
    rows = read(f"{lists}\n\n{spans}\n", data="tagged_jsonl")
    assert rows[0] == (["Ö", "x"], ["B-PER", "O"], 1)
    assert rows[1][:2] == (["😀", "O'Neill", "'s", "in", "Rome", "."], ["O", "B-PER", "O", "O", "B-LOC", "O"])


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("张伟在北京工作。", [[0, 2, "PER"], [3, 5, "LOC"]], "张 B-PER 伟 I-PER 在 O 北 B-LOC 京 I-LOC 工 O 作 O 。 O"),
        ("สมชายทำ", [[0, 5, "PER"]], "ส B-PER ม I-PER ช I-PER า I-PER ย I-PER ทำ O"),
        (
            "iPhone在北京, 東京タワー",
            [[7, 9, "LOC"], [13, 16, "X"]],
            "iPhone O 在 O 北 B-LOC 京 I-LOC , O 東 O 京 O タ B-X ワ I-X ー I-X",
        ),
    ],
)
def test_spans_fit_scripts_without_blanks(text, spans, expected, capsys):
    ((words, tags, _),) = read(json.dumps({"text": text, "spans": spans}), data="tagged_jsonl")
    assert " ".join(part for pair in zip(words, tags, strict=True) for part in pair) == expected
    assert capsys.readouterr().err == ""


def test_spans_that_cut_words_are_widened_and_told(capsys):
    rows = [
        {"text": "In Rome", "spans": [[3, 7, "LOC"]]},
        {"text": "New Yorker at ที่", "spans": [[0, 8, "LOC"], [14, 15, "X"]]},
        {"text": "Yorker", "spans": [[1, 6, "LOC"]]},
    ]
    for _ in range(2):  # read, then found in the cache
        console.begin()
        found = read("".join(json.dumps(row) + "\n" for row in rows), data="tagged_jsonl")
        assert [row[1] for row in found] == [["O", "B-LOC"], ["B-LOC", "I-LOC", "O", "B-X"], ["B-LOC"]]
        assert capsys.readouterr().err == (
            "a.txt:2: the span 0 to 8 cuts a word, and so do spans of 2 of 3 sentences; "
            "they were widened to whole words\n"
        )


@pytest.mark.parametrize(
    ("text", "spans", "tags", "dropped"),
    [
        ("Bank of New York fell", [[8, 16, "LOC"], [0, 16, "ORG"]], "B-ORG I-ORG I-ORG I-ORG O", 1),
        ("a b c d", [[0, 3, "X"], [2, 7, "Y"], [6, 7, "Z"]], "O B-Y I-Y I-Y", 2),
        ("a b c", [[2, 5, "Y"], [0, 3, "X"]], "B-X I-X O", 1),  # of two as long the first in the text
        ("a b", [[0, 1, "X"], [0, 1, "X"], [2, 3, "Y"]], "B-X B-Y", 1),
        ("a b c d e", [[0, 3, "X"], [2, 7, "Y"], [6, 9, "Z"]], "O B-Y I-Y I-Y O", 2),
        ("abcd e", [[0, 2, "X"], [2, 4, "Y"], [5, 6, "Z"]], "B-X B-Z", 1),  # two that share one word, cut
        ("a b", [[0, 1, "X"], [2, 3, "Y"]], "B-X B-Y", 0),
    ],
)
def test_of_spans_that_overlap_the_longest_is_kept_on_request(text, spans, tags, dropped, capsys):
    row = json.dumps({"text": text, "spans": spans})
    for _ in range(2):  # read, then found in the cache
        console.begin()
        ((_, found, _),) = read(row, "data.overlap=longest", data="tagged_jsonl")
        assert " ".join(found) == tags
        told = f"a.txt: {dropped} spans share words with a longer one, or the same again; they were left out\n"
        assert (told in capsys.readouterr().err) == (dropped > 0)


def test_spans_that_overlap_are_refused_by_default():
    row = json.dumps({"text": "New York fell", "spans": [[0, 8, "LOC"], [4, 8, "LOC"]]})
    with pytest.raises(UserError, match=r"a\.txt:1: the span 4 to 8 shares a word .*data\.overlap=longest"):
        read(row, data="tagged_jsonl")
    with pytest.raises(UserError, match=r"data\.overlap"):
        read(row, "data.overlap=shortest", data="tagged_jsonl")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"tokens": ["a"]}, "a.txt:1: no list of strings 'tags'"),
        ({"tokens": ["a"], "tags": []}, "a.txt:1: 1 words but 0 tags"),
        ({"tokens": [""], "tags": ["O"]}, "a.txt:1: an empty word"),
        (
            {"text": "ab", "spans": [[0, 3, "X"]]},
            "the span 0 to 3 is not inside the text, which has 2 characters",
        ),
        ({"text": "a b", "spans": [[1, 2, "X"]]}, "a.txt:1: the span 1 to 2 holds no word"),
        ({"text": "ab c", "spans": [[0, 1, "X"], [1, 4, "Y"]]}, "shares a word with the one before it"),
        ({"text": "ab", "spans": [["x", 1, "X"]]}, "a.txt:1: spans need [start, end, label]"),
        ({"text": "ab", "spans": [[False, 1, "X"]]}, "a.txt:1: spans need [start, end, label]"),
        ({"text": "ab", "spans": [[0, 1, ["X"]]]}, "a.txt:1: spans need [start, end, label]"),
        ({"text": "ab", "spans": [[0, 1, None]]}, "a.txt:1: spans need [start, end, label]"),
        ({"text": {"de": "ab"}, "spans": []}, 'a.txt:1: \'text\' holds an object ({"de": "ab"}), which is no text'),
        ({"text": None, "spans": []}, "a.txt:1: 'text' holds nothing, which is no text: mend it, or leave"),
        ({"tokens": ["a\ud800"], "tags": ["O"]}, "a.txt:1: half a character (a lone surrogate"),
    ],
)
def test_bad_json_is_told_with_its_line(row, told):
    with pytest.raises(UserError) as caught:
        read(json.dumps(row) + "\n", data="tagged_jsonl")
    assert told in str(caught.value)


def test_the_hub_gives_class_labels_as_tags():
    names = ["O", "B-PER", "I-PER"]
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
        }
    )
    Path("hub/data").mkdir(parents=True)
    table = datasets.Dataset.from_dict({"tokens": [["a", "b"], [], ["c"]], "ner_tags": [[1, 2], [], [0]]}, features)
    table.to_parquet("hub/data/test-00000-of-00001.parquet")
    table = corpus("data=conll2003", "data.hub_path=hub").load("test")
    assert table["words"] == [["a", "b"], ["c"]]
    assert table["tags"] == [["B-PER", "I-PER"], ["O"]]
