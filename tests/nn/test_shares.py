"""How much each part counts."""

import torch
from torch.nn.functional import cross_entropy

from gru_nlp.nn.losses import AnyLabels, OneLabel
from gru_nlp.nn.shares import PRIOR, fit_shares


def parts(number=400):
    """Return the logits of a good part and of one that says nothing, and the labels."""
    draw = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 3, (number,), generator=draw)
    good = torch.nn.functional.one_hot(targets, 3).float() + torch.randn(number, 3, generator=draw)
    return torch.stack([good, torch.randn(number, 3, generator=draw)]), targets


def test_a_part_that_says_nothing_counts_for_nothing():
    logits, targets = parts()
    shares = fit_shares(logits, targets, OneLabel())
    assert shares[0] > 0.7
    assert shares[1] < 0.1
    assert (shares >= 0).all()


def test_no_other_shares_are_better():
    logits, targets = parts()
    logits[1] = logits[0].roll(1, dims=1) * 0.2 + torch.nn.functional.one_hot(targets, 3) * 0.5

    def loss(shares):
        even = PRIOR / len(targets) * (shares - 0.5).square().sum()
        return float(cross_entropy(torch.einsum("p,pnc->nc", shares, logits), targets) + even)

    shares = fit_shares(logits, targets, OneLabel())
    for move in torch.tensor([[0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1], [0.1, 0.1]]):
        assert loss(shares) < loss(shares + move)


def test_few_rows_move_even_shares_little_and_none_not_at_all():
    logits, targets = parts(4)
    assert fit_shares(logits, torch.full((4,), -1), OneLabel()).tolist() == [0.5, 0.5]
    assert (fit_shares(logits * 100, targets, OneLabel()) - 0.5).abs().max() < 2.0


def test_a_part_that_says_nothing_of_several_labels_counts_for_nothing():
    draw = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 2, (400, 4), generator=draw)
    good = targets[:, :3] * 2.0 - 1.0 + torch.randn(400, 3, generator=draw)
    shares = fit_shares(torch.stack([good, torch.randn(400, 3, generator=draw)]), targets, AnyLabels())
    assert shares[0] > 0.7
    assert shares[1] < 0.1


def test_weights_of_labels_count_in_any_number_format():
    logits, targets = parts()
    weights = torch.tensor([1.0, 2.0, 4.0])
    exact = fit_shares(logits, targets, OneLabel(weights))
    assert torch.equal(fit_shares(logits, targets, OneLabel(weights.bfloat16())), exact)
    assert not torch.equal(fit_shares(logits, targets, OneLabel()), exact)
