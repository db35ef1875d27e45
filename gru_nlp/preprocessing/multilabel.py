"""Texts with any number of labels each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gru_nlp.batch import IntArray
from gru_nlp.console import remark
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    UNKNOWN,
    Columns,
    Hints,
    LabelColumns,
    Record,
    Rows,
    broken_state,
    sizes_of,
)
from gru_nlp.text.shortening import shorten

#: What joins labels where nothing separates those of training; the first that occurs in none of them.
SEPARATORS = (";", "|", ",")
LONGEST_SEPARATOR = 8


class MultilabelPreprocessor(ClassificationPreprocessor):
    """Tokenizer, label names, and what stands between the labels of a text where they are written as one.

    Args:
        tokenizer, max_length, truncation, wide: as in ``ClassificationPreprocessor``.
    """

    answer = "gru_nlp.answers.multilabel.LabelsAnswer"
    errors = "gru_nlp.reports.worst.SeveralErrors"
    one_label = False
    data_columns = ("text", "labels")
    list_columns = ("ids", "targets")
    length_columns = ("ids",)
    scalar_columns = ("tokens",)
    label_columns = LabelColumns("labels", "targets")
    blank: ClassVar[Record] = {"labels": [], "scores": []}
    separator = SEPARATORS[0]

    def find_labels(self, rows: Rows, hints: Hints) -> list[str]:
        """Return the labels of the lists of ``labels``; learn what separates them.

        Raises:
            UserError: there is no label.
        """
        found: Counter[str] = Counter()
        most = 0
        for batch in rows.iter(FIT_BATCH):
            found.update(label for labels in batch["labels"] for label in labels)
            most = max(most, *map(len, batch["labels"]))
        if not found:
            raise UserError("no text of the training data has a label (see data.label=...)")
        if most == 1:
            remark("no text of training has more than one label (see data.label_separator)")
        free = (mark for mark in SEPARATORS if not any(mark in label for label in found))
        self.separator = hints.label_separator or next(free, SEPARATORS[0])
        return [label for label in hints.label_order or self.order(found) if label in found]

    def targets(self, labels: Sequence[Any]) -> list[Any]:
        """Return the ids of a column of lists of labels."""
        ids = {label: index for index, label in enumerate(self.labels)}
        return [[ids.get(label, UNKNOWN) for label in row] for row in labels]

    def target_array(self, columns: Columns) -> IntArray | None:
        """Return which labels each text has, ``(B, C + 1)``; None where that is not known."""
        if "targets" not in columns:
            return None
        lists = [np.asarray(row, dtype=np.int64) for row in columns["targets"]]
        spread = np.zeros((len(lists), len(self.labels) + 1), dtype=np.int64)
        # An unknown label, -1, counts in the last column.
        np.add.at(spread, (np.repeat(np.arange(len(lists)), sizes_of(lists)), np.concatenate(lists)), 1)
        return spread

    def decode(self, outputs: Any, top_k: int = 1) -> list[Record]:
        """``Labelling`` -> ``labels`` and ``scores``, best first; with ``top_k`` above 1 ``top``: the best pairs."""
        records: list[Record] = []
        for probabilities, chosen in zip(outputs.probabilities, outputs.chosen, strict=True):
            order = np.argsort(-probabilities, kind="stable")
            kept = order[chosen[order]].tolist()
            record: Record = {
                "labels": [self.labels[label] for label in kept],
                "scores": [float(probabilities[label]) for label in kept],
            }
            best = [[self.labels[label], float(probabilities[label])] for label in order[:top_k].tolist()]
            records.append(record | {"top": best} if top_k > 1 else record)
        return records

    def describe(self, record: Record) -> str:
        """Return labels and scores, the true labels and the start of the text."""
        pairs = zip(record["labels"], record["scores"], strict=True)
        said = ", ".join(f"{label} {score:.2f}" for label, score in pairs) or "no label"
        return f"{said}  (is {', '.join(record['target']) or 'none'}): {shorten(record['text'], 90)}"

    def sizes(self) -> dict[str, int]:
        """Return the vocabulary's and the labels' number; the latter by a name that no other kind of model takes."""
        sizes = super().sizes()
        sizes["several_labels"] = sizes.pop("num_labels")
        return sizes

    def unknown_label(self, label: str) -> str:
        """Return what is told of a label that training does not have, which may be several in one."""
        joined = self.separator in label
        return super().unknown_label(label) + (" (see data.label_separator)" if joined else "")

    def state_dict(self) -> dict[str, Any]:
        """Return tokenizer JSON, label names and what separates them."""
        return {**super().state_dict(), "separator": self.separator}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        super().load_state_dict(state)
        separator = state.get("separator")
        if not isinstance(separator, str) or not 1 <= len(separator) <= LONGEST_SEPARATOR or "\n" in separator:
            raise broken_state("separator")
        self.separator = separator
