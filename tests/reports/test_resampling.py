import numpy as np
import pytest
import torch

from gru_nlp.metrics import classification, entities, multilabel, rating
from gru_nlp.metrics.classification import ClassificationMetric
from gru_nlp.metrics.multilabel import report
from gru_nlp.metrics.rating import mean_absolute_error, quadratic_kappa
from gru_nlp.metrics.tally import dense, joined
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.reports import resampling
from gru_nlp.reports.resampling import intervals, units_of

ALL = np.ones(300, dtype=bool)


def total(tally):
    return {name: float(values[0]) for name, values in tally.score(tally.total()).items()}


def labelled(seed, size=300, labels=4):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(size, labels, generator=random)
    return logits, torch.randint(-1, labels - 1, (size,), generator=random)


def share(right):
    """Return a tally of one score, the share of rows that are right."""
    states = np.stack([right, np.ones(len(right))], axis=1)
    return dense(states, lambda sums: {"accuracy": sums[:, 0] / sums[:, 1]})


def test_sums_of_rows_score_as_the_metric_of_labels_does():
    logits, targets = labelled(1)
    metric = ClassificationMetric(4)
    metric.update(logits, targets)
    found = metric.compute()
    scores = total(classification.tally(logits, targets))
    assert scores == pytest.approx({name: getattr(found, name) for name in ("accuracy", "macro_f1", "loss")}, abs=1e-12)
    known = targets >= 0
    own = rating.tally(logits.argmax(dim=1).numpy(), targets.numpy(), [1, 2, 3.5, 2000])
    assert total(own)["mae"] == pytest.approx(mean_absolute_error(found.confusion, [1, 2, 3.5, 2000]))
    assert total(own)["quadratic_kappa"] == pytest.approx(quadratic_kappa(found.confusion, [1, 2, 3.5, 2000]))
    assert known.sum() < len(targets)


def test_sums_of_rows_score_as_the_metric_of_several_labels_does():
    random = torch.Generator().manual_seed(2)
    logits, targets = torch.randn(50, 3, generator=random), torch.randint(0, 2, (50, 4), generator=random)
    thresholds = torch.tensor([0.3, 0.5, 0.7])
    found = report(logits, targets, thresholds)
    names = ("micro_f1", "macro_f1", "subset_accuracy", "loss")
    scores = total(multilabel.tally(logits, targets, thresholds))
    assert scores == pytest.approx({name: getattr(found, name) for name in names}, abs=1e-12)


def test_parts_that_are_joined_or_chosen_score_as_the_whole():
    logits, targets = labelled(3)
    whole = classification.tally(logits, targets)
    one, other = (classification.tally(logits[part], targets[part]) for part in (slice(100), slice(100, 300)))
    assert total(joined([one, other])) == pytest.approx(total(whole))
    chosen = np.where(np.arange(300) < 100, 0, -1)
    assert whole.score(whole.sums(chosen, 1))["loss"][0] == pytest.approx(total(one)["loss"])


def test_intervals_are_those_of_the_plain_bootstrap():
    right = (np.random.default_rng(4).random(300) < 0.8).astype(float)
    found = intervals(share(right), units_of(ALL, None, 2))["accuracy"]
    random = np.random.default_rng(5)
    plain = np.quantile(right[random.integers(300, size=(4000, 300))].mean(axis=1), [0.025, 0.975])
    assert found.value == right.mean()
    assert [found.low, found.high] == pytest.approx(plain, abs=0.006)


def test_rows_of_one_document_go_together():
    right = np.repeat((np.random.default_rng(6).random(30) < 0.5).astype(float), 10)
    alone = intervals(share(right), units_of(ALL, None, 2))["accuracy"]
    documents = np.repeat(np.arange(30)[::-1], 10)
    units = units_of(ALL, documents, 2)
    together = intervals(share(right), units)["accuracy"]
    assert (units.number, units.drawn) == (30, "documents")
    assert together.high - together.low == pytest.approx((alone.high - alone.low) * 10**0.5, rel=0.1)
    few = units_of(ALL, documents // 10, 2)
    assert (few.number, few.drawn) == (300, "rows")


def test_many_rows_are_put_together_without_moving_the_interval(monkeypatch):
    right = (np.random.default_rng(7).random(300_000) < 0.9).astype(float)
    units = units_of(np.ones(300_000, dtype=bool), None, 2)
    found = intervals(share(right), units)["accuracy"]
    assert units.number == resampling.MOST_UNITS
    assert found.high - found.low == pytest.approx(2 * 1.96 * (0.09 / 300_000) ** 0.5, rel=0.06)


def test_what_tells_nothing_has_no_interval_and_what_is_all_right_no_empty_one():
    assert intervals(share(np.ones(1)), units_of(ALL[:1], None, 2))["accuracy"] == (1.0, None, None)
    nothing = intervals(share(np.full(9, np.nan)), units_of(ALL[:9], None, 2))["accuracy"]
    assert nothing == (None, None, None)
    perfect = intervals(share(np.ones(20)), units_of(ALL[:20], None, 2))["accuracy"]
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.8389, abs=1e-3)  # Wilson's
    constant = dense(np.full((20, 1), 0.3), lambda sums: {"loss": sums[:, 0] / 20})
    assert intervals(constant, units_of(ALL[:20], None, 1))["loss"] == pytest.approx((0.3, 0.3, 0.3))
    wrong = intervals(share(np.zeros(20)), units_of(ALL[:20], None, 2))["accuracy"]
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(0.1611, abs=1e-3))


def test_intervals_of_bleu_are_those_of_sacrebleu():
    random = np.random.default_rng(8)
    words = np.array(["the", "dog", "sees", "a", "ball", "and", "runs", "away"])
    references = [" ".join(random.choice(words, size=9)) for _ in range(120)]
    hypotheses = [" ".join(w for w in line.split() if random.random() < 0.8) for line in references]
    metric = TranslationMetric()
    found = intervals(metric.tally(hypotheses, references), units_of(ALL[:120], None, 30))
    for name, scorer in (("bleu", metric.bleu), ("chrf", metric.scorers["chrf"])):
        theirs = scorer.corpus_score(hypotheses, [references], n_bootstrap=1000)
        assert found[name].value == pytest.approx(theirs.score)
        assert (found[name].high - found[name].low) / 2 == pytest.approx(theirs._ci, rel=0.1)


def test_nine_to_ten_of_ten_intervals_hold_the_true_score():
    """More, and of more scores, by scripts/simulate_intervals.py."""
    random = np.random.default_rng(9)
    labels = ("A", "B")
    held = 0
    for _ in range(150):
        true = [["B-A", "O", "B-B"][place] for place in random.integers(3, size=200)]
        said = [tag if random.random() < 0.8 else "O" for tag in true]
        counted = entities.tally([[tag] for tag in said], [[tag] for tag in true], labels)
        found = intervals(counted, units_of(np.ones(200, dtype=bool), None, 6))["f1"]
        held += found.low <= 2 * 0.8 / 1.8 <= found.high
    assert 0.92 <= held / 150 <= 0.97
