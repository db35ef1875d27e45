"""Text as one stream of tokens, each to be foretold from those before it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, StreamBatch
from gru_nlp.errors import UserError, choose
from gru_nlp.outputs import Surprise
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Columns, Hints, Record, Rows, Text, Texts, pad, sizes_of
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import EOS, SPECIAL_TOKENS, UNK, UNK_TOKEN
from gru_nlp.text.text_tokenizer import TextTokenizer

#: What is counted of a text, so that scores of different tokenizers compare.
SIZES = ("characters", "bytes", "words")
#: From which end text is read.
DIRECTIONS = ("forward", "backward")
#: Strange parts of a prompt that are named.
MOST_NAMED = 5


class LanguageModelPreprocessor(Preprocessor):
    """From lines to ids, an end mark after each, and from log-probabilities to how surprising a text is.

    The end mark stands for the line feed: it counts as one character, one byte and one word.

    Args:
        tokenizer: trains a tokenizer from texts.
        sequence_length: mean number of steps over which errors are propagated back.
        direction: ``forward``, or ``backward``: text is read from its end, each token foretold from those after it.

    Raises:
        UserError: there is no such direction.
    """

    answer = "gru_nlp.answers.surprise.SurpriseAnswer"
    errors = "gru_nlp.reports.worst.LineErrors"
    batching = "gru_nlp.data.streams.streamed"
    example = "-- <the beginning of a text>"
    tokenizers = ("tokenizer",)
    data_columns = ("text",)
    list_columns = ("ids",)
    scalar_columns = ("tokens", "starts", *SIZES)
    input_column = "text"
    blank: ClassVar[Record] = {"log_probability": None, "perplexity": None, "tokens": 0}

    def __init__(
        self, *, tokenizer: Callable[..., Tokenizer], sequence_length: int, direction: str = "forward"
    ) -> None:
        self.train_tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.direction = choose("preprocessing.direction", direction, DIRECTIONS)
        self.tokenizer: TextTokenizer

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Train the tokenizer on the column ``text``, or take that of the language model to begin from."""
        if hints.extra_words:
            raise UserError("embedding.extra_words is for classifiers and taggers: set embedding.extra_words=0")
        if hints.tokenizer is None:
            self.tokenizer = TextTokenizer(self.train_tokenizer(Texts(rows, "text")))
        else:
            self.tokenizer = TextTokenizer.from_json(hints.tokenizer)

    def is_blank(self, text: Text) -> bool:
        """Return False: an empty line has a probability too."""
        return False

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``text`` -> ``ids``, ``tokens``, and what is counted of it.

        A row that is not ``ended`` goes on in the next one, and has no end mark; one that ``starts`` begins a document.
        """
        texts = columns["text"]
        ended = columns.get("ended", [True] * len(texts))
        encoded = self.tokenizer.encode(texts)
        ids = [[*row, EOS] if end else row for row, end in zip(encoded, ended, strict=True)]
        return {
            "ids": ids,
            "tokens": [len(row) for row in ids],
            "starts": [int(start) for start in columns.get("starts", [False] * len(texts))],
            "characters": [len(text) + end for text, end in zip(texts, ended, strict=True)],
            "bytes": [len(text.encode()) + end for text, end in zip(texts, ended, strict=True)],
            "words": [len(text.split()) + end for text, end in zip(texts, ended, strict=True)],
        }

    def as_read(self, ids: AnyArray, ended: bool | None = None) -> AnyArray:
        """Return the ids ``(N,)`` of a text, or another number of each token, in the order in which they are read.

        Backwards, end marks stand where lines begin: that of the last line is the first line's.

        Args:
            ids: as they stand.
            ended: whether an end mark stands last; None: the last id tells.
        """
        if self.direction == "forward" or not len(ids):
            return ids
        last = ids[-1] == EOS if ended is None else ended
        return np.append(ids[-2::-1], ids[-1]) if last else ids[::-1]

    def documents(self, columns: Mapping[str, AnyArray]) -> AnyArray:
        """Return the number of each line's document, or paragraph: a blank line, which is one token, begins another."""
        return np.cumsum(columns["starts"] if columns["starts"].any() else columns["tokens"] == 1)

    def starts_as_read(self, starts: AnyArray, ids: AnyArray) -> AnyArray:
        """Return where documents start in ``as_read(ids)`` by where they do in ids, ``(D,)`` both and 0 the first."""
        if self.direction == "forward":
            return starts
        # A document as it is read ends with the end mark of the one before it in the text.
        end = len(ids) + int(len(ids) > 0 and ids[-1] != EOS)
        return np.append(starts[:1], end - starts[:0:-1])

    def collate(self, columns: Columns, training: bool) -> StreamBatch[AnyArray]:
        """Pad ``ids`` to ``(B, T)``.

        Stretches of a stream come as they are read, with the id ``before`` each; texts are turned to how they are read,
        and the end of a line stands before them.
        """
        rows = columns["ids"]
        if "before" not in columns:
            rows = [self.as_read(np.asarray(row)) for row in rows]
        lengths = sizes_of(rows)
        targets = pad(rows, lengths)
        inputs = np.full_like(targets, EOS)
        inputs[:, 1:] = targets[:, :-1]
        if "before" in columns:
            inputs[:, 0] = columns["before"]
        sources = np.asarray(columns.get("sources", [-1] * len(lengths)), dtype=np.int64)
        sizes = np.array([columns[name] for name in SIZES], dtype=np.int64).T.copy()  # (B, 3)
        places = np.asarray(columns.get("places", np.cumsum(lengths) - lengths), dtype=np.int64)
        return StreamBatch(inputs, lengths, targets, sources, sizes, places)

    def decode(self, outputs: Surprise[AnyArray], top_k: int = 1) -> list[Record]:
        """Turn log-probabilities into ``log_probability`` of a text, ``perplexity`` a token and their number."""
        records: list[Record] = []
        for row, length in zip(outputs.log_probabilities, outputs.lengths.tolist(), strict=True):
            total = float(row[:length].astype(np.float64).sum())
            mean = -total / max(length, 1)
            records.append({"log_probability": total, "perplexity": float(np.exp(min(mean, 700.0))), "tokens": length})
        return records

    def truth(self, columns: Columns) -> list[Record]:
        """Return ``text``."""
        return [{"text": text} for text in columns["text"]]

    def describe(self, record: Record) -> str:
        """Return the perplexity and the start of the text."""
        return f"{record['perplexity']:.1f}: {shorten(record['text'], 90)}"

    def sizes(self) -> dict[str, int]:
        """Return the number of ids."""
        return {"vocabulary_size": self.tokenizer.vocabulary_size}

    def tokens(self) -> list[str]:
        """Return the vocabulary in the order of its ids."""
        return self.tokenizer.tokens()

    def label_names(self) -> list[str]:
        """There are no labels."""
        return []

    def prompt(self, text: str) -> list[int]:
        """Return the ids of the beginning of a text, the end of the line before it first."""
        if self.direction != "forward":
            raise UserError("a language model that reads backwards, which continues no text: use predict or pretrained")
        lines = text.split("\n")
        ids = [EOS]
        for encoded in self.tokenizer.encode(lines):
            ids += [*encoded, EOS]
        ids.pop()
        if UNK in ids and not self._says_unknown(lines):
            parts = [part for line in lines for part in (line.split() if self._has_words() else line)]
            strange = [part for part in dict.fromkeys(parts) if UNK in self.tokenizer.encode([part])[0]]
            shown = ", ".join(map(repr, strange[:MOST_NAMED])) + (", ..." if len(strange) > MOST_NAMED else "")
            raise UserError(f"the model has never seen {shown}: leave it out, or train with tokenizer=byte_bpe")
        return ids

    def _has_words(self) -> bool:
        """Return whether tokens may be longer than a character."""
        return any(len(token) > 1 for token in self.tokens()[len(SPECIAL_TOKENS) :])

    def _says_unknown(self, lines: Sequence[str]) -> bool:
        """Return whether unknown tokens stand in the text as such, as in corpora that are cut into words already."""
        return self.tokenizer.encode([UNK_TOKEN])[0] == [UNK] and any(UNK_TOKEN in line for line in lines)

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of ids, end marks as line feeds."""
        lines: list[list[int]] = [[]]
        for token in ids:
            if token == EOS:
                lines.append([])
            else:
                lines[-1].append(token)
        return "\n".join(self.tokenizer.decode(line) if line else "" for line in lines)

    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizer as JSON."""
        return {"tokenizer": self.tokenizer.to_json()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back the tokenizer.

        Raises:
            UserError: it is not as ``state_dict`` gives it.
        """
        self.tokenizer = TextTokenizer.from_json(state.get("tokenizer"))

    def options(self) -> dict[str, Any]:
        """Nothing bears on ``encode`` beside the learned state."""
        return {}
