"""Recordings with what is said in them, for recognisers: frames in, transcripts with the times of words out."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.errors import UserError
from gru_nlp.outputs import Recognition
from gru_nlp.preprocessing.rows import Columns, Hints, Record, Rows, Texts, pad, sizes_of
from gru_nlp.preprocessing.speech import SpeechPreprocessor
from gru_nlp.speech.augment import Augmentation
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import UNK
from gru_nlp.text.text_tokenizer import TextTokenizer

#: Digits of times, in seconds, and of scores of words.
DIGITS = 4


class TranscriptPreprocessor(SpeechPreprocessor):
    """Frames of recordings, and transcripts in the tokens of a tokenizer, without those that it does not know.

    Args:
        tokenizer: trains a tokenizer from texts.
        sample_rate, mels, window_ms, hop_ms, max_seconds, augmentation: as in ``SpeechPreprocessor``.
    """

    answer = "gru_nlp.answers.transcripts.TranscriptAnswer"
    errors = "gru_nlp.reports.worst.TranscriptErrors"
    tokenizers = ("tokenizer",)
    data_columns = ("recording", "text")
    list_columns: tuple[str, ...] = ("frames", "ids")  # ids are whole numbers, which floats hold
    scalar_columns = ("tokens", "target_tokens", "steps")
    raw_columns = ("text",)
    blank: ClassVar[Record] = {"transcript": "", "score": None, "words": []}

    def __init__(
        self,
        *,
        tokenizer: Callable[..., Tokenizer],
        sample_rate: int,
        mels: int,
        window_ms: float,
        hop_ms: float,
        max_seconds: float,
        augmentation: Augmentation,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            mels=mels,
            window_ms=window_ms,
            hop_ms=hop_ms,
            max_seconds=max_seconds,
            augmentation=augmentation,
        )
        self.train_tokenizer = tokenizer
        self.tokenizer: TextTokenizer

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Train the tokenizer on the column ``text``."""
        if hints.extra_words:
            raise UserError("embedding.extra_words is for models of text: set embedding.extra_words=0")
        self.tokenizer = TextTokenizer(self.train_tokenizer(Texts(rows, "text")))

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``recording`` -> ``frames`` and ``tokens``; ``text`` -> ``ids``, how many, and the ``steps`` they need.

        A token that comes twice needs a step between, in which nothing is said.
        """
        result = self.encode_recordings(columns)
        del result["ids"]
        if "text" in columns:
            texts = self.tokenizer.encode(self.tokenizer.familiar(columns["text"]))
            result["ids"] = [[index for index in ids if index != UNK] for ids in texts]
            result["target_tokens"] = [len(ids) for ids in result["ids"]]
            pairs = [sum(one == other for one, other in pairwise(ids)) for ids in result["ids"]]
            result["steps"] = [len(ids) + twice for ids, twice in zip(result["ids"], pairs, strict=True)]
        return result

    def collate(self, columns: Columns, training: bool) -> SequencePairBatch[AnyArray]:
        """Return frames ``(B, T, M)``, the ids of transcripts, and to score these as the tokenizer writes them."""
        frames, lengths = self.collate_frames(columns, training)
        if "ids" not in columns:
            return SequencePairBatch(frames, lengths, None, None, None)
        sizes = sizes_of(columns["ids"])
        targets = pad([np.asarray(ids, dtype=np.int64) for ids in columns["ids"]], sizes)
        return SequencePairBatch(frames, lengths, targets, sizes, None if training else self._written(columns["text"]))

    def _written(self, texts: Sequence[str]) -> list[str]:
        normalizer = self.tokenizer.tokenizer.normalizer
        return [" ".join((normalizer.normalize_str(text) if normalizer else text).split()) for text in texts]

    def decode(self, outputs: Recognition[AnyArray], top_k: int = 1) -> list[Record]:
        """Turn what is heard into ``transcript``, ``score`` and ``words``; with ``top_k`` above 1 ``n_best``.

        ``score`` is the probability of the transcript, by its sound alone; ``words`` are its words, each with ``start``
        and ``end`` in seconds of where the model heard it, and the ``score`` of its least sure token; ``n_best`` are
        texts and what they are ranked by, best first.
        """
        records = []
        for row, (ids, sizes, ranks) in enumerate(
            zip(outputs.tokens.tolist(), outputs.lengths.tolist(), outputs.scores.tolist(), strict=True)
        ):
            texts = [self._text(one[:size]) for one, size in zip(ids, sizes, strict=True)]
            best = ids[0][: sizes[0]]
            spans = (part[row, : len(best)].tolist() for part in (outputs.starts, outputs.ends, outputs.surest))
            record: Record = {
                "transcript": texts[0],
                "score": math.exp(min(0.0, float(outputs.totals[row]))),
                "words": list(self._words(best, *spans)),
            }
            ranked: dict[str, float] = {}
            for text, rank in zip(texts, ranks, strict=True):
                if rank > float("-inf"):
                    ranked.setdefault(text, rank)  # of texts that differ in blanks alone, the best
            pairs = [[text, rank] for text, rank in ranked.items()][:top_k]
            records.append(record | {"n_best": pairs} if top_k > 1 else record)
        return records

    def _text(self, ids: Sequence[int]) -> str:
        return " ".join(self.tokenizer.decode(ids).split())

    def _words(
        self, ids: Sequence[int], starts: Sequence[int], ends: Sequence[int], surest: Sequence[float]
    ) -> Iterator[Record]:
        """Yield the words of tokens; blanks alone belong to none."""
        hop = self.sound["hop_ms"] / 1000
        texts = [self.tokenizer.decode(ids[: place + 1]).split() for place in range(len(ids))]
        blank = [not text or not self.tokenizer.decode([index]).strip() for index, text in zip(ids, texts, strict=True)]
        for number, word in enumerate(texts[-1] if texts else ()):
            own = [place for place, text in enumerate(texts) if len(text) == number + 1 and not blank[place]]
            if own:
                sure = math.exp(min(0.0, min(surest[place] for place in own)))
                start, end = (round(frame * hop, DIGITS) for frame in (starts[own[0]], ends[own[-1]]))
                yield {"word": word, "start": start, "end": end, "score": round(sure, DIGITS)}

    def truth(self, columns: Columns) -> list[Record]:
        """Return the recording's name and the true transcript, as the tokenizer writes it."""
        pairs = zip(columns["name"], self._written(columns["text"]), strict=True)
        return [{"recording": name, "target": text} for name, text in pairs]

    def describe(self, record: Record) -> str:
        """Return transcript, true transcript and the recording's name."""
        said, true = (shorten(record[name], 60) for name in ("transcript", "target"))
        return f"{said}  (is {true}): {record['recording']}"

    def sizes(self) -> dict[str, Any]:
        """Return the frames' size and the number of ids."""
        return {"frame_size": self.log_mel.mels, "vocabulary_size": self.tokenizer.vocabulary_size}

    def tokens(self) -> list[str]:
        """Return the tokens in the order of their ids."""
        return self.tokenizer.tokens()

    def label_names(self) -> list[str]:
        """There are no labels."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizer as JSON."""
        return {"tokenizer": self.tokenizer.to_json()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back the tokenizer.

        Raises:
            UserError: it is not as ``state_dict`` gives it.
        """
        self.tokenizer = TextTokenizer.from_json(state.get("tokenizer"))
