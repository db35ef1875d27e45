"""Beam search that says what it must: a beginning, and phrases anywhere (grid beam search, Hokamp and Liu 2017).

How it works. A hypothesis may begin any phrase that it still lacks, and then says it to its end; else it says what it
likes. Hypotheses compete with those alone that have as many tokens of phrases: the first bank has none, the last one
all. So no hypothesis is lost only because its next phrase is unlikely. It ends where nothing is lacking, and begins
what it lacks when nothing else would fit into its length. As in dynamic beam allocation (Post and Vilar 2018) the banks
share the beam, which is twice as large here as without phrases.

What a phrase is worth is what the model attends to, as in a pointer-generator (See et al. 2017): of a step that looks
at the source tokens of phrases with weight a, the phrases are worth their parts of a, and all else its probability
times 1 - a. So a phrase stands where its source would be translated, and that is not translated beside it.

All of it is done sentence by sentence, so that no answer depends on those beside it; the step function alone sees a
batch. It runs on arrays, for torch and for exported graphs alike. Shapes: B sentences of S tokens, K hypotheses, V
target tokens.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from gru_nlp.abandoning import go_on
from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Hypotheses
from gru_nlp.text.special import BOS, EOS, PAD, UNK

State = TypeVar("State", bound="Selectable")
Switches = npt.NDArray[np.bool_]


class Selectable(Protocol):
    """A decoder's state, as far as the search touches it."""

    def select_sentences(self: State, rows: AnyArray) -> State:
        """Keep the sentences ``rows``."""

    def select_hypotheses(self: State, places: AnyArray) -> State:
        """Take the hypotheses ``places`` ``(B, K')`` of every sentence."""


#: Last tokens ``(B, K)`` and a state -> log-probabilities ``(B, K, V)``, attention ``(B, K, S)``, the state after them.
StepFunction = Callable[[AnyArray, State], tuple[AnyArray, AnyArray, State]]
#: Least that a phrase, and what is said in its place, are worth by attention.
LEAST = 1e-3


class Phrase(NamedTuple):
    """Tokens that stand together.

    Attributes:
        first: where they begin the sentence.
        inside: anywhere else.
        whole: whether the next token may not go on their last word.
        places: of the source tokens that they stand for.
    """

    first: tuple[int, ...]
    inside: tuple[int, ...]
    whole: bool
    places: tuple[int, ...]


class Grammar(NamedTuple):
    """What kinds of tokens there are.

    Attributes:
        glued: ``(V,)`` those that go on the word before them.
        digits: ``(V,)`` those with digits.
        blank: the one that is a blank alone, behind which no phrase begins; None: there is none.
    """

    glued: Switches
    digits: Switches
    blank: int | None


