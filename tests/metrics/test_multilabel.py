import numpy as np
import pytest
import torch
from sklearn import metrics

from gru_nlp.metrics.multilabel import COMMON, EVEN, Seen, best_cuts, fit_thresholds, report


def drawn(rows=200, labels=4, seed=1):
    """Return logits ``(N, C)`` and targets ``(N, C + 1)`` that they tell something of; the last column is empty."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, labels)).astype(np.float32)
    known = (logits + random.normal(size=logits.shape) > np.linspace(0.0, 2.0, labels)).astype(np.int64)
    return torch.tensor(logits), torch.tensor(np.hstack([known, np.zeros((rows, 1), np.int64)]))


def f1(said, truth):
    return 2 * (said & truth).sum() / max(1, said.sum() + truth.sum())


def test_scores_agree_with_scikit_learn():
    logits, targets = drawn()
    thresholds = torch.tensor([0.3, 0.5, 0.7, 0.6])
    found = report(logits, targets, thresholds)
    truth, said = targets[:, :-1].numpy(), (logits.sigmoid() >= thresholds).numpy().astype(int)
    assert found.micro_f1 == pytest.approx(metrics.f1_score(truth, said, average="micro"))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert found.subset_accuracy == pytest.approx(metrics.accuracy_score(truth, said))
    losses = [metrics.log_loss(truth[:, c], logits[:, c].sigmoid().double().numpy()) for c in range(4)]
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-5)
    each = metrics.precision_recall_fscore_support(truth, said)
    for place, row in enumerate(found.per_label):
        assert row[:4] == pytest.approx([column[place] for column in each])
        assert row.threshold == pytest.approx(float(thresholds[place]))


def test_a_threshold_gives_the_best_f1_that_any_gives():
    logits, targets = drawn()
    probabilities = logits.sigmoid()
    probabilities[::3] = probabilities[::3].round(decimals=1)  # many are equal
    cuts = best_cuts(probabilities, targets[:, :-1])
    for scores, truth, cut in zip(probabilities.T.numpy(), targets.T.numpy().astype(bool), cuts.numpy(), strict=False):
        best = max(f1(scores >= threshold, truth) for threshold in np.unique(scores))
        assert f1(scores >= cut, truth) == pytest.approx(best)


def test_a_threshold_lies_half_way_between_the_scores_around_it():
    scores, truth = torch.tensor([[0.9, 0.8, 0.4, 0.2]]).T, torch.tensor([[1, 1, 0, 0]]).T
    assert best_cuts(scores, truth).item() == pytest.approx(0.6)
    assert best_cuts(scores, torch.ones_like(truth)).item() == pytest.approx(0.1)
    assert best_cuts(scores, torch.zeros_like(truth)).item() == EVEN
    side = torch.tensor([[0.5], [np.nextafter(np.float32(0.5), np.float32(0))]])
    assert (side >= best_cuts(side, torch.tensor([[1], [0]]))).T.tolist() == [[True, False]]
    assert best_cuts(torch.zeros(3, 1), torch.tensor([[1], [0], [1]])).item() == 0.0


def test_rare_labels_have_the_threshold_of_all_and_frequent_ones_their_own():
    logits, targets = drawn(3000)
    known = targets[:, :-1].clone()
    known[:, 1] = 0
    known[:COMMON, 1] = 1
    known[:, 2] = 0
    probabilities = logits.sigmoid()
    own, cuts = best_cuts(probabilities, known), fit_thresholds(probabilities, known)
    common = best_cuts(probabilities.reshape(-1, 1), known.reshape(-1, 1))[0]
    assert cuts[2] == pytest.approx(float(common))  # without any example
    assert torch.logit(cuts[1]) == pytest.approx(float(torch.logit(own[1]) + torch.logit(common)) / 2, rel=1e-4)
    assert abs(cuts[0] - own[0]) < 0.05 * abs(common - own[0])
    assert fit_thresholds(probabilities, torch.zeros_like(known)).tolist() == [EVEN] * 4
    sure = fit_thresholds(torch.zeros(5, 2), torch.ones(5, 2, dtype=torch.int64))
    assert ((sure > 0.0) & (sure < 0.001)).all()


def test_labels_that_training_lacks_were_missed():
    logits = torch.tensor([[9.0, -9.0], [-9.0, -9.0], [9.0, -9.0]])
    targets = torch.tensor([[1, 0, 0], [0, 0, 2], [1, 0, 1]])
    found = report(logits, targets, torch.full((2,), 0.5))
    assert found.micro_f1 == pytest.approx(2 * 2 / (2 * 2 + 3))
    assert found.macro_f1 == pytest.approx(0.5)  # of a label that is always right, and those that are not known
    assert found.subset_accuracy == pytest.approx(1 / 3)
    assert found.loss < 0.001


def test_nothing_true_and_nothing_said_is_no_division():
    found = report(torch.full((3, 2), -9.0), torch.zeros(3, 3, dtype=torch.int64), torch.full((2,), 0.5))
    assert (found.micro_f1, found.macro_f1, found.subset_accuracy) == (0.0, 0.0, 1.0)


def test_batches_are_seen_as_one():
    logits, targets = drawn(7)
    seen = Seen()
    for part in (slice(0, 3), slice(3, 7)):
        seen.update(logits[part], targets[part])
    whole = seen.compute()
    assert torch.equal(whole[0], logits)
    assert torch.equal(whole[1].long(), targets)
    seen.reset()
    seen.update(logits[:1], targets[:1])
    assert len(seen.compute()[0]) == 1
