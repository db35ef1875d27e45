"""The worst errors of a model, each with what explains it; a class a kind of answer.

A kind says how bad an answer is and what a person wants to see beside it. The preprocessor names it (``errors``), as it
names the class that writes its answers, so that nothing here asks which task it is.
"""

import heapq
import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from gru_nlp.data.module import DataModule
from gru_nlp.metrics.confidence import Judged
from gru_nlp.metrics.transcripts import distances
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Record
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.reports.calibration import calibration
from gru_nlp.reports.entities import entity_confidences, entity_errors
from gru_nlp.reports.rows import Rows
from gru_nlp.reports.surprising import surprising
from gru_nlp.reports.translations import by_length, faults
from gru_nlp.reports.words import Leads, lead, spoken
from gru_nlp.text.schemes import spans

#: Errors that are shown, those whose words are weighed, and those of translations whose attention is shown.
MOST, WEIGHED, PICTURED = 20, 10, 3
#: Characters of a text up to which an error is explained; of a longer one no more than these are told.
LONGEST = 20_000
#: Digits of a weight.
DIGITS = 4


class Answers(NamedTuple):
    """All that was answered of a split.

    Attributes:
        records: a record a row, with input, truth and prediction; none where rows have no answers.
        data: that the split is part of.
        rows: what each adds to the scores.
    """

    records: Sequence[Record]
    data: DataModule
    rows: Rows


class Errors:
    """How bad an answer is, and what is shown of it; of this kind none is an error."""

    #: How many of the worst are explained.
    explained = MOST

    def badness(self, record: Record) -> float:
        """Return how bad the answer of a record is, which holds its input and the truth too; 0 where it is right."""
        return 0.0

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return what is shown of an error, for which a page needs no other field than those of ``contents.py``."""
        return record

    def figures(self, answers: Answers) -> dict[str, Any]:
        """Return what is counted of all answers, beside their scores, by name."""
        return {}


class LabelErrors(Errors):
    """A label: the surer, the worse."""

    def badness(self, record: Record) -> float:
        """Return the wrong label's probability."""
        return 0.0 if record["label"] == record["target"] else float(record["score"])


class ImageErrors(LabelErrors):
    """The label of an image, which a page has no picture of."""

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return the image's number in the place of a text."""
        return {**record, "text": f"image {record['image']}"}


class RecordingErrors(LabelErrors):
    """The label of a recording."""

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return the recording's name in the place of a text."""
        return {**record, "text": record["recording"]}


class TranscriptErrors(Errors):
    """A transcript: the more words are wrong, the worse."""

    def badness(self, record: Record) -> float:
        """Return how many words are left out, added or taken for others."""
        return float(distances([record["transcript"].split()], [record["target"].split()])[0])

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return what is said and what is true, the recording's name in the place of a text."""
        said = record["transcript"] or "nothing"
        return {"label": said, "target": record["target"], "score": record["score"], "text": record["recording"]}


class TextErrors(LabelErrors):
    """The label of a text, which its words spoke for."""

    explained = WEIGHED

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Add ``words``: start, end and weight of each; and ``spoke``, the places of those that spoke most."""
        return {**record, **words(record["text"], self.leads(record, predictor))}

    def leads(self, record: Record, predictor: Predictor) -> Leads:
        """Return what gives the lead of the label that was said."""
        labels = len(predictor.preprocessor.label_names())

        def of(texts: Sequence[str]) -> list[float]:
            found = predictor(texts, top_k=labels)
            # Where nothing is left of a text, nothing is said.
            return [lead(dict(one["top"]), record["label"]) if "top" in one else 0.0 for one in found]

        return of


class RatingErrors(TextErrors):
    """A rating: the farther, the worse."""

    def badness(self, record: Record) -> float:
        """Return how far the mean of all ratings is from the true one, where the likeliest is another."""
        return 0.0 if record["label"] == record["target"] else abs(record["expected"] - float(record["target"]))


class SeveralErrors(TextErrors):
    """Several labels: the more of them are wrong, the worse."""

    def badness(self, record: Record) -> float:
        """Return how many labels are said wrongly, or not said."""
        return float(len(set(record["labels"]) ^ set(record["target"])))

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Add the words that spoke for the first wrong label, or against the first that was missed: ``explained``."""
        wrong = [label for label in record["labels"] if label not in record["target"]]
        missed = [label for label in record["target"] if label not in record["labels"]]
        label, known = (wrong or missed)[0], predictor.preprocessor.label_names()
        if label not in known:
            return record
        sign = 1.0 if wrong else -1.0

        def of(texts: Sequence[str]) -> list[float]:
            shares = [dict(one.get("top", [])).get(label, 0.5) for one in predictor(texts, top_k=max(len(known), 2))]
            return [sign * lead({label: share, "": 1.0 - share}, label) for share in shares]

        return {**record, "explained": label, **words(record["text"], of)}


