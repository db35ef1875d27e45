import math

import numpy as np
import pytest

from gru_nlp.metrics.speech import SpeechMetric, cepstra, distortions, warped


def slowest(distances):
    """Return what ``warped`` does, by its recurrence a cell at a time."""
    rows, columns = distances.shape
    best = np.full((rows + 1, columns + 1), np.inf)
    best[0, 0] = 0.0
    for row in range(rows):
        for column in range(columns):
            own, before = distances[row, column], best[row, column]
            best[row + 1, column + 1] = min(before + 2 * own, best[row, column + 1] + own, best[row + 1, column] + own)
    return best[rows, columns]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 4), (4, 7), (9, 9)])
def test_the_best_path_is_that_of_the_recurrence(shape):
    distances = np.random.default_rng(1).random(shape)
    assert warped(distances) == pytest.approx(slowest(distances))
    assert warped(np.ones(shape)) == pytest.approx(sum(shape))


def test_distortion_is_that_of_the_formula_and_knows_no_loudness():
    frames = np.random.default_rng(2).normal(size=(2, 20))
    places = np.pi * np.arange(1, 14)[:, None] * (np.arange(20) + 0.5) / 20
    expected = (np.cos(places) * frames[0]).mean(axis=1)
    np.testing.assert_allclose(cepstra(frames)[0], expected)
    squared = np.square(cepstra(frames)[0] - cepstra(frames)[1]).sum()
    found = distortions(frames, frames + 3.0)
    assert found[0, 1] == pytest.approx(10 / math.log(10) * math.sqrt(2 * squared))
    assert np.diag(found) == pytest.approx(0.0, abs=1e-6)
    assert cepstra(frames[:, :4]).shape == (2, 3)


def test_sums_over_texts_are_the_scores_of_all():
    random = np.random.default_rng(3)
    true = [random.normal(size=(size, 20)) for size in (5, 9)]
    said = [np.repeat(true[0], 2, axis=0), true[1][:6]]
    metric = SpeechMetric()
    tally = metric.tally(said, true, np.array([True, False]), np.array([6.0, 2.0]), np.array([2, 2]))
    first = {name: values[0] for name, values in tally.score(tally.sums(np.arange(2), 2)).items()}
    assert first == {"mcd": pytest.approx(0.0, abs=1e-6), "loss": 3.0, "duration": 2.0, "ended": 1.0}
    metric.update(tally)
    scores = metric.compute()
    assert scores["mcd"] > 0.0
    assert (scores["loss"], scores["duration"], scores["ended"]) == (2.0, 16 / 14, 0.5)
