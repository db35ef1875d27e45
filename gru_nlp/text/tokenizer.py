"""Tokenizers trained on the training split: one function a kind.

Every function takes texts, which it may go through twice, and gives a ``tokenizers.Tokenizer`` in canonical form: the
special tokens have the ids of ``gru_nlp.text.special``, all others follow in an order that depends on the text alone,
and no special token is ever found in a text (a person may well write ``<pad>``).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from gru_nlp.errors import UserError, choose
from gru_nlp.text.pieces import pieces
from gru_nlp.text.special import SPECIAL_TOKENS, UNK, UNK_TOKEN

NORMALIZATIONS = ("none", "nfc", "nfkc")
UNIGRAM_DIGITS = 6
UNIGRAM_STEP = 0.0001
#: A Unigram vocabulary is searched whole, so its special tokens end in what no piece of a text ends in.
NEVER_FOUND = "▁<>"

# Penn-like words: "doesn't" -> does n't, "it's" -> it 's; every Han or Kana character and every mark on its own.
_IDEOGRAM = r"\p{Han}|\p{Hiragana}|\p{Katakana}"
_WORD = (
    r"[nN]'[tT]\b|'(?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])\b"
    r"|\w+?(?=[nN]'[tT]\b)|\w+|[^\w\s]"
)
_CURLED = "[’‘]"
_CHARACTER = r"(?m)."
#: Every regular expression that a checkpoint's tokenizer may hold, those of earlier versions among them.
PATTERNS = (_IDEOGRAM, _WORD, _CURLED, _CHARACTER)


def _normalizer(normalization: str, lowercase: bool) -> Any:
    choose("tokenizer.normalization", normalization, NORMALIZATIONS)
    steps: list[Any] = []
    if normalization != "none":
        steps.append(normalizers.NFC() if normalization == "nfc" else normalizers.NFKC())
    if lowercase:
        steps.append(normalizers.Lowercase())
    return normalizers.Sequence(steps)


def _checked(texts: Iterable[str]) -> Iterator[str]:
    """Pass texts on, words without end in pieces; refuse a training split without a single one that is not blank."""
    some = False
    for text in texts:
        some = some or bool(text.strip())
        yield from (text[start:end] for start, end in pieces(text))
    if not some:
        raise UserError("the training data has no text to learn a tokenizer from (see data.train=..., data.text=...)")


def _train(tokenizer: Tokenizer, texts: Iterable[str], trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(_checked(texts), trainer)
    return tokenizer


def _common(vocabulary_size: int) -> dict[str, Any]:
    """Return what every trainer takes; refuse a vocabulary without room for a single token of the text."""
    if vocabulary_size <= len(SPECIAL_TOKENS):
        raise UserError(f"tokenizer.vocabulary_size={vocabulary_size} must be above {len(SPECIAL_TOKENS)}")
    return {"vocab_size": vocabulary_size, "special_tokens": list(SPECIAL_TOKENS), "show_progress": False}


def bpe(
    texts: Iterable[str], *, vocabulary_size: int, min_frequency: int, lowercase: bool, normalization: str
) -> Tokenizer:
    """Byte-pair encoding over characters (Sennrich et al. 2016); a blank is part of the token that follows it."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNK_TOKEN))
    tokenizer.normalizer = _normalizer(normalization, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(min_frequency=min_frequency, **_common(vocabulary_size))
    return canonical(_train(tokenizer, texts, trainer))


def byte_bpe(
    texts: Iterable[str], *, vocabulary_size: int, min_frequency: int, lowercase: bool, normalization: str
) -> Tokenizer:
    """Byte-pair encoding over bytes (Radford et al. 2019): no text is ever unknown."""
    if vocabulary_size < len(SPECIAL_TOKENS) + 256:
        raise UserError(f"tokenizer.vocabulary_size={vocabulary_size} must hold the 256 bytes: at least 260")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = _normalizer(normalization, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        min_frequency=min_frequency,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        **_common(vocabulary_size),
    )
    return canonical(_train(tokenizer, texts, trainer))


def wordpiece(
    texts: Iterable[str], *, vocabulary_size: int, min_frequency: int, lowercase: bool, normalization: str
) -> Tokenizer:
    """WordPiece (Schuster and Nakajima 2012): longest match from the left inside a word, ``##`` inside it."""

    def trained(options: dict[str, Any]) -> Tokenizer:
        tokenizer = Tokenizer(models.WordPiece(unk_token=UNK_TOKEN))
        tokenizer.normalizer = _normalizer(normalization, lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        return _train(tokenizer, texts, trainers.WordPieceTrainer(min_frequency=min_frequency, **options))

    # Ties between merges go by id, and pieces inside a word are numbered by chance, so a first pass without merges
    # collects them and the second numbers them in order.
    options = _common(vocabulary_size)
    found = set(trained({**options, "vocab_size": len(SPECIAL_TOKENS)}).get_vocab())
    return canonical(trained({**options, "special_tokens": [*SPECIAL_TOKENS, *sorted(found - set(SPECIAL_TOKENS))]}))


def unigram(texts: Iterable[str], *, vocabulary_size: int, lowercase: bool, normalization: str) -> Tokenizer:
    """Unigram language model (Kudo 2018): the likeliest split of a text."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = _normalizer(normalization, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(unk_token=UNK_TOKEN, **_common(vocabulary_size))
    try:
        return canonical(_train(tokenizer, texts, trainer))
    except Exception as error:  # the library has no kind of its own
        if "not large enough" not in str(error):
            raise
        told = "is less than the training data has characters: set a larger one, or tokenizer=bpe"
        raise UserError(f"tokenizer.vocabulary_size={vocabulary_size} {told}") from None


def word(
    texts: Iterable[str],
    *,
    vocabulary_size: int,
    min_frequency: int,
    lowercase: bool,
    normalization: str,
    extra_words: Sequence[str] = (),
) -> Tokenizer:
    """Whole words, split as the Penn Treebank does; marks, Han and Kana characters stand alone.

    ``extra_words`` (of pretrained vectors) follow the words of the texts, however many those are.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNK_TOKEN))
    straight = normalizers.Replace(Regex(_CURLED), "'")
    tokenizer.normalizer = normalizers.Sequence([_normalizer(normalization, lowercase), straight])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_IDEOGRAM), "isolated"),
            pre_tokenizers.Split(Regex(_WORD), "removed", invert=True),
        ]
    )
    trainer = trainers.WordLevelTrainer(min_frequency=min_frequency, **_common(vocabulary_size))
    return canonical(_train(tokenizer, texts, trainer), extra_words)


