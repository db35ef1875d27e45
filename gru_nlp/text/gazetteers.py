"""Word lists of a person's own, and where their phrases stand in sentences of words.

At each word the longest phrase that begins there is taken, and a word belongs to one phrase of a list; lists do not
know of one another. So each word has a code a list: it begins a phrase, is inside or at the end of one, is one by
itself, or is none of these.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.errors import UserError
from gru_nlp.text.own_lines import own_lines

#: Codes of words.
NONE, BEGIN, INSIDE, END, SINGLE = range(5)
CODES = 5
#: Most lists of a model, and most characters of a phrase and of a list's name.
MOST_LISTS, MOST_CHARACTERS, MOST_NAME = 64, 200, 255


class WordList(NamedTuple):
    """A list as a person gives it.

    Attributes:
        name: of its file, without the ending.
        phrases: none of them blank.
    """

    name: str
    phrases: list[str]


class Gazetteer:
    """A list whose phrases are looked for in sentences of words.

    Args:
        name: for people.
        phrases: words with single blanks between them.
        normal: the form in which words are compared.
    """

    def __init__(self, name: str, phrases: Sequence[str], normal: Callable[[str], str]) -> None:
        self.name = name
        self.phrases = sorted(set(phrases))
        self.normal = normal
        self._known = {tuple(map(normal, phrase.split(" "))) for phrase in self.phrases}
        self._sizes: dict[str, list[int]] = {}  # of phrases by their first word, the longest first
        for first, size in sorted({(words[0], len(words)) for words in self._known}, reverse=True):
            self._sizes.setdefault(first, []).append(size)

    def codes(self, words: Sequence[str]) -> list[int]:
        """Return the code of each word of a sentence."""
        normal = tuple(map(self.normal, words))
        codes, place = [NONE] * len(words), 0
        while place < len(words):
            size = self._size_at(normal, place)
            if size == 1:
                codes[place] = SINGLE
            elif size:
                codes[place : place + size] = [BEGIN, *[INSIDE] * (size - 2), END]
            place += size or 1
        return codes

    def _size_at(self, words: tuple[str, ...], place: int) -> int:
        """Return how many words the longest phrase at a place has; 0: there is none."""
        sizes = (size for size in self._sizes.get(words[place], ()) if place + size <= len(words))
        return next((size for size in sizes if words[place : place + size] in self._known), 0)

    def state(self) -> dict[str, Any]:
        """Return the list as plain values."""
        return {"name": self.name, "phrases": list(self.phrases)}


def flat_codes(lists: Sequence[Gazetteer], words: Sequence[str]) -> list[int]:
    """Return the codes of each word in all lists, word by word: ``T * L``."""
    columns = [one.codes(words) for one in lists]
    return [code for word in zip(*columns, strict=True) for code in word]


def read(paths: Sequence[Any], option: str = "gazetteers") -> list[WordList]:
    """Read files of a phrase a line; blank lines are passed over.

    Raises:
        UserError: one cannot be read, or holds no phrase, or a line is no phrase; or there are too many.
    """
    named = isinstance(paths, list) and all(isinstance(path, str) and path for path in paths)
    if not named or len(paths) > MOST_LISTS:
        raise UserError(f"{option}={paths} must be a list of files, at most {MOST_LISTS}")
    return [_read(path, option) for path in paths]


def _read(path: str, option: str) -> WordList:
    phrases = []
    for number, line in own_lines(path, option):
        if len(line.strip()) > MOST_CHARACTERS:
            told = f"a phrase of {len(line.strip()):,} characters, and at most {MOST_CHARACTERS} are looked for"
            raise UserError(f"{path}:{number}: {told} (see {option})")
        phrases.append(line.strip())
    if not phrases:
        raise UserError(f"{path}: holds no phrase: write one a line (see {option})")
    return WordList(Path(path).stem, phrases)


def stored(lists: object) -> list[WordList] | None:
    """Return lists that were stored by ``Gazetteer.state``; None: they are none, or too large ones."""
    if not isinstance(lists, list) or not 0 < len(lists) <= MOST_LISTS:
        return None
    for one in lists:
        if not isinstance(one, dict) or set(one) != {"name", "phrases"} or not isinstance(one["phrases"], list):
            return None
        if not isinstance(one["name"], str) or len(one["name"]) > MOST_NAME or not one["phrases"]:
            return None
        if not all(isinstance(phrase, str) and _is_phrase(phrase) for phrase in one["phrases"]):
            return None
    return [WordList(one["name"], one["phrases"]) for one in lists]


def _is_phrase(phrase: str) -> bool:
    # Twice as long as it was given where there is a blank behind every character.
    return 0 < len(phrase) <= 2 * MOST_CHARACTERS and phrase == " ".join(phrase.split())
