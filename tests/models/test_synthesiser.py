from functools import partial

import pytest
import torch

from gru_nlp.batch import SpeakingBatch
from gru_nlp.errors import UserError
from gru_nlp.models import synthesiser
from gru_nlp.models.synthesiser import Synthesiser, straying
from gru_nlp.nn.attention import AdditiveAttention, MultiHeadAttention
from gru_nlp.nn.decoder import BahdanauDecoder, ParallelDecoder
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU

ADDITIVE = partial(AdditiveAttention, hidden_size=6)
LENGTHS, FRAMES = [5, 2, 4], [11, 3, 6]


def made(decoder=ParallelDecoder, attention=ADDITIVE, **given):
    torch.manual_seed(0)
    encoder = partial(RecurrentEncoder, cell=GRU, hidden_size=5, layers=1, bidirectional=True, dropout=0.0)
    options = {"frames_per_step": 3, "most_frames": 4, "prenet_dropout": 0.5, "dropout": 0.1, "monotone": True} | given
    return Synthesiser(
        vocabulary_size=9,
        num_speakers=2,
        frame_size=4,
        embedding=partial(TokenEmbedding, size=6, trainable=True, dropout=0.1, word_dropout=0.0),
        encoder=encoder,
        decoder=partial(decoder, hidden_size=7, cell=GRU, attention=attention, dropout=0.1),
        speaker_size=3,
        size=8,
        **options,
    )


def batch(rows=(0, 1, 2), more=0):
    """Return some of three texts with recordings, padded by ``more`` than is needed."""
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(4, 9, (3, 8), generator=random)
    frames = torch.randn(3, 14, 4, generator=random)
    rows, lengths, sizes = list(rows), torch.tensor(LENGTHS), torch.tensor(FRAMES)
    lengths, sizes = lengths[rows], sizes[rows]
    ids, frames = ids[rows][:, : lengths.max() + more], frames[rows][:, : sizes.max() + more]
    ids = ids.masked_fill(torch.arange(ids.shape[1]) >= lengths[:, None], 0)
    frames = frames.masked_fill((torch.arange(frames.shape[1]) >= sizes[:, None])[:, :, None], 0.0)
    return SpeakingBatch(ids, lengths, torch.tensor([0, 1, 0])[rows], frames, sizes)


@pytest.mark.parametrize("decoder", [ParallelDecoder, BahdanauDecoder])
@pytest.mark.parametrize("monotone", [True, False])
def test_what_stands_beside_a_text_changes_neither_its_speech_nor_its_loss(decoder, monotone):
    model = made(decoder, monotone=monotone).double().eval()
    model.stop.bias.data.fill_(-0.2)  # so that some end early
    whole = batch(more=2)._replace(frames=batch(more=2).frames.double())
    losses, said = model(whole), model.predict(whole)
    for row in range(3):
        alone = batch([row])._replace(frames=batch([row]).frames.double())
        torch.testing.assert_close([part[row : row + 1] for part in losses], list(model(alone)))
        single = model.predict(alone)
        length = int(said.lengths[row])
        assert (int(single.lengths[0]), bool(single.ended[0])) == (length, bool(said.ended[row]))
        torch.testing.assert_close(said.frames[row, :length], single.frames[0, :length])
        steps = length // 3
        torch.testing.assert_close(said.weights[row, :steps, : LENGTHS[row]], single.weights[0, :steps])
        assert not said.frames[row, length:].any()


@pytest.mark.parametrize(("bias", "lengths"), [(9.0, [3, 3, 3]), (-9.0, [21, 9, 18])])
def test_speech_ends_where_it_says_so_or_at_its_limit(bias, lengths):
    model = made().eval()
    model.stop.weight.data.zero_()
    model.stop.bias.data.fill_(bias)
    said = model.predict(batch())
    assert said.lengths.tolist() == lengths  # whole steps of three frames, of four frames a character
    assert said.ended.tolist() == [bias > 0] * 3
    assert said.frames.shape == (3, max(lengths), 4)


def test_losses_are_those_of_whole_steps_the_last_filled_up():
    model = made().eval()
    given = batch()
    losses = model(given)
    assert losses.steps.tolist() == [4, 1, 2]
    longer = torch.cat([given.frames, given.frames[:, -1:]], dim=1)  # 11 frames of the first row become 12
    filled = given._replace(frames=longer, frame_lengths=torch.tensor([12, 3, 6]))
    torch.testing.assert_close(losses, model(filled))
    moved = given._replace(frames=given.frames + torch.tensor([1.0, 0.0, 0.0])[:, None, None])
    assert not torch.isclose(losses.frames[0], model(moved).frames[0])
    torch.testing.assert_close(losses.frames[1:], model(moved).frames[1:])


def test_attention_off_the_diagonal_costs():
    penalty = straying(torch.tensor([4, 2]), torch.tensor([4, 2]), 4, 4)
    assert penalty[0].diagonal().tolist() == [0.0] * 4
    assert penalty[0, 0, 3] == pytest.approx(1 - torch.tensor(-(0.75**2) / 0.08).exp().item())
    assert penalty[1, 0, 1] > penalty[0, 0, 1] > 0.0


def test_a_trained_voice_says_what_it_heard():
    model = made(prenet_dropout=0.1, most_frames=9)
    model.train()
    given, optimiser = batch([0, 1]), torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(60):
        losses = model(given)
        loss = (losses.frames + losses.stop + losses.attention).sum() / losses.steps.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    said = model.eval().predict(given)
    assert said.lengths.tolist() == [12, 3]
    assert said.ended.all()
    assert (said.frames[0, :11] - given.frames[0]).abs().mean() < 0.5 * given.frames[0].abs().mean()
    other = model.predict(given._replace(speakers=1 - given.speakers))
    assert not torch.allclose(other.frames[:, :3], said.frames[:, :3], atol=0.05)


def test_several_heads_read_freely_alone_and_nothing_is_exported():
    heads = partial(MultiHeadAttention, hidden_size=4, heads=2)
    with pytest.raises(UserError, match="model.monotone=true needs one softmax a step"):
        made(attention=heads)
    model = made(attention=heads, monotone=False).eval()
    assert model.predict(batch()).weights.shape[2] == 5
    with pytest.raises(UserError, match="a synthesiser is not exported: use gru-nlp speak"):
        model.graphs()


def test_no_speech_goes_on_for_ever(monkeypatch):
    monkeypatch.setattr(synthesiser, "LONGEST", 10)
    model = made(most_frames=1000).eval()
    model.stop.bias.data.fill_(-50.0)
    said = model.predict(batch())
    assert said.lengths.tolist() == [12] * 3
    assert not said.ended.any()
