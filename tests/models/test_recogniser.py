"""A recogniser of speech over frames."""

from functools import partial

import pytest
import torch

from gru_nlp.batch import SequencePairBatch
from gru_nlp.decoding import ctc, greedy
from gru_nlp.errors import UserError
from gru_nlp.models.recogniser import Recogniser
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.li_gru import LiGRU

F, V = 4, 9


def make(stack=3, decoding=None):
    torch.manual_seed(0)
    cell = partial(LiGRU, recurrent_dropout=0.0)
    encoder = partial(RecurrentEncoder, cell=cell, hidden_size=8, layers=2, bidirectional=True, dropout=0.1)
    options = {"input_dropout": 0.1, "dropout": 0.1, "encoder": encoder}
    beam = ctc.PrefixBeam(beam_size=4, least_probability=0.0, language_model=None, language_model_weight=0.5, bonus=0.0)
    return Recogniser(frame_size=F, vocabulary_size=V, stack=stack, decoding=decoding or beam, **options)


def drawn(lengths, extra=0, filling=0.0):
    frames = torch.randn(len(lengths), 20, F, generator=torch.Generator().manual_seed(1))[:, : max(lengths)]
    frames = torch.nn.functional.pad(frames, (0, 0, 0, extra))
    for row, length in enumerate(lengths):
        frames[row, length:] = filling
    targets = torch.tensor([[5, 6, 6], [4, 8, 0], [7, 0, 0]])[: len(lengths)]
    return SequencePairBatch(frames, torch.tensor(lengths), targets, (targets > 0).sum(dim=1), None)


@pytest.mark.parametrize("stack", [1, 3])
def test_what_is_heard_depends_on_no_other_recording_and_no_padding(stack):
    model, lengths = make(stack).eval(), [16, 7, 11]
    whole = model.predict(drawn(lengths), top_k=2)
    more = model.predict(drawn(lengths, extra=5, filling=9.0), top_k=2)
    for one, other in zip(whole, more, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    for row in range(3):
        alone = model.predict(drawn(lengths).rows(row, row + 1)._replace(inputs=drawn(lengths).inputs[row : row + 1]))
        assert alone.lengths[0, 0] == whole.lengths[row, 0]
        torch.testing.assert_close(alone.totals[0], whole.totals[row], rtol=0, atol=1e-5)


def test_frames_are_read_several_at_a_time():
    model, batch = make(3).eval(), drawn([16, 7, 11])
    assert model.steps(batch.lengths).tolist() == [6, 3, 4]
    scores = model.log_probabilities(batch.inputs, batch.lengths)
    assert scores.shape == (3, 6, V)
    torch.testing.assert_close(scores.exp().sum(dim=2), torch.ones(3, 6))
    shorter = model.log_probabilities(batch.inputs[1:2, :7], batch.lengths[1:2])
    torch.testing.assert_close(shorter[0], scores[1, :3])


def test_a_transcript_that_has_no_path_teaches_nothing():
    model, batch = make(3).eval(), drawn([16, 7])
    losses, _ = model(batch._replace(lengths=torch.tensor([9, 7])))  # 5 6 6 needs four steps
    assert losses[0] == 0.0
    assert losses[1] > 0.0
    assert torch.isfinite(losses).all()


def test_it_learns_to_say_what_it_heard():
    torch.manual_seed(0)
    model, batch = make(2, ctc.Greedy()), drawn([16, 9, 12])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        model(batch)[0].sum().backward()
        optimizer.step()
    found = model.eval().predict(batch)
    assert found.lengths[:, 0].tolist() == batch.target_lengths.tolist()
    assert torch.equal(found.tokens[:, 0], batch.targets)
    assert (found.starts < found.ends).sum(dim=1).tolist() == batch.target_lengths.tolist()
    assert (found.totals.exp() > 0.5).all()


def test_a_strategy_of_translators_is_refused():
    told = "Greedy writes token by token, as translators do: set decoding=ctc_greedy or decoding=ctc_beam"
    with pytest.raises(UserError, match=told):
        make(decoding=greedy.Greedy(max_ratio=2.0, max_extra=10, min_length=0))
