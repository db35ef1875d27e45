"""From what a recogniser says of every step to text: connectionist temporal classification (Graves et al. 2006).

How it works. A step says a token or nothing, the blank; a path through the steps stands for the tokens that are left
once repeated ones are one and blanks are gone, and a text is as likely as all of its paths together. ``Greedy`` takes
the likeliest path. ``PrefixBeam`` follows K texts and sums the paths of each, those that end in its last token apart
from those that end in a blank, since the same token again is another one after a blank alone. Where a text's tokens
are heard is told by its likeliest path (``aligned``), and how likely it is by all of them (``likelihood``), so that
both strategies are judged alike. A language model's opinion of a text is added as each token is.

Everything is numpy and about one recording, so that answers depend on nothing else; a runtime without torch shares it.
Shapes: B recordings of T steps, V tokens with the blank in the place of padding; S tokens of a text, and of its path
2 S + 1 places, blanks around each.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.errors import UserError
from gru_nlp.outputs import Recognition
from gru_nlp.text.special import EOS, PAD, SPECIAL_TOKENS

#: The id that says nothing.
BLANK = PAD
NEVER = float("-inf")
Tokens = tuple[int, ...]


class Heard(NamedTuple):
    """A text, and what it is ranked by."""

    tokens: Tokens
    score: float


class Node(NamedTuple):
    """What a language model knows of a text: log-probabilities ``(V,)`` of what follows, and what it keeps."""

    follows: AnyArray
    kept: Any


class Foretelling(Protocol):
    """A language model over a recogniser's tokens; the end of a text is its end mark."""

    def begin(self) -> Node:
        """Return what is known of no text yet."""

    def go_on(self, tokens: Sequence[int], before: Sequence[Any]) -> list[Node]:
        """Return what is known of texts, each of which goes on by a token; ``before`` is what was kept of each."""


class CTCDecoding(ABC):
    """A way from steps to texts.

    Attributes:
        language_model: path of one that is to be weighed in; who reads checkpoints puts it into ``foretelling``.
    """

    language_model: str | None = None
    foretelling: Foretelling | None = None

    @abstractmethod
    def search(self, scores: AnyArray, most: int) -> list[Heard]:
        """Return up to ``most`` texts, best first, of log-probabilities ``(T, V)``; at least one, maybe empty."""


class Greedy(CTCDecoding):
    """The likeliest token of every step."""

    def search(self, scores: AnyArray, most: int) -> list[Heard]:
        """Return one text; its score is the log-probability of its likeliest path."""
        path = scores.argmax(axis=1)
        first = np.append(True, path[1:] != path[:-1])
        return [Heard(tuple(path[first & (path != BLANK)].tolist()), float(scores.max(axis=1).sum()))]


class PrefixBeam(CTCDecoding):
    """Prefix search (Graves 2012, section 7.5.1), a language model weighed in at each token (Hannun et al. 2014).

    A text ranks by its log-probability, plus ``language_model_weight`` times the language model's, plus ``bonus`` for
    each token, which makes good that longer texts are less likely to a language model.

    Args:
        beam_size: texts K that are followed.
        least_probability: of a token at a step, below which it extends no text; 0: all tokens extend all.
        language_model: a checkpoint; None: nothing is weighed in.
        language_model_weight: of its log-probabilities.
        bonus: for each token.

    Raises:
        UserError: no text is to be followed, or a number is not finite.
    """

    def __init__(
        self,
        *,
        beam_size: int,
        least_probability: float,
        language_model: str | None,
        language_model_weight: float,
        bonus: float,
    ) -> None:
        if beam_size < 1:
            raise UserError(f"decoding.beam_size={beam_size} must be at least 1")
        if not (math.isfinite(language_model_weight) and math.isfinite(bonus)):
            raise UserError("decoding.language_model_weight and decoding.bonus must be finite numbers")
        self.beam_size = beam_size
        self.least = math.log(least_probability) if least_probability else NEVER
        self.language_model, self.weight, self.bonus = language_model, language_model_weight, bonus

    def search(self, scores: AnyArray, most: int) -> list[Heard]:
        """Follow K texts through all steps."""
        beam = _Beam(self)
        for row in scores:
            beam.advance(row)
        return beam.ranked(beam.ended)[:most]


