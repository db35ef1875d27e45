"""Texts and labels of sentiment and text classification."""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, IntArray, SequenceBatch
from gru_nlp.errors import UserError, choose
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.probabilities import decode_labels
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    UNKNOWN,
    Columns,
    Hints,
    LabelColumns,
    Record,
    Rows,
    Texts,
    broken_state,
    distinct,
    pad,
    sizes_of,
    target_ids,
)
from gru_nlp.text import ngrams
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import UNK
from gru_nlp.text.text_tokenizer import TextTokenizer
from gru_nlp.text.tokenizer import canonical

TRUNCATIONS = ("head", "tail", "both")
#: Most weights of the n-grams, over all labels.
MOST_WEIGHTS = 1 << 25


def cut(ids: list[int], max_length: int, truncation: str) -> list[int]:
    """Shorten ``ids`` to ``max_length``: keep the head, the tail, or half of each (Sun et al. 2019, section 5.3.1)."""
    if len(ids) <= max_length:
        return ids
    head = {"head": max_length, "tail": 0, "both": max_length // 2}[truncation]
    tail = max_length - head
    return ids[:head] + (ids[-tail:] if tail else [])


class ClassificationPreprocessor(Preprocessor):
    """Tokenizer and label names; a text becomes at most ``max_length`` ids and a label one id.

    Args:
        tokenizer: trains a tokenizer from texts.
        max_length: tokens kept of a text.
        truncation: which tokens of a longer text are kept: ``head``, ``tail`` or ``both`` ends.
        wide: which n-grams a text becomes too, of its whole length: ``words``, ``characters``, ``both``, ``auto`` (by
            what the texts of training are like) or ``none``.
    """

    answer = "gru_nlp.answers.labels.LabelAnswer"
    errors = "gru_nlp.reports.worst.TextErrors"
    page = ("labels.js", "LabelReader")
    one_label = True
    tokenizers = ("tokenizer",)
    data_columns = ("text", "label")
    list_columns: tuple[str, ...] = ("ids",)
    length_columns: tuple[str, ...] = ("ids",)
    scalar_columns: tuple[str, ...] = ("tokens", "target")
    cut_columns: ClassVar[Mapping[str, str]] = {"tokens": "ids"}
    label_columns: LabelColumns = LabelColumns("label", "target")
    input_column = "text"
    blank: ClassVar[Record] = {"label": None, "score": None}

    def __init__(
        self, *, tokenizer: Callable[..., Tokenizer], max_length: int, truncation: str, wide: str = "none"
    ) -> None:
        self.train_tokenizer = tokenizer
        self.max_length = max_length
        self.truncation = choose("preprocessing.truncation", truncation, TRUNCATIONS)
        self.wide = choose("model.wide", wide, ngrams.KINDS)
        if wide != "none":
            self.list_columns = (*self.list_columns, "ngrams")
        self.tokenizer: TextTokenizer
        self.unseen = 0  # of the last tokens, which only pretrained vectors know
        self.labels: list[str] = []
        self.ngrams: ngrams.Ngrams | None = None

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Train the tokenizer on the column ``text``; take the labels from the column of labels."""
        self.labels = self.find_labels(rows, hints)
        texts = Texts(rows, "text")
        given = hints.tokenizer
        trained = self.train_tokenizer(texts) if given is None else TextTokenizer.from_json(given).tokenizer
        known = trained.get_vocab_size()
        if hints.extra_words:
            if "extra_words" not in inspect.signature(self.train_tokenizer).parameters:
                told = "embedding.extra_words needs whole words"
                raise UserError(f"{told}: set tokenizer=word, or embedding.extra_words=0")
            trained = canonical(trained, hints.extra_words)
        self.tokenizer = TextTokenizer(trained)
        self.unseen = self.tokenizer.vocabulary_size - known
        if self.wide != "none":
            kind = ngrams.choose_kind(texts) if self.wide == "auto" else self.wide
            self.ngrams = ngrams.learn(texts, kind, MOST_WEIGHTS // len(self.labels))

    def find_labels(self, rows: Rows, hints: Hints) -> list[str]:
        """Return the labels in the order of their ids.

        Raises:
            UserError: there are too few.
        """
        raw = self.label_columns.raw
        found = Counter(label for batch in rows.iter(FIT_BATCH) for label in batch[raw])
        if len(found) < 2:
            names = ", ".join(map(repr, found))
            raise UserError(f"the training data has one label only ({names}): give at least two (see data.label=...)")
        order = hints.label_order or self.order(found)
        return [label for label in order if label in found]

    def order(self, labels: Iterable[str]) -> list[str]:
        """Return labels in the order in which they get their ids."""
        return sorted(labels)

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``text`` -> ``ids``, ``tokens`` (their number before cutting) and ``ngrams``; labels -> targets."""
        encoded = self.tokenizer.encode(columns["text"])
        result: dict[str, list[Any]] = {
            # A text without a known token (only invisible characters, say) still needs one step.
            "ids": [cut(ids, self.max_length, self.truncation) or [UNK] for ids in encoded],
            "tokens": [len(ids) for ids in encoded],
        }
        if self.ngrams is not None:
            result["ngrams"] = self.ngrams.encode(columns["text"])
        raw, encoded_name = self.label_columns
        if raw in columns:
            result[encoded_name] = self.targets(columns[raw])
        return result

    def searches(self) -> list[Tokenizer]:
        """Return the tokenizer."""
        return [self.tokenizer.tokenizer]

    def targets(self, labels: Sequence[Any]) -> list[Any]:
        """Return the ids of a column of labels."""
        ids = {label: index for index, label in enumerate(self.labels)}
        return [ids.get(label, UNKNOWN) for label in labels]

    def collate(self, columns: Columns, training: bool) -> SequenceBatch[AnyArray]:
        """Pad ``ids`` to ``(B, T)``; lay ``ngrams`` one after the other."""
        lengths = sizes_of(columns["ids"])
        ids, bags = (None, None) if self.ngrams is None else ngrams.bags(columns["ngrams"], self.ngrams.sizes[0])
        return SequenceBatch(pad(columns["ids"], lengths), lengths, self.target_array(columns), ids, bags)

    def target_array(self, columns: Columns) -> IntArray | None:
        """Return the encoded labels ``(B,)``; None where there are none."""
        return target_ids(columns)

    def decode(self, outputs: Classification[AnyArray], top_k: int = 1) -> list[Record]:
        """Probabilities ``(B, C)`` -> ``label`` and ``score``, and with ``top_k`` above 1 ``top``: the best pairs."""
        return decode_labels(outputs, self.labels, top_k)

    def truth(self, columns: Columns) -> list[Record]:
        """Return ``text`` and ``target``."""
        pairs = zip(columns["text"], columns[self.label_columns.raw], strict=True)
        return [{"text": text, "target": label} for text, label in pairs]

    def describe(self, record: Record) -> str:
        """Return label, score, true label and the start of the text."""
        text = shorten(record["text"], 90)
        return f"{record['label']} {record['score']:.2f}  (is {record['target']}): {text}"

    def sizes(self) -> dict[str, int]:
        """Return the vocabulary's and the labels' number, and those of unseen words and n-grams where there are any."""
        sizes = {"vocabulary_size": self.tokenizer.vocabulary_size, "num_labels": len(self.labels)}
        if self.unseen:
            sizes["unseen_words"] = self.unseen
        if self.ngrams is not None:
            sizes["num_ngrams"] = sum(self.ngrams.sizes)
        return sizes

    def tokens(self) -> list[str]:
        """Return the tokenizer's vocabulary in the order of its ids."""
        return self.tokenizer.tokens()

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        return list(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return tokenizer JSON, label names and the hashes of n-grams."""
        state: dict[str, Any] = {"tokenizer": self.tokenizer.to_json(), "labels": list(self.labels)}
        if self.unseen:
            state["unseen"] = self.unseen
        if self.ngrams is not None:
            state["ngrams"] = self.ngrams.state()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back tokenizer, labels and n-grams.

        Raises:
            UserError: something in the state is not as ``state_dict`` gives it.
        """
        self.tokenizer = TextTokenizer.from_json(state.get("tokenizer"))
        self.labels = distinct(state, "labels")
        self.unseen = state.get("unseen", 0)
        if type(self.unseen) is not int or not 0 <= self.unseen < self.tokenizer.vocabulary_size - UNK:
            raise broken_state("unseen")
        if self.wide != "none":
            self.ngrams = ngrams.from_state(state.get("ngrams"))
            if self.ngrams is None:
                raise broken_state("ngrams")

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode`` beside the learned state."""
        return {"max_length": self.max_length, "truncation": self.truncation}
