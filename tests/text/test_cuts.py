import json
import random
from collections import Counter

import pytest

from gru_nlp.errors import UserError
from gru_nlp.text.cuts import BESIDE, CHARACTER, DEFAULT, SCRIPTS, UNIT, learn
from gru_nlp.text.words import PATTERN, make_splitter, sentences, split_words, stored_cut


def cut(text, rule=DEFAULT):
    return " ".join(word.text for word in split_words(make_splitter(rule), [text])[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("张伟在北京工作。", "张 伟 在 北 京 工 作 。"),
        ("iPhone在北京发布, 2024年", "iPhone 在 北 京 发 布 , 2024 年"),
        ("สมชายทำงานที่กรุงเทพ", "ส ม ช า ย ทำ ง า น ที่ ก รุ ง เ ท พ"),
        ("ラーメンを、か\u3099ｶﾞ々〇", "ラ ー メ ン を 、 か\u3099 ｶﾞ 々 〇"),
        ("ລາວ មិត្ត မြန်", "ລ າ ວ មិ ត្ ត မြ န်"),
        ("O'Neill's在 isn't 株式会社A4", "O'Neill 's 在 is n't 株 式 会 社 A4"),
        ("서울에서 Größe москва", "서울에서 Größe москва"),
        ("\u0301北\u200b京ุ", "\u0301 北 \u200b 京ุ"),
    ],
)
def test_scripts_without_blanks_are_cut_into_letters_with_their_marks(text, words):
    assert cut(text) == words


def test_runs_stay_whole_where_training_says_so():
    assert cut("ที่ไทย 張さんiPhone", {"Thai": CHARACTER, "Hiragana": UNIT}) == "ท ี ่ ไ ท ย 張 さ ん iPhone"
    assert cut("A股2024年", {"Latin": UNIT, "Digits": UNIT, "Han": UNIT}) == "A 股 2 0 2 4 年"
    assert cut("张伟在北京工作。", {}) == "张伟在北京工作 。"


def test_no_character_is_lost_and_texts_of_other_scripts_are_cut_as_before():
    source = random.Random(1)
    foreign = [
        range(32, 127),
        range(0xA0, 0x530),
        range(0x1F300, 0x1F700),
        range(0x2000, 0x2070),
        range(0xAC00, 0xAD00),
    ]
    ours = [range(0xE00, 0xF00), range(0x1000, 0x10A0), range(0x1780, 0x17E0), range(0x3000, 0x3100), range(1, 0xD800)]
    rules = [DEFAULT, dict.fromkeys(SCRIPTS | BESIDE, CHARACTER), {"Thai": UNIT, "Han": CHARACTER}]
    for number in range(1500):
        pools = foreign if number % 2 else foreign[:1] + ours
        text = "".join(chr(source.choice(source.choice(pools))) for _ in range(source.randint(0, 30)))
        for rule in rules:
            words = split_words(make_splitter(rule), [text])[0]
            assert all(text[word.start : word.end] == word.text != "" for word in words)
            assert "".join(word.text for word in words) == "".join(text.split())
        assert pools is not foreign or cut(text) == cut(text, {})


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("", {}),
        ("Ada 's 1998 -- A 5", {}),
        ("张 伟 在 北 京 , iPhone 2024 年", {}),
        ("北京 张", {"Han": None}),
        ("3月 张 " + "伟 " * 97, {"Han": None}),  # one of 99 words is not single ...
        ("3月 张 " + "伟 " * 198, {}),  # ... and one of 200
        ("ทำ ง า น ที่", {}),
        ("ท ำ ง า น ท ี ่", {"Thai": CHARACTER}),
        ("ท ำ ง า น ที่", {}),
        ("か ガ 東", {}),
        ("2 0 2 4 年 i P", {"Latin": UNIT, "Digits": UNIT}),
        ("2 0 2 4 年 iPhone", {"Digits": UNIT}),
        ("2024 年度 i P", {"Han": None}),
        ("に 東京 タワー", {"Han": None, "Katakana": None}),
    ],
)
def test_the_cut_of_each_script_is_learned_from_training_words(words, changed):
    expected = {name: how for name, how in {**DEFAULT, **changed}.items() if how}
    assert learn(Counter(words.split())).cut == expected


def test_words_that_raw_text_cannot_give_are_told_where_they_are_some():
    remark = learn({"北京": 3, "上海": 5, "に": 2, "タワー": 1}).remark
    assert remark.startswith("training words of Han, Katakana are of several letters (上海, タワー), and raw text")
    assert "input_format=conll" in remark
    assert "(東京タワ)" in learn({"東京タワ": 1}).remark
    assert len(learn({"東京" * 9999: 1}).remark) < 300
    assert learn({"北京": 1, "Beijing": 200}).remark == learn({"北": 1}).remark == ""


def test_what_is_stored_is_names_and_nothing_that_they_do_not_say():
    assert stored_cut({"cut": {"Thai": "unit", "Latin": "character"}}) == {"Thai": "unit", "Latin": "character"}
    assert stored_cut({"cut": {}}) == stored_cut({"splitter": make_splitter({}).to_str()}) == {}
    assert json.loads(make_splitter({}).to_str())["pre_tokenizer"]["pattern"]["Regex"] == PATTERN
    strange = make_splitter(DEFAULT).to_str()
    for state in (
        {},
        {"splitter": strange},
        {"splitter": None},
        {"cut": ["Han"]},
        {"cut": {"Greek": "unit"}},
        {"cut": {"Han": "(a+)+"}},
        {"cut": {"Han": ["unit"]}},
        {"cut": {1: "unit"}},
        {"cut": None, "splitter": make_splitter({}).to_str()},
    ):
        with pytest.raises(UserError, match="split by a rule that this version does not know"):
            stored_cut(state)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("他来了。她走了！真的？？好", ["他来了。", "她走了！", "真的？？", "好"]),
        ("他说：“好。”我走。", ["他说：“好。”", "我走。"]),
        ("「はい。」（そう。）と", ["「はい。」", "（そう。）", "と"]),
        ("３．５度．次", ["３．５度．", "次"]),
        ("ភាសា។ខ្មែរ ကား။မြန်", ["ភាសា។", "ខ្មែរကား။", "မြန်"]),
        ("He left. Then 3.5 。 ok", ["Heleft.", "Then3.5。", "ok"]),
        ("。", ["。"]),
    ],
)
def test_sentences_without_blanks_end_at_wide_marks(text, parts):
    words = split_words(make_splitter(DEFAULT), [text])[0]
    found = ["".join(words[place].text for place in part) for part in sentences(words, text, wide=True)]
    assert found == parts
