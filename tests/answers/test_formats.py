"""How answers look in each format; no model is needed for that."""

import csv
import datetime
import io
import json
from types import SimpleNamespace

import pytest

from gru_nlp.answers.base import FORMATS, Style
from gru_nlp.answers.entities import EntityAnswer
from gru_nlp.answers.labels import LabelAnswer
from gru_nlp.answers.reading import Entry, Input, input_format, read
from gru_nlp.answers.tables import Table
from gru_nlp.answers.translations import TranslationAnswer
from gru_nlp.data.readers import delimiter_of
from gru_nlp.errors import UserError, printable

LABEL = {"label": "good", "score": 0.75, "top": [["good", 0.75], ["<b>", 0.25]]}
BLANK = {"label": None, "score": None}
ENTITIES = {"entities": [{"start": 3, "end": 6, "text": "A&B", "label": "ORG", "score": 0.5}]}


def answer(kind, of=LabelAnswer, **style):
    preprocessor = SimpleNamespace(label_names=lambda: ["<b>", "good"])
    return of(preprocessor, Style(kind, **style))


def entries(content, kind="csv", column="text", delimiter=","):
    return list(read(io.BytesIO(content.encode()), Input("in", kind, column, "utf-8", delimiter)))


def written(given, records, kind="csv", of=LabelAnswer, **style):
    made = answer(kind, of, **style)
    return [made.render(record, entry) for record, entry in zip(records, given, strict=True)]


@pytest.mark.parametrize(
    ("of", "kind", "formats"),
    [
        (LabelAnswer, "lines", "jsonl or csv or tsv or table or html"),
        *((EntityAnswer, kind, "jsonl") for kind in ("csv", "tsv", "table", "conll", "lines", "html")),
        *((TranslationAnswer, kind, "jsonl") for kind in ("csv", "tsv", "lines")),
    ],
)
def test_further_predictions_are_refused_where_the_format_shows_one(of, kind, formats):
    with pytest.raises(UserError) as refused:
        answer(kind, of, top_k=3)
    assert str(refused.value) == f"top_k=3 has no effect on format={kind}: set format={formats}, or leave top_k out"
    assert answer(kind, of).kind == kind


@pytest.mark.parametrize(("of", "shown"), [(LabelAnswer, "table"), (EntityAnswer, "jsonl")])
def test_a_terminal_shows_further_predictions_too(of, shown, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert answer(None, of).kind == "table"
    assert answer(None, of, top_k=2).kind == shown
    assert answer(None, of, top_k=2, to_file=True).kind == "jsonl"


def test_csv_keeps_the_columns_of_the_input_and_adds_its_own():
    given = entries('id;text;label\n1;"so; ""good""";old\n\n2;two\n'.replace("2;two", "2;two;x"), delimiter=";")
    lines = written(given, [LABEL, BLANK, LABEL], delimiter=";", top_k=2)
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=";"))
    assert rows == [
        ["id", "text", "label", "predicted_label", "score", "label_2", "score_2"],
        ["1", 'so; "good"', "old", "good", "0.7500", "<b>", "0.2500"],
        ["", "", "", "", "", "", ""],
        ["2", "two", "x", "good", "0.7500", "<b>", "0.2500"],
    ]


def test_columns_of_words_are_cut_as_those_of_training_are():
    def words(content, separator=None):
        source = Input("in", "conll", "text", "utf-8", ",", separator)
        return [entry.text for entry in read(io.BytesIO(content.encode()), source)]

    assert words("a NN O\nb NN\tO\n\n10\u00a0000 CD O\n") == [["a", "b"], ["10\u00a0000"]]
    assert [words("a NN\tO\n", separator) for separator in ("tab", "blank")] == [[["a NN"]], [["a"]]]
    with pytest.raises(UserError, match="^in:1: 'a NN' before the tab may be .*: set separator=tab .* or separator=bl"):
        words("a NN\tO\n")


def test_a_table_of_lines_has_the_text_and_one_of_tabs_only_a_head_where_the_input_has_one():
    plain = [Entry("a, b", "a, b", "in")]
    assert written(plain, [LABEL]) == ['text,label,score\n"a, b",good,0.7500']
    assert written(plain, [BLANK | {"label": "x\ty", "score": 1.0}], "tsv") == ["x y\t1.0000\ta, b"]
    assert written(entries("id\ttext\n7\ta\n", "tsv"), [LABEL], "tsv") == ["id\ttext\tlabel\tscore\n7\ta\tgood\t0.7500"]


def test_json_records_need_the_same_columns_in_a_table():
    given = entries('{"text": "a", "n": 1, "l": ["x"]}\n{"text": "b"}\n{"text": "c", "odd": 1}\n', "jsonl")
    made = answer("csv")
    assert made.render(LABEL, given[0]) == 'text,n,l,label,score\na,1,"[""x""]",good,0.7500'
    assert made.render(LABEL, given[1]) == "b,,,good,0.7500"
    with pytest.raises(UserError, match=r"^in:3: a column 'odd', which the first record has not"):
        made.render(LABEL, given[2])


