import numpy as np
import pytest

from gru_nlp.data.bucketing import BucketBatchSampler
from gru_nlp.processes.sharing import undealt

LENGTHS = np.random.default_rng(0).integers(1, 60, 1003).astype(np.int32)


def make(shuffle=True, batch_tokens=None, rank=0, world_size=1, seed=1, batch_size=16, lengths=LENGTHS, repeats=None):
    return BucketBatchSampler(
        lengths,
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        shuffle=shuffle,
        seed=seed,
        rank=rank,
        world_size=world_size,
        repeats=repeats,
    )


@pytest.mark.parametrize("batch_tokens", [None, 300])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_row_comes_once_within_both_budgets(shuffle, batch_tokens):
    sampler = make(shuffle, batch_tokens)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(len(LENGTHS)))
    assert max(map(len, batches)) <= 16
    if batch_tokens:
        assert all(len(batch) * LENGTHS[batch].max() <= batch_tokens for batch in batches)


def test_a_row_longer_than_the_token_budget_goes_alone():
    sampler = make(batch_tokens=20)
    assert all(len(batch) == 1 for batch in sampler if LENGTHS[batch].max() > 20)


def test_the_order_depends_on_seed_and_epoch_alone():
    first, again, other = make(), make(), make(seed=2)
    assert list(first) == list(again)
    assert list(first) != list(other)
    before = list(first)
    first.set_epoch(1)
    assert list(first) != before
    again.set_epoch(1)
    assert list(first) == list(again)


def test_buckets_pad_less_than_a_random_order_would():
    assert make().padding_share() < 0.1
    assert make(shuffle=False).padding_share() < 0.02


@pytest.mark.parametrize("batch_tokens", [None, 300])
@pytest.mark.parametrize("batch_size", [2, 16, 600])
def test_processes_score_the_batches_of_one(batch_size, batch_tokens):
    given = {"shuffle": False, "batch_size": batch_size, "batch_tokens": batch_tokens}
    alone = list(make(**given))
    parts = [list(make(rank=rank, world_size=3, **given)) for rank in range(3)]
    assert len({len(part) for part in parts}) == 1
    dealt = undealt(parts)
    assert dealt[: len(alone)] == alone
    assert dealt[len(alone) :] == [[]] * (len(dealt) - len(alone))


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_process_may_be_left_without_rows(rows):
    parts = [make(shuffle=False, rank=rank, world_size=2, lengths=LENGTHS[:rows]) for rank in range(2)]
    assert sorted(row for part in parts for row in part.order()) == list(range(rows))
    assert len(parts[0]) == len(parts[1]) >= 1
    assert 0.0 <= parts[1].padding_share() < 1.0


@pytest.mark.parametrize("batch_tokens", [None, 100, 300])
def test_processes_get_the_same_number_of_training_batches(batch_tokens):
    parts = [list(make(rank=rank, world_size=4, batch_tokens=batch_tokens)) for rank in range(4)]
    assert len({len(part) for part in parts}) == 1
    assert {row for part in parts for batch in part for row in batch} == set(range(len(LENGTHS)))


def test_more_processes_than_batches_all_get_some():
    few = [list(make(rank=rank, world_size=5, batch_size=600)) for rank in range(5)]
    assert [len(part) for part in few] == [1] * 5


def test_order_lists_the_rows_as_the_batches_give_them():
    sampler = make(shuffle=False, rank=1, world_size=2)
    assert sampler.order().tolist() == [row for batch in sampler for row in batch]


def test_rows_stand_in_an_epoch_as_often_as_was_asked_on_average_and_epochs_are_alike_in_size():
    wanted = np.ones(200)
    wanted[:3] = 2.5, 1.4, 3.0
    sampler, counts, sizes = make(lengths=LENGTHS[:200], repeats=wanted), np.zeros(200), set()
    for epoch in range(300):
        sampler.set_epoch(epoch)
        order = sampler.order()
        found = np.bincount(order, minlength=200)
        assert (np.floor(wanted * 0.98) <= found).all()
        assert (found <= np.ceil(wanted * 1.02)).all()
        counts += found
        sizes.add((len(order), len(sampler)))
    assert sizes == {(204, 13)}
    assert counts[:3] / 300 == pytest.approx(wanted[:3], abs=0.1)
    assert make(lengths=LENGTHS[:200], repeats=np.ones(200)).order().tolist() != list(range(200))
    parts = [make(lengths=LENGTHS[:200], repeats=wanted, rank=rank, world_size=2) for rank in range(2)]
    assert len(parts[0]) == len(parts[1])
