from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.round_trip import lost
from gru_nlp.text.text_tokenizer import TextTokenizer

TEXTS = ["ein Feld von 20 m²", "na ja …", "也好，再见", " am Rand ", "e\u0301tat"]
COMMON = {"vocabulary_size": 100, "min_frequency": 1, "lowercase": False}


def of(kind, texts=TEXTS, **options):
    return lost(TextTokenizer(kind(texts, **{**COMMON, **options})), texts)


def test_nfc_gives_every_text_back_and_nfkc_names_what_it_changes():
    assert of(kinds.bpe, normalization="nfc").texts == 0
    found = of(kinds.bpe, normalization="nfkc")
    assert (found.seen, found.texts, set(found.characters)) == (5, 3, {"²", "…", "，"})
    assert found.told("targets").startswith("the tokenizer cannot give back 3 of the 5 targets as they are: it changes")


def test_letters_of_case_and_blanks_are_told_too():
    assert "M" in of(kinds.bpe, ["eine Maus", "Mut"], normalization="nfc", lowercase=True).characters
    found = of(kinds.word, ["ja, nein"] * 2, normalization="nfc")
    assert found.texts == 2
    assert found.told("targets").endswith("it sets their blanks or marks otherwise")


def test_only_characters_that_no_token_has_are_read_in_their_compatibility_form():
    tokenizer = TextTokenizer(kinds.bpe(["fine 20 m²", "１"], **COMMON, normalization="nfc"))
    assert tokenizer.familiar(["ﬁne m² １２", "fine"]) == ["fine m² １2", "fine"]
    assert tokenizer.strange("fine ﬁ e\u0301 m <s>") == {"ﬁ", "é", "<", "s", ">"}
    small = TextTokenizer(kinds.bpe(["fine é"], **{**COMMON, "lowercase": True}, normalization="nfc"))
    assert small.strange("FINE e\u0301 É Ａ") == {"Ａ"}
    assert small.familiar(["FINE Ａ"]) == ["FINE A"]
    by_bytes = TextTokenizer(kinds.byte_bpe(["fine"], **COMMON | {"vocabulary_size": 300}, normalization="nfc"))
    assert by_bytes.familiar(["ﬁne"]) == ["ﬁne"]
