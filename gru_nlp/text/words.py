"""Words of raw text with their places, and sentences of words."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from gru_nlp.errors import UserError
from gru_nlp.text.special import UNK_TOKEN

#: Penn-like words. Hyphens, points, commas, apostrophes and slashes stay inside a word or a number ("all-rounder",
#: "1,500.25", "O'Neill", "U.S."); a final point stays with initials alone; contractions are words of their own.
_LETTERS = r"[\p{L}\p{M}\p{N}_\p{Cf}]"
_INNER = r"[-.,’'/&·]"
PATTERN = (
    r"[nN]['’][tT](?!\p{L})|['’](?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])(?!\p{L})"
    r"|(?:\p{Lu}\.){2,}|\p{Lu}\.(?=\s+\p{Lu})|(?:Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd|Jr|Sr|No|vs)\.(?=\s)"
    rf"|{_LETTERS}+?(?=[nN]['’][tT](?!\p{{L}}))"
    rf"|{_LETTERS}+?(?=['’](?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])(?!\p{{L}}))"
    rf"|{_LETTERS}+(?:{_INNER}(?!['’]?[sS](?!\p{{L}})){_LETTERS}+)*|\.{{2,}}|-{{2,}}|``|''|[^\s]"
)
#: Every pattern that a checkpoint may hold, those of earlier versions among them.
PATTERNS = (PATTERN,)
#: What ends a sentence, and what may stand between that and the next one's first letter.
_ENDS = frozenset({".", "!", "?", "...", "。", "！", "？", "؟"})
_CLOSING = frozenset({'"', "''", "'", ")", "]", "”", "’", "»"})
_LINE_BREAK = re.compile(r"\n\s*\n")


class Word(NamedTuple):
    """A word and where it stands: ``text[start:end]``."""

    text: str
    start: int
    end: int


def make_splitter(pattern: str = PATTERN) -> Tokenizer:
    """Return a tokenizer that finds words, by a regular expression that travels in its JSON."""
    splitter = Tokenizer(models.WordLevel({UNK_TOKEN: 0}, unk_token=UNK_TOKEN))
    splitter.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
    return splitter


def stored_splitter(text: object) -> Tokenizer:
    """Return the splitter that a checkpoint holds, made anew from its pattern.

    Raises:
        UserError: the pattern is none of this program's; a stranger's may take for ever.
    """
    try:
        pattern = json.loads(str(text))["pre_tokenizer"]["pattern"]["Regex"]
    except (ValueError, LookupError, TypeError, RecursionError):
        pattern = None
    if pattern in PATTERNS:
        return make_splitter(pattern)
    raise UserError("the learned state is broken: words are split by a rule that this version does not know")


def split_words(splitter: Tokenizer, texts: Sequence[str]) -> list[list[Word]]:
    """Return the words of each text, every character that is not white space being part of one."""
    encodings = splitter.encode_batch(list(texts))
    return [
        [Word(text[start:end], start, end) for start, end in encoding.offsets]
        for text, encoding in zip(texts, encodings, strict=True)
    ]


def sentences(words: Sequence[Word], text: str) -> list[range]:
    """Return the places of each sentence's words: cut after closing marks and at empty lines."""
    found, begun, ended = [], 0, 0  # ``ended``: the last word of the sentence that is no closing mark
    for place in range(1, len(words)):
        gap = text[words[place - 1].end : words[place].start]
        if place - 1 == begun or words[place - 1].text not in _CLOSING:
            ended = place - 1
        over = words[ended].text in _ENDS and bool(gap) and not words[place].text[0].islower()
        if over or _LINE_BREAK.search(gap):
            found.append(range(begun, place))
            begun = place
    return [*found, range(begun, len(words))] if words else []


def windows(size: int, longest: int, overlap: int) -> list[range]:
    """Cut ``size`` places into windows of at most ``longest``, neighbours sharing ``overlap``."""
    if size <= longest:
        return [range(size)]
    step = longest - overlap
    return [range(start, min(start + longest, size)) for start in range(0, size - overlap, step)]
