"""The regular expression that cuts raw text into words by rules that training words gave (``text.word_habits``).

How it works. Alternatives are tried in turn where the last word ended, so each begins where a word may begin: letters
of scripts without blanks, what is a word as a whole, clitics before a word, those behind one, then words themselves,
and any other mark alone. A word stops before a clitic that ends it. Rules come out of checkpoints, which a stranger may
have made: every letter and mark of theirs is checked and escaped, and what is repeated without bound matches in one way
only. A browser reads the same expression, hence no option for case, and a class for every mark that it escapes.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gru_nlp.text.cuts import CHARACTER, FOLLOWING, UNIT, Cut, ranges

_FREE, _END = r"(?<![\p{L}\p{N}])", r"(?![\p{L}\p{N}])"
_URL = r"(?:[hH][tT][tT][pP][sS]?://|[fF][tT][pP]://|[wW][wW][wW]\.)"
_HYPHENED = r"(?:-[\p{L}\p{M}\p{N}_]+)*"
#: What is a word as a whole, tried before the words that are kept by their letters, and after them.
FIRST = {
    "url": _URL + r"[^\s<>\"“”„«»]*[^\s<>\"“”„«».,;:!?'’)\]}]",
    "email": r"[\p{L}\p{N}_.%+\-]{1,64}@[\p{L}\p{N}\-]{1,63}(?:\.[\p{L}\p{N}\-]{1,63})+",
    "user": _FREE + r"@[\p{L}\p{N}_]+",
    "tag": _FREE + r"#(?=[\p{N}_]{0,20}\p{L})[\p{L}\p{M}\p{N}_]+",
}
LAST = {
    "emoticon": rf"{_FREE}[:;=][\-o^']?[)(\]\[DPp/\\|3*]+{_END}|[:;=][\-o^']?[)(]+(?!\S)",
    "initials": rf"(?:\p{{L}}{{1,2}}\.){{2,}}(?!\p{{L}}){_HYPHENED}|\p{{Lu}}\.(?=\s+\p{{Lu}})",
    "titles": r"(?:Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd|Jr|Sr|No|vs)\.(?=\s)",
    "numbering": r"(?<![^\n])\p{N}{1,2}\.(?=\s)",
    "ordinal": r"\p{N}{1,2}\.(?=\s+\p{L})",
}
HANGING = "hanging"
KINDS = (*FIRST, *LAST, HANGING)
#: Marks that may stand within a word, between digits, before a number, behind one; and those that come in runs.
MARKS = {
    "inside": "-.,’'/&·:+*=–",
    "between": "-.,’'/&·:+*=–",
    "leading": "+-.$€£¥±~<>'’",
    "trailing": "%$€£+°",
    "runs": "!?*=~#+/…,",
}
#: Most clitics on a side, most words that are kept by their letters, and letters of one.
MOST_CLITICS, MOST_WHOLE, LONGEST = 200, 2000, 40
_BEFORE, _BEHIND = re.compile(r"[^\W\d_]{1,12}'"), re.compile(r"n't|'[^\W\d_]{1,4}|(?:-[^\W\d_]{1,5}){1,2}")
_APOSTROPHES = "['’]"


class Rules(NamedTuple):
    """How words are cut.

    Attributes:
        kinds: those of ``KINDS`` that are words as a whole.
        inside, between, leading, trailing, runs: marks, see ``MARKS``.
        before: clitics that are cut off the front of a word, with their apostrophe: ``l'``.
        behind: those that are cut off its end: ``n't``, ``'s``, ``-la``.
        whole: words that are kept by their letters.
        unsure: those of them that end in a point and are also known without it, so that they are kept where a small
            letter or a digit follows.
    """

    kinds: tuple[str, ...]
    inside: str
    between: str
    leading: str
    trailing: str
    runs: str
    before: tuple[str, ...]
    behind: tuple[str, ...]
    whole: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    def state(self) -> dict[str, Any]:
        """Return them as plain values."""
        return {name: value if isinstance(value, str) else list(value) for name, value in self._asdict().items()}


def is_clitic(word: str, name: str) -> bool:
    """Return whether a word may be one of ``before`` or ``behind``, in small letters and with a plain apostrophe."""
    return bool((_BEFORE if name == "before" else _BEHIND).fullmatch(word)) and word == word.lower()


def may_be_whole(word: str) -> bool:
    """Return whether a word may be kept by its letters: of two to 40, none of them a blank or unseen."""
    return 1 < len(word) <= LONGEST and word.isprintable() and not any(map(str.isspace, word))


def stored_rules(value: object) -> Rules | None:
    """Return rules of plain values; None where they are none."""
    if not isinstance(value, Mapping) or set(value) != set(Rules._fields):
        return None
    for name, allowed in MARKS.items():
        marks = value[name]
        if not isinstance(marks, str) or len(set(marks)) < len(marks) or not set(marks) <= set(allowed):
            return None
    lists = {name: value[name] for name in Rules._fields if name not in MARKS}
    for name, words in lists.items():
        most = MOST_CLITICS if name in ("before", "behind") else MOST_WHOLE
        if not isinstance(words, list) or len(words) > most or not all(isinstance(word, str) for word in words):
            return None
        if len(set(words)) < len(words) or not all(_fits(word, name) for word in words):
            return None
    return Rules(**{**value, **{name: tuple(words) for name, words in lists.items()}})


def _fits(word: str, name: str) -> bool:
    if name == "kinds":
        return word in KINDS
    return is_clitic(word, name) if name in ("before", "behind") else may_be_whole(word)


def pattern(cut: Cut, rules: Rules) -> str:
    """Return the regular expression, in the syntax that Oniguruma and browsers share.

    Args:
        cut: how scripts that are written without blanks are cut; the runs of all others stay whole.
        rules: for all other words.
    """
    units, characters = ranges(cut, UNIT), ranges(cut, CHARACTER)
    others = f"&&[^{units}{characters}]" if cut else ""
    letter = rf"[\p{{L}}{others}]" if cut else r"\p{L}"
    before = _either(_caseless(word[:-1]) for word in _longest(rules.before))
    behind = _either(_caseless(word) for word in _longest(rules.behind))
    parts = [
        rf"[{units}][\p{{M}}{FOLLOWING}]*" if units else "",
        rf"[{characters}]" if characters else "",
        *(FIRST[kind] for kind in FIRST if kind in rules.kinds),
        _whole(rules.whole) + _END if rules.whole else "",
        *(_joined(LAST[kind], rules) for kind in LAST if kind in rules.kinds),
        _whole(rules.unsure) + r"(?=\s+[\p{Ll}\p{N}])" if rules.unsure else "",
        rf"{before}{_APOSTROPHES}(?=[\p{{L}}\p{{N}}])" if before else "",
        f"{behind}(?!{letter})" if behind else "",
        _word(rules, others, letter),
        *(f"{mark}{{2,}}" for mark in _runs(rules.runs)),
        r"\.{2,}|-{2,}|``|''|[^\s]",
    ]
    return "|".join(part for part in parts if part)


def _joined(kind: str, rules: Rules) -> str:
    """Return a kind of word that goes on behind a hyphen, where words do: ``U.S.-led``."""
    return kind.replace(_HYPHENED, _HYPHENED if "-" in rules.inside else "")


def _word(rules: Rules, others: str, letter: str) -> str:
    """Return what matches a word up to a clitic behind it, and the marks that belong to a number."""
    negated = "n't" in rules.behind
    inside = rf"[\p{{L}}\p{{M}}\p{{N}}_\p{{Cf}}{others}]"
    if negated:
        kept = others[:-1] + "nN]" if others else "&&[^nN]"
        inside = rf"(?:[\p{{L}}\p{{M}}\p{{N}}_\p{{Cf}}{kept}]|[nN](?!{_APOSTROPHES}[tT](?!{letter})))"
    clitics = _either(_caseless(word) for word in _longest(rules.behind) if word != "n't")
    stop = f"(?!{clitics}(?!{letter}))" if clitics else ""
    both = [mark for mark in rules.inside if mark in rules.between]
    letters = [mark for mark in rules.inside if mark not in both]
    digits = [mark for mark in rules.between if mark not in both]
    marks = [
        _class(both),
        rf"(?<=\p{{N}}){_class(digits)}(?=\p{{N}})" if digits else "",
        rf"(?:(?<!\p{{N}}){_class(letters)}|{_class(letters)}(?!\p{{N}}))" if letters else "",
    ]
    joint = _either(mark for mark in marks if mark)
    word = f"{inside}+" + (f"(?:{stop}{joint}{inside}+)*" if joint else "")
    if rules.leading:
        word = rf"(?:{_FREE}{_class(rules.leading)}(?=\p{{N}}))?{word}"
    if rules.trailing:
        word += rf"(?:(?<=\p{{N}}){_class(rules.trailing)}{_END})?"
    return word + (r"(?:-(?!\S))?" if HANGING in rules.kinds else "")


def _whole(words: Iterable[str]) -> str:
    """Return what matches one of many words, the longest first, looked for among those of its first letter alone."""
    firsts: dict[str, list[str]] = {}
    for word in _longest(words):
        firsts.setdefault(word[0], []).append("".join(map(_escaped, word[1:])))
    return _either(_escaped(first) + _either(rest) for first, rest in firsts.items())


def _longest(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


def _either(parts: Iterable[str]) -> str:
    joined = "|".join(parts)
    return f"(?:{joined})" if joined else ""


def _caseless(word: str) -> str:
    """Return what matches a clitic in any case, with either apostrophe."""
    return "".join(_class("'’" if letter == "'" else {letter, letter.upper()}) for letter in word)


def _class(letters: Iterable[str]) -> str:
    inside = "".join(rf"\{one}" if one in r"\[]^-" else one for one in sorted(letters) if len(one) == 1)
    return f"[{inside}]" if inside else ""


def _escaped(letter: str) -> str:
    return rf"[\{letter}]" if letter in r"^$\.*+?()[]{}|/" else letter


def _runs(marks: str) -> list[str]:
    """Return the marks that come in runs, those of exclamation and question together."""
    asked = [mark for mark in marks if mark in "!?"]
    return ([_class("!?")] if asked else []) + [_class(mark) for mark in marks if mark not in "!?"]
