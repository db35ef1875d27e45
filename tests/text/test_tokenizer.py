import hashlib
import json
import os
import subprocess
import sys
from functools import partial

import pytest

from gru_nlp.errors import UserError
from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.special import SPECIAL_TOKENS, UNK
from gru_nlp.text.text_tokenizer import TextTokenizer

TEXTS = [
    "The film isn't bad at all, it's GREAT!",
    "我喜欢这部电影。 我不喜欢那部电影。",
    "so good 😀👍🏽 really good 😀",
    "naïve café, 3.5 stars; don't go <pad> </s>",
    "the the the film film was great, great fun",
]
COMMON = {"lowercase": False, "normalization": "nfc"}
FITS = {
    "bpe": partial(kinds.bpe, vocabulary_size=200, min_frequency=1, **COMMON),
    "byte_bpe": partial(kinds.byte_bpe, vocabulary_size=400, min_frequency=1, **COMMON),
    "wordpiece": partial(kinds.wordpiece, vocabulary_size=300, min_frequency=1, **COMMON),
    "unigram": partial(kinds.unigram, vocabulary_size=150, **COMMON),
    "word": partial(kinds.word, vocabulary_size=300, min_frequency=1, **COMMON),
    "character": partial(kinds.character, vocabulary_size=300, min_frequency=1, **COMMON),
}
HASH_ALL = """
import sys, hashlib, importlib.util
spec = importlib.util.spec_from_file_location("own", sys.argv[1])
own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
for name in own.FITS:
    print(name, hashlib.sha256(own.fitted(name).to_json().encode()).hexdigest())
"""


def fitted(name, texts=TEXTS):
    return TextTokenizer(FITS[name](texts))


def pieces(tokenizer, text):
    tokens = tokenizer.tokens()
    return [tokens[index] for index in tokenizer.encode([text])[0]]


def words(**changed):
    options = {"vocabulary_size": 300, "min_frequency": 1, **COMMON, **changed}
    return TextTokenizer(kinds.word(TEXTS, **options))


def test_two_fits_give_the_same_bytes_in_any_process():
    expected = [f"{name} {hashlib.sha256(fitted(name).to_json().encode()).hexdigest()}" for name in FITS]
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": "2"}
        command = [sys.executable, "-c", HASH_ALL, __file__]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.stdout.splitlines() == expected, done.stderr


@pytest.mark.parametrize("name", FITS)
def test_special_tokens_have_their_ids_and_are_never_found_in_a_text(name):
    tokenizer = fitted(name)
    assert tuple(tokenizer.tokens()[:4]) == SPECIAL_TOKENS
    assert not set(tokenizer.encode(["a <pad> b </s> <s>"])[0]) & {0, 2, 3}


@pytest.mark.parametrize("name", FITS)
def test_a_stored_tokenizer_is_the_same(name):
    tokenizer = fitted(name)
    again = TextTokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.encode(TEXTS) == tokenizer.encode(TEXTS)


@pytest.mark.parametrize("name", ["bpe", "byte_bpe", "unigram", "character"])
def test_chinese_and_emoji_survive_the_round_trip(name):
    tokenizer = fitted(name)
    for text in TEXTS[:3]:
        assert tokenizer.decode(tokenizer.encode([text])[0]) == text


@pytest.mark.parametrize("name", ["bpe", "byte_bpe", "wordpiece", "unigram"])
def test_a_word_without_end_is_learned_from_in_pieces(name):
    tokenizer = fitted(name, [*TEXTS, f"so {'a' * 1_000_000}"])  # whole, it takes the square of its length in time
    assert UNK not in tokenizer.encode(["so good film"])[0]
    assert max(map(len, tokenizer.tokens())) <= 10_001


def test_bytes_are_never_unknown_and_other_kinds_say_unknown():
    assert UNK not in fitted("byte_bpe").encode(["ξένος 🦀"])[0]
    for name in ("bpe", "unigram", "word", "character"):
        assert UNK in fitted(name).encode(["ξ"])[0]


def test_words_are_split_as_in_the_penn_treebank():
    tokenizer = words(lowercase=True)
    assert pieces(tokenizer, "The film isn’t bad at all, it's GREAT!") == [
        "the", "film", "is", "n't", "bad", "at", "all", ",", "it", "'s", "great", "!",
    ]  # fmt: skip
    assert pieces(tokenizer, "我喜欢") == ["我", "喜", "欢"]
    # Text that was split before is not split again.
    assert pieces(tokenizer, "is n't bad , it 's great") == ["is", "n't", "bad", ",", "it", "'s", "great"]


def test_frequency_and_size_bound_the_vocabulary_by_rank():
    assert "naïve" not in words(min_frequency=2).tokens()
    assert set(words(vocabulary_size=6).tokens()[4:]) <= {"the", "great", "film", ",", "good", "😀"}
    assert words(vocabulary_size=6).vocabulary_size == 6


def test_extra_words_follow_those_of_the_texts_once():
    tokenizer = words(lowercase=True, extra_words=("great", "Zebra", "zebra"))
    assert tokenizer.tokens().count("great") == 1
    assert tokenizer.tokens()[-1] == "zebra"
    assert tokenizer.encode(["zebra"]) == [[len(tokenizer.tokens()) - 1]]


def test_normalisation_joins_what_looks_the_same():
    composed, wide = "caf\u00e9", "cafe\u0301"
    assert words().encode([composed]) == words().encode([wide])
    assert words(normalization="none").encode([composed]) != words(normalization="none").encode([wide])
    assert words(normalization="nfkc").encode(["ｆｉｌｍ"]) == words().encode(["film"])


@pytest.mark.parametrize("part", ["continuing_subword_prefix", "end_of_word_suffix", "dropout"])
def test_a_stored_tokenizer_has_no_part_that_none_is_trained_with(part):
    stored = json.loads(fitted("bpe").to_json())
    stored["model"][part] = 0.5 if part == "dropout" else "x" * 100
    with pytest.raises(UserError, match="its affixes and its dropout"):
        TextTokenizer.from_json(json.dumps(stored))


def test_wrong_options_are_refused():
    with pytest.raises(UserError, match="did you mean 'nfkc'"):
        words(normalization="nfkcc")
    with pytest.raises(UserError, match="must be above 4"):
        words(vocabulary_size=4)
    with pytest.raises(UserError, match="256 bytes"):
        kinds.byte_bpe(TEXTS, vocabulary_size=100, min_frequency=1, **COMMON)
    with pytest.raises(UserError, match="no text to learn a tokenizer from"):
        FITS["bpe"](["", "  "])


def test_a_unigram_vocabulary_smaller_than_the_alphabet_is_told_in_one_line():
    texts = [f"a text with {letter}" for letter in "äöüßéèàçñ中文字符日本語"]
    with pytest.raises(UserError, match=r"tokenizer.vocabulary_size=10 is less than .* characters"):
        kinds.unigram(texts, vocabulary_size=10, **COMMON)
