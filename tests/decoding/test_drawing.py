"""Which tokens take part in a draw."""

import pytest
import torch

from gru_nlp.decoding.chance import draw, narrowed
from gru_nlp.decoding.drawing import LEAST, MOST, Drawing
from gru_nlp.errors import UserError

SCORES = torch.tensor([[0.1, 0.5, 0.15, 0.25], [0.7, 0.1, 0.1, 0.1]]).log()


def kept(weights):
    return [torch.nonzero(row)[:, 0].tolist() for row in weights]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ((None, 1.0), [[0, 1, 2, 3], [0, 1, 2, 3]]),
        ((2, 1.0), [[1, 3], [0, 1]]),
        ((None, 0.7), [[1, 3], [0]]),
        ((None, 0.01), [[1], [0]]),
        ((None, 1.0, 0.4), [[1, 3], [0]]),
        ((3, 1.0, 0.25), [[1, 2, 3], [0]]),
    ],
)
def test_the_likeliest_take_part(options, rows):
    assert kept(narrowed(SCORES, *options)) == rows


def test_draws_follow_the_weights_and_the_generator_of_each_row():
    drawing = Drawing(temperature=0.5)
    generators = [torch.Generator().manual_seed(row) for row in range(2)]
    drawn = torch.stack([draw(drawing, SCORES, None, generators) for _ in range(4000)])
    wanted = (SCORES * 2).softmax(dim=1)
    for row in range(2):
        share = torch.bincount(drawn[:, row], minlength=4) / 4000
        assert (share - wanted[row]).abs().max() < 0.03
    alone = [torch.Generator().manual_seed(1)]
    again = torch.cat([draw(drawing, SCORES[1:], None, alone) for _ in range(50)])
    assert again.tolist() == drawn[:50, 1].tolist()


def test_temperature_zero_takes_the_likeliest_and_the_penalty_moves_on():
    greedy = Drawing(temperature=0.0, repetition_penalty=3.0)
    assert draw(greedy, SCORES, torch.zeros(2, 4, dtype=torch.bool), []).tolist() == [1, 0]
    seen = torch.tensor([[False, True, False, False], [True, False, False, False]])
    assert draw(greedy, SCORES, seen, []).tolist() == [3, 0]


@pytest.mark.parametrize(
    "options",
    [{"temperature": -1.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}, {"min_p": 1.0}, {"repetition_penalty": 0.0}],
)
def test_values_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(UserError, match=f"{name}=.* must be "):
        Drawing(**options)


@pytest.mark.parametrize("temperature", [LEAST, MOST])
@pytest.mark.parametrize("top_p", [LEAST, 1.0])
@pytest.mark.parametrize("min_p", [0.0, 1 - 1e-16])
@pytest.mark.parametrize("repetition_penalty", [LEAST, MOST])
def test_at_the_ends_of_what_may_be_set_a_token_is_left(temperature, top_p, min_p, repetition_penalty):
    drawing = Drawing(temperature, None, top_p, min_p, repetition_penalty)
    scores = torch.tensor([[-1e4, -20.0, -0.1, float("-inf")]]).log_softmax(dim=1)
    generator = torch.Generator().manual_seed(1)
    for seen in (torch.ones_like(scores) > 0, torch.tensor([[False, True, True, True]])):
        assert draw(drawing, scores.clone(), seen, [generator]) < 3
