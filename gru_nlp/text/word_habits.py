"""How training words were cut out of text, learned so that raw text falls into the same ones.

How it works. Training words are all that is known; the blanks that once stood between them are not. So each habit is
judged by two counts (``_kept``): of words that hold it whole, as ``e-mail``, ``don't``, ``@ada`` do, and of what would
be left of one, ``-``, ``n't``, ``@``. Where neither tells, the habits of English treebanks stand. Then all training
words are cut by what was learned. Of those that fall apart, a word is kept by its letters where it is more frequent
than one of its parts, which it then explains: ``Dr.``, ``C++``, ``Yahoo!``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from gru_nlp.text import word_pattern
from gru_nlp.text.cuts import SCRIPTS, Cut
from gru_nlp.text.word_pattern import MARKS, MOST_CLITICS, MOST_WHOLE, Rules
from gru_nlp.text.words import make_splitter, split_words

#: Of each kind of word: what shows it whole, what is left of one that was cut, whether it is whole where neither tells,
#: and the share of the one in the other from which on it is.
SHARE = 0.005
SHOWN = {
    "url": (r"(?i:https?://|ftp://|www\.)\S+", r"(?i:https?|ftp|www)|:?//", True, SHARE),
    "email": (r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+", "@", True, SHARE),
    "user": (r"@\w+", "@", True, SHARE),
    "tag": (r"#[\d_]*[^\W\d_]\w*", "#", True, SHARE),
    "emoticon": (r"[:;=][-o^']?[)(\]\[DPp/\\|3*]+", None, False, SHARE),
    "initials": (r"(?:[^\W\d_]{1,2}\.)+", r"[B-HJ-Z]|[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+", True, SHARE),
    "titles": (r"(?:Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd)\.", "Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd", True, SHARE),
    "ordinal": (r"\d{1,2}\.", r"\d{1,2}", False, 0.2),
    "numbering": (r"\d{1,2}\.", r"\d{1,2}", False, SHARE),
    "hanging": (r"[\w-]*\w-", "-", False, SHARE),
}
#: Marks that stay within words, and the clitics that are cut, where training tells nothing.
INSIDE = "-.,’'/&·"
ENGLISH = ("n't", "'s", "'re", "'ve", "'ll", "'d", "'m")
#: What is left of a usual habit so often, and never a whole, speaks against it; two show one that is not usual.
ENOUGH, TWO = 20, 2
#: Share of a clitic's words that may hold it uncut.
UNCUT = 0.1
_LETTER = r"[^\W\d_]"


def learn_rules(words: Mapping[str, int], cut: Cut) -> Rules:
    """Find how raw text is to be cut, so that it falls into words as training did.

    Args:
        words: of training, and how often each occurs.
        cut: how scripts that are written without blanks are cut.
    """
    counts = Counter[str]()
    for word, count in words.items():
        counts[word.replace("’", "'")] += count
    rules = Rules(
        kinds=tuple(kind for kind in SHOWN if _is_kind(kind, counts)),
        inside=_marks("inside", counts, rf"\w{{}}{_LETTER}|{_LETTER}{{}}\w", INSIDE),
        between=_marks("between", counts, r"\d{}\d", INSIDE),
        leading=_marks("leading", counts, r"^{}\d"),
        trailing=_marks("trailing", counts, r"\d{}$"),
        runs="".join(mark for mark in MARKS["runs"] if _found(rf"{re.escape(mark)}{{2,}}", counts) >= TWO),
        before=_before(counts),
        behind=_behind(counts),
    )
    return _with_whole(rules, words, cut)


def _kept(whole: int, alone: int, usual: bool, share: float = SHARE) -> bool:
    """Return whether a habit is one, by the words that hold it, by what would be left of it, and by what is usual."""
    if usual and not whole and alone < ENOUGH:
        return True
    return whole >= (1 if usual else TWO) and whole >= share * alone


def _found(shown: str, counts: Mapping[str, int]) -> int:
    """Return how many words match as a whole."""
    match = re.compile(shown).fullmatch
    return sum(count for word, count in counts.items() if match(word))


def _is_kind(kind: str, counts: Mapping[str, int]) -> bool:
    shown, left, usual, share = SHOWN[kind]
    return _kept(_found(shown, counts), _found(left, counts) if left else 0, usual, share)


def _marks(name: str, counts: Counter[str], shown: str, usual: str = "") -> str:
    """Return the marks of a place in words that training words have there.

    Args:
        name: of the place.
        counts: of words, their apostrophes plain.
        shown: a regular expression with ``{}`` for the mark.
        usual: marks that stand there where nothing tells.
    """
    found = ""
    for mark in MARKS[name]:
        plain = mark.replace("’", "'")
        holds = re.compile(shown.replace("{}", re.escape(plain))).search
        some = [count for word, count in counts.items() if plain in word and holds(word)]
        if _kept(sum(some), counts[plain], mark in usual):
            found += mark
    return found


def _before(counts: Counter[str]) -> tuple[str, ...]:
    """Return the clitics before words; names such as D'Alema tell nothing of those in small letters."""
    alone, uncut = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    for word, count in counts.items():
        clitic = word[: word.find("'") + 1]
        if word_pattern.is_clitic(clitic.lower(), "before"):
            (alone if word == clitic else uncut)[clitic.lower(), clitic.islower()] += count
    known = Counter[str]()
    for clitic in {clitic for clitic, _ in alone}:
        small = any((clitic, True) in counted for counted in (alone, uncut))
        if uncut[clitic, small] <= UNCUT * alone[clitic, small]:
            known[clitic] = alone[clitic, small]
    return _commonest(known, known, MOST_CLITICS)


