import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_recall_fscore_support

from gru_nlp.metrics.classification import ClassificationMetric


@pytest.mark.parametrize("seed", range(8))
def test_scores_equal_scikit_learns(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(60, 5, generator=generator)
    # Label 4 never occurs in truth, and in some draws not among the predictions either.
    logits[:, 4] -= 3.0 * seed
    targets = torch.randint(0, 4, (60,), generator=generator)
    metric = ClassificationMetric(5)
    for part in range(0, 60, 16):
        metric.update(logits[part : part + 16], targets[part : part + 16])
    report = metric.compute()
    truth, guess = targets.numpy(), logits.argmax(1).numpy()
    assert report.accuracy == pytest.approx(accuracy_score(truth, guess))
    assert report.macro_f1 == pytest.approx(f1_score(truth, guess, average="macro"))
    assert report.loss == pytest.approx(log_loss(truth, logits.double().softmax(1).numpy(), labels=range(5)), rel=1e-6)
    expected = zip(*precision_recall_fscore_support(truth, guess, labels=range(5), zero_division=0), strict=True)
    for row, wanted in zip(report.per_label, expected, strict=True):
        assert tuple(row) == pytest.approx(tuple(wanted))


def test_states_of_two_parts_add_up():
    logits, targets = torch.randn(20, 3), torch.randint(0, 3, (20,))
    whole, first, second = (ClassificationMetric(3) for _ in range(3))
    whole.update(logits, targets)
    first.update(logits[:7], targets[:7])
    second.update(logits[7:], targets[7:])
    first.confusion += second.confusion
    first.loss_sum += second.loss_sum
    assert first.compute().per_label == whole.compute().per_label
    assert first.compute().loss == pytest.approx(whole.compute().loss)


def test_nothing_seen_scores_zero():
    with pytest.warns(UserWarning, match="called before the ``update`` method"):
        report = ClassificationMetric(2).compute()
    assert (report.accuracy, report.macro_f1) == (0.0, 0.0)


def test_labels_that_training_does_not_have_are_wrong():
    metric = ClassificationMetric(2)
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
    metric.update(logits, torch.tensor([0, -1, 1, -1]))
    report = metric.compute()
    assert report.accuracy == 0.5
    assert report.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert [row.precision for row in report.per_label] == [0.5, 0.5]
    assert report.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits[[0, 2]], torch.tensor([0, 1]))))
