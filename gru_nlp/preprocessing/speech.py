"""Recordings as log-mel frames: what every task has that reads speech.

A row's recording is the path of a file, several paths that are joined with a short pause between them, or samples
themselves. It is read and turned into frames once, in ``encode``, whose columns are cached; with speed or noise changed
in training its waveform is kept too, of which new frames are made in each epoch.
"""

import zlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Columns, RowError, Text
from gru_nlp.speech.augment import Augmentation
from gru_nlp.speech.mel import Floats, LogMel, check, normalised
from gru_nlp.speech.recordings import PAUSE, RecordingError, check_length, read, resampled

#: A whole number from a file of 16 bits that stands for 1.
FULL_SCALE = 1 << 15
MOST_SECONDS = 86_400.0


class SpeechPreprocessor(Preprocessor):
    """Frames of recordings; a kind adds what is said of them, and its column among ``data_columns``.

    Args:
        sample_rate: samples a second, to which recordings are resampled.
        mels: bands of a frame, M.
        window_ms, hop_ms: length of a frame's window, and from one frame to the next, in milliseconds.
        max_seconds: longer recordings are refused.
        augmentation: what is changed at random in training.
    """

    noun = "recordings"
    example = "input=<recording, folder of recordings, or list of paths>"
    packages = ("soundfile>=0.13", "soxr>=0.5")
    list_type = "float32"
    list_columns: tuple[str, ...] = ("frames",)
    length_columns: tuple[str, ...] = ("frames",)
    input_column = "recording"
    #: Whether each band has mean 0 and spread 1 over a recording.
    normalises: ClassVar[bool] = True

    def __init__(
        self,
        *,
        sample_rate: int,
        mels: int,
        window_ms: float,
        hop_ms: float,
        max_seconds: float,
        augmentation: Augmentation,
    ) -> None:
        self.log_mel = LogMel(sample_rate, mels, window_ms, hop_ms)
        check("max_seconds", max_seconds, 0.1, MOST_SECONDS)
        self.max_seconds = max_seconds
        self.augmentation = augmentation
        self.step_size = mels
        self.sound = {"sample_rate": sample_rate, "mels": mels, "window_ms": window_ms, "hop_ms": hop_ms}
        if augmentation.before_frames:
            self.list_columns = (*self.list_columns, "waveform")

    def encode_recordings(self, columns: Columns) -> dict[str, list[Any]]:
        """``recording`` -> ``frames`` (flat), ``tokens`` (how many) and, where it is wanted, ``waveform``.

        Raises:
            RowError: a recording cannot be read; the reason names its file.
        """
        recordings = columns["recording"]
        rates = columns.get("rate", [self.log_mel.sample_rate] * len(recordings))
        result: dict[str, list[Any]] = {name: [] for name in (*self.list_columns, "tokens")}
        for row, (recording, rate) in enumerate(zip(recordings, rates, strict=True)):
            try:
                waveform = self.waveform(recording, rate)
            except RecordingError as error:
                raise RowError(row, str(error)) from None
            frames = self.frames(waveform)
            result["frames"].append(frames.ravel())
            result["tokens"].append(len(frames))
            if "waveform" in result:
                result["waveform"].append(waveform)
        return result

    def waveform(self, recording: Any, rate: int) -> Floats:
        """Return the samples ``(N,)`` of a recording, at the sample rate.

        Args:
            recording: a path, several, or samples: floats about -1 to 1, or 16-bit integers.
            rate: of samples that are given.

        Raises:
            RecordingError: a file cannot be read, or the samples are none.
        """
        wanted, most = self.log_mel.sample_rate, self.max_seconds
        if isinstance(recording, str) or (isinstance(recording, list) and all(isinstance(p, str) for p in recording)):
            parts = [read(path, wanted, most) for path in ([recording] if isinstance(recording, str) else recording)]
            sound = joined(parts, round(PAUSE * wanted))
        else:
            sound = resampled(samples(recording), rate, wanted)
        check_length(len(sound), wanted, most)
        return sound

    def frames(self, waveform: Floats) -> Floats:
        """Return the frames ``(T, M)`` of a waveform ``(N,)``."""
        return self.shaped(self.log_mel(waveform))

    def shaped(self, frames: Floats) -> Floats:
        """Return frames as the model reads them of log-mel frames ``(T, M)``."""
        return normalised(frames) if self.normalises else frames

    def _changed(self, waveform: Floats, random: np.random.Generator) -> Floats:
        """Return the frames ``(T, M)`` of a waveform ``(N,)`` that is changed at random."""
        frames = self.log_mel(self.augmentation.sound(waveform, random))
        return self.shaped(self.augmentation.colour(frames, self.log_mel.sample_rate / 2, random))

    def collate_frames(self, columns: Columns, training: bool) -> tuple[Floats, IntArray]:
        """Return frames ``(B, T, M)``, zeros behind each recording's end, and their numbers ``(B,)``.

        In training they are changed at random; the draw depends on the batch alone, so that a run which was stopped and
        resumed makes the same changes.
        """
        rows = [np.asarray(flat, dtype=np.float32).reshape(-1, self.log_mel.mels) for flat in columns["frames"]]
        if training:
            random = np.random.default_rng(zlib.crc32(np.concatenate(rows).tobytes()))
            if self.augmentation.before_frames:
                rows = [self._changed(np.asarray(one), random) for one in columns["waveform"]]
            rows = [self.augmentation.blot(row, random) for row in rows]
        lengths: IntArray = np.array([len(row) for row in rows], dtype=np.int64)
        padded = np.zeros((len(rows), lengths.max(), self.log_mel.mels), dtype=np.float32)
        for place, row in enumerate(rows):
            padded[place, : len(row)] = row
        return padded, lengths

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Any]]:
        """Take paths and waveforms as they are."""
        return {"recording": texts}, []

    def typed(self, text: Any) -> str | None:
        """Return the path of a recording of one file."""
        return text[0] if isinstance(text, list) and len(text) == 1 and isinstance(text[0], str) else None

    def asked(self) -> str:
        """Return a path."""
        return '"recording.wav"'

    def tokens(self) -> list[str]:
        """There is no vocabulary."""
        return []

    def options(self) -> dict[str, Any]:
        """Return how frames are made."""
        return {**self.sound, "max_seconds": self.max_seconds}


def joined(parts: Sequence[Floats], pause: int) -> Floats:
    """Return waveforms one after the other, ``pause`` samples of silence between them."""
    silence = np.zeros(pause, dtype=np.float32)
    return np.concatenate([one for part in parts for one in (silence, part)][1:])


def samples(given: Any) -> Floats:
    """Return samples as floats ``(N,)``.

    Raises:
        RecordingError: they are no samples of one channel.
    """
    try:
        found: AnyArray = np.asarray(given)
    except ValueError:
        found = np.zeros(0, dtype=object)
    if found.ndim != 1 or not (found.dtype.kind == "f" or found.dtype == np.int16):
        told = f"{found.dtype} of shape {found.shape}"
        raise RecordingError(f"a recording is a path, or samples (N,) as floats or int16, not {told}")
    sound = found.astype(np.float32) / np.float32(FULL_SCALE if found.dtype == np.int16 else 1)
    if not np.isfinite(sound).all():
        raise RecordingError("the samples hold values that are no numbers (NaN or infinite)")
    return sound
