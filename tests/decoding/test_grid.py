"""A search that must say phrases against brute force on a tiny language model whose whole output can be listed."""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
import torch

from gru_nlp.abandoning import Abandoned, unless
from gru_nlp.decoding import grid
from gru_nlp.decoding.beam import BeamSearch
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.text.special import BOS, EOS, UNK

V = 8  # four marks and four words
ATTENTION = np.array([0.3, 0.2, 0.5], np.float32)
LONGEST, PENALTY = 3, 0.6


class Past(NamedTuple):
    """Which sentence, ``(B,)``, and a number that depends on all tokens so far, ``(B, K)``."""

    sentence: np.ndarray
    seen: np.ndarray

    def select_sentences(self, rows):
        return Past(self.sentence[rows], self.seen[rows])

    def select_hypotheses(self, places):
        return self._replace(seen=np.take_along_axis(self.seen, places, 1))


def step(tokens, state):
    seen = (state.seen * 5 + tokens) % 1009
    raw = np.sin(np.arange(V) * 1.7 + seen[..., None] * 0.37 + state.sentence[:, None, None] * 1.3) * 2.0
    likely = raw - np.log(np.exp(raw).sum(axis=2, keepdims=True))
    return likely, np.broadcast_to(ATTENTION, (*tokens.shape, 3)), Past(state.sentence, seen)


def begin(sentences):
    return Past(np.array(sentences), np.zeros((len(sentences), 1), np.int64))


def demand(phrases=(), **others):
    grammar = grid.Grammar(np.arange(V) == 7, np.arange(V) == 6, None)
    made = [grid.Phrase(tokens, tokens, whole, (place,)) for place, (tokens, whole) in enumerate(phrases)]
    return grid.Demand(grammar, phrases=tuple(made), **others)


def search(sentences, demands, size=5, n_best=1):
    beam = grid.Beam(size, n_best, PENALTY, 0, [LONGEST] * len(sentences))
    found = grid.search(step, begin(sentences), demands, beam)
    return [
        [tuple(tokens[:length]) for tokens, length in zip(row, lengths, strict=True)]
        for row, lengths in zip(found.tokens.tolist(), found.lengths.tolist(), strict=True)
    ], found


def worth(sentence, words, forced):
    """Score words of which some, by place, are of a phrase: the first of it has its attention, the others nothing."""
    state, last, total = begin([sentence]), BOS, 0.0
    elsewhere = math.log(1 - sum(ATTENTION[: len(set(forced.values()))]))
    for place, word in enumerate([*words, EOS]):
        likely, _, state = step(np.array([[last]]), state)
        if place not in forced:
            total += likely[0, 0, word] + elsewhere
        elif forced.get(place - 1) != forced[place]:
            total += math.log(ATTENTION[forced[place]])
        last = word
    return total / ((5 + len(words) + 1) / 6) ** PENALTY


@pytest.mark.parametrize("sentence", range(6))
def test_a_wide_search_finds_the_best_that_holds_the_phrase(sentence):
    best = {}
    for length in range(2, LONGEST + 3):
        for words in itertools.product(range(4, V), repeat=length):
            for start in range(length - 1):
                follows = words[start + 2 : start + 3]
                if words[start : start + 2] == (5, 6) and follows != (7,):
                    score = worth(sentence, words, {start: 0, start + 1: 0})
                    best[words] = max(score, best.get(words, -math.inf))
    wanted = sorted(best, key=best.get, reverse=True)
    found, scores = search([sentence], [demand([((5, 6), True)])], size=600, n_best=3)
    assert scores.scores[0, 0] == pytest.approx(best[found[0][0]], abs=1e-5)
    assert found[0][0] == wanted[0]
    assert set(found[0][1:]) <= set(wanted)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_what_is_demanded_is_said_whatever_the_company(size):
    demands = [
        demand([((5, 6), True), ((4,), False)], numerals=False),
        demand([((UNK,), True)] * 2),
        demand(prefix=(6, 6)),
        demand(),
        demand([((5, 6, 4, 4, 5), False)], prefix=(7,)),
    ]
    found, outputs = search(range(5), demands, size)
    first, second, third, _, last = (row[0] for row in found)
    joined = "".join(map(str, first))
    assert "56" in joined
    assert "4" in joined
    assert joined.count("6") == 1
    assert "567" not in joined
    assert second.count(UNK) == 2
    assert third[:2] == (6, 6)
    assert last[0] == 7
    assert "56445" in "".join(map(str, last))
    alone = [search([sentence], [one], size)[0][0] for sentence, one in enumerate(demands)]
    assert alone == found
    assert np.isfinite(outputs.totals).all()


def test_a_search_that_nobody_waits_for_ends_after_its_step():
    asked = []
    with pytest.raises(Abandoned), unless(lambda: asked.append(1) or len(asked) == 3):
        search(range(2), [demand([((5, 6), True)]), demand(prefix=(4,))])
    assert len(asked) == 3
    asked.clear()
    with unless(lambda: asked.append(1)):
        search(range(2), [demand([((5, 6), True)]), demand(prefix=(4,))])
    assert len(asked) > 3


def test_strategies_of_torch_force_the_same():
    class Kept(NamedTuple):
        sentence: torch.Tensor
        seen: torch.Tensor

        def select_sentences(self, rows):
            return Kept(self.sentence[rows], self.seen[rows])

        def select_hypotheses(self, places):
            return self._replace(seen=self.seen.gather(1, places))

    def stepped(tokens, state):
        likely, weights, after = step(tokens.numpy(), Past(*(part.numpy() for part in state)))
        return torch.from_numpy(likely), torch.from_numpy(weights.copy()), Kept(*map(torch.from_numpy, after))

    options = {"max_ratio": 0.0, "max_extra": LONGEST, "min_length": 0}
    beam = BeamSearch(beam_size=2, n_best=2, length_penalty=PENALTY, no_repeat_ngram=0, **options)
    state = Kept(torch.arange(2), torch.zeros(2, 1, dtype=torch.int64))
    demands = [demand([((5, 6), True)]), demand(prefix=(4,))]
    found = beam.forced(stepped, state, torch.ones(2), demands)
    wanted = search(range(2), demands, 2, 2)[1]
    assert found.tokens.tolist() == wanted.tokens.tolist()
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-6)
    assert Greedy(**options).forced(stepped, state, torch.ones(2), demands).tokens.shape[:2] == (2, 1)
