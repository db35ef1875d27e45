from functools import partial

import pytest
import torch

from gru_nlp.errors import UserError
from gru_nlp.nn.characters import FACTOR, PRIME, CharacterCNN, CharacterNgrams, CharacterRNN, NoCharacters
from gru_nlp.nn.gru import GRU

KINDS = {
    "cnn": partial(CharacterCNN, size=4, filters=6, width=3, dropout=0.0),
    "rnn": partial(CharacterRNN, size=4, cell=GRU, hidden_size=3, dropout=0.0),
    "ngrams": partial(CharacterNgrams, size=5, buckets=40, shortest=3, longest=6, dropout=0.0),
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


def test_order_matters_to_all():
    for make in KINDS.values():
        torch.manual_seed(0)
        layer = make(9)
        assert not torch.allclose(*layer(torch.tensor([[2, 3, 4], [4, 3, 2]]), torch.tensor([3, 3])))


def test_no_characters_are_no_features():
    assert NoCharacters(9)(IDS, LENGTHS).shape == (3, 0)


def test_a_word_is_the_mean_of_the_rows_of_its_ngrams():
    layer = KINDS["ngrams"](9)
    for word, features in zip(([3, 4, 5, 6], [7], [2, 2]), layer(IDS, LENGTHS), strict=True):
        marked = [9, *word, 10]
        rows = []
        for size in range(3, 7):
            for start in range(len(marked) - size + 1):
                hashed = 0
                for letter in marked[start : start + size]:
                    hashed = (hashed * FACTOR + letter) % PRIME
                rows.append(layer.table.weight[hashed % 40])
        torch.testing.assert_close(features, torch.stack(rows).mean(dim=0))


@pytest.mark.parametrize(("shortest", "longest"), [(0, 3), (4, 6), (3, 2)])
def test_a_word_of_one_letter_must_have_an_ngram(shortest, longest):
    with pytest.raises(UserError, match=f"characters.shortest={shortest} must be from 1 to 3"):
        CharacterNgrams(9, size=4, buckets=9, shortest=shortest, longest=longest, dropout=0.0)
