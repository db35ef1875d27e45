import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from gru_nlp.nn.projection import PIECE, projected_cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("tokens", [1, PIECE, 2 * PIECE + 3])
def test_loss_and_gradients_are_those_of_the_whole_matrix(tokens, smoothing):
    torch.manual_seed(0)
    features, weight, bias = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(tokens, 5), (9, 5), (9,)]
    )
    targets = torch.randint(0, 9, (tokens,))
    ours = projected_cross_entropy(features, weight, bias, targets, smoothing)
    whole = cross_entropy(linear(features, weight, bias), targets, label_smoothing=smoothing)
    torch.testing.assert_close(ours, whole)
    found, expected = (torch.autograd.grad(3 * loss, (features, weight, bias)) for loss in (ours, whole))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_logits_of_a_thousand_neither_overflow_nor_vanish():
    features = torch.tensor([[1000.0], [-1000.0]], requires_grad=True)
    loss = projected_cross_entropy(features, torch.tensor([[1.0], [-1.0]]), torch.zeros(2), torch.tensor([0, 0]), 0.0)
    loss.backward()
    assert loss.item() == 1000.0
    assert features.grad.tolist() == [[0.0], [-1.0]]


def test_under_autocast_the_loss_keeps_float32():
    features, weight = torch.randn(4, 3, dtype=torch.bfloat16), torch.randn(5, 3)
    with torch.autocast("cpu"):
        loss = projected_cross_entropy(features, weight, torch.zeros(5), torch.arange(4), 0.0)
    torch.testing.assert_close(loss, cross_entropy(features.float() @ weight.t(), torch.arange(4)))
