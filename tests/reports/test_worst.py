"""The worst errors of each kind of task, the worst first, with what explains them."""

import json
from types import SimpleNamespace

import pytest

from gru_nlp.asking import Alignment
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.language_model import LanguageModelPreprocessor
from gru_nlp.preprocessing.multilabel import MultilabelPreprocessor
from gru_nlp.preprocessing.rating import RatingPreprocessor
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.reports import worst as reported
from gru_nlp.reports.contents import page
from gru_nlp.reports.worst import worst


class Fake:
    """A predictor of labels by the share of words that name one."""

    def __init__(self, kind, labels=()):
        self.preprocessor = kind
        self.labels = labels
        self.preprocessor.label_names = lambda: list(labels)

    def __call__(self, texts, top_k=1):
        found = []
        for text in texts:
            words = text.split()
            shares = [(1 + 4 * words.count(label)) / (len(self.labels) + 4 * len(words)) for label in self.labels]
            top = sorted(zip(self.labels, shares, strict=True), key=lambda pair: -pair[1])
            found.append({"label": top[0][0], "top": [list(pair) for pair in top]} if words else {"label": None})
        return found

    def align(self, source, translation):
        return Alignment(source.split(), translation.split(), [[1 / 3] * len(source.split())])


def of(kind):
    return kind.__new__(kind)


def labelled(label, target, score, text="bad good good"):
    return {"text": text, "target": target, "label": label, "score": score}


def test_wrong_labels_come_by_their_confidence_with_the_words_that_spoke():
    records = [labelled("good", "bad", 0.6), labelled("good", "good", 1.0), labelled("good", "bad", 0.9)]
    found = worst(records, Fake(of(ClassificationPreprocessor), ("bad", "good")))
    assert [record["score"] for record in found] == [0.9, 0.6]
    words = found[0]["words"]
    assert [(word["start"], word["end"]) for word in words] == [(0, 3), (4, 8), (9, 13)]
    assert words[1]["weight"] == words[2]["weight"] > 0.0 > words[0]["weight"]
    assert found[0]["spoke"] == [1, 2, 0]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert worst(records, Fake(of(ClassificationPreprocessor), ("bad", "good")), most=1) == found[:1]


def test_of_a_text_without_end_its_beginning_is_told_and_no_word_is_weighed():
    endless = labelled("good", "bad", 0.9, "good " * 1_000_000)
    (found,) = worst([endless], Fake(of(ClassificationPreprocessor), ("bad", "good")))
    assert found == {**endless, "text": endless["text"][: reported.LONGEST] + "..."}


def test_ratings_come_by_their_distance():
    records = [
        {**labelled("2", "1", 0.9, "2"), "expected": 1.8},
        {**labelled("5", "1", 0.4, "5"), "expected": 4.1},
        {**labelled("3", "3", 0.4, "5"), "expected": 2.1},
    ]
    found = worst(records, Fake(of(RatingPreprocessor), ("1", "2", "3", "5")))
    assert [record["label"] for record in found] == ["5", "2"]
    assert found[0]["words"][0]["weight"] > 0.0


@pytest.mark.parametrize(
    ("labels", "target", "label", "sign"),
    [(["news"], [], "news", 1), ([], ["news"], "news", -1), ([], ["unheard"], None, 0)],
)
def test_of_several_labels_the_first_wrong_one_is_explained(labels, target, label, sign):
    record = {"text": "news today", "labels": labels, "scores": [0.5] * len(labels), "target": target}
    (found,) = worst([record], Fake(of(MultilabelPreprocessor), ("news", "sport")))
    assert found.get("explained") == label
    if label:
        assert found["words"][0]["weight"] * sign > 0.0


def test_entities_come_by_how_many_are_wrong_with_the_true_ones():
    words = ["Ms", "Amara", "Brook", "left", "Selby"]
    right = ["O", "B-PER", "I-PER", "O", "B-LOC"]
    half = ["O", "B-PER", "O", "O", "B-LOC"]
    entity = {"start": 1, "end": 2, "label": "PER", "score": 0.5}
    said = ((half, [entity]), (right, []), (["B-LOC", *half[1:]], [entity, entity]))
    records = [{"words": words, "target": right, "tags": tags, "entities": found} for tags, found in said]
    found = worst(records, Fake(of(TaggingPreprocessor)))
    assert [len(record["entities"]) for record in found] == [2, 1]
    assert found[0]["tokens"] == words
    assert found[0]["true"] == [{"start": 1, "end": 3, "label": "PER"}, {"start": 4, "end": 5, "label": "LOC"}]


def test_translations_come_by_what_they_lack_and_the_first_have_their_attention(monkeypatch):
    monkeypatch.setattr(reported.TranslationErrors, "explained", 1)
    texts = ["ein Hund", "eine Katze", "ein Haus"]
    records = [{"source": "a b", "translation": text, "reference": "ein Haus", "score": 0.0} for text in texts]
    found = worst(records, Fake(of(TranslationPreprocessor)))
    assert [record["translation"] for record in found] == ["eine Katze", "ein Hund"]
    attention = {"source": ["a", "b"], "target": ["eine", "Katze"], "weights": [[0.3333, 0.3333]]}
    assert found[0]["attention"] == attention
    assert "attention" not in found[1]


def test_images_are_not_explained_and_running_text_has_no_errors():
    record = {"image": 3, "target": "1", "label": "7", "score": 0.5}
    assert worst([record], Fake(of(FramePreprocessor))) == [{**record, "text": "image 3"}]
    assert worst([{"text": "x"}], Fake(of(LanguageModelPreprocessor))) == []


def figures(kind, records, **known):
    preprocessor = of(kind)
    vars(preprocessor).update(known)
    answers = reported.Answers(records, SimpleNamespace(preprocessor=preprocessor), None)
    return reported.errors_of(preprocessor).figures(answers)


def test_what_is_counted_of_all_answers_is_of_their_kind():
    entity = {"start": 0, "end": 1, "label": "PER", "score": 0.75}
    tagged = [{"words": ["Ann", "ran"], "target": ["B-PER", "O"], "tags": ["B-PER", "O"], "entities": [entity]}]
    found = figures(TaggingPreprocessor, tagged)
    assert found["entities"]["right"] == 1
    assert found["calibration"]["ece"] == 0.25
    said = [{"source": "a b", "translation": "a b", "reference": "der Baum"}]
    found = figures(TranslationPreprocessor, said, bleu_tokenizer="char")["translations"]
    assert found["faults"]["copies"]["count"] == 1
    assert found["by_length"][0]["sentences"] == 1
    assert figures(ClassificationPreprocessor, []) == {}


def test_a_page_shows_each_kind():
    kinds = (
        (ClassificationPreprocessor, labelled("good", "bad", 0.6), "said good (0.600), truly bad"),
        (FramePreprocessor, {"image": 3, "target": "1", "label": "7", "score": 0.5}, "image 3"),
        (MultilabelPreprocessor, {"text": "good", "labels": ["good"], "scores": [0.9], "target": []}, "truly none"),
        (TranslationPreprocessor, {"source": "a", "translation": "ein", "reference": "Haus", "score": 0.0}, "Haus"),
        (
            TaggingPreprocessor,
            {"words": ["Selby"], "target": ["B-LOC"], "tags": ["O"], "entities": []},
            "Selby",
        ),
    )
    for kind, record, told in kinds:
        found = worst([record], Fake(of(kind), ("bad", "good")))
        assert len(found) == 1
        blocks = page({"split": "test", "rows": 1, "scores": {}, "worst": found}).sections
        assert told in repr(next(section for section in blocks if section.title == "Worst errors"))
