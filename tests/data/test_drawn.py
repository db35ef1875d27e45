"""Rows that are drawn anew every epoch, in batches of the lengths that they then have."""

from functools import partial

import datasets
import numpy as np
import pytest

from gru_nlp.data.batching import Plan
from gru_nlp.data.bucketing import BucketBatchSampler
from gru_nlp.data.drawn import DrawnBatchSampler, DrawnSplit, drawn
from gru_nlp.data.encoded import encode
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.text import tokenizer as kinds

BPE = {"vocabulary_size": 300, "min_frequency": 1, "lowercase": False, "normalization": "nfc"}
PLAN = Plan(batch_size=8, batch_tokens=None, seed=3, shuffle=True)


def rows(count=700):
    chance = np.random.default_rng(1)
    words = ["Hund", "Garten", "läuft", "Schlüssel", "die", "alte", "Maus", "heute", "Fenster", "und"]
    said = [" ".join(chance.choice(words, chance.integers(1, 14))) for _ in range(count)]
    return datasets.Dataset.from_dict({"source": said, "target": said[::-1], "line": list(range(count))})


def made(share, table):
    preprocessor = TranslationPreprocessor(
        tokenizer=partial(kinds.bpe, **BPE), joint=True, max_length=40, bpe_dropout=share
    )
    preprocessor.fit(table, Hints())
    return preprocessor


@pytest.fixture(scope="module")
def parts():
    table = rows()
    preprocessor = made(0.2, table)
    return encode(table, preprocessor), preprocessor


def collated(data, sampler, preprocessor):
    return [preprocessor.collate(data.__getitems__(batch), training=True) for batch in sampler]


def test_batches_are_of_the_lengths_that_rows_have_in_the_epoch(parts):
    split, preprocessor = parts
    data, sampler = drawn(split, preprocessor, PLAN, "train")
    lengths, steps, plain = [], 0, 0
    for epoch in range(2):
        sampler.set_epoch(epoch)
        batches = collated(data, sampler, preprocessor)
        assert len(batches) == len(sampler)
        steps += sum(max(batch.inputs.shape[1], batch.targets.shape[1]) * len(batch.lengths) for batch in batches)
        numbers = [number for batch in sampler for number in batch]
        assert sorted(numbers) == list(range(epoch * len(split), (epoch + 1) * len(split)))
        longer = np.concatenate([np.maximum(batch.lengths, batch.target_lengths) for batch in batches])
        assert longer.tolist() == data.sizes(epoch)[np.array(numbers) % len(split)].tolist()
        lengths.append(data.sizes(epoch))
        other = BucketBatchSampler(split.lengths, **PLAN._asdict())
        other.set_epoch(epoch)
        plain += sum(len(batch) * lengths[-1][batch].max() for batch in other)
    assert not np.array_equal(*lengths)
    assert lengths[0].mean() > split.lengths.mean() + 1
    assert steps < 0.9 * plain
    assert sampler.padding_share() < 0.1


def test_a_row_is_drawn_as_its_number_says_whatever_stands_beside_it(parts):
    split, preprocessor = parts
    data, again = (DrawnSplit(split, preprocessor, seed=3) for _ in range(2))
    whole = data.__getitems__([5, 1404, 17])
    assert whole["source"] == [split.raw[row]["source"] for row in (5, 4, 17)]
    alone = again.__getitems__([1404])
    batch, single = preprocessor.collate(whole, training=True), preprocessor.collate(alone, training=True)
    assert single.inputs[0].tolist() == batch.inputs[1, : single.lengths[0]].tolist()
    assert data.__getitems__([4])["draws"] != alone["draws"]
    assert DrawnSplit(split, preprocessor, seed=4).__getitems__([1404])["draws"] != alone["draws"]
    assert data.__getitems__([]) == {}


def test_budgets_hold_and_processes_share_the_epoch(parts):
    split, preprocessor = parts
    seen = []
    for rank in range(2):
        plan = PLAN._replace(batch_tokens=120, rank=rank, world_size=2)
        data, sampler = drawn(split, preprocessor, plan, "train")
        for batch in collated(data, sampler, preprocessor):
            assert len(batch.lengths) * max(batch.inputs.shape[1], batch.targets.shape[1]) <= 120
        seen.append([number for batch in sampler for number in batch])
    assert set(seen[0]) | set(seen[1]) == set(range(len(split)))


def test_what_is_not_drawn_comes_as_it_is(parts):
    split, preprocessor = parts
    data, sampler = drawn(split, preprocessor, PLAN._replace(shuffle=False), "validation")
    assert data is split
    assert not isinstance(sampler, DrawnBatchSampler)
    table = rows(40)
    plain = made(0.0, table)
    data, sampler = drawn(encode(table, plain), plain, PLAN, "train")
    assert not isinstance(sampler, DrawnBatchSampler)
    assert len(collated(data, sampler, plain)) == 5


@pytest.mark.parametrize(("budget", "epochs_drawn"), [(None, set()), (200, {0})])
def test_no_epoch_is_drawn_to_plan_the_steps(parts, budget, epochs_drawn, monkeypatch):
    split, preprocessor = parts
    data, sampler = drawn(split, preprocessor, PLAN._replace(batch_tokens=budget), "train")
    real, seen = data.sizes, []
    monkeypatch.setattr(data, "sizes", lambda epoch: seen.append(epoch) or real(epoch))
    planned = [sampler.planned(epoch) for epoch in range(4)]
    assert len(set(planned)) == 1
    assert set(seen) == epochs_drawn
    assert len(seen) == len(epochs_drawn)
    sampler.set_epoch(3)
    assert len(list(sampler)) == len(sampler) == pytest.approx(planned[3], rel=0.1)
