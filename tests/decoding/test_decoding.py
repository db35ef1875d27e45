"""Strategies against brute force on a tiny language model whose whole output can be listed."""

import itertools
from typing import NamedTuple

import pytest
import torch

from gru_nlp.decoding.base import in_place
from gru_nlp.decoding.beam import BeamSearch, best_of
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.decoding.sampling import Sampling
from gru_nlp.text.special import EOS

V = 7  # four marks and three words
LIMITS = {"max_ratio": 0.0, "max_extra": 4, "min_length": 0}


class Past(NamedTuple):
    """The state of the tiny model: which sentence, and a number that depends on all tokens so far."""

    sentence: torch.Tensor  # (B,)
    seen: torch.Tensor  # (B, K)

    def select_sentences(self, rows):
        return Past(self.sentence[rows], self.seen[rows])

    def select_hypotheses(self, places):
        return self._replace(seen=self.seen.gather(1, places))


def logits(sentence, seen):
    places = torch.arange(V, dtype=torch.float64)
    raw = torch.sin(places * 1.7 + seen.double()[..., None] * 0.37 + sentence.double()[:, None, None] * 1.3) * 2.0
    return raw.log_softmax(dim=2)


def step(tokens, state):
    seen = (state.seen * 5 + tokens) % 1009
    return logits(state.sentence, seen), Past(state.sentence, seen)


def begin(sentences):
    return Past(torch.tensor(sentences), torch.zeros(len(sentences), 1, dtype=torch.int64))


def beam(**changed):
    options = {"beam_size": 5, "length_penalty": 0.6, "n_best": 1, "no_repeat_ngram": 0, **LIMITS, **changed}
    return BeamSearch(**options)


def search(strategy, sentences):
    return strategy(step, begin(sentences), torch.ones(len(sentences), dtype=torch.int64))


def listed(sentence, longest=4, shortest=0, penalty=0.6):
    """Score every hypothesis of up to ``longest`` words, best first."""
    found = []
    for length in range(shortest, longest + 1):
        for words in itertools.product(range(4, V), repeat=length):
            state, last, total = begin([sentence]), 2, 0.0
            for token in (*words, EOS):
                scores, state = step(torch.tensor([[last]]), state)
                total += float(scores[0, 0, token])
                last = token
            found.append((total / ((5 + length + 1) / 6) ** penalty, list(words)))
    return sorted(found, reverse=True)


def hypotheses(result, row):
    return [
        (float(score), tokens[:length].tolist())
        for score, tokens, length in zip(result.scores[row], result.tokens[row], result.lengths[row], strict=True)
    ]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.5])
def test_a_wide_beam_finds_what_exhaustive_search_finds(penalty):
    sentences = [0, 1, 2, 3]
    result = search(beam(beam_size=100, n_best=5, length_penalty=penalty), sentences)
    for row, sentence in enumerate(sentences):
        expected = listed(sentence, penalty=penalty)[:5]
        found = hypotheses(result, row)
        assert [words for _, words in found] == [words for _, words in expected]
        assert [score for score, _ in found] == pytest.approx([score for score, _ in expected], rel=1e-6)


def test_limits_of_length_hold():
    expected = listed(1, longest=3, shortest=2)[0]
    found = hypotheses(search(beam(beam_size=60, max_extra=3, min_length=2), [1]), 0)[0]
    assert found[1] == expected[1]
    assert found[0] == pytest.approx(expected[0])


def test_sentences_do_not_depend_on_their_company():
    together = search(beam(n_best=3), list(range(12)))
    for sentence in range(12):
        alone = search(beam(n_best=3), [sentence])
        company, own = hypotheses(together, sentence), hypotheses(alone, 0)
        assert [words for _, words in company] == [words for _, words in own]
        assert [score for score, _ in company] == pytest.approx([score for score, _ in own])


