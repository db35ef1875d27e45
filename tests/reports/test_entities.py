import pytest

from gru_nlp.reports.calibration import calibration
from gru_nlp.reports.entities import entity_confidences, entity_errors, kind_of
from gru_nlp.text.schemes import Span, write

TRUE = [Span(0, 2, "PER"), Span(4, 5, "LOC"), Span(7, 9, "ORG")]


def record(found, true=TRUE):
    entities = [{"start": start, "end": end, "label": label, "score": score} for start, end, label, score in found]
    return {"entities": entities, "target": write(true, 10, "iob2")}


@pytest.mark.parametrize(
    ("entity", "wanted"),
    [
        (Span(0, 2, "PER"), ("right", "PER")),
        (Span(0, 2, "LOC"), ("type", "PER")),
        (Span(0, 1, "PER"), ("boundary", "PER")),
        (Span(1, 5, "LOC"), ("boundary", "LOC")),
        (Span(1, 5, "ORG"), ("boundary_and_type", "PER")),
        (Span(2, 4, "PER"), ("invented", "")),
    ],
)
def test_an_entity_is_wrong_in_one_way(entity, wanted):
    assert kind_of(entity, TRUE) == wanted


def test_errors_are_counted():
    rows = [record([(0, 2, "PER", 0.9), (4, 5, "ORG", 0.6), (5, 6, "LOC", 0.4)]), record([(8, 9, "ORG", 0.7)])]
    assert entity_errors(rows) == {
        **{"right": 1, "boundary": 1, "type": 1, "boundary_and_type": 0, "invented": 1},
        "missed": 3,
        "confused": [{"true": "LOC", "said": "ORG", "count": 1}],
    }
    judged = entity_confidences(rows)
    assert judged.confidence.tolist() == [0.9, 0.6, 0.4, 0.7]
    assert judged.right.tolist() == [True, False, False, False]
    assert calibration(judged)["ece"] == pytest.approx((0.1 + 0.6 + 0.4 + 0.7) / 4)


def test_nothing_found_is_all_missed():
    assert entity_errors([record([])])["missed"] == 3
    assert calibration(entity_confidences([record([])]))["ece"] == 0.0
