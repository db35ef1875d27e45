"""Accuracy of words against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from gru_nlp.metrics.word_tags import WordTagMetric, tally


def drawn(seed):
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 9, size=30)
    true = [draw.integers(0, 5, size=length) for length in lengths]
    said = [np.where(draw.random(len(row)) < 0.6, row, draw.integers(0, 4, size=len(row))) for row in true]
    return said, true, [draw.random(len(row)) < 0.3 for row in true]


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_scikit_learn(seed):
    said, true, unmet = drawn(seed)
    metric = WordTagMetric(6)  # of which the last never occurs
    for part in (slice(0, 11), slice(11, None)):
        metric.update(*(np.concatenate(rows[part]) for rows in (said, true, unmet)))
    report = metric.compute()
    one, other, new = map(np.concatenate, (said, true, unmet))
    assert report.scores["accuracy"] == pytest.approx(accuracy_score(other, one))
    assert report.scores["accuracy_unseen"] == pytest.approx(accuracy_score(other[new], one[new]))
    assert report.scores["macro_f1"] == pytest.approx(f1_score(other, one, average="macro"))
    expected = precision_recall_fscore_support(other, one, labels=range(6), zero_division=0)
    np.testing.assert_allclose(np.array(report.per_label).T, np.array(expected))
    counted = tally(said, true, unmet, 6)
    assert {name: value[0] for name, value in counted.score(counted.total()).items()} == pytest.approx(report.scores)
    first = counted.sums(np.arange(30), 30)[0]
    assert first[1:-2:3].sum() == len(true[0])


def test_nothing_is_zero():
    metric = WordTagMetric(2)
    metric.update(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    assert set(metric.compute().scores.values()) == {0.0}
