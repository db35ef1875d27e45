"""What a person knows to be an entity of a text, or to be none: terms and regular expressions of their own.

A file has two columns with a tab between them: a type of entities, or ``-`` for what never is one, and a term, or a
regular expression of Python's between slashes. ::

    LOC	Bad Homburg
    ORDER	/[A-Z]{2}-\\d{4,6}/
    -	May

A term without a capital letter is found in any case, one with a capital letter as it is written (``text.terms``). An
entity is made of whole words: a regular expression begins to match where a word begins, and what is found is widened to
the end of its last word. Of what overlaps, the longest counts, then what begins first.

Python's search for a regular expression cannot be given a limit of time, and some take for ever. Those whose time may
double with every further letter are refused: where something of changing length, or a choice, is repeated. What is left
may take a time that grows with a power of the text's length, as ``/.*a.*b/`` does; so a server's ``max_characters``
matters more with patterns. Patterns are read from a person's own files alone, never from a checkpoint.
"""

import importlib
import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.errors import UserError, one_line
from gru_nlp.text.own_lines import own_lines
from gru_nlp.text.schemes import OUTSIDE, TAG
from gru_nlp.text.terms import Terms
from gru_nlp.text.words import Word

#: What stands in the place of a type for what never is an entity.
NEVER = ("-", OUTSIDE)
#: Times that something may be repeated, from which on its own length must not change.
MANY = 10
#: Parts of a parsed regular expression that are tried in several lengths or ways, and those that are left once matched.
_REPEATS, _WAYS = ("MAX_REPEAT", "MIN_REPEAT"), ("BRANCH", "GROUPREF_EXISTS")
_CLOSED = ("POSSESSIVE_REPEAT", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT")


class Match(NamedTuple):
    """A stretch ``text[start:end]`` of whole words, and the type of entity that it is; None: it is none."""

    start: int
    end: int
    label: str | None


class Patterns:
    """Terms and regular expressions, each with its type.

    Args:
        terms: types, or one of ``NEVER``, by term.
        expressions: types, or one of ``NEVER``, and what is searched for.
    """

    def __init__(self, terms: dict[str, str], expressions: Sequence[tuple[str, re.Pattern[str]]]) -> None:
        self.terms = Terms(terms)
        self.expressions = list(expressions)

    def found(self, text: str, words: Sequence[Word]) -> list[Match]:
        """Return what is found in a text, by its place; nothing overlaps.

        Args:
            text: as it was given.
            words: of it.
        """
        starts, ends = [word.start for word in words], [word.end for word in words]
        found = [(item.start, item.end, item.said) for item in self.terms.found(text)]
        for label, expression in self.expressions:
            found += ((start, end, label) for start, end in _stretches(expression, text, starts))
        widened = []
        for start, end, label in found:
            first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
            if first <= last:
                widened.append(Match(starts[first], ends[last], None if label in NEVER else label))
        return _apart(widened)

    @classmethod
    def read(cls, paths: Iterable[str | Path], option: str = "patterns") -> "Patterns":
        """Read files.

        Raises:
            UserError: one cannot be read; or a line is no pair, says otherwise of a term than one before it, or its
                regular expression is none, or may take for ever.
        """
        terms: dict[str, str] = {}
        expressions = []
        for path in paths:
            for number, line in own_lines(path, option):
                where = f"{path}:{number}"
                label, _, given = (part.strip() for part in line.partition("\t"))
                if not label or not given or not (label in NEVER or TAG.fullmatch(f"B-{label}")):
                    told = "no type, tab and a term or /regular expression/"
                    raise UserError(f"{where}: {told}: {one_line(line, 40)} (see {option})")
                if len(given) > 1 and given[0] == given[-1] == "/":
                    expressions.append((label, _compiled(given[1:-1], where, option)))
                elif terms.setdefault(" ".join(given.split()), label) != label:
                    told = f"'{one_line(given, 40)}' is {terms[' '.join(given.split())]} above"
                    raise UserError(f"{where}: {told} (see {option})")
        if not terms and not expressions:
            raise UserError(f"{option}={[str(path) for path in paths]}: hold no pattern")
        return cls(terms, expressions)


def _stretches(expression: re.Pattern[str], text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield what matches from the beginning of a word on, each after the one before it."""
    after = 0
    for start in starts:
        match = expression.match(text, start) if start >= after else None
        if match and match.end() > start:
            after = match.end()
            yield match.span()


def _apart(found: Iterable[Match]) -> list[Match]:
    """Return the longest of what overlaps, by place."""
    taken: list[Match] = []
    for one in sorted(found, key=lambda match: (match.start - match.end, match.start)):
        place = bisect_left(taken, one.start, key=lambda other: other.start)
        beside = taken[max(0, place - 1) : place + 1]
        if all(other.end <= one.start or one.end <= other.start for other in beside):
            taken.insert(place, one)
    return taken


def _compiled(source: str, where: str, option: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expression = re.compile(source)
            # The parser's place is Python's own affair, and its names are the same in all versions that have it there.
            endless = _endless(importlib.import_module("re._parser").parse(source))
    except (re.error, Warning, RecursionError, OverflowError) as error:
        told = f"/{one_line(source, 60)}/ is no regular expression: {one_line(error, 100)}"
        raise UserError(f"{where}: {told} (see {option})") from None
    if endless:
        told = f"/{one_line(source, 60)}/ may take for ever, since what it repeats may match in several ways"
        raise UserError(f"{where}: {told}: write ++ for +, *+ for * and (?>a|b) for (a|b) in it (see {option})")
    if expression.match(""):
        raise UserError(f"{where}: /{one_line(source, 60)}/ matches nothing at all, everywhere (see {option})")
    return expression


def _endless(parsed: Any) -> bool:
    """Return whether something that matches in several ways is repeated many times, anywhere in a parsed expression."""
    return any(
        (str(kind) in _REPEATS and value[1] >= MANY and _varies(value[2])) or any(map(_endless, _inside(value)))
        for kind, value in parsed
    )


def _varies(parsed: Any) -> bool:
    """Return whether an expression may match one stretch of text in several ways."""
    for kind, value in parsed:
        name = str(kind)
        if name in _WAYS or (name in _REPEATS and value[0] != value[1]):
            return True
        if name not in _CLOSED and any(map(_varies, _inside(value))):
            return True
    return False


def _inside(value: Any) -> Iterator[Any]:
    """Yield the expressions within a part of a parsed one."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from _inside(part)
    elif hasattr(value, "getwidth"):
        yield value