def test_greedy_takes_the_likeliest_token():
    result = search(Greedy(max_ratio=0.0, max_extra=6, min_length=0), [0, 1, 2])
    for row, sentence in enumerate([0, 1, 2]):
        state, last, words = begin([sentence]), 2, []
        while len(words) < 6:
            scores, state = step(torch.tensor([[last]]), state)
            scores[0, 0, [0, 1, 2]] = float("-inf")
            last = int(scores.argmax())
            if last == EOS:
                break
            words.append(last)
        assert hypotheses(result, row)[0][1] == words


def test_no_ngram_is_repeated_on_request():
    free = hypotheses(search(beam(max_extra=12, min_length=12), [2]), 0)[0][1]
    bound = hypotheses(search(beam(max_extra=12, min_length=9, no_repeat_ngram=2), [2]), 0)[0][1]

    def bigrams(words):
        return list(itertools.pairwise(words))

    assert len(set(bigrams(free))) < len(bigrams(free))
    assert len(set(bigrams(bound))) == len(bigrams(bound))


def test_an_early_stop_saves_steps_and_finds_what_would_win_now():
    def steps(**options):
        asked = []

        def counted(tokens, state):
            asked.append(tokens.numel())
            return step(tokens, state)

        lengths = torch.ones(12, dtype=torch.int64)
        result = beam(max_extra=40, **options)(counted, begin(list(range(12))), lengths)
        return sum(asked), result

    (whole, sure), (saved, early) = steps(), steps(early_stop=True)
    assert saved < whole
    assert (early.scores <= sure.scores + 1e-6).all()
    assert early.scores.isfinite().all()


@pytest.mark.parametrize(("columns", "count"), [(4000, 10), (4007, 7), (90_000, 1), (160, 12)])
def test_the_best_of_long_rows_are_those_of_a_whole_sort(columns, count):
    values = torch.randn(20, columns, generator=torch.Generator().manual_seed(3))
    values[3] = float("-inf")
    values[4, 5:] = float("-inf")
    best, places = best_of(values, count)
    assert torch.equal(best, values.sort(dim=1, descending=True).values[:, :count])
    assert torch.equal(values.gather(1, places), best)
    assert all(len(set(row)) == count for row in places.tolist())


@pytest.mark.parametrize("done", [[0, 1, 0, 0, 1], [1, 1, 0, 1, 0], [0, 0], [1], [1, 0, 0, 0]])
def test_those_that_go_on_fill_the_holes(done):
    rows = in_place(torch.tensor(done, dtype=torch.bool)).tolist()
    assert sorted(rows) == [row for row, over in enumerate(done) if not over]
    assert all(row in (place, *range(len(rows), len(done))) for place, row in enumerate(rows))


def test_an_empty_batch_gives_no_hypotheses():
    for strategy in (beam(), Greedy(**LIMITS), sampling()):
        assert search(strategy, []).tokens.shape[0] == 0


def sampling(**changed):
    return Sampling(**{"temperature": 1.0, "top_k": None, "top_p": 1.0, "seed": 1, **LIMITS, **changed})


def test_samples_follow_the_model():
    result = search(sampling(), [0] * 4000)
    first = [hypotheses(result, row)[0][1][:1] for row in range(4000)]
    scores = logits(torch.tensor([0]), torch.tensor([[2]]))[0, 0]
    allowed = scores.clone()
    allowed[[0, 1, 2]] = float("-inf")
    expected = allowed.softmax(dim=0)
    for token in range(4, V):
        assert first.count([token]) / 4000 == pytest.approx(float(expected[token]), abs=0.03)
    assert first.count([]) / 4000 == pytest.approx(float(expected[EOS]), abs=0.03)


def test_low_temperature_top_k_and_top_p_become_greedy():
    greedy = [hypotheses(search(Greedy(**LIMITS), [s]), 0)[0][1] for s in range(5)]
    for strategy in (sampling(temperature=1e-4), sampling(top_k=1), sampling(top_p=1e-9)):
        result = search(strategy, list(range(5)))
        assert [hypotheses(result, row)[0][1] for row in range(5)] == greedy


def test_the_same_seed_draws_the_same():
    a, b, c = (search(sampling(seed=seed), list(range(20))).tokens for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert a.shape != c.shape or not torch.equal(a, c)