class Demand(NamedTuple):
    """What a sentence must hold.

    Attributes:
        grammar: of its tokens.
        prefix: the tokens that it begins with.
        phrases: in any order.
        numerals: whether tokens with digits may stand outside of these.
        slots: the words that stand for the unknown tokens in its phrases, in their order.
    """

    grammar: Grammar
    prefix: tuple[int, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    numerals: bool = True
    slots: tuple[str, ...] = ()


class Beam(NamedTuple):
    """Options of the search, as in ``gru_nlp.decoding.beam``; ``longest`` ``(B,)`` and ``shortest`` count tokens."""

    size: int
    n_best: int
    length_penalty: float
    shortest: int
    longest: Sequence[int]

    def ranked(self, total: float, length: int) -> float:
        """Return what a sum of log-probabilities is ranked by, the end mark counted in the length."""
        return float(total / ((5.0 + length) / 6.0) ** self.length_penalty)


class _Open(NamedTuple):
    """A hypothesis that has not ended.

    Attributes:
        tokens: so far.
        total: summed log-probability.
        worth: what it is followed for: the same, with attention in the place of the probabilities of phrases.
        lacking: phrases it has not begun, by number.
        owed: tokens of the phrase that it is in.
        whole: whether its next token begins a word.
        parent: the place of what it goes on from.
    """

    tokens: tuple[int, ...]
    total: float
    worth: float
    lacking: tuple[int, ...]
    owed: tuple[int, ...] = ()
    whole: bool = False
    parent: int = 0


class _Ended(NamedTuple):
    """A hypothesis that has ended: what it is ranked by, its sum of log-probabilities, its tokens."""

    score: float
    total: float
    tokens: tuple[int, ...]


class _Sentence:
    """The search for one sentence; ``longest`` counts the tokens of its phrases on top."""

    def __init__(self, demand: Demand, beam: Beam, longest: int) -> None:
        self.demand, self.grammar, self.beam = demand, demand.grammar, beam
        self.sizes = [max(len(phrase.first), len(phrase.inside)) for phrase in demand.phrases]
        self.longest = longest + sum(self.sizes) + len(demand.prefix)
        self.bank = max(min(2, beam.size), math.ceil((2 if self.sizes else 1) * beam.size / (sum(self.sizes) + 1)))
        self.places = [list(phrase.places) for phrase in demand.phrases]
        self.everywhere = sorted({place for places in self.places for place in places})
        self.open = [_Open((), 0.0, 0.0, tuple(range(len(demand.phrases))))]
        self.ended: list[_Ended] = []

    def advance(self, scores: AnyArray, weights: AnyArray) -> None:
        """Extend every open hypothesis by log-probabilities ``(K, V)`` and attention ``(K, S)``."""
        banks: dict[int, list[_Open]] = {}
        for place, hypothesis in enumerate(self.open):
            for child in self._children(hypothesis._replace(parent=place), scores[place], weights[place]):
                banks.setdefault(self._lacks(child), []).append(child)
        self.open = []
        for children in banks.values():
            best = sorted(children, key=lambda child: -child.worth)[: 2 * self.bank]
            self.ended += [self._ended(child) for child in best[: self.bank] if child.tokens[-1] == EOS]
            self.open += [child for child in best if child.tokens[-1] != EOS][: self.bank]
        self.ended = sorted(self.ended, key=lambda one: -one.score)[: self.beam.n_best]

    def _lacks(self, hypothesis: _Open) -> int:
        return len(hypothesis.owed) + sum(self.sizes[number] for number in hypothesis.lacking)

    def _ended(self, hypothesis: _Open) -> _Ended:
        score = self.beam.ranked(hypothesis.worth, len(hypothesis.tokens))
        return _Ended(score, hypothesis.total, hypothesis.tokens[:-1])

    def _children(self, before: _Open, scores: AnyArray, weights: AnyArray) -> Iterator[_Open]:
        """Yield what may follow a hypothesis, by log-probabilities ``(V,)`` and attention ``(S,)``."""
        length, prefix = len(before.tokens), self.demand.prefix
        if length < len(prefix):
            yield _longer(before, prefix[length], scores, 0.0)._replace(whole=length + 1 == len(prefix))
        elif before.owed:
            yield _longer(before, before.owed[0], scores, 0.0)._replace(owed=before.owed[1:])
        else:
            yield from self._begun(before, scores, weights)
            yield from self._free(before, scores, weights)

    def _begun(self, before: _Open, scores: AnyArray, weights: AnyArray) -> Iterator[_Open]:
        """Yield a hypothesis with each phrase that it may begin."""
        for number in before.lacking:
            if before.tokens and before.tokens[-1] == self.grammar.blank:
                return
            phrase = self.demand.phrases[number]
            token, *owed = phrase.inside if before.tokens else phrase.first
            attended = math.log(max(float(weights[self.places[number]].sum()), LEAST))
            rest = tuple(other for other in before.lacking if other != number)
            longer = _longer(before, token, scores, attended)
            yield longer._replace(lacking=rest, owed=tuple(owed), whole=phrase.whole)

    def _free(self, before: _Open, scores: AnyArray, weights: AnyArray) -> Iterator[_Open]:
        """Yield a hypothesis with each of what it would rather say."""
        if len(before.tokens) + self._lacks(before) < self.longest:
            likeliest = self._likeliest(before, scores)
        else:
            likeliest = [] if before.lacking else [EOS]
        elsewhere = math.log(max(1.0 - float(weights[self.everywhere].sum()), LEAST))
        for token in likeliest:
            yield _longer(before, token, scores, float(scores[token]) + elsewhere)._replace(whole=False)

    def _likeliest(self, before: _Open, scores: AnyArray) -> list[int]:
        """Return the tokens that a hypothesis would rather say, the end mark among them where it may end."""
        allowed = scores.copy()
        allowed[[PAD, UNK, BOS]] = -np.inf
        if before.lacking or len(before.tokens) < self.beam.shortest:
            allowed[EOS] = -np.inf
        if before.whole:
            allowed[self.grammar.glued] = -np.inf
        if not self.demand.numerals:
            allowed[self.grammar.digits] = -np.inf
        most = min(2 * self.bank, len(allowed))
        chosen = np.argpartition(-allowed, most - 1)[:most]
        return [int(token) for token in chosen if allowed[token] > -np.inf]

    @property
    def done(self) -> bool:
        """Whether no open hypothesis can still enter the N best."""
        if not self.open or len(self.ended) < self.beam.n_best:
            return not self.open
        best = max(hypothesis.worth for hypothesis in self.open)
        most = self.beam.ranked(best, self.longest + 1) if self.beam.length_penalty >= 0 else best
        return most <= self.ended[-1].score


def _longer(before: _Open, token: int, scores: AnyArray, gain: float) -> _Open:
    """Return a hypothesis with a token more."""
    total = before.total + float(scores[token])
    return before._replace(tokens=(*before.tokens, token), total=total, worth=before.worth + gain)


def search(step: StepFunction[State], state: State, demands: Sequence[Demand], beam: Beam) -> Hypotheses[AnyArray]:
    """Search for sentences, each with its ``demands``; ``state`` holds one open hypothesis a sentence."""
    each = [_Sentence(demand, beam, longest) for demand, longest in zip(demands, beam.longest, strict=True)]
    going = list(each)
    while going:
        go_on()
        last = _padded([[(hypothesis.tokens or (BOS,))[-1] for hypothesis in one.open] for one in going])
        scores, weights, state = step(last, state)
        for sentence, likely, attended in zip(going, scores, weights, strict=True):
            sentence.advance(likely, attended)
        kept = [place for place, sentence in enumerate(going) if not sentence.done]
        going = [going[place] for place in kept]
        if going:
            parents = _padded([[hypothesis.parent for hypothesis in one.open] for one in going])
            state = state.select_sentences(np.array(kept)).select_hypotheses(parents)
    return _together([sentence.ended for sentence in each], beam.n_best)


def _padded(rows: Sequence[Sequence[int]]) -> AnyArray:
    """Return rows ``(B, K)`` int64, filled up with 0, which is that of padding and the place of a first hypothesis."""
    padded = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return padded


def _together(found: Sequence[Sequence[_Ended]], n_best: int) -> Hypotheses[AnyArray]:
    longest = max((len(one.tokens) for row in found for one in row), default=0)
    shape = len(found), n_best
    tokens, lengths = np.full((*shape, longest), PAD, np.int64), np.zeros(shape, np.int64)
    scores, totals = np.full(shape, -np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    for row, hypotheses in enumerate(found):
        for rank, one in enumerate(hypotheses):
            tokens[row, rank, : len(one.tokens)] = one.tokens
            lengths[row, rank] = len(one.tokens)
            scores[row, rank], totals[row, rank] = one.score, one.total
    return Hypotheses(tokens, lengths, scores, totals)