class EntityErrors(Errors):
    """Entities: the more of them are wrong, the worse."""

    def badness(self, record: Record) -> float:
        """Return how many entities are found wrongly, or missed."""
        return float(len(set(spans(record["target"])) ^ set(spans(record["tags"]))))

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return ``tokens``, the ``entities`` that were found among them, and the ``true`` ones."""
        true = [span._asdict() for span in spans(record["target"])]
        return {"tokens": record["words"], "entities": record["entities"], "true": true}

    def figures(self, answers: Answers) -> dict[str, Any]:
        """Return ``entities``, the ways to be wrong, and ``calibration`` of their scores."""
        judged = entity_confidences(answers.records)
        return {"entities": entity_errors(answers.records), "calibration": calibration(judged)}


class WordTagErrors(Errors):
    """A tag a word: the more of them are wrong, the worse."""

    def badness(self, record: Record) -> float:
        """Return how many words are tagged wrongly."""
        return float(sum(said != true for said, true in zip(record["tags"], record["target"], strict=True)))

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Return ``tokens``, and the wrong ones of them as ``entities`` of what was said and of what is ``true``."""
        pairs = zip(record["tags"], record["target"], record["scores"], strict=True)
        wrong = [(place, *pair) for place, pair in enumerate(pairs) if pair[0] != pair[1]]
        said = [{"start": one, "end": one + 1, "label": tag, "score": score} for one, tag, _, score in wrong]
        true = [{"start": one, "end": one + 1, "label": tag} for one, _, tag, _ in wrong]
        return {"tokens": record["words"], "entities": said, "true": true}

    def figures(self, answers: Answers) -> dict[str, Any]:
        """Return ``calibration`` of the scores of all words."""
        triples = [
            triple
            for record in answers.records
            for triple in zip(record["scores"], record["tags"], record["target"], strict=True)
        ]
        sure = np.array([score for score, _, _ in triples], dtype=np.float64)
        right = np.array([said == true for _, said, true in triples], dtype=np.bool_)
        return {"calibration": calibration(Judged(sure, sure, right, 1.0))}


class TranslationErrors(Errors):
    """A translation: the less of its reference it has, the worse."""

    explained = PICTURED

    def badness(self, record: Record) -> float:
        """Return what the sentence's chrF lacks of 100."""
        return 100.0 - float(CHRF().sentence_score(record["translation"], [record["reference"]]).score)

    def explain(self, record: Record, predictor: Predictor) -> Record:
        """Add ``attention``: the tokens of both, and a row of weights over the source a token of the translation."""
        found = predictor.align(record["source"], record["translation"])
        weights = [[round(weight, DIGITS) for weight in row] for row in found.weights]
        return {**record, "attention": found._replace(weights=weights)._asdict()}

    def figures(self, answers: Answers) -> dict[str, Any]:
        """Return as ``translations`` scores by the length of sentences, and faults that are no matter of degree."""
        records, tokenizer = answers.records, cast(TranslationPreprocessor, answers.data.preprocessor).bleu_tokenizer
        return {"translations": {"by_length": by_length(records, tokenizer), "faults": faults(records, tokenizer)}}


class LineErrors(Errors):
    """Lines of running text, of which none is wrong, but some surprise."""

    def figures(self, answers: Answers) -> dict[str, Any]:
        """Return as ``surprising`` the lines that the model least expected."""
        raw = answers.data.corpus.load(answers.rows.split)
        if raw is None or not answers.rows.tallies:
            return {}
        tally = answers.rows.tallies[0]
        nats, tokens = tally.sums(np.arange(tally.size), tally.size)[:, :2].T
        return {"surprising": surprising(raw[answers.data.preprocessor.input_column], nats, tokens)}


def words(text: str, leads: Leads) -> Record:
    """Return what is shown of the words of a text."""
    found = spoken(text, leads)
    rows = zip(found.parts, found.weights, strict=True)
    return {
        "words": [{"start": start, "end": end, "weight": round(weight, DIGITS)} for (start, end), weight in rows],
        "spoke": found.most,
    }


def errors_of(preprocessor: Preprocessor) -> Errors:
    """Return the kind that the preprocessor's ``errors`` names; that comes from its code, never from a checkpoint."""
    module, _, name = preprocessor.errors.rpartition(".")
    found: type[Errors] = getattr(importlib.import_module(module), name)
    return found()


def worst(records: Sequence[Record], predictor: Predictor, most: int = MOST) -> list[Record]:
    """Return the worst errors among records, the worst first; the first of them explained.

    Args:
        records: of a split, each with input, truth and prediction.
        predictor: of the model that answered.
        most: errors that are returned.
    """
    kind = errors_of(predictor.preprocessor)
    wrong = [(kind.badness(record), -place) for place, record in enumerate(records)]
    found = [records[-place] for bad, place in heapq.nlargest(most, wrong) if bad > 0.0]
    told = []
    for place, record in enumerate(found):
        cut = {
            name: f"{value[:LONGEST]}..."
            for name, value in record.items()
            if isinstance(value, str) and len(value) > LONGEST
        }
        explains = place < kind.explained and not cut
        told.append(kind.explain(record, predictor) if explains else {**record, **cut})
    return told
