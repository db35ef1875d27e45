"""A tokenizer's JSON from a checkpoint, checked before the library that reads it in Rust sees it.

That library panics, or takes memory without end, at JSON that breaks its rules, and obeys everything else in it:
padding to a length, tokens that are looked for in every text, regular expressions that take for ever. So the JSON is
read here first and must have the form that ``gru_nlp.text.tokenizer`` gives to every tokenizer it trains.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from tokenizers import Tokenizer

from gru_nlp.errors import UserError
from gru_nlp.text.special import SPECIAL_TOKENS

#: What is applied to a text before and after the search for tokens; none of it takes more than one pass over it.
STEPS = frozenset(
    "Sequence NFC NFKC NFD NFKD Lowercase Strip StripAccents Replace BertNormalizer Nmt Split Metaspace ByteLevel "
    "BertPreTokenizer Whitespace WhitespaceSplit Punctuation Digits UnicodeScripts WordPiece Fuse BPEDecoder".split()
)
#: Parts that would add tokens to a text, cut it, fill it up, or look for tokens outside the search.
ABSENT = ("truncation", "padding", "added_tokens", "post_processor")
MODELS = ("BPE", "WordPiece", "WordLevel", "Unigram")
#: What a BPE of ours never has: affixes, which make the library cut merged tokens, and chance in its answers.
UNUSED = ("continuing_subword_prefix", "end_of_word_suffix", "dropout")
LONGEST_WORD = 100  # of WordPiece, whose search is quadratic in it; longer words are unknown


def read_tokenizer(text: object, patterns: Collection[str]) -> Tokenizer:
    """Return the tokenizer of a stored JSON text.

    Args:
        text: what a checkpoint holds.
        patterns: the regular expressions that may occur.

    Raises:
        UserError: the text is not such JSON, or holds more than a trained tokenizer does.
    """
    try:
        content = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or any(content.get(name) for name in ABSENT):
        raise _broken("its outer form")
    for name in ("normalizer", "pre_tokenizer", "decoder"):
        _check_steps(content.get(name), patterns)
    model = content.get("model")
    if not isinstance(model, dict) or model.get("type") not in MODELS:
        raise _broken("its model")
    _check_model(model)
    try:
        return Tokenizer.from_str(str(text))
    except BaseException as error:
        # A panic of the Rust library is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _broken("its values") from None


def _broken(what: str) -> UserError:
    return UserError(f"the learned state is broken: a tokenizer whose JSON this program did not write: see {what}")


def _check_steps(step: Any, patterns: Collection[str]) -> None:
    for kind, pattern in _steps(step, 0):
        if kind not in STEPS or not (pattern is None or "Regex" not in pattern or pattern["Regex"] in patterns):
            raise _broken(f"its step {kind}")


def _steps(step: Any, depth: int) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield the kind and the pattern of each step, inner ones too."""
    if step is None:
        return
    if not isinstance(step, dict) or not isinstance(step.get("type"), str) or depth > 4:
        raise _broken("its steps")
    pattern = step.get("pattern")
    if not (pattern is None or isinstance(pattern, dict)):
        raise _broken("its patterns")
    yield step["type"], pattern
    for name in ("normalizers", "pretokenizers", "decoders"):
        inner = step.get(name, [])
        if not isinstance(inner, list) or len(inner) > 20:
            raise _broken("its steps")
        for part in inner:
            yield from _steps(part, depth + 1)


def _check_model(model: dict[str, Any]) -> None:
    """Hold a vocabulary against its form: special tokens first, ids without gaps, merges of known tokens."""
    vocabulary = model.get("vocab")
    if model["type"] == "Unigram":
        pairs = vocabulary if isinstance(vocabulary, list) else []
        fits = all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs)
        fits = fits and all(isinstance(pair[1], float | int) for pair in pairs) and model.get("unk_id") == 1
        tokens = [pair[0] for pair in pairs] if fits else []
    else:
        ids = vocabulary if isinstance(vocabulary, dict) else {}
        fits = all(type(index) is int for index in ids.values()) and sorted(ids.values()) == list(range(len(ids)))
        tokens = sorted(ids, key=ids.__getitem__) if fits else []
    marks = zip(tokens, SPECIAL_TOKENS, strict=False)
    if len(tokens) < len(SPECIAL_TOKENS) or not all(token.startswith(mark) for token, mark in marks):
        raise _broken("its vocabulary")
    if model["type"] == "WordPiece" and model.get("max_input_chars_per_word") != LONGEST_WORD:
        raise _broken("its max_input_chars_per_word")
    if model["type"] == "BPE":
        if any(model.get(name) for name in UNUSED):
            raise _broken("its affixes and its dropout")
        _check_merges(model.get("merges"), set(tokens))


def _check_merges(merges: Any, known: set[str]) -> None:
    for merge in merges if isinstance(merges, list) else [None]:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise _broken("its merges")
        if not known.issuperset((*pair, "".join(pair))):
            raise _broken("its merges")
