from functools import partial

import pytest
import torch

from gru_nlp.nn.characters import CharacterCNN, CharacterRNN, NoCharacters
from gru_nlp.nn.gru import GRU

KINDS = {
    "cnn": partial(CharacterCNN, size=4, filters=6, width=3, dropout=0.0),
    "rnn": partial(CharacterRNN, size=4, cell=GRU, hidden_size=3, dropout=0.0),
}
IDS = torch.tensor([[3, 4, 5, 6], [7, 0, 0, 0], [2, 2, 0, 0]])
LENGTHS = torch.tensor([4, 1, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_is_the_same_alone_and_beside_longer_ones(kind):
    torch.manual_seed(0)
    layer = KINDS[kind](9)
    together = layer(IDS, LENGTHS)
    assert together.shape == (3, layer.output_size)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = layer(IDS[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(alone[0], together[row])


def test_order_matters_to_both():
    for make in KINDS.values():
        torch.manual_seed(0)
        layer = make(9)
        assert not torch.allclose(*layer(torch.tensor([[2, 3, 4], [4, 3, 2]]), torch.tensor([3, 3])))


def test_no_characters_are_no_features():
    assert NoCharacters(9)(IDS, LENGTHS).shape == (3, 0)
