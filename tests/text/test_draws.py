"""Random numbers by keys: what they are distributed by, and that they depend on their key alone."""

import numpy as np
import pytest

from gru_nlp.text.draws import failures, mixed


def numbers(*values):
    return np.array(values, dtype=np.uint64)


def test_numbers_are_those_of_the_published_generator():
    # SplitMix64 from a state of 0: its first three outputs, and the first from a state of 2**64 - step.
    assert mixed(numbers(0, 1, 2)).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert mixed(numbers(2**64 - 1)).tolist() == [0]


@pytest.mark.parametrize("share", [0.06, 0.5, 0.9])
def test_failures_are_as_likely_as_asked(share):
    found = failures(mixed(np.arange(20_000, dtype=np.uint64)), np.full(20_000, 3), share)
    for count in range(3):
        assert np.mean(found == count) == pytest.approx((1 - share) * share**count, abs=0.006)
    first, second = found[0::3], found[1::3]
    both = np.mean((first > 0) & (second > 0))
    assert both == pytest.approx(share**2, abs=0.01)


def test_draws_of_a_key_are_its_own():
    keys, counts = mixed(numbers(4, 9, 4, 7)), np.array([3, 0, 5, 2])
    found = failures(keys, counts, 0.5).tolist()
    assert len(found) == 10
    assert found[:3] == found[3:6]
    assert failures(keys[3:], counts[3:], 0.5).tolist() == found[8:]
    assert failures(keys[:0], counts[:0], 0.5).tolist() == []