def _behind(counts: Counter[str]) -> tuple[str, ...]:
    """Return the clitics behind words; of the English ones that training lacks, as most of the others have it."""
    alone, uncut = Counter[str](), Counter[str]()
    for word, count in counts.items():
        small = word.lower()
        if word_pattern.is_clitic(small, "behind"):
            alone[small] += count
        elif small[0].isalnum():
            for found in re.finditer(r"(?<=\w)(?:n't$|['-])", small):
                uncut[small[found.start() :]] += count
    if counts["'"] >= ENOUGH and not any("'" in word and any(map(str.isalpha, word)) for word in counts):
        return ()  # apostrophes stand alone
    told = {clitic: uncut[clitic] <= UNCUT * alone[clitic] for clitic in ENGLISH if alone[clitic] or uncut[clitic]}
    usual = 2 * sum(told.values()) >= len(told)
    known = {clitic for clitic in ENGLISH if told.get(clitic, usual)}
    for clitic, count in alone.items():
        often = count >= max(TWO, UNCUT * counts[clitic.lstrip("'-")])  # and no mistyped quotation
        if clitic not in ENGLISH and often and uncut[clitic] <= UNCUT * count:
            known.add(clitic)
    return _commonest(known, alone, MOST_CLITICS)


def _with_whole(rules: Rules, words: Mapping[str, int], cut: Cut) -> Rules:
    """Return rules with the training words that they cut, where those are more frequent than one of their parts."""
    unspaced = re.compile(f"[{''.join(SCRIPTS.values())}]")
    asked = [word for word in words if word_pattern.may_be_whole(word) and not unspaced.search(word)]
    parts = split_words(make_splitter(cut, rules), asked)
    kept: dict[str, list[str]] = {"whole": [], "unsure": []}
    for word, found in zip(asked, parts, strict=True):
        if len(found) > 1:
            sure = words[word] > min(words.get(part.text, 0) for part in found)
            if sure:
                kept["whole"].append(word)
            elif re.fullmatch(r"[^\W\d]+\.", word):
                kept["unsure"].append(word)
    whole, unsure = (_commonest(found, words, MOST_WHOLE) for found in kept.values())
    return rules._replace(whole=whole, unsure=unsure)


def _commonest(found: Iterable[str], counts: Mapping[str, int], most: int) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda word: (-counts.get(word, 0), word))[:most])
