import pytest
import torch

from gru_nlp.nn.tanh import TanhFunction, tanh


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_values_and_gradients_are_those_of_torch(dtype):
    values = torch.linspace(-30, 30, 601, dtype=dtype)
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    found, expected = tanh(ours), torch.tanh(theirs)
    assert ours.detach().equal(values)
    tolerance = torch.finfo(dtype).eps
    torch.testing.assert_close(found, expected, rtol=0, atol=2 * tolerance)
    weighting = torch.linspace(-1, 1, 601, dtype=dtype)
    (by_ours,), (by_theirs,) = (
        torch.autograd.grad((one * weighting).sum(), at) for one, at in ((found, ours), (expected, theirs))
    )
    torch.testing.assert_close(by_ours, by_theirs, rtol=0, atol=4 * tolerance)
    assert (type(found.grad_fn).__name__ == "TanhFunctionBackward") == (dtype != torch.bfloat16)


def test_without_gradient_it_is_torch_s_own():
    values = torch.randn(5)
    with torch.inference_mode():
        assert torch.equal(tanh(values), torch.tanh(values))


def test_the_written_gradient_is_the_numerical_one_and_has_none_of_its_own():
    values = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(TanhFunction.apply, values)
    with pytest.raises(RuntimeError, match="leave out create_graph"):
        torch.autograd.grad(tanh(values).sum(), values, create_graph=True)
