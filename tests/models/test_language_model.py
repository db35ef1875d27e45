"""A language model reads on exactly where it was."""

from functools import partial

import pytest
import torch

from gru_nlp.batch import StreamBatch
from gru_nlp.errors import UserError
from gru_nlp.models.language_model import STRETCH, LanguageModel
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.min_gru import MinGRU

EMBEDDING = partial(TokenEmbedding, size=6, trainable=True, dropout=0.3, word_dropout=0.0)


def model(cell=GRU, hidden_size=5, bidirectional=False, sampled=None, tied=True):
    torch.manual_seed(1)
    encoder = partial(
        RecurrentEncoder, cell=cell, hidden_size=hidden_size, layers=2, bidirectional=bidirectional, dropout=0.3
    )
    parts = {"vocabulary_size": 11, "embedding": EMBEDDING, "encoder": encoder, "output_dropout": 0.3}
    made = LanguageModel(**parts, sampled_softmax=sampled, tied=tied)
    torch.nn.init.normal_(made.bias)
    return made.double().eval()


def batch(targets, before=3, fresh=True):
    inputs = torch.cat([torch.full((len(targets), 1), before), targets[:, :-1]], dim=1)
    lengths = torch.full((len(targets),), targets.shape[1])
    sizes = torch.zeros(len(targets), 3, dtype=torch.int64)
    sources = torch.full((len(targets),), -1) if fresh else torch.arange(len(targets))
    return StreamBatch(inputs, lengths, targets, sources, sizes, torch.arange(len(targets)) * targets.shape[1])


TEXT = torch.randint(4, 11, (3, 40), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("cell", [GRU, MinGRU])
@pytest.mark.parametrize(("hidden_size", "tied"), [(5, True), (6, True), (5, False)])
def test_carried_states_equal_one_long_pass_and_the_steps(cell, hidden_size, tied):
    made = model(cell, hidden_size, tied=tied)
    whole, _ = made.surprise(batch(TEXT), None)
    state, parts = None, []
    for start, end in ((0, 7), (7, 8), (8, 40)):
        part = batch(TEXT[:, start:end], fresh=start == 0)
        if start:
            part.inputs[:, 0] = TEXT[:, start - 1]
        found, state = made.surprise(part, state)
        parts.append(found)
    # Log-probabilities are given in float32, whatever they are computed in.
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-6)
    scores, state = made.begin(torch.full((3, 1), 3))
    for place in range(TEXT.shape[1]):
        of_token = scores.gather(1, TEXT[:, place, None])[:, 0]
        assert torch.allclose(of_token, whole[:, place], atol=1e-6)
        scores, state = made.go_on(TEXT[:, place], state)


def test_states_themselves_are_carried_exactly_and_forgotten_where_a_text_is_fresh():
    made = model()
    long, end = made.features(batch(TEXT), None)
    _, half = made.features(batch(TEXT[:, :20]), None)
    rest = batch(TEXT[:, 20:], fresh=False)
    rest.inputs[:, 0] = TEXT[:, 19]
    features, after = made.features(rest, half)
    assert torch.allclose(features, long[:, 20:], atol=1e-12)
    assert torch.allclose(after, end, atol=1e-12)
    anew, _ = made.features(batch(TEXT), half)
    assert torch.equal(anew, long)


def test_a_text_is_as_likely_whatever_stands_beside_it():
    made = model()
    rows = [TEXT[0], TEXT[1, :11], TEXT[2, :1]]
    lengths = torch.tensor([len(row) for row in rows])
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    together = made.predict(batch(padded)._replace(lengths=lengths))
    assert torch.equal(together.lengths, lengths)
    for place, row in enumerate(rows):
        alone = made.predict(batch(row[None])).log_probabilities[0]
        assert torch.allclose(together.log_probabilities[place, : len(row)], alone, atol=1e-6)
        assert (together.log_probabilities[place, len(row) :] == 0).all()
    long = torch.randint(4, 11, (1, 2 * STRETCH + 5), generator=torch.Generator().manual_seed(3))
    whole, _ = made.surprise(batch(long), None)
    assert torch.allclose(made.predict(batch(long)).log_probabilities, whole, atol=1e-6)


