import gzip
import io
import json
from pathlib import Path

import datasets
import pytest

from gru_nlp.data.file_kinds import LabelledCorpus
from gru_nlp.data.files import decoded
from gru_nlp.errors import UserError

OPTIONS = {
    "text": "text", "label": "label", "columns": None, "delimiter": ",", "encoding": "utf-8", "label_names": None,
    "label_cut": None, "skip_empty": False, "dir": None, "files": None, "validation": None, "test": None, "hub": None,
    "cache_dir": "cache", "validation_share": 0.1, "split_seed": 1,
}  # fmt: skip


def read(path, format, **changed):
    corpus = LabelledCorpus(**{**OPTIONS, **changed}, format=format, train=str(path))
    recipe = corpus.recipe()
    return [(row["text"], row["label"], row["line"]) for row in recipe.layout.rows(recipe.where.find("train"))]


def rows(format, content, **changed):
    path = Path("file")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, format, **changed)


def test_csv_keeps_quotes_commas_and_line_ends_inside_a_field():
    content = 'id,text,label\r\n1,"so, ""good""\nreally",yes\r\n\r\n2,plain,no\r\n'
    assert rows("csv", content) == [('so, "good"\nreally', "yes", 2), ("plain", "no", 5)]


def test_words_for_missing_values_are_texts_like_any_other():
    assert [text for text, _, _ in rows("csv", "text,label\nNA,a\nnull,a\nnan,b\nNone,b\n")] == [
        "NA", "null", "nan", "None",
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert rows("csv", b"\xef\xbb\xbftext,label\nx,a\n") == [("x", "a", 2)]


@pytest.mark.parametrize(
    ("content", "lines"), [("", []), ("\ufeff", []), ("\ufeff\n", [""]), ("a\n\ufeff", ["a"]), ("\ufeffa", ["a"])]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_byte_order_mark_alone_is_no_line(content, lines, encoding):
    assert [line for _, line in decoded(io.BytesIO(content.encode(encoding)), encoding, "x", "encoding")] == lines


def test_tsv_has_no_quotes_and_columns_may_be_named():
    content = 'neg\t3\t7\tsaid "no\npos\t9\t8\tfine\n'
    found = rows("tsv", content, columns=("label", "rating", "id", "text"), label_names={"neg": "bad", "pos": "good"})
    assert found == [('said "no', "bad", 1), ("fine", "good", 2)]


def test_several_text_columns_are_joined():
    assert rows("csv", '"3","title","body"\n', columns=("label", "t", "b"), text=("t", "b")) == [("title body", "3", 1)]


def test_jsonl_takes_numbers_as_labels_and_skips_blank_lines():
    content = (
        json.dumps({"text": "fine \u2028 day", "label": 1}) + "\n\n" + json.dumps({"text": "x", "label": "b"}) + "\n"
    )
    assert rows("jsonl", content) == [("fine \u2028 day", "1", 1), ("x", "b", 3)]


def test_labelled_lines_in_latin_1_with_a_fine_label_cut_off():
    content = "DESC:manner How did café develop ?\nENTY:food What is it ?\n".encode("latin-1")
    assert rows("labelled_lines", content, encoding="latin-1", label_cut=":") == [
        ("How did café develop ?", "DESC", 1),
        ("What is it ?", "ENTY", 2),
    ]


def test_gzip_is_known_by_its_bytes():
    assert rows("labelled_lines", gzip.compress(b"a x\nb y\n")) == [("x", "a", 1), ("y", "b", 2)]


def test_parquet_is_read_row_by_row():
    datasets.Dataset.from_dict({"text": ["x", "y"], "label": [0, 1]}).to_parquet("table")
    assert read(Path("table"), "parquet") == [("x", "0", 1), ("y", "1", 2)]
    with pytest.raises(UserError, match="not a Parquet file"):
        rows("parquet", "hello")


def test_a_folder_a_class():
    for label, name in (("pos", "1.txt"), ("neg", "1.txt"), ("neg", ".hidden")):
        Path("texts", label).mkdir(parents=True, exist_ok=True)
        Path("texts", label, name).write_text(f"{label}\nline two\n")
    found = read(Path("texts"), "folders")
    assert found == [("neg\nline two", "neg", 1), ("pos\nline two", "pos", 2)]
    with pytest.raises(UserError, match="not a folder"):
        rows("folders", "x")


def test_rows_without_text_are_left_out_only_on_request():
    content = "text,label\nx,a\n\u3000,b\ny,b\n"
    with pytest.raises(UserError, match=r"file:3: a row without text .*skip_empty"):
        rows("csv", content)
    assert len(rows("csv", content, skip_empty=True)) == 2


@pytest.mark.parametrize(
    ("format", "content", "changed", "told"),
    [
        ("jsonl", '{"text": "x"}\n', {}, "file:1: no column 'label'"),
        ("jsonl", "[1]\n", {}, "file:1: a JSON object is needed"),
        ("jsonl", "[" * 100_000 + "\n", {}, "file:1: not JSON"),
        ("tsv", "text\tlabel\nx\n", {}, "file:2: 1 fields where 2"),
        ("csv", "text,label\nx,c\n", {"label_names": {"a": "A"}}, "file:2: the label 'c' is not among"),
        ("csv", "texts,label\nx,c\n", {}, "did you mean 'texts'?"),
        ("csv", "text,label\nx,c\n", {"delimiter": ""}, "data.delimiter='' must be one character"),
        ("csv", "text,label\nx,c\n", {"encoding": "utf-9"}, "data.encoding=utf-9 is not known"),
        ("csv", "text,label\nx,c\n", {"encoding": "utf-16"}, "save the file as utf-8"),
        ("labelled_lines", "a\n", {}, "file:1: a row without text"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(format, content, changed, told):
    with pytest.raises(UserError) as caught:
        rows(format, content, **changed)
    assert told in str(caught.value)


def test_a_bad_text_of_a_folder_is_told_by_its_own_file():
    for name in ("a/1.txt", "b/2.txt"):
        Path("texts", name).parent.mkdir(parents=True)
        Path("texts", name).write_text("fine" if name == "a/1.txt" else " ")
    with pytest.raises(UserError, match="^texts/b/2.txt: a row without text"):
        read(Path("texts"), "folders")
