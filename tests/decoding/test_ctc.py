"""Connectionist temporal classification against all paths of small recordings."""

import itertools

import numpy as np
import pytest
import torch

from gru_nlp.decoding import ctc
from gru_nlp.errors import UserError
from gru_nlp.text.special import EOS, SPECIAL_TOKENS

FIRST = len(SPECIAL_TOKENS)


def drawn(steps, tokens, seed=0):
    """Return log-probabilities of some tokens and the blank; nobody says the marks between."""
    numbers = np.random.default_rng(seed).normal(size=(steps, FIRST + tokens)) * 2.0
    numbers[:, 1:FIRST] = -np.inf
    return numbers - np.logaddexp.reduce(numbers, axis=1, keepdims=True)


def said(path):
    return tuple(token for token, _ in itertools.groupby(path) if token != ctc.BLANK)


def all_texts(scores):
    """Return the log-probability of every text, by all of its paths, and the likeliest path of each."""
    units = [ctc.BLANK, *range(FIRST, scores.shape[1])]
    found = {}
    for path in itertools.product(units, repeat=len(scores)):
        worth = scores[np.arange(len(scores)), list(path)].sum()
        total, best = found.get(said(path), (-np.inf, (-np.inf, ())))
        found[said(path)] = (np.logaddexp(total, worth), max(best, (worth, path)))
    return found


def beam(size=10_000, least=0.0, weight=0.0, bonus=0.0):
    return ctc.PrefixBeam(
        beam_size=size, least_probability=least, language_model=None, language_model_weight=weight, bonus=bonus
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_text_is_as_likely_as_all_of_its_paths(seed):
    scores = drawn(5, 3, seed)
    found = all_texts(scores)
    for text, (total, _) in found.items():
        assert ctc.likelihood(scores, text) == pytest.approx(total)
    assert ctc.likelihood(scores, (FIRST,) * 4) == -np.inf
    heard = beam().search(scores, 20)
    ranked = sorted(found, key=lambda text: -found[text][0])[:20]
    assert [one.tokens for one in heard] == ranked
    assert [one.score for one in heard] == pytest.approx([found[text][0] for text in ranked])


def test_the_loss_of_torch_is_the_likelihood():
    scores, text = drawn(9, 4), (FIRST, FIRST + 2, FIRST + 2, FIRST + 1)
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(scores)[:, None], torch.tensor([text]), torch.tensor([9]), torch.tensor([4]), reduction="sum"
    )
    assert ctc.likelihood(scores, text) == pytest.approx(-loss.item())


@pytest.mark.parametrize("seed", range(3))
def test_tokens_are_heard_where_the_likeliest_path_says_them(seed):
    scores = drawn(5, 3, seed)
    for text, (_, (_, path)) in all_texts(scores).items():
        steps = [step for step, token in enumerate(path) if token != ctc.BLANK]
        runs = [[step] for step in steps[:1]]
        for step in steps[1:]:
            if path[step] == path[step - 1]:
                runs[-1].append(step)
            else:
                runs.append([step])
        assert ctc.aligned(scores, text).tolist() == [[run[0], run[-1]] for run in runs]


def test_greedy_takes_the_likeliest_path():
    scores = drawn(6, 3)
    (heard,) = ctc.Greedy().search(scores, 5)
    assert heard.tokens == said(scores.argmax(axis=1))
    assert heard.score == pytest.approx(scores.max(axis=1).sum())


def test_a_small_beam_and_unlikely_tokens_change_nothing_where_one_text_stands_out():
    scores = drawn(40, 5, seed=3) * 8.0
    scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    assert beam(4, 0.001).search(scores, 1)[0].tokens == beam(200).search(scores, 1)[0].tokens


class Counting(ctc.Foretelling):
    """Knows how often tokens follow each other; keeps the last one."""

    def __init__(self, table):
        self.table = table

    def begin(self):
        return ctc.Node(self.table[EOS], EOS)

    def go_on(self, tokens, before):
        return [ctc.Node(self.table[token], token) for token in tokens]


def test_a_language_model_is_weighed_in_at_each_token_and_at_the_end():
    scores, table = drawn(5, 3), drawn(FIRST + 3, 3, seed=7)
    table[:, EOS] = np.log(0.3)
    options = beam(weight=3.0, bonus=0.4)
    options.foretelling = Counting(table)

    def worth(text):
        pairs = itertools.pairwise((EOS, *text, EOS))
        return 3.0 * sum(table[one, other] for one, other in pairs) + 0.4 * len(text)

    wanted = {text: total + worth(text) for text, (total, _) in all_texts(scores).items()}
    for text, score in options.search(scores, 10_000):
        assert score == pytest.approx(wanted[text])
    assert options.search(scores, 1)[0].tokens == max(wanted, key=wanted.get)
    assert max(wanted, key=wanted.get) != beam().search(scores, 1)[0].tokens


def test_each_recording_is_heard_by_itself():
    whole = np.stack([drawn(9, 3, seed=1), drawn(9, 3, seed=2)]).astype(np.float32)
    both = ctc.recognise(whole, np.array([9, 4]), beam(8), 3, stack=2)
    assert both.tokens.shape[:2] == (2, 3)
    for row, length in enumerate([9, 4]):
        one = ctc.recognise(whole[row : row + 1, :length], np.array([length]), beam(8), 3, stack=2)
        size = one.lengths[0, 0]
        assert both.lengths[row].tolist() == one.lengths[0].tolist()
        assert both.tokens[row, 0, :size].tolist() == one.tokens[0, 0, :size].tolist()
        assert (both.scores[row], both.totals[row]) == (pytest.approx(one.scores[0]), pytest.approx(one.totals[0]))
        spans = ctc.aligned(whole[row, :length], one.tokens[0, 0, :size].tolist())
        assert both.starts[row, :size].tolist() == (spans[:, 0] * 2).tolist()
        assert both.ends[row, :size].tolist() == (spans[:, 1] * 2 + 2).tolist()


def test_silence_is_no_text():
    scores = np.full((3, FIRST + 2), np.log(0.001), np.float32)
    scores[:, ctc.BLANK] = np.log(0.995)
    for decoding in (ctc.Greedy(), beam(4)):
        found = ctc.recognise(scores[None], np.array([3]), decoding, 1, stack=1)
        assert (found.tokens.shape, found.lengths.tolist()) == ((1, 1, 0), [[0]])
        assert np.exp(found.totals) == pytest.approx([0.995**3], rel=1e-4)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(UserError, match="decoding.bonus must be finite"):
        beam(bonus=float("nan"))
