"""Words of raw text with their places, and sentences of words."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from gru_nlp.errors import UserError
from gru_nlp.text.cuts import CHARACTER, FOLLOWING, UNIT, Cut, is_cut, ranges
from gru_nlp.text.pieces import pieces
from gru_nlp.text.special import UNK_TOKEN
from gru_nlp.text.word_pattern import Rules, pattern, stored_rules

_INNER = r"[-.,’'/&·]"


def _pattern(cut: Cut) -> str:
    """Penn-like words, and the letters of scripts that are cut.

    Hyphens, points, commas, apostrophes and slashes stay inside a word or a number ("all-rounder", "1,500.25",
    "O'Neill", "U.S."); a final point stays with initials alone; contractions are words of their own.
    """
    units, characters = ranges(cut, UNIT), ranges(cut, CHARACTER)
    others = f"&&[^{units}{characters}]" if cut else ""
    inside, letter = rf"[\p{{L}}\p{{M}}\p{{N}}_\p{{Cf}}{others}]", rf"[\p{{L}}{others}]" if cut else r"\p{L}"
    return (
        (rf"[{units}][\p{{M}}{FOLLOWING}]*|" if units else "")
        + (rf"[{characters}]|" if characters else "")
        + rf"[nN]['’][tT](?!{letter})|['’](?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])(?!{letter})"
        r"|(?:\p{Lu}\.){2,}|\p{Lu}\.(?=\s+\p{Lu})|(?:Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd|Jr|Sr|No|vs)\.(?=\s)"
        rf"|{inside}+?(?=[nN]['’][tT](?!{letter}))"
        rf"|{inside}+?(?=['’](?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])(?!{letter}))"
        rf"|{inside}+(?:{_INNER}(?!['’]?[sS](?!{letter})){inside}+)*|\.{{2,}}|-{{2,}}|``|''|[^\s]"
    )


#: What a checkpoint of before holds, when every run of letters was a word.
PATTERN = _pattern({})
#: What ends a sentence, and what may stand between that and the next one's first letter.
_ENDS = frozenset({".", "!", "?", "...", "。", "！", "？", "؟"})
_RUNS = frozenset("!?")  # which some training has as one word
_CLOSING = frozenset({'"', "''", "'", ")", "]", "”", "’", "»"})
#: The same where no blank need follow. A wide point may stand inside a number.
_WIDE_ENDS = frozenset("。！？｡︒．។៕။")
_WIDE_CLOSING = frozenset("」』｣）》〉】〕］")
_LINE_BREAK = re.compile(r"\n\s*\n")


class Word(NamedTuple):
    """A word and where it stands: ``text[start:end]``."""

    text: str
    start: int
    end: int


def make_splitter(cut: Cut, rules: Rules | None = None) -> Tokenizer:
    """Return a tokenizer that finds words by a regular expression.

    Args:
        cut: how scripts that are written without blanks are cut; the runs of all others stay whole.
        rules: how all else is cut, as training words were; None: as those of English treebanks.
    """
    splitter = Tokenizer(models.WordLevel({UNK_TOKEN: 0}, unk_token=UNK_TOKEN))
    source = _pattern(cut) if rules is None else pattern(cut, rules)
    splitter.pre_tokenizer = pre_tokenizers.Split(Regex(source), behavior="removed", invert=True)
    return splitter


def stored_cut(state: Mapping[str, Any]) -> dict[str, str]:
    """Return how the texts of a checkpoint are cut; in one of before, which holds a splitter, every run stays whole.

    Raises:
        UserError: it is cut in no way of this program's; a stranger's regular expression may take for ever.
    """
    if is_cut(state.get("cut")):
        return dict(state["cut"])
    try:
        known = json.loads(str(state.get("splitter")))["pre_tokenizer"]["pattern"]["Regex"] == PATTERN
    except (ValueError, LookupError, TypeError, RecursionError):
        known = False
    if known and "cut" not in state:
        return {}
    raise UserError("the learned state is broken: words are split by a rule that this version does not know")


def stored_word_rules(state: Mapping[str, Any]) -> Rules | None:
    """Return the rules by which the texts of a checkpoint are cut; None in one of before, which has none.

    Raises:
        UserError: they are none of this program's.
    """
    if state.get("rules") is None:
        return None
    rules = stored_rules(state["rules"])
    if rules is None:
        raise UserError("the learned state is broken: words are split by rules that this version does not know")
    return rules


def split_words(splitter: Tokenizer, texts: Sequence[str]) -> list[list[Word]]:
    """Return the words of each text, every character that is not white space being part of one.

    A word without end is cut (``pieces``): the search for its end would break off.
    """
    parts = [(number, start, end) for number, text in enumerate(texts) for start, end in pieces(text)]
    encodings = splitter.encode_batch([texts[number][start:end] for number, start, end in parts])
    found: list[list[Word]] = [[] for _ in texts]
    for (number, first, _), encoding in zip(parts, encodings, strict=True):
        places = ((first + start, first + end) for start, end in encoding.offsets)
        found[number] += [Word(texts[number][start:end], start, end) for start, end in places]
    return found


def sentences(words: Sequence[Word], text: str, wide: bool) -> list[range]:
    """Return the places of each sentence's words: cut after closing marks and at empty lines.

    Args:
        words: of the text.
        text: as it was given.
        wide: whether marks of scripts without blanks end a sentence with no blank after them.
    """
    closing = _CLOSING | _WIDE_CLOSING if wide else _CLOSING
    found, begun, ended = [], 0, 0  # ``ended``: the last word of the sentence that is no closing mark
    for place in range(1, len(words)):
        gap = text[words[place - 1].end : words[place].start]
        if place - 1 == begun or words[place - 1].text not in closing:
            ended = place - 1
        mark, after = words[ended].text, words[place].text
        over = (mark in _ENDS or _RUNS.issuperset(mark)) and bool(gap) and not after[0].islower()
        if wide and mark in _WIDE_ENDS and after not in closing | _ENDS | _WIDE_ENDS:
            over = mark != "．" or not after[0].isdigit()
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


def joined(splitter: Tokenizer, words: Sequence[str]) -> str:
    """Return words as raw text: without blanks where it is cut into the same words, as letters of Chinese are."""
    close = "".join(words)
    return close if [word.text for word in split_words(splitter, [close])[0]] == list(words) else " ".join(words)
