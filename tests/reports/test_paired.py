import math

import numpy as np
import pytest
from sacrebleu.significance import PairedTest

from gru_nlp.metrics.tally import dense, ratio
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.reports.comparison import Scored, compared, unlike
from gru_nlp.reports.paired import differences, mcnemar, row_scores, welch
from gru_nlp.reports.rows import Rows


def accuracy(sums):
    return {"accuracy": ratio(sums[:, 0], sums[:, 1])}


def states(right):
    return np.stack([right, np.ones(len(right))], axis=1)


def translated(seed, kept):
    random = np.random.default_rng(seed)
    words = np.array(["the", "dog", "sees", "a", "ball", "and", "runs", "away"])
    references = [" ".join(random.choice(words, size=9)) for _ in range(80)]
    sides = [[" ".join(w for w in line.split() if random.random() < share) for line in references] for share in kept]
    return references, sides


def test_the_test_of_bleu_and_chrf_is_that_of_sacrebleu():
    references, sides = translated(1, (0.8, 0.82))
    metric = TranslationMetric()
    tallies = [metric.tally(side, references) for side in sides]
    sums = [tally.sums(np.arange(80), 80) for tally in tallies]
    found = differences(*sums, tallies[0].score, trials=2000)
    named = list(zip("ab", sides, strict=True))
    _, theirs = PairedTest(named, {"bleu": metric.bleu, "chrf": metric.scorers["chrf"]}, [references], "ar", 2000)()
    for name, key in (("bleu", "BLEU"), ("chrf", "chrF2")):
        assert found[name].randomisation == pytest.approx(theirs[key][1].p_value, abs=1e-9)
        assert found[name].apart.value == pytest.approx(theirs[key][1].score - theirs[key][0].score)
    assert 0.01 < found["bleu"].randomisation < 0.99


def test_equal_models_do_not_differ():
    references, ((said), _) = translated(2, (0.8, 0.8))
    tally = TranslationMetric().tally(said, references)
    sums = tally.sums(np.arange(80), 80)
    for found in differences(sums, sums, tally.score, trials=50).values():
        assert (found.apart.value, found.randomisation, found.bootstrap) == (0.0, 1.0, 1.0)


def test_one_row_tells_nothing():
    (found,) = differences(states(np.zeros(1)), states(np.ones(1)), accuracy, trials=10).values()
    assert found.apart == (1.0, None, None)
    assert found.first == (0.0, None, None)
    assert found.randomisation == 1.0


def test_mcnemar_is_the_binomial_and_randomisation_comes_to_it():
    right = np.zeros((2, 40))
    right[0, :3] = right[1, 3:15] = 1.0
    exact = 2 * sum(math.comb(15, k) for k in range(4)) / 2**15
    assert mcnemar(*right) == pytest.approx(exact)
    assert mcnemar(right[0], right[0]) == 1.0
    (found,) = differences(states(right[0]), states(right[1]), accuracy).values()
    assert found.randomisation == pytest.approx(exact, abs=0.01)
    assert found.bootstrap == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.5], 0.280287),
        ([0.91, 0.912, 0.905, 0.9], [0.92, 0.931], 0.129243),
        ([1.0, 1.0], [1.0, 1.0], None),
        ([1.0], [1.0, 2.0], None),
    ],
)
def test_runs_are_compared_by_welch(first, second, p_value):
    assert welch(first, second) == (p_value if p_value is None else pytest.approx(p_value, abs=1e-6))


def test_equal_models_are_told_apart_five_times_of_a_hundred():
    """More, and of more scores, by scripts/simulate_intervals.py."""
    random = np.random.default_rng(3)
    counts = np.zeros(3)
    for _ in range(300):
        right = (random.random((2, 100)) < 0.7).astype(float)
        (found,) = differences(states(right[0]), states(right[1]), accuracy, trials=200).values()
        counts += [p <= 0.05 for p in (found.randomisation, found.bootstrap, mcnemar(*right))]
    assert all(0.03 <= count / 300 <= 0.07 for count in counts), counts / 300


def scored(right, documents=None):
    right = np.array(right, dtype=float)
    rows = Rows("test", "test", [dense(states(right), accuracy)], np.ones(len(right), dtype=bool), documents)
    records = [{"text": str(place), "label": bool(one), "score": 0.5 + place} for place, one in enumerate(right)]
    return Scored({"test/accuracy": float(right.mean())}, rows, records)


def test_runs_of_two_models_are_compared_over_rows_and_over_runs():
    random = np.random.default_rng(4)
    first = [scored(random.random(200) < share) for share in (0.7, 0.72, 0.71)]
    second = [scored(random.random(200) < share) for share in (0.8, 0.83)]
    found = compared((first, second), trials=200)["test/accuracy"]
    values = [[run.scores["test/accuracy"] for run in side] for side in (first, second)]
    assert found["a"]["value"] == pytest.approx(np.mean(values[0]))
    assert found["a"]["low"] < found["a"]["value"] < found["a"]["high"]
    assert found["runs"]["b"]["scores"] == values[1]
    assert found["runs"]["b"]["deviation"] == pytest.approx(np.std(values[1], ddof=1))
    assert found["p_value"] == found["p_values"]["runs"] == welch(*values)
    assert "mcnemar" not in found["p_values"]
    one = compared((first[:1], second[:1]), trials=200)["test/accuracy"]
    assert (one["p_value"], one["test"]) == (one["p_values"]["mcnemar"], "McNemar, exact")
    assert "runs" not in one


def test_rows_of_documents_are_exchanged_together():
    documents = np.repeat(np.arange(40), 5)
    random = np.random.default_rng(5)
    sides = tuple([scored(np.repeat(random.random(40) < share, 5), documents)] for share in (0.4, 0.6))
    found = compared(sides, trials=200)["test/accuracy"]
    assert set(found["p_values"]) == {"randomisation", "bootstrap"}
    assert found["p_value"] > mcnemar(*(row_scores(side[0].rows.tallies[0])["accuracy"] for side in sides))


def test_rows_that_differ_come_with_what_both_say():
    first, second = scored([1, 0, 1, 1]), scored([1, 1, 0, 1])
    rows = unlike(([first], [second]), "accuracy")
    assert [(row["row"], row["difference"]) for row in rows] == [(2, {"accuracy": 1.0}), (3, {"accuracy": -1.0})]
    assert rows[0]["text"] == "1"
    assert (rows[0]["a"], rows[0]["b"]) == ({"label": False}, {"label": True})
