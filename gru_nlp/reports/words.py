"""Which words of a text spoke for an answer: each is left out, and what the answer loses by that is its weight.

How it works. Texts without a word go the same road as any text, so that all parts of a model count: its recurrent part,
its n-grams, whatever cuts texts short (Li et al. 2016, "Understanding neural networks through representation erasure").
Words speak together: without "not" nothing is lost by "great" in "not great". So those that spoke most are found one
after the other, each by what leaving it out takes from a text that the ones before have left.

What an answer has is its lead: the logarithm of how many times as likely it is as the best other one.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gru_nlp.text.cuts import DEFAULT
from gru_nlp.text.words import make_splitter, split_words

#: Parts of a text that are left out at most; in a longer one several neighbours make a part.
MOST_PARTS = 128
#: Parts that are said to have spoken most, and among how many of the heaviest they are sought.
SPOKE, CANDIDATES = 3, 12
#: No probability is taken for less.
LEAST = 1e-38

#: Leads of an answer in texts.
Leads = Callable[[Sequence[str]], list[float]]


class Spoken(NamedTuple):
    """What parts of a text say for an answer.

    Attributes:
        parts: first and last character, the latter not part of it, of each part.
        weights: what the answer's lead loses without each part alone.
        most: numbers of the parts that spoke most together, the first one first.
    """

    parts: list[tuple[int, int]]
    weights: list[float]
    most: list[int]


def spoken(text: str, leads: Leads) -> Spoken:
    """Return what the words of a text say for an answer.

    Args:
        text: with at least one word.
        leads: gives the answer's lead in texts.
    """
    parts = parts_of(text)
    whole, *single = leads([text, *(without(text, parts, [part]) for part in range(len(parts)))])
    weights = [whole - one for one in single]
    heaviest = sorted(range(len(parts)), key=lambda part: -weights[part])[:CANDIDATES]
    most = heaviest[:1]
    while len(most) < min(SPOKE, len(heaviest)):
        others = [part for part in heaviest if part not in most]
        found = leads([without(text, parts, [*most, part]) for part in others])
        most.append(others[found.index(min(found))])
    return Spoken(parts, weights, most)


def parts_of(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand; of a text of many words, where neighbours do, at most ``MOST_PARTS``."""
    words = split_words(make_splitter(DEFAULT), [text])[0]
    size = -(-len(words) // MOST_PARTS)
    starts = range(0, len(words), max(size, 1))
    return [(words[first].start, words[min(first + size, len(words)) - 1].end) for first in starts]


def without(text: str, parts: Sequence[tuple[int, int]], gone: Sequence[int]) -> str:
    """Return a text without some of its parts."""
    kept, last = [], 0
    for part in sorted(gone):
        start, end = parts[part]
        kept.append(text[last:start])
        last = end
    return "".join([*kept, text[last:]])


def lead(probabilities: dict[str, float], label: str) -> float:
    """Return the lead of a label over the likeliest other."""
    best = max((value for name, value in probabilities.items() if name != label), default=0.0)
    return math.log(max(probabilities.get(label, 0.0), LEAST)) - math.log(max(best, LEAST))
