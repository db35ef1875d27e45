"""Texts and how many vowels each has: characters in, a number out."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    Columns,
    Hints,
    Record,
    RowError,
    Rows,
    distinct,
    pad,
    sizes_of,
    target_ids,
)
from toy_kind.model import Counts


class VowelPreprocessor(Preprocessor):
    """The characters that occur in training; id 0 is padding, 1 a character that was not seen."""

    answer = "toy_kind.answer.CountAnswer"
    data_columns = ("text", "label")
    list_columns = ("ids",)
    scalar_columns = ("tokens", "target")
    cut_columns: ClassVar[Mapping[str, str]] = {"tokens": "ids"}
    input_column = "text"
    blank: ClassVar[Record] = {"count": 0.0}

    def __init__(self, *, max_length: int) -> None:
        self.max_length = max_length
        self.characters: list[str] = []

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn the characters."""
        texts = (text for batch in rows.iter(FIT_BATCH) for text in batch["text"])
        self.characters = sorted({character for text in texts for character in text})

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``text`` -> ``ids`` and ``tokens``; ``label`` -> ``target``."""
        ids = {character: number for number, character in enumerate(self.characters, start=2)}
        rows = [[ids.get(character, 1) for character in text] for text in columns["text"]]
        encoded = {"ids": [row[: self.max_length] for row in rows], "tokens": [len(row) for row in rows]}
        if "label" in columns:
            for row, label in enumerate(columns["label"]):
                if not label.isdigit():
                    raise RowError(row, f"'{label}' is no whole number")
            encoded["target"] = [int(label) for label in columns["label"]]
        return encoded

    def collate(self, columns: Columns, training: bool) -> SequenceBatch[AnyArray]:
        """Pad ``ids`` to ``(B, T)``."""
        lengths = sizes_of(columns["ids"])
        return SequenceBatch(pad(columns["ids"], lengths), lengths, target_ids(columns))

    def decode(self, outputs: Counts[AnyArray], top_k: int = 1) -> list[Record]:
        """Numbers ``(B,)`` -> ``count``."""
        return [{"count": float(np.round(value, 2))} for value in outputs.values]

    def truth(self, columns: Columns) -> list[Record]:
        """Return ``text`` and ``target``."""
        return [
            {"text": text, "target": int(label)} for text, label in zip(columns["text"], columns["label"], strict=True)
        ]

    def describe(self, record: Record) -> str:
        """Return the number, the true one and the text."""
        return f"{record['count']:.1f} (is {record['target']}): {record['text']}"

    def sizes(self) -> dict[str, int]:
        """Return the number of ids."""
        return {"vocabulary_size": len(self.characters) + 2}

    def tokens(self) -> list[str]:
        """Return the characters by id."""
        return ["<pad>", "<unk>", *self.characters]

    def label_names(self) -> Sequence[str]:
        """Return nothing: numbers have no names."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """Return the characters."""
        return {"characters": list(self.characters)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the characters back."""
        self.characters = distinct(state, "characters")
        if not self.characters:
            raise UserError("no characters")

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode``."""
        return {"max_length": self.max_length}
