"""What numpy computes after a graph is what torch computes after the model."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from gru_nlp.abandoning import Abandoned, unless
from gru_nlp.decoding import beam, chance, greedy, sampling
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.nn import crf
from gru_nlp.runtime import arrays, searching, tags
from gru_nlp.runtime import beam as beam_twin
from gru_nlp.runtime import chance as chance_twin

LENGTHS = torch.tensor([7, 1, 3, 12, 2])


def close(found, wanted, **within):
    np.testing.assert_allclose(found, wanted.numpy(), **{"rtol": 1e-5, "atol": 1e-6, **within})


def test_probabilities():
    logits = 30 * torch.randn(50, 7, generator=torch.Generator().manual_seed(1))
    close(arrays.softmax(logits.numpy()), logits.softmax(dim=1))
    close(arrays.log_softmax(logits.numpy()), logits.log_softmax(dim=1))
    close(arrays.sigmoid(logits.numpy()), logits.sigmoid())
    found = arrays.sigmoid(np.array([-1e9, 0.0, 1e9], np.float32))
    assert found.tolist() == [0.0, 0.5, 1.0]
    assert found.dtype == np.float32


@pytest.mark.parametrize("count", [1, 2, 5, 60])
@pytest.mark.parametrize("size", [60, 4001])
def test_the_best_places_are_those_of_a_whole_sort(count, size):
    values = np.random.default_rng(1).integers(0, 30, (2, 4, size)).astype(np.float32)
    values[0, 1] += np.random.default_rng(2).standard_normal(size).astype(np.float32)
    values[1, 0], values[1, 1, 3:] = 0.0, -np.inf
    order = np.argsort(-values, axis=-1, kind="stable")[..., :count]
    assert arrays.best_places(values, count).tolist() == order.tolist()
    drawn = np.random.default_rng(3).standard_normal((5, size)).astype(np.float32)
    order = np.argsort(-drawn, axis=-1, kind="stable")[:, :count]
    assert arrays.best_places(drawn, count).tolist() == order.tolist()


def real(parts, padding):
    """Return the fields of a tagging with what is unspecified, at padding and in paths that do not exist, made 0."""
    tagged, scores, nodes, links, _ = (np.asarray(part) for part in parts)
    kept = padding[:, None] & np.isfinite(scores)[:, :, None]
    return scores, *(np.where(kept, part, 0) for part in (tagged, nodes, links))


@pytest.mark.parametrize("paths", [1, 2, 5])
@pytest.mark.parametrize("spread", [1.0, 40.0])
@pytest.mark.parametrize("kind", ["field", "independent"])
def test_tags(kind, spread, paths):
    random = torch.Generator().manual_seed(2)
    emissions = spread * torch.randn(5, 12, 6, generator=random)
    if kind == "independent":
        field, twin = crf.IndependentTags(), tags.IndependentTags()
    else:
        field = crf.ConditionalRandomField(np.random.default_rng(3).random((7, 7)) < 0.8)
        torch.nn.init.normal_(field.transitions, generator=random)
        twin = tags.ConditionalTags(field.edges().detach().numpy())
    wanted = field.tag(emissions, LENGTHS, paths)
    found = twin.tag(emissions.numpy(), LENGTHS.numpy(), paths)
    padding = arrays.real_steps(LENGTHS.numpy(), 12)
    for one, other in zip(real(found, padding), real(wanted, padding), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert [part.dtype for part in found] == [part.numpy().dtype for part in wanted]
    assert [part.shape for part in found] == [tuple(part.shape) for part in wanted]


def test_the_constants_of_the_field_are_the_same():
    names = ("LEAST", "SCALED", "NEVER", "MOST_PLACES")
    assert [getattr(tags, name) for name in names] == [getattr(crf, name) for name in names]


def test_tags_do_not_depend_on_their_company(monkeypatch):
    twin = tags.ConditionalTags(np.random.default_rng(4).normal(size=(7, 7)).astype(np.float32))
    emissions, lengths = np.random.default_rng(5).normal(size=(5, 12, 6)).astype(np.float32), LENGTHS.numpy()
    together = twin.tag(emissions, lengths, 2)
    monkeypatch.setattr(tags, "MOST_PLACES", 1)  # each by itself
    apart = twin.tag(emissions, lengths, 2)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)
    alone = twin.tag(emissions[:1, :7], lengths[:1], 2)
    np.testing.assert_allclose(alone.nodes[0], together.nodes[0, :, :7], rtol=1e-5)


V = 12  # four marks and eight words
MARKS = np.random.default_rng(6).normal(size=(30, V, V)).astype(np.float32) * 2.0


class Past(NamedTuple):
    """The state of a tiny model, of torch's or of numpy's: a table of which each hypothesis has a row."""

    sentence: object  # (B,)
    seen: object  # (B, K)

    def select_sentences(self, rows):
        return Past(self.sentence[rows], self.seen[rows])

    def select_hypotheses(self, places):
        rows = np.arange(len(places))[:, None]
        return self._replace(seen=self.seen[rows, places])


def step(tokens, state):
    """What follows depends on the sentence, the last token and, a little, on all before."""
    seen = (state.seen * 5 + tokens) % 13
    logits = MARKS[np.asarray(state.sentence)[:, None], np.asarray(tokens)]
    logits = logits + np.sin(np.asarray(seen)[..., None] * 1.7 + np.arange(V) ** 2)
    scores = torch.from_numpy(logits.astype(np.float32)).log_softmax(dim=2)
    return (scores if isinstance(tokens, torch.Tensor) else scores.numpy()), Past(state.sentence, seen)


def searched(strategy, count):
    """Decode ``count`` sentences; the strategy is one of torch's or of numpy's."""
    lengths = torch.arange(count) % 5 + 1
    begun = Past(torch.arange(count), torch.zeros(count, 1, dtype=torch.int64))
    if isinstance(strategy, searching.Strategy):
        return strategy(step, Past(*(part.numpy() for part in begun)), lengths.numpy())
    return strategy(step, begun, lengths)


LIMITS = {"max_ratio": 1.7, "max_extra": 4, "min_length": 0}


def agree(one, other, count=30):
    found, wanted = searched(one, count), searched(other, count)
    np.testing.assert_array_equal(found.tokens, wanted.tokens.numpy())
    np.testing.assert_array_equal(found.lengths, wanted.lengths.numpy())
    close(found.scores, wanted.scores)
    return found


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"beam_size": 1},
        {"beam_size": 3, "n_best": 3},
        {"beam_size": 40, "n_best": 9, "length_penalty": 0.0},
        {"length_penalty": -0.5, "n_best": 2},
        {"length_penalty": 1.6, "min_length": 4},
        {"no_repeat_ngram": 2, "min_length": 6, "max_extra": 12},
        {"no_repeat_ngram": 1, "n_best": 5},
        {"max_ratio": 0.0, "max_extra": 0},
        {"early_stop": True, "max_extra": 30},
        {"early_stop": True, "n_best": 3, "length_penalty": 1.5, "max_extra": 30},
    ],
)
def test_beam_search(changed):
    options = {"beam_size": 5, "length_penalty": 0.6, "n_best": 1, "no_repeat_ngram": 0, **LIMITS, **changed}
    found = agree(beam_twin.BeamSearch(**options), beam.BeamSearch(**options))
    assert len({int(length) for length in found.lengths[:, 0]}) > 1 or options["max_extra"] == 0
    assert searched(beam_twin.BeamSearch(**options), 0).tokens.shape[:2] == (0, options["n_best"])


@pytest.mark.parametrize("changed", [{}, {"min_length": 4}, {"max_ratio": 0.0, "max_extra": 1}])
def test_greedy_search(changed):
    options = {**LIMITS, **changed}
    agree(searching.Greedy(**options), greedy.Greedy(**options))
    assert len(searched(searching.Greedy(**options), 0).tokens) == 0


def test_sampling_follows_the_same_weights():
    options = {"temperature": 1e-4, "top_k": None, "top_p": 1.0, "seed": 1, **LIMITS}
    agree(searching.Sampling(**options), sampling.Sampling(**options))
    agree(searching.Sampling(**{**options, "temperature": 1e-300}), sampling.Sampling(**options))
    given = {**options, "temperature": 1.0, "max_extra": 6}
    found, again = (searched(searching.Sampling(**given), 30) for _ in range(2))
    assert found.tokens.tolist() == again.tokens.tolist()
    assert searched(searching.Sampling(**{**given, "seed": 2}), 30).tokens.tolist() != found.tokens.tolist()


DRAWN = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "seed": 1}
WIDE = {"beam_size": 5, "length_penalty": 0.6, "n_best": 1, "no_repeat_ngram": 0}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (beam.BeamSearch, WIDE),
        (greedy.Greedy, {}),
        (sampling.Sampling, DRAWN),
        (beam_twin.BeamSearch, WIDE),
        (searching.Greedy, {}),
        (searching.Sampling, DRAWN),
    ],
)
def test_a_search_that_nobody_waits_for_ends_between_two_steps(kind, options):
    asked = []
    strategy = kind(**options, **LIMITS)
    with unless(lambda: bool(asked.append(1))):
        searched(strategy, 30)
    assert len(asked) > 3
    asked.clear()
    with pytest.raises(Abandoned), unless(lambda: asked.append(1) or len(asked) == 2):
        searched(strategy, 30)
    assert len(asked) == 2


OPTIONS = [(None, 1.0, 0.0), (2, 1.0, 0.0), (None, 0.7, 0.0), (None, 0.01, 0.0), (None, 1.0, 0.4), (3, 0.9, 0.25)]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_weights_of_a_draw(options):
    scores = torch.randn(20, V, generator=torch.Generator().manual_seed(7)).log_softmax(dim=1)
    scores[:, :3] = float("-inf")
    close(chance_twin.narrowed(scores.numpy().copy(), *options), chance.narrowed(scores.clone(), *options))


def test_draws_follow_the_weights_and_the_generator_of_each_row():
    weights = np.array([[0.0, 0.5, 0.0, 0.25, 0.25, 0.0], [0.0, 0.0, 1e-8, 0.0, 3e-8, 0.0]], np.float32)
    generators = [np.random.default_rng(row) for row in range(2)]
    found = np.stack([chance_twin.drawn(weights, generators) for _ in range(4000)])
    for row in range(2):
        share = np.bincount(found[:, row], minlength=6) / 4000
        assert np.abs(share - weights[row] / weights[row].sum()).max() < 0.03
        assert not share[weights[row] == 0.0].any()
    alone = np.random.default_rng(1)
    assert [int(chance_twin.drawn(weights[1:], [alone])[0]) for _ in range(50)] == found[:50, 1].tolist()


def test_the_penalty_and_temperature_zero():
    scores = torch.tensor([[0.1, 0.5, 0.15, 0.25], [0.7, 0.1, 0.1, 0.1]]).log()
    seen = torch.tensor([[False, True, False, False], [True, False, False, False]])
    drawing = Drawing(temperature=0.0, repetition_penalty=3.0)
    wanted = chance.draw(drawing, scores, seen, [])
    assert chance_twin.draw(drawing, scores.numpy(), seen.numpy(), []).tolist() == wanted.tolist() == [3, 0]
