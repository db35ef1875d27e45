"""The softmax over a sample of the vocabulary."""

import pytest
import torch

from gru_nlp.nn.projection import projected_cross_entropy
from gru_nlp.nn.sampled_softmax import inclusion_probabilities, sampled_cross_entropy

V = 60


def arguments():
    random = torch.Generator().manual_seed(1)
    features, weight, bias = (
        torch.randn(size, generator=random, dtype=torch.float64) for size in ((9, 4), (V, 4), (V,))
    )
    return [*(tensor.requires_grad_() for tensor in (features, weight, bias)), torch.arange(0, 54, 6)]


@pytest.mark.parametrize("wanted", [1, 2, 20, 59])
def test_as_many_ids_as_wanted_are_drawn_frequent_ones_first(wanted):
    probabilities = inclusion_probabilities(V, wanted)
    assert probabilities.sum().item() == pytest.approx(wanted, rel=1e-5)
    assert (probabilities.diff() <= 0).all()
    assert 0.0 < probabilities[-1] < probabilities[0] <= 1.0


@pytest.mark.parametrize("wanted", [V, 10 * V])
def test_all_ids_make_the_whole_softmax(wanted):
    given = arguments()
    sampled = sampled_cross_entropy(*given, inclusion_probabilities(V, wanted))
    whole = projected_cross_entropy(*given, 0.0)
    assert sampled.item() == pytest.approx(whole.item(), rel=1e-12)
    for own, other in zip(*(torch.autograd.grad(loss, given[:3]) for loss in (sampled, whole)), strict=True):
        assert torch.allclose(own, other, atol=1e-12)


def test_the_normaliser_is_right_on_average_and_its_gradient_nearly():
    *given, targets = arguments()
    probabilities = inclusion_probabilities(V, 25).double()
    one = targets[:1].expand(9)  # one target, and one feature, so that the mean is over draws alone
    features = given[0][:1].expand(9, 4)
    torch.manual_seed(1)
    true = (given[0][:1] @ given[1][0] + given[2][0]).item()
    losses = [sampled_cross_entropy(features, given[1], given[2], one, probabilities).item() for _ in range(3000)]
    normalisers = torch.tensor(losses, dtype=torch.float64).add(true).exp()
    wanted = (given[0][0] @ given[1].t() + given[2]).exp().sum().item()
    assert normalisers.mean().item() == pytest.approx(wanted, rel=3 * normalisers.std().item() / 3000**0.5 / wanted)
    whole = torch.autograd.grad(projected_cross_entropy(*given, targets, 0.0), given)
    sums = [torch.zeros_like(tensor) for tensor in given]
    for _ in range(500):
        for total, part in zip(
            sums, torch.autograd.grad(sampled_cross_entropy(*given, targets, probabilities), given), strict=True
        ):
            total += part / 500
    for own, other in zip(sums, whole, strict=True):
        assert torch.nn.functional.cosine_similarity(own.flatten(), other.flatten(), dim=0) > 0.98


def test_short_formats_change_nothing_in_what_is_drawn():
    random = torch.Generator().manual_seed(1)
    features, weight = (torch.randn(size, generator=random).bfloat16() for size in ((4, 8), (20_000, 8)))
    bias, targets = torch.zeros(20_000, dtype=torch.bfloat16), torch.arange(4)
    probabilities = inclusion_probabilities(20_000, 200)
    torch.manual_seed(1)
    short = sampled_cross_entropy(features, weight, bias, targets, probabilities.bfloat16())
    torch.manual_seed(1)
    long = sampled_cross_entropy(
        features.float(), weight.float(), bias.float(), targets, probabilities.bfloat16().float()
    )
    assert short.item() == pytest.approx(long.item(), rel=1e-6)
