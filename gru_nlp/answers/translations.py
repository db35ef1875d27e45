"""The answers of translators: the translation alone, or with source, score and the n best."""

import json
from collections.abc import Sequence

from gru_nlp.answers.base import Answer, whole
from gru_nlp.asking import Alignment
from gru_nlp.errors import printable
from gru_nlp.preprocessing.rows import Record, Text


class TranslationAnswer(Answer):
    """Translations of texts."""

    command = "translate"
    formats = ("lines", "jsonl", "csv", "tsv")
    writer = "a translator"
    text_name = "source"

    def json(self, record: Record, text: Text) -> str:
        """Return source, translation and score, and the n best where they are asked for."""
        return json.dumps({"source": whole(text), **record}, ensure_ascii=False)

    def columns(self) -> Sequence[str]:
        """Return ``translation`` and ``score``, and ``doubtful`` where that is asked for."""
        return ["translation", "score", *(["doubtful"] if self.style.min_log_probability is not None else [])]

    def cells(self, record: Record) -> Sequence[str]:
        """Return the best translation, its score, no score for a blank text, and ``true`` where it is doubtful."""
        cells = [record["translation"], "" if record["score"] is None else f"{record['score']:.4f}"]
        doubtful = str(record.get("doubtful", False)).lower()
        return [*cells, doubtful] if self.style.min_log_probability is not None else cells

    def line(self, record: Record, text: Text) -> str:
        """Return the translation alone."""
        return printable(" ".join(record["translation"].split("\n")))


def rounded(alignment: Alignment) -> Record:
    """Return an alignment as JSON takes it, the weights with four digits."""
    weights = [[round(weight, 4) for weight in row] for row in alignment.weights]
    return {"source_tokens": alignment.source, "target_tokens": alignment.target, "alignment": weights}