def test_entities_are_a_list_in_a_cell_and_marked_elsewhere():
    given = [Entry("At A&B <i>", "At A&B <i>", "in")]
    table = list(csv.reader(written(given, [ENTITIES], of=EntityAnswer)[0].splitlines()))
    assert table[0] == ["text", "entities"]
    assert json.loads(table[1][1]) == ENTITIES["entities"]
    assert written(given, [ENTITIES], "lines", EntityAnswer) == ["At [ORG A&B] <i>"]
    assert written(given, [ENTITIES], "html", EntityAnswer) == [
        '<p dir="auto">At <mark title="ORG 0.5000">A&amp;B <small>ORG</small></mark> &lt;i&gt;</p>'
    ]


def test_labels_on_a_page_and_alone():
    given = [Entry("<script>\n\"'&\x1b", "<script>\n\"'&\x1b", "in")]
    assert written(given, [LABEL], "html") == [
        '<p dir="auto"><mark title="0.7500">good</mark> <mark title="0.2500">&lt;b&gt;</mark> '
        "&lt;script&gt; &quot;&#x27;&amp;\\x1b</p>"
    ]
    assert written(given, [BLANK], "lines") == [""]
    assert written(given, [LABEL], "lines") == ["good"]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("jsonl", "conll")])
def test_no_table_or_page_steers_a_terminal(kind):
    odd = "\x1b]0;x\x07\x9b"
    record = {"label": odd, "score": 1.0}
    columned = Entry(odd, odd, "in", {"text": odd, odd: odd})
    for entry in (Entry(odd, odd, "in"), columned):
        assert not any(letter in written([entry], [record], kind)[0] for letter in "\x1b\x07\x9b")


def test_translations_keep_columns_too():
    record = {"translation": "ein, zwei", "score": -0.5}
    given = entries("id,source\n1,one\n", column="source")
    assert written(given, [record], of=TranslationAnswer) == ['id,source,translation,score\n1,one,"ein, zwei",-0.5000']


def test_a_format_that_is_not_for_the_model_is_refused():
    with pytest.raises(UserError, match=r"^format=conll is for words with tags: a classifier writes jsonl, csv"):
        answer("conll")
    with pytest.raises(UserError, match="format=xml is not known"):
        answer("xml")


def test_a_column_that_is_there_twice_is_passed_over_but_not_kept():
    given = entries("id,text,id\n1,a,2\n")
    assert given[0].text == "a"
    assert json.loads(written(given, [LABEL], "jsonl")[0])["text"] == "a"
    with pytest.raises(UserError, match=r"^in:2: column 'id' cannot be kept: the header in line 1 has it 2 times"):
        written(given, [LABEL])


def test_parquet_is_read_from_a_file_alone(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.PARQUET"
    day = datetime.date(2026, 11, 26)
    pq.write_table(pa.table({"text": ["a", None, "b"], "day": [day, day, None], "words": [["x"], [], ["y"]]}), path)
    source = Input(str(path), input_format(None, str(path)), "text", "utf-8", ",")
    given = list(read(io.BytesIO(), source))
    assert [entry.text for entry in given] == ["a", "", "b"]
    assert written(given, [LABEL, BLANK, LABEL])[0].splitlines()[1] == 'a,2026-11-26,"[""x""]",good,0.7500'
    assert next(read(io.BytesIO(), source._replace(column="words"))).text == ["x"]
    with pytest.raises(UserError, match=r"^standard input: Parquet is read from a file"):
        list(read(io.BytesIO(path.read_bytes()), source._replace(path=None)))


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.CSV", "csv"), ("a.Tsv.GZ", "tsv"), ("b.JSONL", "jsonl"), ("c.conll.gz", "conll"), ("d.txt", "lines")],
)
def test_the_ending_of_a_file_tells_its_format_in_any_case(path, kind):
    assert input_format(None, path) == kind
    assert input_format("lines", path) == "lines"


@pytest.mark.parametrize("given", ["", ";;", '"', "\n"])
def test_what_cannot_stand_between_fields_is_refused(given):
    with pytest.raises(UserError, match="delimiter=.* must be one character"):
        delimiter_of(given, "delimiter")


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb", 'a "b"\n', "a\u2028b", "a,b", ""])
def test_a_row_of_csv_is_read_back_as_one(text):
    row = Table(["text"], ["label"], ",").row({"text": text}, ["x"], "in:1")
    assert list(csv.reader(io.StringIO(row + "\n"), strict=True)) == [[printable(text.replace("\r\n", "\n")), "x"]]
    assert "\r" not in row
    assert "\u2028" not in row


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("jsonl", '{"label": null, "score": 0.75, "text": "a"}'),
        ("csv", "text,label,score\na,,0.7500"),
        ("tsv", "\t0.7500\ta"),
        ("table", f"{'':<12} 0.7500  a"),
        ("lines", ""),
        ("html", '<p dir="auto">a</p>'),
    ],
)
def test_a_text_without_a_label_has_a_score_in_every_format(kind, wanted):
    (found,) = written([Entry("a", "a", "")], [{"label": None, "score": 0.75}], kind)
    assert found == wanted


def test_abstaining_is_refused_where_a_record_has_no_label():
    with pytest.raises(UserError, match="^abstain_below=0.8 is for models that say one label of a text, and a tagger"):
        EntityAnswer(SimpleNamespace(one_label=False), Style("jsonl", abstain_below=0.8))
