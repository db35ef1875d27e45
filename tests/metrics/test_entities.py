import random

import pytest
from seqeval.metrics import f1_score, precision_score, recall_score

from gru_nlp.metrics.entities import EntityMetric, tally
from gru_nlp.metrics.tally import joined

LABELS = ("LOC", "ORG", "PER")
TAGS = ["O", "O", "O", *(f"{prefix}-{label}" for prefix in "BIES" for label in LABELS)]


def drawn(source, sentences):
    lengths = [source.randint(1, 12) for _ in range(sentences)]
    truth = [source.choices(TAGS, k=length) for length in lengths]
    found = [[source.choice([tag, tag, source.choice(TAGS)]) for tag in row] for row in truth]
    return found, truth


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.filterwarnings("ignore")
def test_scores_are_those_of_seqeval_on_any_tags(seed):
    found, truth = drawn(random.Random(seed), 60)
    metric = EntityMetric(LABELS)
    for start in range(0, 60, 16):
        metric.update(tally(found[start : start + 16], truth[start : start + 16], LABELS))
    overall, _, own, macro = metric.compute()
    assert overall.precision == pytest.approx(precision_score(truth, found))
    assert overall.recall == pytest.approx(recall_score(truth, found))
    assert overall.f1 == pytest.approx(f1_score(truth, found))
    each = f1_score(truth, found, average=None)
    assert [own[label].f1 for label in LABELS] == pytest.approx(list(each))
    assert macro == pytest.approx(f1_score(truth, found, average="macro"))


def test_counts_of_two_processes_add_up():
    found, truth = drawn(random.Random(9), 20)
    whole, first, second = (EntityMetric(LABELS) for _ in range(3))
    whole.update(tally(found, truth, LABELS))
    first.update(tally(found[:7], truth[:7], LABELS))
    second.update(tally(found[7:], truth[7:], LABELS))
    assert (first.counts + second.counts).tolist() == whole.counts.tolist()


def test_nothing_found_and_nothing_true_is_zero():
    metric = EntityMetric(LABELS)
    metric.update(tally([["O", "O"]], [["O", "O"]], LABELS))
    report = metric.compute()
    assert report.overall == report.unseen == (0.0, 0.0, 0.0, 0)
    assert report.own["PER"].support == 0
    assert report.macro_f1 == 0.0


def test_entities_whose_form_training_lacks_are_counted_among_the_true_and_the_found():
    truth = [["B-PER", "O", "B-LOC", "I-LOC"], ["B-PER", "O"]]
    found = [["B-PER", "O", "B-LOC", "O"], ["B-LOC", "O"]]  # the second place is too short: a form of its own
    known = {(0, 0, 1), (1, 0, 1)}  # the two people's; of places none
    counted = tally(found, truth, LABELS, lambda row, span: (row, span.start, span.end) not in known)
    metric = EntityMetric(LABELS)
    metric.update(counted)
    assert metric.counts[-1].tolist() == [0, 1, 1]
    first = tally([truth[0]], [truth[0]], LABELS, lambda row, span: span.label == "LOC")
    metric.update(first)
    assert metric.compute().unseen == (0.5, 0.5, 0.5, 2)
    both = joined([counted, first])
    assert both.score(both.total())["f1_unseen"].tolist() == [0.5]
    assert "f1_unseen" not in tally(found, truth, LABELS).names()
