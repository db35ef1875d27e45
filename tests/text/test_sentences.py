from functools import partial

import pytest

from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.sentences import are_single, divided, joined, sentences
from gru_nlp.text.text_tokenizer import TextTokenizer

LATIN = 'Ein Mann am 3. Mai. Er geht z. B. weg! "Wirklich?" Ja... na ja. Schön'
TEXTS = [LATIN, "我们走了。你好！」再见", "क्या है। हाँ।", "كيف حالك؟ بخير. نعم", "x" * 50, "ab cd  " * 20]


def test_sentences_end_as_their_writing_has_it():
    assert list(sentences(LATIN)) == [
        "Ein Mann am 3. Mai. ",
        "Er geht z. B. weg! ",
        '"Wirklich?" ',
        "Ja... na ja. ",
        "Schön",
    ]
    assert list(sentences(TEXTS[1])) == ["我们走了。", "你好！」", "再见"]
    assert list(sentences(TEXTS[2])) == ["क्या है। ", "हाँ।"]
    assert list(sentences(TEXTS[3])) == ["كيف حالك؟ ", "بخير. ", "نعم"]


@pytest.mark.parametrize("kind", [kinds.bpe, kinds.byte_bpe, kinds.character, kinds.word])
def test_pieces_fit_and_are_together_the_text(kind):
    train = partial(kind, vocabulary_size=300, min_frequency=1, lowercase=False)
    for normalization in ("nfc", "nfkc"):
        tokenizer = TextTokenizer(train(TEXTS, normalization=normalization))
        for text in [*TEXTS, "ﷺ" * 3, "a" + " " * 40 + "b", "." * 50 + " A " * 9]:
            for most in (18, 30):
                pieces = divided(text, tokenizer, most, most)
                assert "".join(pieces) == text
                read = [len(ids) for ids in tokenizer.encode(tokenizer.familiar(pieces))]
                assert all(len(piece) < 2 or size <= most for piece, size in zip(pieces, read, strict=True))
    assert divided(LATIN, tokenizer, 30, 1000) == [LATIN]


def test_texts_are_single_sentences_where_hardly_one_has_two():
    texts = ["A man. ", "Two dogs", ""] * 100
    assert are_single([*texts, "One. Two. Three."])
    assert are_single([*texts, *["Mr. Ed runs."] * 3])
    assert not are_single([*texts, *["Mr. Ed runs."] * 4])
    assert not are_single([LATIN])


def test_translations_are_joined_as_their_writing_has_it():
    assert joined("Ja.", " ", "Nein.") == "Ja. Nein."
    assert joined("Ja.", "", "Nein.") == "Ja. Nein."
    assert joined("是。", " ", "不。") == "是。不。"
    assert joined("是。", "\n", "不。") == "是。\n不。"
    assert joined("", " ", "Ja.") == " Ja."
