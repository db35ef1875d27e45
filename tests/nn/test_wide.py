"""The wide part: against a dense matrix and against automatic differentiation; where its solver stops."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gru_nlp.nn import wide
from gru_nlp.nn.losses import AnyLabels, OneLabel
from gru_nlp.nn.wide import BAGS, Bags, Labelled, WideLinear, spread

WORDS, SIZE = 12, 20  # the ids from 12 on are of characters


def rows(number, seed=0):
    """Return texts as lists of ids, ascending and each once; some bags are empty."""
    draw = torch.Generator().manual_seed(seed)
    return [sorted(torch.randperm(SIZE, generator=draw)[: row % 7].tolist()) for row in range(number)]


def bags(texts):
    """Return them as bags."""
    parts = [[one for one in row if (one >= WORDS) == bag] for row in texts for bag in range(BAGS)]
    starts = torch.tensor([0, *map(len, parts)]).cumsum(0)[:-1]
    return Bags(torch.tensor([one for part in parts for one in part], dtype=torch.int32), starts.int())


def dense(texts, weights):
    """Return each text as a vector: ``weights`` at its n-grams, the words' length 1 and the characters' length 1."""
    whole = torch.zeros(len(texts), SIZE)
    for place, row in enumerate(texts):
        whole[place, row] = weights[row]
    for part in (slice(0, WORDS), slice(WORDS, SIZE)):
        whole[:, part] /= whole[:, part].norm(dim=1, keepdim=True).clamp(min=1e-9)
    return whole


def problem(num_labels):
    """Return texts with labels that follow from them, and the same texts as lists."""
    texts = rows(120)
    direction = torch.randn(SIZE, num_labels, generator=torch.Generator().manual_seed(1))
    return Labelled(bags(texts), (dense(texts, torch.ones(SIZE)) @ direction).argmax(dim=1)), texts


def several(num_labels):
    """Return texts with labels that follow from them, each by itself, and the same texts as lists."""
    texts = rows(120)
    direction = torch.randn(SIZE, num_labels, generator=torch.Generator().manual_seed(1))
    known = (dense(texts, torch.ones(SIZE)) @ direction > 0.3).long()
    return Labelled(bags(texts), torch.cat([known, torch.zeros(120, 1, dtype=torch.int64)], dim=1)), texts


def test_the_sum_over_bags_is_a_product_with_a_matrix():
    texts = rows(9)
    layer = WideLinear(SIZE, 3, exclusive=True)
    scale, weights = torch.rand(SIZE) + 0.1, torch.randn(SIZE, 3)
    layer.table, layer.bias = torch.cat([scale[:, None] * weights, scale[:, None] ** 2], dim=1), torch.randn(3)
    torch.testing.assert_close(layer(bags(texts)), dense(texts, scale) @ weights + layer.bias)
    assert torch.equal(layer(bags([[]])), layer.bias[None])
    one_by_one = torch.cat([layer(bags([row])) for row in texts])
    torch.testing.assert_close(layer(bags(texts)), one_by_one)


def test_the_spread_over_two_labels_is_the_weight_of_naive_bayes():
    given, texts = problem(2)
    counts = torch.zeros(2, SIZE)
    for row, label in zip(texts, given.targets.tolist(), strict=True):
        counts[label, row] += 1
    smoothed = (counts + 1) / (counts.sum(dim=1, keepdim=True) + 1)
    expected = (smoothed[0] / smoothed[1]).log().abs()
    found = spread(wide._turned(given.bags, SIZE), OneLabel().indicators(given.targets, 2))
    torch.testing.assert_close(found, expected)


def test_the_spread_over_labels_that_go_together_weighs_each_by_its_texts():
    given, texts = several(3)
    known = given.targets[:, :3]
    squares = torch.zeros(SIZE)
    for label in range(3):
        counts = torch.zeros(2, SIZE)
        for row, has in zip(texts, known[:, label].tolist(), strict=True):
            counts[has, row] += 1
        smoothed = (counts + 1) / (counts.sum(dim=1, keepdim=True) + 1)
        squares += (smoothed[1] / smoothed[0]).log().square() * known[:, label].sum() / known.sum()
    found = spread(wide._turned(given.bags, SIZE), AnyLabels().indicators(given.targets, 3))
    torch.testing.assert_close(found, squares.sqrt())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("num_labels", [2, 3])
def test_the_gradient_is_that_of_the_loss(num_labels, weighted):
    given, texts = problem(num_labels)
    layer = WideLinear(SIZE, num_labels, exclusive=True)
    own = torch.arange(1.0, num_labels + 1) if weighted else None
    posed = wide._Problem(given, layer, OneLabel(own))
    posed.weights, posed.bias = torch.randn(SIZE, layer.columns), torch.randn(layer.columns)
    weights, bias = posed.weights.clone().requires_grad_(), posed.bias.clone().requires_grad_()
    logits = dense(texts, posed.spread[:, 0]) @ weights + bias
    whole = logits if num_labels > 2 else torch.cat([-logits / 2, logits / 2], dim=1)
    loss = cross_entropy(whole, given.targets, weight=own) + 0.01 / 2 * weights.square().sum()
    loss.backward()
    assert abs(posed._cost(0.01) - loss.item()) < 1e-5
    torch.testing.assert_close(posed.weights.grad, weights.grad, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(posed.bias.grad, bias.grad, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("num_labels", [1, 2, 3])
def test_the_gradient_of_several_labels_is_that_of_a_problem_a_label(num_labels):
    given, texts = several(num_labels)
    posed = wide._Problem(given, WideLinear(SIZE, num_labels, exclusive=False), AnyLabels())
    posed.weights, posed.bias = torch.randn(SIZE, num_labels), torch.randn(num_labels)
    weights, bias = posed.weights.clone().requires_grad_(), posed.bias.clone().requires_grad_()
    logits = dense(texts, posed.spread[:, 0]) @ weights + bias
    known = given.targets[:, :-1].float()
    loss = sum(binary_cross_entropy_with_logits(logits[:, label], known[:, label]) for label in range(num_labels))
    loss = loss + 0.01 / 2 * weights.square().sum()
    loss.backward()
    assert abs(posed._cost(0.01) - loss.item()) < 1e-5
    torch.testing.assert_close(posed.weights.grad, weights.grad, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(posed.bias.grad, bias.grad, atol=1e-6, rtol=1e-4)


def test_it_learns_what_a_line_divides_and_stops_where_validation_gets_worse():
    given, _ = problem(3)
    layer = WideLinear(SIZE, 3, exclusive=True)
    layer.solve(given, given, OneLabel())
    assert (layer(given.bags).argmax(dim=1) == given.targets).float().mean() > 0.95
    loosest = layer.table.abs().sum()
    noise = given._replace(targets=torch.randint(0, 3, (120,), generator=torch.Generator().manual_seed(2)))
    layer.solve(given, noise, OneLabel())
    assert layer.table.abs().sum() < loosest
    again = WideLinear(SIZE, 3, exclusive=True)
    again.solve(given, noise, OneLabel())
    assert torch.equal(layer.table, again.table)


@pytest.mark.parametrize("num_labels", [1, 2, 3])
def test_it_learns_each_of_several_labels(num_labels):
    given, _ = several(num_labels)
    layer = WideLinear(SIZE, num_labels, exclusive=False)
    layer.solve(given, given, AnyLabels())
    logits = layer(given.bags)
    assert logits.shape == (120, num_labels)
    assert ((logits > 0) == given.targets[:, :-1].bool()).float().mean() > 0.95


def test_labels_that_training_does_not_have_choose_no_penalty():
    given, _ = problem(3)
    mixed, none = given.targets.clone(), torch.full_like(given.targets, -1)
    mixed[::2] = -1
    for unseen in (mixed, none):
        layer = WideLinear(SIZE, 3, exclusive=True)
        layer.solve(given, given._replace(targets=unseen), OneLabel())
        assert (layer(given.bags).argmax(dim=1) == given.targets).float().mean() > 0.95


def test_texts_that_share_nothing_have_no_ngrams_to_learn_from():
    layer = WideLinear(0, 2, exclusive=True)
    nothing = Labelled(Bags(torch.zeros(0, dtype=torch.int32), torch.zeros(4, dtype=torch.int32)), torch.tensor([0, 1]))
    layer.solve(nothing, nothing, OneLabel())
    assert torch.isfinite(layer(nothing.bags)).all()
    assert layer(nothing.bags).shape == (2, 2)


def test_weights_of_other_texts_stay_where_they_fit_validation_better():
    (known, targets), _ = problem(3)
    layer = WideLinear(SIZE, 3, exclusive=True)
    layer.solve(Labelled(known, targets), Labelled(known, targets), OneLabel())
    table, bias = layer.table.clone(), layer.bias.clone()
    few = bags(rows(6, seed=5))
    layer.solve(Labelled(few, torch.arange(6) % 3), Labelled(known, targets), OneLabel())
    assert torch.equal(layer.table, table)
    assert torch.equal(layer.bias, bias)
    turned = (targets + 1) % 3
    layer.solve(Labelled(known, turned), Labelled(known, turned), OneLabel())
    assert (layer(known).argmax(dim=1) == turned).float().mean() > 0.9
