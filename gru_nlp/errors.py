"""The one error type that a person sees as a single line, and the search for the word they may have meant."""

import errno
import re
from collections.abc import Iterable
from difflib import SequenceMatcher

#: What systems say where nothing more can be written: the disk, a quota, a limit of the size of files.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """A mistake in what the user gave: the message is one line that names the place and the option to change."""


class Fault(UserError):
    """What was met on the way and is no mistake in what was given; what had been saved before is still good."""


#: How torch says that a device, or the system, gave no memory; numpy and Python raise ``MemoryError``.
NO_MEMORY = re.compile(r"[Oo]ut of memory|can't allocate memory|[Cc]annot allocate memory")


def out_of_memory(error: Exception) -> UserError | None:
    """Return what to tell where memory ran out; None: the error is another one."""
    if not isinstance(error, MemoryError) and not (isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))):
        return None
    size = re.search(r"allocate ([\d.]+ ?\w+)", str(error))
    wanted = f", which wants {size[1]} more" if size else ""
    return Fault(f"out of memory{wanted}: set a smaller batch_size, a smaller model or shorter texts")


#: How torch says that a process which loads batches has died.
LOST = re.compile(
    r"DataLoader worker \(pid.*?\) (?:is )?(killed by signal: \w+(?: \w+)*|exited unexpectedly(?: with exit code \d+)?)"
)


def lost_worker(error: Exception) -> UserError | None:
    """Return what to tell where a process that loads batches has died; None: the error is another one."""
    found = [LOST.search(str(one)) for one in (error.__cause__, error) if isinstance(one, RuntimeError)]
    said = next(filter(None, found), None)
    if said is None:
        return None
    return Fault(f"a process that loads batches died ({said[1]}): set num_workers=0, or fewer where memory is short")


def refused(error: Exception) -> UserError | None:
    """Return what to tell where the machine refused memory or a process; None: the error is another one."""
    return out_of_memory(error) or lost_worker(error)


#: How alike the last names of two options, and two words as a whole, must be for one to stand for the other.
ALIKE_LAST, ALIKE_WHOLE = 0.6, 0.5
#: An anagram, and a whole word within a name, are likelier meant than what merely shares letters.
ANAGRAM, CONTAINED, BESIDE, SAME_PARENT = 0.95, 0.9, 0.04, 0.2


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the candidate most like ``word``, or an empty string.

    The last names of dotted options are compared first, then the whole: ``lr`` is ``optimizer.lr``.
    """
    ranked = []
    parent, _, last = word.rpartition(".")
    for candidate in candidates:
        other, _, name = candidate.rpartition(".")
        if name.startswith("_") and not last.startswith("_"):
            continue  # Hydra's own words
        whole = SequenceMatcher(None, word, candidate).ratio()
        alike = _alike(last, name)
        if alike >= ALIKE_LAST:
            near = SAME_PARENT * SequenceMatcher(None, parent, other).ratio() if parent else 0.0
            ranked.append((1 + alike + near, whole, candidate))
        elif max(whole, _alike(word, candidate)) >= ALIKE_WHOLE:
            ranked.append((whole, whole, candidate))
    if not ranked:
        return ""
    return f"; did you mean '{max(ranked, key=lambda found: found[:2])[2]}'?"


def _alike(word: str, name: str) -> float:
    """Return how alike two words are, from 0 to 1."""
    if word == name:
        return 1.0
    if sorted(word) == sorted(name):
        return ANAGRAM
    ratio = SequenceMatcher(None, word, name).ratio()
    # Of names that hold a word, that with the least beside it is the likeliest.
    return max(ratio, CONTAINED + BESIDE * ratio) if word in re.split("[_-]", name) else ratio


def printable(text: str) -> str:
    """Return a text with its control characters written out, so that no name in a file steers a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter in "\n\t" or not is_control(letter) else written(letter) for letter in text)


def written(letter: str) -> str:
    """Return a character as an escape sequence of Python's."""
    return f"\\x{ord(letter):02x}" if letter <= "\xff" else f"\\u{ord(letter):04x}"


def is_control(letter: str) -> bool:
    """Return whether a character is a control character (C0, DEL or C1), or separates lines or paragraphs."""
    return letter < " " or "\x7f" <= letter <= "\x9f" or letter in "\u2028\u2029"


def is_broken(text: str) -> bool:
    """Return whether a text holds lone surrogates, which are no characters and which no tokenizer takes.

    Python writes the bytes of a file's name that are no UTF-8 so.
    """
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def one_line(said: object, most: int = 300) -> str:
    """Return the beginning of what a library, or a stranger's file, says, on one line."""
    text = " ".join(str(said).split())
    return text if len(text) <= most else text[:most] + " ..."


def choose(option: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises:
        UserError: naming the option, the choices and the nearest of them.
    """
    known = list(choices)
    if value not in known:
        raise UserError(f"{option}={value} is not known: choose from {', '.join(known)}{nearest(value, known)}")
    return value
