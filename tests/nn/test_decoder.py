from functools import partial

import pytest
import torch

from gru_nlp.errors import UserError
from gru_nlp.nn import attention as attentions
from gru_nlp.nn import decoder as decoders
from gru_nlp.nn import decoder_forms as forms
from gru_nlp.nn.cell import Cell
from gru_nlp.nn.decoder_state import DecoderState
from gru_nlp.nn.gru import GRU
from gru_nlp.nn.li_gru import LiGRU
from gru_nlp.nn.min_gru import SSRU

ATTENTIONS = {
    "additive": partial(attentions.AdditiveAttention, hidden_size=5),
    "general": attentions.GeneralAttention,
    "multi_head": partial(attentions.MultiHeadAttention, hidden_size=6, heads=3),
}
DECODERS = ["ParallelDecoder", "BahdanauDecoder", "ConditionalDecoder", "InputFeedingDecoder"]
E, M, H, R = 4, 6, 8, 3
LENGTHS = torch.tensor([5, 2, 3])


def make(name, attention="additive", dropout=0.0, cell=GRU):
    torch.manual_seed(0)
    return getattr(decoders, name)(
        E, M, hidden_size=H, output_size=R, cell=cell, attention=ATTENTIONS[attention], dropout=dropout
    ).double()


def start(decoder, extra=0):
    torch.manual_seed(1)
    final, states = torch.randn(3, M, dtype=torch.float64), torch.randn(3, 5, M, dtype=torch.float64)
    padded = torch.cat([states, torch.randn(3, extra, M, dtype=torch.float64)], dim=1)
    return decoder.start(padded, final, LENGTHS)


