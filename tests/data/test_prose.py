"""Running text: files, folders, long lines, and where splits are cut."""

import gzip

import pytest

from gru_nlp.data.file_kinds import FileCorpus
from gru_nlp.data.files import PIECE, pieces
from gru_nlp.data.prose import LONGEST, TextCorpus, short
from gru_nlp.errors import UserError


def corpus(train, **given):
    options = {"dir": None, "files": None, "validation": None, "test": None, "encoding": "utf-8", "cache_dir": "cache"}
    options |= {"test_share": 0.0, "validation_share": 0.1, "format": "text"}
    return TextCorpus(train=str(train), **{**options, **given})


def documents(table):
    found = []
    for text, starts in zip(table["text"], table["starts"], strict=True):
        found += [[]] if starts or not found else []
        found[-1].append(text)
    return found


def texts(table):
    return list(zip(table["text"], table["ended"], strict=True))


def test_lines_are_kept_in_order_blank_ones_too(tmp_path):
    (tmp_path / "a.txt").write_bytes("one\r\n\n  two \nthree".encode("utf-8-sig"))
    found = corpus(tmp_path / "a.txt")._whole("train")
    assert texts(found) == [("one", True), ("", True), ("  two ", True), ("three", True)]
    assert list(found["line"]) == [1, 2, 3, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_without_end_is_read_in_pieces_that_join_to_it(tmp_path, encoding):
    line = "äö☃ word " * (PIECE // 3)
    (tmp_path / "a.txt").write_bytes(f"x\n{line}\ny".encode(encoding))
    found = list(pieces(tmp_path / "a.txt", encoding, "data.train"))
    assert found[0] == (1, "x", True)
    assert found[-1] == (3, "y", True)
    inner = found[1:-1]
    assert len(inner) > 2
    assert "".join(text for _, text, _ in inner) == line
    assert [ended for _, _, ended in inner] == [False] * (len(inner) - 1) + [True]
    assert {number for number, _, _ in inner} == {2}
    assert max(len(text) for _, text, _ in inner) <= PIECE


def test_a_long_line_at_the_end_of_a_file_ends_there(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a" * (2 * PIECE))
    assert [(len(text), ended) for _, text, ended in pieces(tmp_path / "a.txt", "utf-8", "data.train")] == [
        (PIECE, False),
        (PIECE, True),
    ]


def test_a_folder_is_read_by_names_with_a_blank_line_between_files(tmp_path):
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.txt").write_text("second\n")
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"first\n"))
    (folder / "deep" / "c.txt").write_text("third")
    (folder / ".hidden").write_text("no")
    assert [text for text, _ in texts(corpus(folder)._whole("train"))] == ["first", "", "second", "", "third"]


def test_splits_are_cut_by_characters_from_the_end(tmp_path):
    (tmp_path / "a.txt").write_text(
        "x" * 9 + "\n" + "".join(f"{n}\n" for n in range(10, 100))
    )  # 10 + 90 x 3 characters
    parts = {
        split: list(corpus(tmp_path / "a.txt", test_share=0.1).load(split)["text"])
        for split in ("train", "validation", "test")
    }
    assert parts["train"] + parts["validation"] + parts["test"] == ["x" * 9, *map(str, range(10, 100))]
    assert len(parts["test"]) == 10  # 28 of 280 characters, the line that they begin in taken whole
    assert len(parts["validation"]) == 9  # 25 of 250
    own = tmp_path / "own.txt"
    own.write_text("mine\n")
    given = corpus(tmp_path / "a.txt", test_share=0.1, test=str(own))
    assert list(given.load("test")["text"]) == ["mine"]
    assert len(given.load("train")) + len(given.load("validation")) == 91


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "a.txt: holds no text (set data.train=...)"),
        (b"fine\nb\xe4d\n", "a.txt:2: not utf-8 (byte 0xe4 at place 2): set data.encoding=latin-1"),
        (b"cut off \xe2\x98", "a.txt:1: not utf-8"),
        (b"PK\x03\x04 not text", "a.txt: a zip archive"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, told):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(UserError) as error:
        corpus(tmp_path / "a.txt")._whole("train")
    assert told in str(error.value)


def test_too_little_to_cut_and_an_empty_folder_are_told(tmp_path):
    (tmp_path / "a.txt").write_text("one line\n")
    with pytest.raises(UserError, match="1 lines of training are too few to carve out a validation split"):
        corpus(tmp_path / "a.txt").load("train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        corpus(tmp_path / "empty").load("train")
    assert issubclass(TextCorpus, FileCorpus)


def test_a_long_line_is_cut_before_blanks_into_rows_that_join_to_it(tmp_path):
    line = "word " * LONGEST + "x" * (3 * LONGEST) + " end"
    parts = list(short(line))
    assert "".join(parts) == line
    assert max(map(len, parts)) <= LONGEST
    assert all(part.startswith(" word") for part in parts[1:5])
    (tmp_path / "a.txt").write_text(f"{line}\nlast\n")
    rows = texts(corpus(tmp_path / "a.txt")._whole("train"))
    assert "".join(text for text, _ in rows[:-1]) == line
    assert [ended for _, ended in rows] == [False] * (len(rows) - 2) + [True, True]
    assert list(short("")) == [""]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a\nb\n\nc\n", [["a", "b", ""], ["c"]]),
        (b"a\r\n \t\r\n\r\n\r\nb", [["a", " \t", "", ""], ["b"]]),
        (b"a\n\n", [["a", ""]]),
        (b"\n\n\n", [["", "", ""]]),
        (b"a\n\n" + b" " * (LONGEST + 9) + b"b\n", [["a", "", " " * (LONGEST - 1)], [" " * 10 + "b"]]),
    ],
    ids=["two", "carriage returns", "at the end", "nothing else", "a long line"],
)
def test_blank_lines_end_documents(tmp_path, content, found):
    (tmp_path / "a.txt").write_bytes(content)
    assert documents(corpus(tmp_path / "a.txt", documents="blank_line")._whole("train")) == found
    assert documents(corpus(tmp_path / "a.txt")._whole("train")) == [[line for lines in found for line in lines]]


def test_each_file_of_a_folder_is_a_document(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, content in {"a": b"one\n\ntwo\n", "b": b"", "c": gzip.compress(b"three"), "d": b"four\n"}.items():
        (folder / name).write_bytes(content)
    by_file = documents(corpus(folder, documents="file")._whole("train"))
    assert by_file == [["one", "", "two", "", ""], ["three", ""], ["four"]]
    by_line = documents(corpus(folder, documents="blank_line")._whole("train"))
    assert by_line == [["one", ""], ["two", "", ""], ["three", ""], ["four"]]


def test_documents_that_cannot_be_told_apart_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    for given, told in (({"documents": "line"}, "data.documents"), ({"documents": "file"}, "needs several files")):
        with pytest.raises(UserError, match=told):
            corpus(tmp_path / "a.txt", **given)
