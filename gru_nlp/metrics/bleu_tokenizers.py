"""Which of sacreBLEU's tokenizers cuts translations into what BLEU counts: a person's choice, or by the writing."""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import islice

from gru_nlp.errors import UserError, choose

#: Of Western languages; so were all scores before there was a choice.
USUAL = "13a"
TOKENIZERS = (USUAL, "zh", "ja-mecab", "char", "intl", "flores200")
#: Those of writing without blanks between words.
WITHOUT_BLANKS = ("zh", "ja-mecab", "char")
#: What some of them need beside sacreBLEU: modules, and the extra that brings these.
NEEDS = {"ja-mecab": (("MeCab", "ipadic"), "japanese"), "flores200": (("sentencepiece",), "flores")}
#: Texts that are looked at.
MOST_TEXTS = 20_000
LETTERS = re.compile(r"[^\W\d_]")
KANA = re.compile("[\u3041-\u30ff]")
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
#: Thai and Lao, Tibetan, Burmese, Khmer: blanks stand between their phrases.
UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]")
#: Of the letters of Japanese are more kana, and of the letters of each other writing more its own.
LEAST_KANA, LEAST_OWN = 0.05, 1 / 3
#: Texts with a blank are fewer where blanks divide no words.
MOST_SPACED = 0.1


def missing(name: str) -> str | None:
    """Return the extra that a tokenizer still needs; None: it runs."""
    modules, extra = NEEDS.get(name, ((), ""))
    return None if all(find_spec(module) for module in modules) else extra


def check(name: str, option: str) -> str:
    """Return the name of a tokenizer that runs here.

    Raises:
        UserError: there is no such one, or it needs a package that is not there.
    """
    extra = missing(choose(option, name, TOKENIZERS))
    if extra is not None:
        raise UserError(f"{option}={name} needs a package: pip install 'gru_nlp[{extra}]', or set {option}=char")
    return name


def by_writing(texts: Iterable[str]) -> str:
    """Return the tokenizer for what ``texts`` are written in, of which the first ``MOST_TEXTS`` are looked at.

    ``zh`` for Chinese; for Japanese ``ja-mecab`` where it runs, else ``char``; ``char`` where blanks divide no words.
    """
    seen = list(islice(texts, MOST_TEXTS))
    whole = "".join(seen)
    letters = max(1, len(LETTERS.findall(whole)))
    if len(KANA.findall(whole)) > LEAST_KANA * letters:
        return "char" if missing("ja-mecab") else "ja-mecab"
    if len(HAN.findall(whole)) > LEAST_OWN * letters:
        return "zh"
    spaced = sum(len(text.split()) > 1 for text in seen)
    if len(UNSPACED.findall(whole)) > LEAST_OWN * letters or spaced < MOST_SPACED * len(seen):
        return "char"
    return USUAL