@pytest.mark.parametrize("cell", [GRU, SSRU])
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("name", DECODERS)
def test_the_sequence_form_equals_the_step_form(name, attention, cell):
    decoder = make(name, attention, cell=cell)
    embedded = torch.randn(3, 7, E, dtype=torch.float64)
    whole = decoder(embedded, start(decoder))
    state, parts = start(decoder), []
    for place in range(7):
        step = decoder.step(embedded[:, place : place + 1], state)
        parts.append(step.features)
        state = step.state
    torch.testing.assert_close(whole, torch.cat(parts, dim=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("name", DECODERS)
def test_the_gradients_of_both_forms_are_the_same(name, attention):
    decoder = make(name, attention)
    embedded = torch.randn(3, 7, E, dtype=torch.float64, requires_grad=True)
    weighting = torch.randn(3, 7, R, dtype=torch.float64)
    state, parts = start(decoder), []
    for place in range(7):
        step = decoder.step(embedded[:, place : place + 1], state)
        parts.append(step.features)
        state = step.state
    losses = [(found * weighting).sum() for found in (decoder(embedded, start(decoder)), torch.cat(parts, dim=1))]
    for one, other in zip(
        *(torch.autograd.grad(loss, (embedded, *decoder.parameters())) for loss in losses), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", DECODERS)
def test_attention_and_readout_see_what_a_unit_shows(name):
    decoder = make(name, cell=SSRU)
    asked, read = [], []
    decoder.attention.register_forward_hook(lambda module, given, found: asked.append(given[0]))
    decoder.readout.register_forward_hook(lambda module, given, found: read.append(given[0][..., :H]))
    state = decoder.step(torch.randn(3, 1, E, dtype=torch.float64), start(decoder)).state
    assert (state.hidden < 0).any()
    assert all((part >= 0).all() for part in asked + read)


@pytest.mark.parametrize("name", DECODERS)
def test_hypotheses_of_a_sentence_do_not_touch_each_other(name):
    decoder = make(name)
    embedded = torch.randn(3, 2, E, dtype=torch.float64)
    state = start(decoder).select_hypotheses(torch.zeros(3, 2, dtype=torch.int64))
    both = decoder.step(embedded, state)
    for place in range(2):
        alone = decoder.step(embedded[:, place : place + 1], start(decoder))
        torch.testing.assert_close(both.features[:, place : place + 1], alone.features, rtol=0, atol=1e-12)
    swapped = both.state.select_hypotheses(torch.tensor([[1, 0]] * 3))
    torch.testing.assert_close(swapped.hidden[:, 0], both.state.hidden[:, 1])
    kept = both.state.select_sentences(torch.tensor([2]))
    assert kept.hidden.shape[0] == kept.keys.shape[0] == 1


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padding_of_the_source_has_no_part(attention):
    decoder = make("ParallelDecoder", attention)
    embedded = torch.randn(3, 4, E, dtype=torch.float64)
    torch.testing.assert_close(decoder(embedded, start(decoder)), decoder(embedded, start(decoder, extra=4)))


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_weights_sum_to_one_over_real_steps(attention):
    torch.manual_seed(0)
    layer = ATTENTIONS[attention](H, M)
    contexts, weights = layer(torch.randn(3, 2, H), layer.memory(torch.randn(3, 5, M), LENGTHS))
    assert contexts.shape == (3, 2, M)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(3, 2))
    assert not weights[1, :, 2:].any()


def test_scores_follow_their_equations():
    queries, values = torch.randn(1, 1, 4), torch.randn(1, 3, 4)
    dot = attentions.DotAttention(4, 4)
    torch.testing.assert_close(dot.scores(queries, dot.keys(values))[0, 0], values[0] @ queries[0, 0] / 2.0)
    additive = attentions.AdditiveAttention(4, 4, hidden_size=2)
    expected = [
        additive.energy(torch.tanh(additive.query(queries[0, 0]) + additive.key(value))).item() for value in values[0]
    ]
    assert additive.scores(queries, additive.keys(values))[0, 0].tolist() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(UserError, match="queries of 4 features"):
        attentions.DotAttention(4, 5)


def test_a_unit_that_normalises_over_batches_is_no_decoders():
    told = "a decoder's steps come one by one, and LiGRU normalises over all of a batch: set decoder.cell=gru"
    with pytest.raises(UserError, match=told):
        make("ParallelDecoder", cell=partial(LiGRU, recurrent_dropout=0.0))


def test_the_default_decoder_calls_no_step_in_training(monkeypatch):
    decoder = make("ParallelDecoder")
    monkeypatch.setattr(decoder, "step", None)
    assert decoder(torch.randn(3, 50, E, dtype=torch.float64), start(decoder)).shape == (3, 50, R)


@pytest.mark.parametrize("cell", [GRU, SSRU])
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("name", DECODERS)
def test_the_form_for_searching_takes_the_same_steps(name, attention, cell, monkeypatch):
    decoder = make(name, attention, cell=cell).eval()
    vectors, tokens = torch.randn(9, E, dtype=torch.float64), torch.randint(9, (6, 3, 2))
    places = torch.zeros(3, 2, dtype=torch.int64)
    with torch.no_grad():
        form, state = decoder.decoding_form(vectors), start(decoder).select_hypotheses(places)
        monkeypatch.setattr(forms, "MOST_NUMBERS", 9)
        by_rows = decoder.decoding_form(vectors)
        assert (form.table is None, by_rows.table is None) == (False, True)
        kept = [one.opened(start(decoder)).select_hypotheses(places) for one in (form, by_rows)]
        for last in tokens:
            step = decoder.step(vectors[last], state)
            state = step.state
            for place, one in enumerate((form, by_rows)):
                features, kept[place], weights = one.step(last, kept[place])
                torch.testing.assert_close(features, step.features, rtol=0, atol=1e-12)
                torch.testing.assert_close(weights, step.weights, rtol=0, atol=1e-12)
                torch.testing.assert_close(kept[place].hidden, state.hidden, rtol=0, atol=1e-12)


def test_a_unit_that_tells_no_map_has_no_such_form(monkeypatch):
    monkeypatch.setattr(GRU, "input_map", Cell.input_map)
    assert [make(name).decoding_form(torch.randn(9, E)) for name in DECODERS] == [None] * 4


@pytest.mark.parametrize("rows", [[0, 1, 4, 3], [4, 2], [2, 0, 1, 1, 3, 4]])
def test_sentences_are_kept_in_the_order_asked_for(rows):
    fields = [torch.arange(5 * 4).view(5, 2, 2) + 100 * place for place in range(5)]
    found = DecoderState(*(field.clone() for field in fields)).select_sentences(torch.tensor(rows))
    assert [field.tolist() for field in found] == [field[rows].tolist() for field in fields]
