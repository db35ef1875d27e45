"""What a person wants a translation to hold: terms of theirs, and what is copied from its source."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gru_nlp.errors import UserError, one_line
from gru_nlp.text.own_lines import own_lines

#: A number, its parts held together by marks that languages set otherwise: 1,000.5 and 1.000,5, 4:30 and 4.30.
NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_MARK = re.compile("[.,:/]")
#: A word that a letter begins and that has a digit in it is copied as it is: B52.
_MIXED = re.compile(r"(?<!\w)[^\W\d_]\w*\d\w*")
#: What stands around a word and is no part of it.
_QUOTES = ".,;:!?\"'()[]«»„“”‘’"
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
#: A letter, or blanks.
_LETTER = re.compile(r"\s+|\S")


def _plain_text(text: str) -> str:
    """Return a text with single blanks, its letters and accents as one character where there is one (NFC)."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(1 << 12)
def _fold(letter: str) -> str:
    """Return a letter without its case, one letter in any case."""
    return next((form for form in (letter.casefold(), letter.lower()) if len(form) == 1), letter)


def _folded(text: str) -> str:
    return "".join(map(_fold, text))


def _in_word(letter: str) -> bool:
    """Return whether a letter at the edge of a phrase goes on a word that stands beside it."""
    return letter.isalnum() and not _UNSPACED.match(letter)


def _is_letter(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def pattern(phrase: str) -> str:
    """Return a regular expression of a phrase that is no part of a longer word; its blanks may be any blanks.

    Letters of writing without blanks between words may stand anywhere.
    """
    before, after = _in_word(phrase[0]), _in_word(phrase[-1])
    words = r"\s+".join(map(re.escape, phrase.split()))
    return (r"(?<!\w)" if before else "") + words + (r"(?!\w)" if after else "")


def holds(text: str, phrase: str) -> bool:
    """Return whether a text has a phrase, letter by letter, that is no part of a longer word."""
    return re.search(pattern(phrase), text) is not None


class Item(NamedTuple):
    """What a translation holds, and from where to where its source stands."""

    start: int
    end: int
    said: str


class Terms:
    """A glossary: terms of the source, and how each is said in the target.

    A term is looked up by its letters, so that a hundred thousand of them cost a text no more than a few: at each place
    where a word begins, the text's next letters, in each size of a term with that first letter.

    A term is found where it is no part of a longer word; one without a capital letter in any case, one with a capital
    letter as it is written. The longest term wins, and a word belongs to one term.

    Args:
        terms: by source; no blank one on either side.
    """

    def __init__(self, terms: Mapping[str, str]) -> None:
        self.terms = {_plain_text(source): _plain_text(target) for source, target in terms.items()}
        self._any_case = {_folded(term): term for term in self.terms if term == term.lower()}
        self._sizes: dict[str, list[int]] = {}
        for first, size in sorted({(_fold(term[0]), len(term)) for term in self.terms}, reverse=True):
            self._sizes.setdefault(first, []).append(size)

    def found(self, text: str) -> list["Item"]:
        """Return where terms stand in a text, and what each is in the target."""
        letters = [one.span() for one in _LETTER.finditer(text)]
        flat = "".join(" " if text[start].isspace() else text[start] for start, _ in letters)
        folded, items, place = _folded(flat), [], 0
        while place < len(flat):
            term = self._term_at(flat, folded, place)
            if term:
                end = place + len(term)
                items.append(Item(letters[place][0], letters[end - 1][1], self.terms[term]))
            place += len(term) or 1
        return items

    def _term_at(self, flat: str, folded: str, start: int) -> str:
        """Return the longest term that begins at a place of a text, whose blanks are single ones; none: ``""``."""
        if _in_word(flat[start]) and start and _is_letter(flat[start - 1]):
            return ""
        for size in self._sizes.get(folded[start], ()):
            end, written = start + size, flat[start : start + size]
            term = written if written in self.terms else self._any_case.get(folded[start:end], "")
            if term and not (_in_word(term[-1]) and _is_letter(flat[end : end + 1])):
                return term
        return ""

    @classmethod
    def read(cls, path: str | Path, option: str = "terms") -> "Terms":
        """Read a file of two columns with a tab between them: the term, and what it is in the target.

        Blank lines are passed over.

        Raises:
            UserError: it cannot be read; or a line is no such pair, or says otherwise of a term than one before it.
        """
        terms: dict[str, str] = {}
        for number, line in own_lines(path, option):
            cells = line.split("\t")
            source, target = (" ".join(cell.split()) for cell in cells) if len(cells) == 2 else ("", "")
            if not source or not target:
                raise UserError(f"{path}:{number}: no term, tab and its translation (see {option})")
            if terms.setdefault(source, target) != target:
                told = f"'{one_line(source, 40)}' stands for '{one_line(terms[source], 40)}' above"
                raise UserError(f"{path}:{number}: {told} (see {option})")
        return cls(terms)


class Wishes(NamedTuple):
    """What a person wants of translations.

    Attributes:
        terms: to be said so where their source holds them.
        prefix: what every translation begins with, whole words.
        copy: whether numbers, words with digits and words of unknown characters stay as they are.
        sentences: whether each sentence of a text is translated by itself, as those of too long ones always are; None:
            where the sources of training were single sentences.
    """

    terms: Terms | None = None
    prefix: str = ""
    copy: bool = False
    sentences: bool | None = None


class Copied(NamedTuple):
    """What of a source a translation has as it is: numbers, with their marks, and whole words."""

    numbers: list[Item]
    words: list[Item]

    def missing(self, translation: str) -> bool:
        """Return whether a translation lacks any of it, or has other numbers; their marks may be another language's."""
        rest = translation
        for word in self.words:
            before, found, after = rest.partition(word.said)
            if not found:
                return True
            rest = f"{before} {after}"
        found_numbers = Counter(map(_plain, NUMBER.findall(rest)))
        return bool(self.numbers) and found_numbers != Counter(_plain(number.said) for number in self.numbers)


def _plain(number: str) -> str:
    return _MARK.sub(".", number)


def copied(text: str, strange: Set[str], spared: Sequence[Item]) -> Copied:
    """Return what a translation of a text copies: numbers, words with digits in them, words with strange characters.

    Args:
        text: the source.
        strange: the characters that no token has.
        spared: what is said otherwise.
    """
    taken = list(spared)

    def kept(found: Iterable[re.Match[str]]) -> list[Item]:
        items = [Item(*one.span(), one[0].strip(_QUOTES) or one[0]) for one in found]
        free = [one for one in items if not any(other.start < one.end and one.start < other.end for other in taken)]
        taken.extend(free)
        return free

    words = kept(one for one in re.finditer(r"\S+", text) if not strange.isdisjoint(one[0]))
    words += kept(_MIXED.finditer(text))
    return Copied(kept(NUMBER.finditer(text)), sorted(words))
