from functools import partial

import pytest
import torch

from gru_nlp.errors import UserError
from gru_nlp.nn.attention import AdditiveAttention, GeneralAttention, MultiHeadAttention
from gru_nlp.nn.decoder import BahdanauDecoder, ParallelDecoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.monotone import AHEAD, MonotoneAttention

LENGTHS = torch.tensor([6, 2, 4])


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_weights_follow_their_equation_and_touch_no_padding():
    torch.manual_seed(0)
    attention = MonotoneAttention(GeneralAttention(3, 5)).double()
    queries, values = drawn(3, 7, 3), drawn(3, 6, 5)
    contexts, weights = attention(queries, attention.memory(values, LENGTHS))
    scores = attention.scored.scores(queries, attention.keys(values))
    for row, length in enumerate(LENGTHS.tolist()):
        before = [1.0] + [0.0] * (length - 1)
        for step in range(7):
            reached = [sum(before[max(0, place - AHEAD) : place + 1]) for place in range(length)]
            likely = [scores[row, step, place].exp().item() * reached[place] for place in range(length)]
            before = [one / sum(likely) for one in likely]
            assert weights[row, step, :length].tolist() == pytest.approx(before)
            assert not weights[row, step, length:].any()
    torch.testing.assert_close(contexts, weights @ values)


@pytest.mark.parametrize("kind", [ParallelDecoder, BahdanauDecoder])
def test_training_attends_as_steps_do_one_by_one(kind):
    torch.manual_seed(1)
    options = {"hidden_size": 5, "output_size": 3, "cell": GRU, "dropout": 0.0}
    decoder = kind(4, 6, attention=partial(AdditiveAttention, hidden_size=7), **options)
    decoder.attention = MonotoneAttention(decoder.attention)
    decoder = decoder.double()
    embedded, state = drawn(3, 8, 4), decoder.start(drawn(3, 6, 6), drawn(3, 6), LENGTHS)
    features, weights = decoder.attended(embedded, state)
    for place in range(8):
        step = decoder.step(embedded[:, place : place + 1], state)
        state = decoder.gone_on(step)
        torch.testing.assert_close(step.features, features[:, place : place + 1])
        torch.testing.assert_close(step.weights, weights[:, place : place + 1])


def test_gradients_are_finite_where_weights_vanish():
    attention = MonotoneAttention(GeneralAttention(2, 2))
    queries = (100 * torch.ones(1, 30, 2)).requires_grad_()
    contexts, weights = attention(queries, attention.memory(torch.randn(1, 40, 2) * 100, torch.tensor([40])))
    contexts.square().sum().backward()
    assert weights.sum(dim=2).allclose(torch.ones(30))
    assert queries.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in attention.parameters())


def test_several_softmaxes_a_step_are_refused():
    with pytest.raises(UserError, match=r"model.monotone=true needs one softmax a step: set attention=additive, dot"):
        MonotoneAttention(MultiHeadAttention(4, 4, hidden_size=4, heads=2))
