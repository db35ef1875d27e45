from functools import partial

import pytest
import torch

from gru_nlp.nn.gru import GRU
from gru_nlp.nn.pooling import (
    AttentionPooling,
    ConcatPooling,
    LastState,
    MaxPooling,
    MeanPooling,
    RecurrentPooling,
)

STACKED = partial(RecurrentPooling, cell=GRU, hidden_size=3)

LENGTHS = torch.tensor([5, 1, 3])
STATES = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
FINAL = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("pooling", [LastState, MeanPooling, MaxPooling, AttentionPooling, ConcatPooling, STACKED])
def test_padding_has_no_part_in_any_pooling(pooling):
    torch.manual_seed(0)
    layer = pooling(4)
    padded = torch.cat([STATES, torch.zeros(3, 2, 4)], dim=1)
    padded[1, 1:] = 50.0
    padded[2, 3:] = -50.0
    pooled = layer(STATES, FINAL, LENGTHS)
    assert pooled.shape == (3, layer.output_size)
    torch.testing.assert_close(layer(padded, FINAL, LENGTHS), pooled)


def test_mean_and_maximum_equal_those_of_each_sequence_alone():
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(MeanPooling(4)(STATES, FINAL, LENGTHS)[row], STATES[row, :length].mean(0))
        torch.testing.assert_close(MaxPooling(4)(STATES, FINAL, LENGTHS)[row], STATES[row, :length].amax(0))


def test_attention_is_a_convex_mixture_of_the_real_states():
    torch.manual_seed(0)
    pooled = AttentionPooling(4)(STATES, FINAL, LENGTHS)
    torch.testing.assert_close(pooled[1], STATES[1, 0])
    assert bool((pooled[0] <= STATES[0].amax(0) + 1e-6).all())
    assert bool((pooled[0] >= STATES[0].amin(0) - 1e-6).all())


def test_concatenation_holds_final_state_maximum_and_mean():
    pooled = ConcatPooling(4)(STATES, FINAL, LENGTHS)
    parts = [pooling(4)(STATES, FINAL, LENGTHS) for pooling in (LastState, MaxPooling, MeanPooling)]
    torch.testing.assert_close(pooled, torch.cat(parts, dim=1))
