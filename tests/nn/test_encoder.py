from functools import partial

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.masking import padding_mask, reversal_index, variational_dropout

LENGTHS = torch.tensor([7, 1, 4, 6])


def make(layers: int = 2, bidirectional: bool = True) -> RecurrentEncoder:
    torch.manual_seed(0)
    return RecurrentEncoder(5, cell=GRU, hidden_size=3, layers=layers, bidirectional=bidirectional, dropout=0.5).eval()


def reference(encoder: RecurrentEncoder, layers: int) -> torch.nn.GRU:
    """Put the encoder's weights into torch's own bidirectional GRU."""
    gru = torch.nn.GRU(5, 3, num_layers=layers, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for layer in range(layers):
            for suffix, cells in (("", encoder.forward_cells), ("_reverse", encoder.backward_cells)):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(gru, f"{name}_l{layer}{suffix}").copy_(getattr(cells[layer].unit, f"{name}_l0"))
    return gru


@pytest.mark.parametrize("layers", [1, 3])
def test_states_and_final_equal_torchs_packed_bidirectional_gru(layers):
    encoder = make(layers)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    sequence = torch.randn(4, 7, 5)
    states, final = encoder(sequence, LENGTHS)
    packed = pack_padded_sequence(sequence, LENGTHS, batch_first=True, enforce_sorted=False)
    output, hidden = reference(encoder, layers)(packed)
    expected, _ = pad_packed_sequence(output, batch_first=True)
    mask = padding_mask(LENGTHS, 7)
    torch.testing.assert_close(states[mask], expected[mask])
    torch.testing.assert_close(final, torch.cat([hidden[-2], hidden[-1]], dim=1))


@pytest.mark.parametrize("bidirectional", [True, False])
def test_content_and_amount_of_padding_change_nothing(bidirectional):
    encoder = make(bidirectional=bidirectional)
    sequence = torch.randn(4, 7, 5)
    wider = torch.cat([sequence, torch.full((4, 9, 5), 1e3)], dim=1)
    mask = padding_mask(LENGTHS, 7)
    wider[:, :7][~mask] = -1e3
    states, final = encoder(sequence, LENGTHS)
    wider_states, wider_final = encoder(wider, LENGTHS)
    torch.testing.assert_close(final, wider_final, atol=1e-6, rtol=0)
    torch.testing.assert_close(states[mask], wider_states[:, :7][mask], atol=1e-6, rtol=0)


def test_each_sequence_alone_gives_its_row_of_the_batch():
    encoder = make()
    sequence = torch.randn(4, 7, 5)
    _, final = encoder(sequence, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        _, alone = encoder(sequence[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(alone[0], final[row], atol=1e-6, rtol=0)


def test_gradients_are_right_in_double_precision():
    encoder = make(layers=1).double()
    sequence = torch.randn(2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: encoder(x, torch.tensor([4, 2]))[1], (sequence,))


def test_reversal_is_its_own_inverse_and_keeps_padding_in_place():
    index = reversal_index(LENGTHS, 7)
    assert index[2].tolist() == [3, 2, 1, 0, 4, 5, 6]
    assert torch.equal(index.gather(1, index), torch.arange(7).expand(4, 7))


def test_dropout_stands_between_layers_only():
    torch.manual_seed(0)
    sequence = torch.randn(4, 7, 5)
    single, double = make(1).train(), make(2).train()
    assert torch.equal(single(sequence, LENGTHS)[1], single(sequence, LENGTHS)[1])
    assert not torch.equal(double(sequence, LENGTHS)[1], double(sequence, LENGTHS)[1])


def test_variational_dropout_drops_the_same_features_at_every_step():
    torch.manual_seed(0)
    dropped = variational_dropout(torch.ones(3, 6, 50), 0.4, training=True)
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert torch.equal(variational_dropout(torch.ones(1, 2, 3), 0.4, training=False), torch.ones(1, 2, 3))


def test_cell_factory_decides_the_unit():
    encoder = RecurrentEncoder(4, cell=partial(GRU), hidden_size=6, layers=1, bidirectional=False, dropout=0.0)
    assert encoder.output_size == 6
    assert encoder(torch.randn(2, 3, 4), torch.tensor([3, 2]))[0].shape == (2, 3, 6)