def plus(one: float, other: float) -> float:
    """Return the logarithm of the sum of two numbers of which logarithms are given."""
    low, high = (one, other) if one < other else (other, one)
    return high if low == NEVER else high + math.log1p(math.exp(low - high))


class _Beam:
    """The texts that are followed in one recording.

    ``texts`` has of each the log-probabilities of its paths that end in a blank, and of those that end in its last
    token; ``worth`` what a language model and the bonus add to it; ``nodes`` what that model knows of it.
    """

    def __init__(self, options: PrefixBeam) -> None:
        self.options = options
        self.texts: dict[Tokens, tuple[float, float]] = {(): (0.0, NEVER)}
        self.worth: dict[Tokens, float] = {(): 0.0}
        self.nodes: dict[Tokens, Node] = {}
        if options.foretelling is not None:
            self.nodes[()] = options.foretelling.begin()

    def advance(self, row: AnyArray) -> None:
        """Take a step of log-probabilities ``(V,)``."""
        likely = [token for token in np.flatnonzero(row > self.options.least).tolist() if token != BLANK]
        values: list[float] = row.tolist()
        blank, found = values[BLANK], dict[Tokens, tuple[float, float]]()

        def add(text: Tokens, in_blank: float, in_token: float) -> None:
            other = found.get(text, (NEVER, NEVER))
            found[text] = plus(other[0], in_blank), plus(other[1], in_token)

        for text, (in_blank, in_token) in self.texts.items():
            both, last = plus(in_blank, in_token), text[-1] if text else BLANK
            add(text, both + blank, in_token + values[last] if text else NEVER)
            for token in likely:
                before = in_blank if token == last else both
                if before > NEVER:
                    add((*text, token), NEVER, before + values[token])
        self._keep(found)

    def _keep(self, found: dict[Tokens, tuple[float, float]]) -> None:
        """Follow the K best of all texts."""
        worth = {text: self._worth(text) for text in found}
        best = sorted(found, key=lambda text: (-(plus(*found[text]) + worth[text]), text))[: self.options.beam_size]
        if self.options.foretelling is not None:
            new = [text for text in best if text not in self.nodes]
            before = [self.nodes[text[:-1]].kept for text in new]
            nodes = self.options.foretelling.go_on([text[-1] for text in new], before) if new else []
            known = self.nodes | dict(zip(new, nodes, strict=True))
            self.nodes = {text: known[text] for text in best}
        self.texts = {text: found[text] for text in best}
        self.worth = {text: worth[text] for text in best}

    def _worth(self, text: Tokens) -> float:
        if text in self.worth:
            return self.worth[text]
        follows = self.nodes[text[:-1]].follows[text[-1]] if self.nodes else 0.0
        return self.worth[text[:-1]] + self.options.weight * float(follows) + self.options.bonus

    def ended(self, text: Tokens) -> float:
        """Return the worth of a text that ends here."""
        end = self.options.weight * float(self.nodes[text].follows[EOS]) if self.nodes else 0.0
        return self.worth[text] + end

    def ranked(self, worth: Callable[[Tokens], float]) -> list[Heard]:
        """Return all texts, best first."""
        heard = [Heard(text, plus(*both) + worth(text)) for text, both in self.texts.items()]
        return sorted(heard, key=lambda one: -one.score)


def places(tokens: Sequence[int]) -> tuple[IntArray, AnyArray]:
    """Return the tokens ``(2 S + 1,)`` of a text's path, and whether each may follow the one two before it."""
    path = np.full(2 * len(tokens) + 1, BLANK, dtype=np.int64)
    path[1::2] = tokens
    skips = np.zeros(len(path), dtype=bool)
    skips[3::2] = path[3::2] != path[1:-2:2]
    return path, skips


