"""Files as they come: each is read right, or refused in a line that says what it is."""

import gzip
import json
import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gru_nlp import build
from gru_nlp.cli.shell import composed
from gru_nlp.config import resolved
from gru_nlp.errors import UserError

HEAD = "text,label\n"
ROWS = "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(10))


def loaded(path, *options, data="csv"):
    config = resolved(composed("train", [f"data={data}", f"data.train={path}", "data.validation_share=0.2", *options]))
    table = build.build(config["data"])._whole("train")
    return list(zip(table["text"], table["label"], strict=True))


def written(content, name="a.csv"):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ((HEAD + ROWS).encode("utf-16"), [], "a.csv: UTF-16 text, by its first bytes: set data.encoding=utf-16"),
        ((HEAD + ROWS).encode("utf-16-le"), [], "UTF-16 text without its mark, by its first bytes"),
        (b"PK\x03\x04" + bytes(99), [], "a zip archive, as xlsx, ods and docx files are"),
        (b"%PDF-1.7\n", [], "a PDF document"),
        (b"\x00" * 999, [], "no text: 512 of its first 512 bytes are NUL"),
        (gzip.compress(b"\x00" * 20_000_000), [], "no text: 512 of its first 512 bytes are NUL"),
        (gzip.compress(b"a" * 20_000_000), [], "a line of more than 8 MiB, which is no text"),
        (HEAD + ROWS, ["data.encoding=rot13"], "data.encoding=rot13 is not known: use utf-8"),
        (HEAD + ROWS, ["data.encoding=zlib"], "data.encoding=zlib is not known"),
        (HEAD + ROWS, ["data.encoding=idna"], "data.encoding=idna is no encoding of files"),
        ("text,label,text\nx,a,y\n", [], "a.csv:2: column 'text' cannot be used: the header in line 1 has it 2 times"),
        (HEAD + "x,a\n" + HEAD, [], "the header stands here again"),
        ("text;label\nx;a\n", [], "cut at ';': read it as csv with data.delimiter=';'"),
        ("text\tlabel\nx\ta\n", [], "cut at tabs: read it as csv with data.delimiter='\\t'"),
    ],
)
def test_what_is_no_table_of_texts_says_what_it_is(content, options, told):
    with pytest.raises(UserError) as error:
        loaded(written(content), *options)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"text": {"a": 1}, "label": "a"}', "a.jsonl:1: column 'text' holds an object ({\"a\": 1}), which is no text"),
        ('{"text": 3, "label": "a"}', "column 'text' holds a number (3), which is no text"),
        ('{"text": "x", "label": ["a"]}', "column 'label' holds a list ([\"a\"]), which is no label"),
        ('{"text": "x", "label": true}', "column 'label' holds a switch (true), which is no label"),
        ('{"text": "x", "label": 1.0}', "column 'label' holds a number (1.0), which is no label"),
        ('{"text": "x", "label": NaN}', "a row without label"),
        ('{"text": "x", "text": "y", "label": "a"}', "the object has it 2 times"),
        ('{"text": ' + "9" * 5_000 + "}", "a number of too many digits"),
    ],
)
def test_a_value_that_is_no_text_or_no_label_is_refused_by_line(row, told):
    with pytest.raises(UserError) as error:
        loaded(written(row + "\n", "a.jsonl"), data="jsonl")
    assert told in str(error.value)


def test_what_can_mean_one_thing_only_is_taken():
    rows = [{"text": ["a", "b"], "label": 1}, {"text": "c", "label": "x"}]
    path = written("".join(json.dumps(row) + "\n" for row in rows), "a.jsonl")
    assert loaded(path, data="jsonl") == [("a b", "1"), ("c", "x")]


def test_a_number_names_a_column_where_none_is_named_so():
    path = written("id,text,label\n7,one,a\n8,two,b\n")
    assert loaded(path, "data.text=1", "data.label=2") == [("one", "a"), ("two", "b")]
    assert loaded(path, "data.text=[1,0]") == [("one 7", "a"), ("two 8", "b")]
    assert loaded(written("1,text,label\nx,one,a\n"), "data.text=1") == [("x", "a")]


def test_a_delimiter_of_what_has_none_is_refused():
    with pytest.raises(UserError, match="data.delimiter=; has no effect on data.format=tsv"):
        loaded(written(HEAD + ROWS), "data.delimiter=;", data="tsv")
    assert loaded(written("text;label\nx;a\n"), "data.delimiter=;") == [("x", "a")]


def test_the_whole_file_system_is_no_folder_of_texts():
    with pytest.raises(UserError, match="the whole file system; data=folders needs one folder a class"):
        loaded(Path.cwd().anchor, data="folders")


def test_a_group_of_options_that_is_a_word_is_refused():
    with pytest.raises(UserError, match="hub=x must be a group of options, or null"):
        loaded(written(HEAD + ROWS), "data.hub=x")


def test_marks_and_line_ends_are_no_part_of_the_text():
    joined = (b"\xef\xbb\xbf" + (HEAD + "one,a\r\r\n").encode()) + b"\xef\xbb\xbf" + b"two,b\r\n"
    assert loaded(written(joined)) == [("one", "a"), ("two", "b")]
    assert loaded(written((HEAD + "größe,a\n").encode("utf-16")), "data.encoding=utf-16") == [("größe", "a")]


def test_a_parquet_value_that_python_has_not_is_passed_over_unless_it_is_used():
    when = pa.array([10**18] * 2, pa.int64()).cast(pa.timestamp("ms"), safe=False)
    pq.write_table(pa.table({"text": ["x", "y"], "label": ["a", "b"], "when": when}), "a.parquet")
    assert loaded("a.parquet", data="parquet") == [("x", "a"), ("y", "b")]
    with pytest.raises(UserError, match=r"a\.parquet:1.*column 'when' cannot be used"):
        loaded("a.parquet", "data.text=when", data="parquet")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_every_pipe_has_a_key_of_its_own_and_is_read_whole():
    os.mkfifo("pipe")
    for word in ("one", "two"):
        content = HEAD + "".join(f"{word} {i},a\n" for i in range(20_000))
        writer = threading.Thread(target=Path("pipe").write_text, args=(content,))
        writer.start()
        rows = loaded("pipe")
        writer.join()
        assert len(rows) == 20_000
        assert rows[0] == (f"{word} 0", "a")
        assert rows[-1] == (f"{word} 19999", "a")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such devices here")
def test_devices_without_end_are_refused():
    for device in ("/dev/zero", "/dev/urandom"):
        with pytest.raises(UserError, match=f"{device}: a device, which has no end: set data.train=<file>"):
            loaded(device)
    with pytest.raises(UserError, match="nothing came through this pipe"):
        loaded("/dev/null")


@pytest.mark.parametrize("name", ["b" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_a_missing_file(name):
    from gru_nlp.data.files import find

    with pytest.raises(UserError, match="no such file"):
        find(Path(name), "data.train")
