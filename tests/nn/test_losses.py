"""Losses of labels: against torch's own, and their gradients against automatic differentiation."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gru_nlp.nn.losses import AnyLabels, OneLabel

LOGITS = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
ONE = torch.tensor([0, 1, 2, 2, 0, 1])
ANY = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 2], [1, 1, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]])
WEIGHTS = torch.tensor([1.0, 2.0, 4.0])
LOSSES = [(OneLabel(), ONE), (OneLabel(WEIGHTS), ONE), (AnyLabels(), ANY)]


@pytest.mark.parametrize(("loss", "targets"), LOSSES)
def test_slopes_are_the_gradient_of_the_mean(loss, targets):
    logits = LOGITS.clone().requires_grad_()
    mean = loss.mean(logits, targets)
    mean.backward()
    each, slopes = loss.slopes(LOGITS, targets)
    rows = loss.rows(targets) / loss.rows(targets).sum()
    torch.testing.assert_close((rows * each).sum(), mean.detach())
    torch.testing.assert_close(rows[:, None] * slopes, logits.grad)


def test_one_label_is_torchs_weighted_cross_entropy():
    assert torch.equal(OneLabel(WEIGHTS).mean(LOGITS, ONE), cross_entropy(LOGITS, ONE, weight=WEIGHTS))
    assert OneLabel().indicators(ONE, 3).tolist() == [[float(label == column) for column in range(3)] for label in ONE]


def test_a_text_whose_label_is_not_known_weighs_nothing():
    targets = torch.tensor([2, -1, 0])
    assert OneLabel().rows(targets).tolist() == [1.0, 0.0, 1.0]
    assert OneLabel(WEIGHTS).rows(targets).tolist() == [4.0, 0.0, 1.0]
    assert AnyLabels().rows(ANY).tolist() == [1.0] * 6  # that it has none of them is known


def test_several_labels_are_summed_and_those_that_training_lacks_cost_nothing():
    known = ANY[:, :3].float()
    assert torch.equal(AnyLabels().indicators(ANY, 3), known)
    expected = binary_cross_entropy_with_logits(LOGITS, known, reduction="none").sum(dim=1).mean()
    torch.testing.assert_close(AnyLabels().mean(LOGITS, ANY), expected)
    other = ANY.clone()
    other[:, 3] = 5
    assert torch.equal(AnyLabels().mean(LOGITS, other), AnyLabels().mean(LOGITS, ANY))