def likelihood(scores: AnyArray, tokens: Sequence[int]) -> float:
    """Return the log-probability of a text by all of its paths; minus infinity where it has none.

    Args:
        scores: log-probabilities ``(T, V)``.
        tokens: of the text.
    """
    path, skips = places(tokens)
    alike = np.full(len(path), NEVER)
    alike[:2] = scores[0, path[:2]]
    for row in scores[1:]:
        before = np.full((2, len(path)), NEVER)
        before[0, 1:] = alike[:-1]
        before[1, 2:] = np.where(skips[2:], alike[:-2], NEVER)
        alike = row[path] + np.logaddexp(np.logaddexp(alike, before[0]), before[1])
    return float(np.logaddexp.reduce(alike[-2:]))


def aligned(scores: AnyArray, tokens: Sequence[int]) -> IntArray:
    """Return the first and the last step ``(S, 2)`` of each token on the likeliest path of a text.

    Args:
        scores: log-probabilities ``(T, V)``.
        tokens: of the text, which must have a path.
    """
    path, skips = places(tokens)
    best = np.full(len(path), NEVER)
    best[:2] = scores[0, path[:2]]
    # How many places before this one the step before stood; a byte, since it is all that is held of long recordings.
    back = np.zeros((len(scores), len(path)), dtype=np.int8)
    for step in range(1, len(scores)):
        before = np.full((3, len(path)), NEVER)
        before[0] = best
        before[1, 1:] = best[:-1]
        before[2, 2:] = np.where(skips[2:], best[:-2], NEVER)
        back[step] = before.argmax(axis=0)
        best = scores[step, path] + before.max(axis=0)
    at = len(path) - 1 - int(len(path) > 1 and best[-2] > best[-1])
    found = np.full((len(tokens), 2), -1, dtype=np.int64)
    for step in range(len(scores) - 1, -1, -1):
        if at % 2:
            found[at // 2, 0] = step
            found[at // 2, 1] = max(found[at // 2, 1], step)
        at -= int(back[step, at])
    return found


def recognise(scores: AnyArray, lengths: IntArray, decoding: CTCDecoding, most: int, stack: int) -> Recognition[Any]:
    """Search each recording of a batch.

    Args:
        scores: log-probabilities ``(B, T, V)``.
        lengths: steps of each recording, ``(B,)``.
        decoding: the strategy.
        most: texts of a recording that are given, best first.
        stack: frames of a step.
    """
    heard, spans, surest, totals = [], [], [], []
    for whole, length in zip(scores, lengths.tolist(), strict=True):
        own = whole[:length].copy()
        own[:, BLANK + 1 : len(SPECIAL_TOKENS)] = NEVER  # marks that nobody says
        heard.append(decoding.search(own, most))
        tokens = heard[-1][0].tokens
        steps = aligned(own, tokens)
        spans.append(np.stack([steps[:, 0] * stack, (steps[:, 1] + 1) * stack], axis=1))
        peaks = [own[first : last + 1, token].max() for token, (first, last) in zip(tokens, steps, strict=True)]
        surest.append(np.array(peaks, dtype=np.float32))
        totals.append(likelihood(own, tokens))
    count, longest = max(map(len, heard)), max((len(one.tokens) for some in heard for one in some), default=0)
    shape = (len(heard), count)
    ids, sizes = np.full((*shape, longest), PAD, np.int64), np.zeros(shape, np.int64)
    ranks = np.full(shape, NEVER, np.float32)
    starts, ends = (np.zeros((len(heard), longest), np.int64) for _ in range(2))
    sure = np.zeros((len(heard), longest), np.float32)
    for row, (some, span, peak) in enumerate(zip(heard, spans, surest, strict=True)):
        starts[row, : len(span)], ends[row, : len(span)] = span.T
        sure[row, : len(peak)] = peak
        for place, one in enumerate(some):
            ids[row, place, : len(one.tokens)], sizes[row, place] = one.tokens, len(one.tokens)
            ranks[row, place] = one.score
    return Recognition(ids, sizes, ranks, np.array(totals, dtype=np.float32), starts, ends, sure)