def test_probabilities_sum_to_one_and_the_loss_is_their_mean():
    made = model()
    every = torch.arange(11)[:, None]
    found, _ = made.surprise(batch(every), None)
    assert found.exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    loss, _ = made(batch(TEXT), None)
    likely, _ = made.surprise(batch(TEXT), None)
    assert loss.item() == pytest.approx(-likely.mean().item(), abs=1e-6)


def test_a_sample_of_the_vocabulary_serves_the_loss_alone_and_is_nearly_right():
    made, whole = model(sampled=4), model()
    assert torch.equal(made.surprise(batch(TEXT), None)[0], whole.surprise(batch(TEXT), None)[0])
    assert made.state_dict().keys() == whole.state_dict().keys()
    torch.manual_seed(1)
    losses = torch.stack([made(batch(TEXT), None)[0] for _ in range(300)])
    assert losses.std() > 0.0
    exact = whole(batch(TEXT), None)[0].item()
    assert exact - 0.3 < losses.mean().item() < exact  # the logarithm of a mean is above the mean of logarithms
    assert model(sampled=11)(batch(TEXT), None)[0].item() == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_handed_on_makes_the_same_language_model(tied):
    made, other = model(tied=tied), model(tied=tied)
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(1.0)
    assert other.begin_from(made.handed_on("backward")) == 2
    assert torch.equal(other.surprise(batch(TEXT), None)[0], made.surprise(batch(TEXT), None)[0])


def test_recurrent_weights_are_dropped_in_training_alone():
    made = model(partial(GRU, weight_dropout=0.5))
    quiet, _ = made.features(batch(TEXT), None)
    assert torch.equal(quiet, model(GRU).features(batch(TEXT), None)[0])
    cell = made.encoder.forward_cells[0].train()
    inputs = torch.randn(2, 6, 6, dtype=torch.float64)
    torch.manual_seed(3)
    first, second = cell(inputs), cell(inputs)
    assert not torch.allclose(first[:, 1:], second[:, 1:])
    assert torch.equal(first[:, 0], second[:, 0])  # nothing recurs yet
    first.sum().backward()
    gradient = cell.unit.weight_hh_l0.grad
    assert 0.2 < (gradient == 0).double().mean().item() < 0.8


def test_an_output_layer_of_its_own_learns_apart_from_the_embedding():
    made = model(tied=False)
    made(batch(TEXT), None)[0].backward()
    assert made.output.weight.grad[2].any()
    assert not made.embedding.table.weight.grad[2].any()  # a token that is nowhere read
    tied = model()
    tied(batch(TEXT), None)[0].backward()
    assert tied.embedding.table.weight.grad[2].any()


def test_two_directions_are_refused():
    with pytest.raises(UserError, match=r"set encoder\.bidirectional=false"):
        model(bidirectional=True).surprise(batch(TEXT), None)


@pytest.mark.parametrize("cell", [GRU, MinGRU])
def test_a_row_goes_on_from_the_row_it_names_however_long_that_was(cell):
    made = model(cell)
    alone, _ = made.features(batch(TEXT[1:2, :20]), None)
    first = batch(TEXT[:, :12])._replace(lengths=torch.tensor([12, 5, 9]))
    _, before = made.features(first, None)
    second = batch(TEXT[[0, 1], 5:20])._replace(sources=torch.tensor([-1, 1]))
    second.inputs[1, 0] = TEXT[1, 4]
    features, _ = made.features(second, before)
    assert torch.allclose(features[1], alone[0, 5:], atol=1e-12)
    assert torch.allclose(features[0], made.features(second.rows(0, 1), None)[0][0], atol=1e-12)
