from functools import partial

import pytest
import torch

from gru_nlp.batch import SequencePairBatch
from gru_nlp.decoding.beam import BeamSearch
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.errors import UserError
from gru_nlp.models.ensemble import Ensemble
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.nn.attention import GeneralAttention
from gru_nlp.nn.decoder import ParallelDecoder
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU


def make(source=20, target=20, **options):
    torch.manual_seed(0)
    return Seq2Seq(
        source_vocabulary_size=source,
        target_vocabulary_size=target,
        embedding=partial(TokenEmbedding, size=6, trainable=True, dropout=0.0, word_dropout=0.0),
        encoder=partial(RecurrentEncoder, cell=GRU, hidden_size=5, layers=1, bidirectional=True, dropout=0.0),
        decoder=partial(ParallelDecoder, hidden_size=7, cell=GRU, attention=GeneralAttention, dropout=0.0),
        decoding=Greedy(max_ratio=1.0, max_extra=3, min_length=0),
        dropout=0.0,
        **{"share_embeddings": True, **options},
    )


def batch():
    inputs, targets = torch.tensor([[4, 5, 3], [6, 3, 0]]), torch.tensor([[7, 3, 0], [8, 9, 3]])
    return SequencePairBatch(inputs, torch.tensor([3, 2]), targets, torch.tensor([2, 3]), None)


@pytest.mark.parametrize(
    ("options", "tables"),
    [
        ({}, 1),
        ({"share_embeddings": False}, 2),
        ({"tie_output": False}, 2),
        ({"share_embeddings": False, "tie_output": False}, 3),
    ],
)
def test_tables_are_one_two_or_three(options, tables):
    model = make(**options)
    assert sum(parameter.shape == (20, 6) for parameter in model.parameters()) == tables
    model(batch(), 0.1).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("scaled", [False, True])
def test_the_loss_is_that_of_the_steps(scaled):
    model, pairs = make(scale_embeddings=scaled), batch()
    state, total = model.start(pairs.inputs, pairs.lengths), 0.0
    shifted = torch.tensor([[2, 7, 3], [2, 8, 9]])
    for place in range(3):
        logs, state = model.step(shifted[:, place : place + 1], state)
        own = logs[:, 0].gather(1, pairs.targets[:, place : place + 1])[:, 0]
        total = total - own.where(pairs.target_lengths > place, 0.0)
    torch.testing.assert_close(model(pairs, 0.0), total.sum() / 5)
    torch.testing.assert_close(model.likelihoods(pairs), -total)


def test_scaling_multiplies_by_the_root_of_the_size():
    plain, scaled = make(), make(scale_embeddings=True)
    tokens = torch.tensor([[4, 5]])
    torch.testing.assert_close(scaled.embed(tokens), 6**0.5 * plain.embed(tokens))


def test_one_table_needs_one_vocabulary():
    with pytest.raises(UserError, match=r"preprocessing\.joint=true"):
        make(target=21)
    assert make(target=21, share_embeddings=False).output_weight.shape == (21, 6)


@pytest.mark.parametrize("options", [{}, {"share_embeddings": False, "tie_output": False, "scale_embeddings": True}])
def test_a_settled_model_answers_the_same_until_it_is_trained(options):
    model, pairs = make(**options).eval(), batch()
    plain = model.predict(pairs)
    model.settle()
    assert model.form is not None
    settled = model.predict(pairs)
    assert settled.tokens.tolist() == plain.tokens.tolist()
    torch.testing.assert_close(settled.scores, plain.scores, rtol=0, atol=1e-5)
    together = Ensemble([model, make(**options)])
    apart = together.predict(pairs)
    together.settle()
    torch.testing.assert_close(together.predict(pairs).scores, apart.scores, rtol=0, atol=1e-5)
    assert model.train().form is None


@pytest.mark.parametrize("strategy", [Greedy, partial(BeamSearch, beam_size=3, length_penalty=1.0, n_best=2)])
def test_a_search_among_candidates_says_nothing_else_and_depends_on_no_other_sentence(strategy):
    options = {"no_repeat_ngram": 0} if isinstance(strategy, partial) else {}
    decoding = strategy(max_ratio=1.0, max_extra=3, min_length=2, **options)
    model, own = make().eval(), [[0, 1, 2, 3, 5, 8, 11], [0, 1, 2, 3, 7, 14, 0]]
    model.settle()
    pairs = batch()._replace(candidates=torch.tensor(own))
    together = model.decode(pairs, decoding)
    for row, allowed in enumerate(own):
        assert set(together.tokens[row].flatten().tolist()) <= set(allowed)
        alone = model.decode(pairs.rows(row, row + 1), decoding)
        length = int(alone.lengths.max())
        assert together.lengths[row].tolist() == alone.lengths[0].tolist()
        assert together.tokens[row, :, :length].tolist() == alone.tokens[0, :, :length].tolist()
        torch.testing.assert_close(together.scores[row], alone.scores[0], rtol=0, atol=1e-5)
    whole = pairs._replace(candidates=torch.arange(20).expand(2, -1))
    torch.testing.assert_close(model.decode(whole, decoding).scores, model.decode(batch(), decoding).scores)
