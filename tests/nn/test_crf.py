from itertools import pairwise, product

import pytest
import torch

from gru_nlp.nn.crf import NEVER, ConditionalRandomField, IndependentTags

C, LENGTHS = 3, torch.tensor([4, 1, 3])


def field(forbidden=((0, 2), (3, 1), (2, 3))):
    torch.manual_seed(0)
    allowed = [[(one, other) not in forbidden for other in range(C + 1)] for one in range(C + 1)]
    made = ConditionalRandomField(allowed).double()
    torch.nn.init.normal_(made.transitions)
    return made


def emissions(spread=1.0):
    torch.manual_seed(1)
    return (spread * torch.randn(3, 4, C, dtype=torch.float64)).requires_grad_()


def path_score(made, scores, path):
    edges, outside = made.edges(), C
    total = edges[outside, path[0]] + edges[path[-1], outside]
    total = total + sum(edges[one, other] for one, other in pairwise(path))
    return total + sum(scores[step, tag] for step, tag in enumerate(path))


def all_paths(made, scores, length):
    paths = list(product(range(C), repeat=length))
    return paths, torch.stack([path_score(made, scores, path) for path in paths])


@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_loss_and_its_gradients_are_those_of_brute_force(spread):
    made, scores = field(), emissions(spread)
    targets = torch.tensor([[1, 1, 0, 0], [0, 9, 9, 9], [2, 1, 1, 9]])
    expected = []
    for row, length in enumerate(LENGTHS.tolist()):
        totals = all_paths(made, scores[row], length)[1]
        expected.append(totals.logsumexp(0) - path_score(made, scores[row], targets[row, :length].tolist()))
    expected = torch.stack(expected)
    found = made.loss(scores, LENGTHS, targets)
    torch.testing.assert_close(found, expected)
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    places = (scores, made.transitions)
    ours = torch.autograd.grad((found * weights).sum(), places)
    theirs = torch.autograd.grad((expected * weights).sum(), places)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("paths", [1, 2, 5])
def test_paths_and_marginals_are_those_of_brute_force(paths):
    made, scores = field(), emissions().detach()
    found = made.tag(scores, LENGTHS, paths)
    for row, length in enumerate(LENGTHS.tolist()):
        every, totals = all_paths(made, scores[row], length)
        shares = totals.softmax(0)
        order = [place for place in totals.argsort(descending=True).tolist() if totals[place] > NEVER / 2]
        for rank, place in enumerate(order[:paths]):
            tags = found.tags[row, rank, :length].tolist()
            assert tuple(tags) == every[place]
            assert found.scores[row, rank].exp().item() == pytest.approx(shares[place].item())
            for step, tag in enumerate(tags):
                node = sum(share for path, share in zip(every, shares, strict=True) if path[step] == tag)
                assert found.nodes[row, rank, step].exp().item() == pytest.approx(node.item())
                if step:
                    pair = tuple(tags[step - 1 : step + 1])
                    link = sum(s for p, s in zip(every, shares, strict=True) if p[step - 1 : step + 1] == pair)
                    assert found.links[row, rank, step].exp().item() == pytest.approx(link.item())
        assert not found.scores[row, len(order) :].exp().any()


def test_padding_and_batch_have_no_part():
    made, scores = field(), emissions().detach()
    whole = made.tag(scores, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = made.tag(scores[row : row + 1, :length], LENGTHS[row : row + 1])
        assert alone.tags[0, 0].tolist() == whole.tags[row, 0, :length].tolist()
        torch.testing.assert_close(alone.nodes[0, 0], whole.nodes[row, 0, :length])


def test_no_forbidden_step_is_ever_taken():
    made = field().float()
    torch.manual_seed(2)
    lengths = torch.randint(1, 30, (50,))
    tags = made.tag(20 * torch.randn(50, 30, C), lengths).tags[:, 0]
    for row, length in enumerate(lengths.tolist()):
        path = [C, *tags[row, :length].tolist(), C]
        assert all(made.allowed[one, other] for one, other in pairwise(path))


def test_float32_stays_finite_over_a_thousand_steps_and_under_autocast():
    made = field().float()
    scores = (50 * torch.randn(2, 1000, C, generator=torch.Generator().manual_seed(3))).requires_grad_()
    with torch.autocast("cpu"):
        loss = made.loss(scores.bfloat16(), torch.tensor([1000, 7]), torch.ones(2, 1000, dtype=torch.int64))
    assert loss.dtype == torch.float32
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(scores.grad).all()
    assert torch.isfinite(made.transitions.grad).all()


def test_independent_tags_have_the_scores_of_a_softmax():
    scores = emissions().detach()
    targets = torch.tensor([[1, 1, 0, 0], [0, 9, 9, 9], [2, 1, 1, 9]])
    loss = IndependentTags().loss(scores, LENGTHS, targets)
    logs = scores.log_softmax(2)
    assert loss[1].item() == pytest.approx(-logs[1, 0, 0].item())
    found = IndependentTags().tag(scores, LENGTHS)
    assert found.tags[:, 0].tolist() == scores.argmax(2).tolist()
    assert found.scores[2, 0].item() == pytest.approx(logs[2, :3].max(1).values.sum().item(), rel=1e-5)
    assert found.links[0, 0, 1].item() == pytest.approx((logs[0, 0].max() + logs[0, 1].max()).item(), rel=1e-5)


def test_the_best_paths_of_independent_tags_are_those_of_the_highest_products():
    scores = emissions().detach()
    found = IndependentTags().tag(scores, LENGTHS, 5)
    logs = scores.float().log_softmax(2)
    for row, length in enumerate(LENGTHS.tolist()):
        paths = list(product(range(C), repeat=length))
        sums = {path: sum(logs[row, step, tag].item() for step, tag in enumerate(path)) for path in paths}
        best = sorted(paths, key=sums.__getitem__, reverse=True)[:5]
        kept = [tuple(path[:length]) for path in found.tags[row].tolist()]
        assert kept[: len(best)] == best
        assert found.scores[row, : len(best)].tolist() == pytest.approx([sums[path] for path in best], abs=1e-5)
        assert all(score == float("-inf") for score in found.scores[row, len(best) :].tolist())
        for rank, path in enumerate(best):
            own = [logs[row, step, tag].item() for step, tag in enumerate(path)]
            assert found.nodes[row, rank, :length].tolist() == pytest.approx(own, abs=1e-6)


def test_a_tag_a_thousand_times_less_likely_than_a_forbidden_path_leaves_no_hole():
    made = field(forbidden=((3, 1), (1, 1), (0, 1), (2, 1), (1, 3))).float()
    scores = torch.zeros(1, 40, C)
    scores[:, :, 1] = 1000.0  # the best tag of every step can never be reached
    scores.requires_grad_()
    loss = made.loss(scores, torch.tensor([40]), torch.zeros(1, 40, dtype=torch.int64))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(scores.grad).all()
    assert not made.tag(scores.detach(), torch.tensor([40])).nodes.isnan().any()


def test_a_long_list_of_paths_is_found_in_groups_of_rows(monkeypatch):
    torch.manual_seed(0)
    field = ConditionalRandomField(torch.ones(5, 5, dtype=torch.bool).numpy())
    emissions, lengths = torch.randn(6, 5, 4), torch.tensor([5, 1, 3, 2, 5, 4])
    whole = field.best_paths(emissions, lengths, 8)
    monkeypatch.setattr("gru_nlp.nn.crf.MOST_PLACES", 2 * 5 * 4 * 8)
    for part, other in zip(whole, field.best_paths(emissions, lengths, 8), strict=True):
        assert torch.equal(part, other)
