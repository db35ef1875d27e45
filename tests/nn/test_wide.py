"""The wide part: against a dense matrix and against automatic differentiation; where its solver stops."""

import torch
from torch.nn.functional import cross_entropy

from gru_nlp.nn import wide
from gru_nlp.nn.wide import BAGS, Bags, WideLinear, spread

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
    """Return bags, labels that follow from them, and the same texts as lists."""
    texts = rows(120)
    direction = torch.randn(SIZE, num_labels, generator=torch.Generator().manual_seed(1))
    return bags(texts), (dense(texts, torch.ones(SIZE)) @ direction).argmax(dim=1), texts


def test_the_sum_over_bags_is_a_product_with_a_matrix():
    texts = rows(9)
    layer = WideLinear(SIZE, 3)
    scale, weights = torch.rand(SIZE) + 0.1, torch.randn(SIZE, 3)
    layer.table, layer.bias = torch.cat([scale[:, None] * weights, scale[:, None] ** 2], dim=1), torch.randn(3)
    torch.testing.assert_close(layer(bags(texts)), dense(texts, scale) @ weights + layer.bias)
    assert torch.equal(layer(bags([[]])), layer.bias[None])
    one_by_one = torch.cat([layer(bags([row])) for row in texts])
    torch.testing.assert_close(layer(bags(texts)), one_by_one)


def test_the_spread_over_two_labels_is_the_weight_of_naive_bayes():
    given, targets, texts = problem(2)
    counts = torch.zeros(2, SIZE)
    for row, label in zip(texts, targets.tolist(), strict=True):
        counts[label, row] += 1
    smoothed = (counts + 1) / (counts.sum(dim=1, keepdim=True) + 1)
    expected = (smoothed[0] / smoothed[1]).log().abs()
    torch.testing.assert_close(spread(given, targets, 2, SIZE), expected)


def test_the_gradient_is_that_of_the_loss():
    for num_labels in (2, 3):
        given, targets, texts = problem(num_labels)
        layer = WideLinear(SIZE, num_labels)
        posed = wide._Problem(given, targets, layer, spread(given, targets, num_labels, SIZE))
        posed.weights, posed.bias = torch.randn(SIZE, layer.columns), torch.randn(layer.columns)
        weights, bias = posed.weights.clone().requires_grad_(), posed.bias.clone().requires_grad_()
        logits = dense(texts, posed.spread[:, 0]) @ weights + bias
        whole = logits if num_labels > 2 else torch.cat([-logits / 2, logits / 2], dim=1)
        loss = cross_entropy(whole, targets) + 0.01 / 2 * weights.square().sum()
        loss.backward()
        assert abs(posed._loss(0.01) - loss.item()) < 1e-5
        torch.testing.assert_close(posed.weights.grad, weights.grad, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(posed.bias.grad, bias.grad, atol=1e-6, rtol=1e-4)


def test_it_learns_what_a_line_divides_and_stops_where_validation_gets_worse():
    given, targets, _ = problem(3)
    layer = WideLinear(SIZE, 3)
    layer.solve(given, targets, given, targets)
    assert (layer(given).argmax(dim=1) == targets).float().mean() > 0.95
    loosest = layer.table.abs().sum()
    noise = torch.randint(0, 3, targets.shape, generator=torch.Generator().manual_seed(2))
    layer.solve(given, targets, given, noise)
    assert layer.table.abs().sum() < loosest
    again = WideLinear(SIZE, 3)
    again.solve(given, targets, given, noise)
    assert torch.equal(layer.table, again.table)
