import pytest
import torch

from gru_nlp.nn.dropout import Dropout


def test_the_asked_share_is_dropped_and_the_rest_scaled_and_the_gradient_goes_the_same_way():
    torch.manual_seed(0)
    layer = Dropout(0.3)
    features = torch.ones(101, 1001, requires_grad=True)
    found = layer(features)
    found.sum().backward()
    kept = found != 0
    assert abs(kept.float().mean() - 0.7) < 0.005
    assert (kept.float().mean(dim=1) - 0.7).abs().max() < 0.08
    torch.testing.assert_close(found[kept], torch.full_like(found[kept], 1 / 0.7), rtol=1e-4, atol=0)
    assert torch.equal(features.grad, found.detach())
    assert not torch.equal(layer(features), found)
    torch.manual_seed(0)
    assert torch.equal(layer(features), found)


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 0, 2), (5,), (2, 3, 3)])
def test_any_shape_keeps_its_own(shape):
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


@pytest.mark.parametrize("share", [0.0, 1e-9, 1.0])
def test_none_and_all_are_exact(share):
    features = torch.randn(1000)
    assert torch.equal(Dropout(share)(features), features * (share < 1.0))


def test_nothing_is_dropped_outside_of_training():
    features = torch.randn(4, 5)
    assert torch.equal(Dropout(0.5).eval()(features), features)