def whitespace(
    texts: Iterable[str], *, vocabulary_size: int, min_frequency: int, lowercase: bool, normalization: str
) -> Tokenizer:
    """What stands between blanks, for text that is cut into words already; ``<unk>`` in it is an unknown word."""
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNK_TOKEN))
    tokenizer.normalizer = _normalizer(normalization, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(min_frequency=min_frequency, **_common(vocabulary_size))
    marks = [token if token == UNK_TOKEN else f"{token} " for token in SPECIAL_TOKENS]  # no word has a blank in it
    return canonical(_train(tokenizer, texts, trainer), marks=marks)


def character(
    texts: Iterable[str], *, vocabulary_size: int, min_frequency: int, lowercase: bool, normalization: str
) -> Tokenizer:
    """Single characters (Unicode code points), blanks among them."""
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNK_TOKEN))
    tokenizer.normalizer = _normalizer(normalization, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_CHARACTER), "isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.WordLevelTrainer(min_frequency=min_frequency, **_common(vocabulary_size))
    return canonical(_train(tokenizer, texts, trainer))


def canonical(
    tokenizer: Tokenizer, extra_words: Sequence[str] = (), marks: Sequence[str] = SPECIAL_TOKENS
) -> Tokenizer:
    """Order the ids by the text alone and take the special tokens out of the search.

    Unigram training numbers the same tokens differently in every process; a special token that is registered as
    "added" would be found in a person's text; ``marks`` are its names in the vocabulary.
    """
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = []
    model = content["model"]
    if model["type"] == "Unigram":
        scores = _settled({token: score for token, score in model["vocab"] if token not in SPECIAL_TOKENS})
        learned = sorted(scores, key=lambda token: (-scores[token], token))
        model["vocab"] = [[token + NEVER_FOUND, 0.0] for token in SPECIAL_TOKENS] + [[t, scores[t]] for t in learned]
        model["unk_id"] = UNK
    else:
        ids: dict[str, int] = model["vocab"]
        learned = sorted((token for token in ids if token not in SPECIAL_TOKENS), key=ids.__getitem__)
        known = set(learned)
        for extra in extra_words:
            normal = tokenizer.normalizer.normalize_str(extra)
            if normal not in known and normal not in SPECIAL_TOKENS:
                known.add(normal)
                learned.append(normal)
        model["vocab"] = {token: place for place, token in enumerate((*marks, *learned))}
    return Tokenizer.from_str(json.dumps(content, ensure_ascii=False))


def _settled(scores: dict[str, float]) -> dict[str, float]:
    """Take chance out of Unigram scores.

    Training adds floats in another order every time, and gives characters that no kept piece covers the lowest score
    plus 0.0001, 0.0002, ... in an order that changes from fit to fit: here they all get the lowest score.
    """
    lowest = min(scores.values())
    uncovered = lowest + UNIGRAM_STEP * sum(len(token) == 1 for token in scores)
    return {
        token: round(lowest if len(token) == 1 and score <= uncovered else score, UNIGRAM_DIGITS)
        for token, score in scores.items()
    }
