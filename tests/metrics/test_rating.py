import numpy as np
import pytest
from sklearn import metrics

from gru_nlp.metrics.rating import mean_absolute_error, quadratic_kappa

VALUES = [1.0, 2.0, 4.0, 10.0]


def pairs(seed=1, count=300):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, count)
    return truth, np.clip(truth + random.integers(-1, 2, count), 0, 3)


def matrix(truth, said):
    return metrics.confusion_matrix(truth, said, labels=range(4))


def test_scores_agree_with_scikit_learn():
    truth, said = pairs()
    one, other = (np.array(VALUES)[ids] for ids in (truth, said))
    assert mean_absolute_error(matrix(truth, said), VALUES) == pytest.approx(metrics.mean_absolute_error(one, other))
    # Scikit-learn's distances are those of places in a list, which has all whole numbers here.
    kappa = metrics.cohen_kappa_score(one, other, labels=np.arange(1.0, 11.0), weights="quadratic")
    assert quadratic_kappa(matrix(truth, said), VALUES) == pytest.approx(kappa)


def test_kappa_is_one_for_agreement_and_nought_for_a_single_answer():
    truth, _ = pairs()
    assert quadratic_kappa(matrix(truth, truth), VALUES) == pytest.approx(1.0)
    assert quadratic_kappa(matrix(truth, np.full_like(truth, 2)), VALUES) == pytest.approx(0.0)
    assert quadratic_kappa(matrix([1, 1], [1, 1]), VALUES) == 0.0
    assert quadratic_kappa(matrix([0, 3], [3, 0]), VALUES) < -0.9


def test_nothing_is_no_error():
    assert mean_absolute_error(np.zeros((4, 4)), VALUES) == quadratic_kappa(np.zeros((4, 4)), VALUES) == 0.0
