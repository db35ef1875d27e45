import unicodedata

import pytest

from gru_nlp.text.shortening import columns, shorten

CHINESE = "这部电影的演员阵容非常出色但是节奏实在太慢了让人昏昏欲睡"
THAI = "ที่นี่อากาศดีมากและอาหารก็อร่อยมากด้วย"


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("", 9, ""),
        (" \n ", 9, ""),
        ("a great  cast,\nbut slow", 24, "a great cast, but slow"),
        ("a great cast, but far too slow", 20, "a great cast, ..."),
        ("a great cast, but far too slow", 21, "a great cast, but ..."),
        (CHINESE, 20, "这部电影的演员阵..."),
        ("a " + CHINESE, 20, "a 这部电影的演员..."),
        ("wonderful " + "x" * 99, 20, "wonderful ..."),
        ("oh " + "x" * 99, 20, "oh xxxxxxxxxxxxxx..."),
        ("x" * 99, 10, "xxxxxxx..."),
        ("👨‍👩‍👧" * 9, 12, "👨‍👩‍👧..."),
        ("e\u0301" * 20, 9, "e\u0301" * 6 + "..."),
    ],
)
def test_texts_are_cut_at_blanks_where_there_are_some(text, width, short):
    assert shorten(text, width) == short


@pytest.mark.parametrize("text", [CHINESE, THAI, "e\u0301\u0323" * 30, "हिन्दी में लिखा हुआ एक लम्बा वाक्य"])
def test_no_cut_goes_through_a_letter_and_its_marks_and_none_is_too_wide(text):
    for width in range(5, 40):
        short = shorten(text, width)
        assert columns(short) <= width
        if short != text:
            kept = short.removesuffix("...").rstrip()
            assert text.startswith(kept)
            assert not unicodedata.category(text[len(kept)]).startswith("M")


def test_a_text_of_megabytes_is_not_gone_through():
    assert shorten("word " * 2_000_000, 20) == "word word word ..."
    assert len(shorten("\u0301" * 1_000_000, 20)) < 200
