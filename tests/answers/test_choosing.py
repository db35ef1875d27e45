"""Which texts are worth labelling next: those whose answers are the least sure, in memory for no more than are kept."""

import io
import json

import pytest

from gru_nlp.answers.base import Style
from gru_nlp.answers.entities import EntityAnswer
from gru_nlp.answers.flow import Chosen
from gru_nlp.answers.labels import LabelAnswer
from gru_nlp.answers.multilabel import LabelsAnswer
from gru_nlp.answers.reading import Entry
from gru_nlp.answers.surprise import SurpriseAnswer
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.multilabel import MultilabelPreprocessor


class Fake:
    """A predictor whose texts are the probability of the first of two labels."""

    truncated = abstained = doubtful = divided = lacking = 0

    def __init__(self):
        self.preprocessor = ClassificationPreprocessor.__new__(ClassificationPreprocessor)
        self.preprocessor.labels = ["a", "b"]

    def __call__(self, texts, batch_size, top_k, abstain_below, min_log_probability, wishes):
        assert top_k == 2
        found = []
        for text in texts:
            pairs = sorted([["a", float(text or 0)], ["b", 1 - float(text or 0)]], key=lambda pair: -pair[1])
            best = {"label": pairs[0][0], "score": pairs[0][1]}
            found.append({**best, "top": pairs} if text else {"label": None, "score": None})
        return found


def chosen(texts, most, style):
    output, fake = io.StringIO(), Fake()
    flow = Chosen(fake, LabelAnswer(fake.preprocessor, style), output, 2, 4, None, most=most)
    held = 0
    for text in texts:
        flow.add(Entry(text, text, "in"))
        held = max(held, len(flow.kept))
    assert not output.getvalue()
    flow.end()
    assert held <= most
    return output.getvalue().splitlines()


TEXTS = ["0.9", "0.45", "", "0.1", "0.52", "0.9", "0.7", "0.45", "0.99"]


def test_the_least_sure_come_first_and_of_equals_the_first():
    lines = [json.loads(line) for line in chosen(TEXTS, 4, Style("jsonl"))]
    assert [line["text"] for line in lines] == ["0.52", "0.45", "0.45", "0.7"]
    assert set(lines[0]) == {"label", "score", "text"}
    assert [json.loads(line)["text"] for line in chosen(TEXTS, 99, Style("jsonl"))][4:] == ["0.9", "0.1", "0.9", "0.99"]


def test_more_labels_and_columns_are_shown_where_they_are_asked_for():
    assert json.loads(chosen(TEXTS, 1, Style("jsonl", top_k=2))[0])["top"] == [["a", 0.52], ["b", 0.48]]
    head, row = chosen(TEXTS, 1, Style("csv"))
    assert (head, row) == ("text,label,score", "0.52,a,0.5200")


def test_each_kind_of_answer_knows_how_sure_it_is():
    several = MultilabelPreprocessor.__new__(MultilabelPreprocessor)
    several.separator = ","
    labels = LabelsAnswer(several, Style("jsonl"))
    assert labels.uncertainty({"top": [["a", 0.99], ["b", 0.4]]}) == pytest.approx(0.8)
    assert labels.uncertainty({"labels": []}) is None
    entities = EntityAnswer.__new__(EntityAnswer)
    assert entities.uncertainty({"entities": [], "paths": [{"score": 0.75}, {"score": 0.2}]}) == 0.25
    assert entities.uncertainty({"entities": []}) is None


def test_a_language_model_is_not_more_or_less_sure():
    with pytest.raises(UserError, match="select=uncertain is for labels, tags and entities"):
        Chosen(Fake(), SurpriseAnswer.__new__(SurpriseAnswer), io.StringIO(), 2, 4, None, most=1)
