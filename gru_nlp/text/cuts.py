"""Scripts that are written without blanks: how a run of one is cut into words, and how that is learned.

Raw text must be cut as the training words were, or nothing is found in it. Where the training words of a script are its
letters one by one, raw text is cut so too. Where they are whole words of the language, no rule finds them in raw text:
its runs stay whole, and a person is told to give words. Of a script that training lacks, letters are the better guess.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: Letters and marks of each script, as ranges of a regular expression. Their digits are digits as everywhere.
SCRIPTS = {
    "Han": "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd",
    "Hiragana": "\u3041-\u3096\u309d-\u309f\U0001b001-\U0001b11f",
    "Katakana": "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "Lao": "\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf",
    "Khmer": "\u1780-\u17d3\u17d7\u17dc-\u17dd",
    "Burmese": "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f",
}
#: What data that cuts one of those by letter may cut too, and what other data never does.
BESIDE = {
    "Latin": "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a",
    "Digits": "0-9\uff10-\uff19",
}
#: How a run is cut: into letters with the marks that follow them, or into single characters, marks too.
UNIT, CHARACTER = "unit", "character"
#: Letters that complete the one before them as marks do: am of Thai and Lao, the voicing of half-wide Katakana.
FOLLOWING = "\u0e33\u0eb3\uff9e\uff9f"
#: Share of a script's training words that a rule must leave whole to be theirs.
NEARLY_ALL = 0.99
#: Share of all training words from which on a script is worth a remark.
SOME = 0.01
#: Letters that the remark shows of a word.
LONGEST = 20

#: How each script is cut; the runs of one that is left out stay whole.
Cut = Mapping[str, str]
#: For text of which nothing is known yet.
DEFAULT: Cut = dict.fromkeys(SCRIPTS, UNIT)


class Learned(NamedTuple):
    """What training words say of their scripts.

    Attributes:
        cut: how raw text is to be cut.
        whole: scripts whose words no rule finds in raw text, each with its commonest word of several letters.
    """

    cut: dict[str, str]
    whole: dict[str, str]

    @property
    def remark(self) -> str:
        """What a person who trains is told of those; empty where there are none."""
        examples = ", ".join(dict.fromkeys(word[:LONGEST] for word in self.whole.values()))
        names = ", ".join(self.whole)
        return names and (
            f"training words of {names} are of several letters ({examples}), and raw text of theirs is not cut into "
            "words: predict needs it as words (input_format=conll, lists of words, or blanks between the words)"
        )


def learn(words: Mapping[str, int]) -> Learned:
    """Find how the runs of each script are to be cut, so that raw text falls into words as training did.

    A script is cut by letter where at least 99 % of the training words that hold one of its letters are a single one,
    or where there is no such word; otherwise its runs stay whole. By letter means by unit, a letter with its marks,
    unless marks stand alone in training and nothing else there is longer than a character. Latin letters and digits are
    cut so too where training has them one by one beside another script's.

    Args:
        words: of training, and how often each occurs.
    """
    total = sum(words.values())
    cut: dict[str, str] = {}
    whole: dict[str, str] = {}
    seen = False
    for name in (*SCRIPTS, *BESIDE):
        found = _holding(name, words)
        how = _how(found) if found else DEFAULT.get(name)
        if name in SCRIPTS:
            seen |= bool(found) and how is not None
        elif not seen:
            continue
        if how is not None:
            cut[name] = how
        elif name in SCRIPTS and sum(found.values()) >= SOME * total:
            whole[name] = max((word for word in found if not _single(word)), key=lambda word: (found[word], word))
    return Learned(cut, whole)


def ranges(cut: Cut, *hows: str) -> str:
    """Return the letters of all scripts that are cut in one of these ways, as ranges of a regular expression."""
    return "".join(letters for name, letters in (SCRIPTS | BESIDE).items() if cut.get(name) in hows)


def is_cut(value: object) -> bool:
    """Return whether a stored value says of known scripts, and nothing else, how they are cut."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and name in SCRIPTS | BESIDE and how in (UNIT, CHARACTER) for name, how in value.items()
    )


def _holding(name: str, words: Mapping[str, int]) -> dict[str, int]:
    letters = re.compile(f"[{(SCRIPTS | BESIDE)[name]}]")
    return {word: count for word, count in words.items() if letters.search(word)}


def _how(found: Mapping[str, int]) -> str | None:
    least = NEARLY_ALL * sum(found.values())
    if _sum(found, (word for word in found if _single(word))) < least:
        return None
    alone = any(_follows(word[0]) for word in found)
    return CHARACTER if alone and _sum(found, (word for word in found if len(word) == 1)) >= least else UNIT


def _sum(counts: Mapping[str, int], words: Iterable[str]) -> int:
    return sum(counts[word] for word in words)


def _single(word: str) -> bool:
    return sum(not _follows(letter) for letter in word) <= 1


def _follows(letter: str) -> bool:
    return letter in FOLLOWING or unicodedata.category(letter).startswith("M")
