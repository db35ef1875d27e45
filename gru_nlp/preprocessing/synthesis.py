"""Texts and recordings of them, for synthesisers: characters and a speaker in, frames out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, IntArray, SpeakingBatch
from gru_nlp.errors import UserError, nearest
from gru_nlp.outputs import Speech
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    Columns,
    Hints,
    Record,
    RowError,
    Rows,
    Text,
    Texts,
    broken_state,
    distinct,
    pad,
    sizes_of,
)
from gru_nlp.preprocessing.speech import SpeechPreprocessor
from gru_nlp.speech.augment import Augmentation
from gru_nlp.speech.mel import LEAST_SPREAD, Floats
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import EOS, UNK
from gru_nlp.text.text_tokenizer import TextTokenizer

#: What is changed at random in training: nothing.
UNCHANGED = Augmentation(time_masks=0, time_width=0, frequency_masks=0, frequency_width=0, speed=0.0, noise=0.0)
#: Most that mean and spread of a band may be; the logarithm of a power is far from it.
MOST_LOGARITHM = 1000.0
#: Characters of a text that is spoken: attention takes memory by their number times that of frames.
LONGEST = 1000
#: Names of speakers that a message tells.
MOST_NAMED = 10


class SynthesisPreprocessor(SpeechPreprocessor):
    """Characters of texts, without those that training lacks, and frames, normalised by the bands' means in training.

    Loudness and voice are to be learned, so that a recording's own mean stays.

    Args:
        tokenizer: trains a tokenizer from texts.
        sample_rate, mels, window_ms, hop_ms, max_seconds: as in ``SpeechPreprocessor``.
    """

    answer = "gru_nlp.answers.speech.SpeechAnswer"
    tokenizers = ("tokenizer",)
    noun = "texts"
    example = "output=spoken.wav -- <text>"
    data_columns = ("recording", "text", "speaker")
    list_columns: tuple[str, ...] = ("frames", "ids")  # ids are whole numbers, which floats hold
    scalar_columns = ("tokens", "speaker_id")
    input_column = "text"
    blank: ClassVar[Record] = {"seconds": 0.0, "ended": True}
    normalises = False

    def __init__(
        self,
        *,
        tokenizer: Callable[..., Tokenizer],
        sample_rate: int,
        mels: int,
        window_ms: float,
        hop_ms: float,
        max_seconds: float,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            mels=mels,
            window_ms=window_ms,
            hop_ms=hop_ms,
            max_seconds=max_seconds,
            augmentation=UNCHANGED,
        )
        self.train_tokenizer = tokenizer
        self.tokenizer: TextTokenizer
        self.speakers: Sequence[str] = ()
        self.mean, self.spread = np.zeros(mels, np.float32), np.ones(mels, np.float32)

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Train the tokenizer on the column ``text``; learn the speakers, and each band's mean and spread."""
        if hints.extra_words:
            raise UserError("embedding.extra_words is for models of text: set embedding.extra_words=0")
        self.tokenizer = TextTokenizer(self.train_tokenizer(Texts(rows, "text")))
        speakers, count = set[str](), 0
        sums = np.zeros((2, self.log_mel.mels))
        for batch in rows.iter(FIT_BATCH):
            speakers.update(batch["speaker"])
            for flat in self.encode_recordings(batch)["frames"]:
                frames = np.asarray(flat, dtype=np.float64).reshape(-1, self.log_mel.mels)
                sums += frames.sum(axis=0), np.square(frames).sum(axis=0)
                count += len(frames)
        self.speakers = sorted(speakers)
        mean, squared = sums / count
        spread = np.sqrt(np.maximum(squared - mean**2, LEAST_SPREAD**2))
        self.mean, self.spread = mean.astype(np.float32), spread.astype(np.float32)

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``recording`` -> ``frames`` and ``tokens``, ``text`` -> ``ids``, ``speaker`` -> ``speaker_id``."""
        known = {name: place for place, name in enumerate(self.speakers)}
        for row, name in enumerate(columns["speaker"]):
            if name not in known:
                raise RowError(row, self._unknown(name))
        found = {**self.encode_recordings(columns), **self._texts(columns["text"])}
        return {**found, "speaker_id": [known[name] for name in columns["speaker"]]}

    def _texts(self, texts: Sequence[str]) -> dict[str, list[Any]]:
        encoded = self.tokenizer.encode(self.tokenizer.familiar([" ".join(text.split()) for text in texts]))
        return {"ids": [[*(index for index in ids if index != UNK), EOS] for ids in encoded]}

    def _unknown(self, speaker: str) -> str:
        known = named(self.speakers) or "one without a name"
        told = f"the speaker '{speaker}' does not occur in training (speakers: {known})"
        return told + nearest(speaker, self.speakers)

    def utterances(self, texts: Sequence[str], speaker: str | None) -> Columns:
        """Return ``ids`` and ``speaker_id`` of texts."""
        if speaker is not None and speaker not in self.speakers:
            raise UserError(self._unknown(speaker))
        for row, text in enumerate(texts):
            if len(text) > LONGEST:
                told = f"{len(text):,} characters, where {LONGEST:,} are the most: cut it between sentences"
                raise RowError(row, f"too long to be spoken at once, {told}")
            plain = self.tokenizer.familiar([text])[0]
            if strange := sorted(letter for letter in self.tokenizer.strange(plain) if not letter.isspace()):
                shown = ", ".join(map(repr, strange[:MOST_NAMED]))
                raise RowError(row, f"the model cannot speak {shown}, which training does not have: leave it out")
        place = 0 if speaker is None else list(self.speakers).index(speaker)
        return {**self._texts(texts), "speaker_id": [place] * len(texts)}

    def collate(self, columns: Columns, training: bool) -> SpeakingBatch[AnyArray]:
        """Return ids, speakers and, where there are any, frames."""
        rows = [np.asarray(ids, dtype=np.int64) for ids in columns["ids"]]
        sizes, speakers = sizes_of(rows), np.asarray(columns["speaker_id"], dtype=np.int64)
        if "frames" not in columns:
            return SpeakingBatch(pad(rows, sizes), sizes, speakers, None, None)
        frames, lengths = self.collate_frames(columns, training)
        real = np.arange(frames.shape[1])[None] < lengths[:, None]
        frames = np.where(real[:, :, None], (frames - self.mean) / self.spread, np.float32(0))
        return SpeakingBatch(pad(rows, sizes), sizes, speakers, frames, lengths)

    def log_mels(self, frames: AnyArray, lengths: IntArray) -> list[Floats]:
        """Return the log-mel frames ``(T, M)`` of each of normalised ones ``(B, T, M)`` of ``lengths`` ``(B,)``."""
        pairs = zip(frames, lengths.tolist(), strict=True)
        return [(row[:length] * self.spread + self.mean).astype(np.float32) for row, length in pairs]

    def decode(self, outputs: Speech[AnyArray], top_k: int = 1) -> list[Record]:
        """Return how long speech is, in ``seconds``, and whether it ``ended`` by itself."""
        hop = self.sound["hop_ms"] / 1000
        pairs = zip(outputs.lengths.tolist(), outputs.ended.tolist(), strict=True)
        return [{"seconds": round(length * hop, 3), "ended": ended} for length, ended in pairs]

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Any]]:
        """Refuse: what it gives is sound.

        Raises:
            UserError: always.
        """
        raise UserError("a synthesiser answers by sound: use gru-nlp speak")

    def typed(self, text: Any) -> str | None:
        """Return a text."""
        return text if isinstance(text, str) else None

    def asked(self) -> str:
        """Return a text."""
        return '"a text"'

    def truth(self, columns: Columns) -> list[Record]:
        """Return the recording's name, its text and its speaker."""
        names = ("name", "text", "speaker")
        triples = zip(*(columns[name] for name in names), strict=True)
        return [{"recording": name, "text": text, "speaker": speaker} for name, text, speaker in triples]

    def describe(self, record: Record) -> str:
        """Return the text, its speaker, and how long its speech is."""
        said = f"{record['seconds']:.2f} s" + ("" if record["ended"] else ", cut off")
        return f"{shorten(record['text'], 60)} ({shorten(record['speaker'], 20) or 'one speaker'}): {said}"

    def sizes(self) -> dict[str, Any]:
        """Return the numbers of ids and of speakers, and the frames' size."""
        vocabulary_size, speakers = self.tokenizer.vocabulary_size, len(self.speakers)
        return {"vocabulary_size": vocabulary_size, "num_speakers": speakers, "frame_size": self.log_mel.mels}

    def tokens(self) -> list[str]:
        """Return the characters in the order of their ids."""
        return self.tokenizer.tokens()

    def label_names(self) -> list[str]:
        """There are no labels."""
        return []

    def told(self) -> dict[str, str]:
        """Return the speakers."""
        return {"speakers": ", ".join(name or "one without a name" for name in self.speakers)}

    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizer as JSON, the speakers, and each band's mean and spread."""
        bands = {"mean": self.mean.tolist(), "spread": self.spread.tolist()}
        return {"tokenizer": self.tokenizer.to_json(), "speakers": list(self.speakers), **bands}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        self.tokenizer = TextTokenizer.from_json(state.get("tokenizer"))
        self.speakers = distinct(state, "speakers")
        if not self.speakers:
            raise broken_state("speakers")
        self.mean = self._bands(state, "mean", -MOST_LOGARITHM)
        self.spread = self._bands(state, "spread", LEAST_SPREAD / 2)

    def _bands(self, state: Mapping[str, Any], name: str, least: float) -> Floats:
        """Return a stored number a band.

        Raises:
            UserError: it is none, or out of reason.
        """
        values = state.get(name)
        if not isinstance(values, list) or len(values) != self.log_mel.mels:
            raise broken_state(name)
        if not all(isinstance(value, float) and least <= value <= MOST_LOGARITHM for value in values):
            raise broken_state(name)
        return np.array(values, dtype=np.float32)


def named(speakers: Sequence[str]) -> str:
    """Return the first names of many."""
    return ", ".join(speakers[:MOST_NAMED]) + (", ..." if len(speakers) > MOST_NAMED else "")
