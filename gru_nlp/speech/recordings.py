"""Files of sound as waveforms: one channel, one sample rate; what is broken is refused before it is read.

Reading is soundfile's (libsndfile: WAV, FLAC, OGG, MP3, AIFF ...), resampling soxr's; both are imported where they are
used, since only recordings need them (``pip install 'gru_nlp[speech]'``).
"""

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_nlp.errors import UserError
from gru_nlp.plain import entries_of
from gru_nlp.speech.mel import Floats

#: How files of sound are called, in small letters.
ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64")
#: Shorter sound is none.
LEAST_SECONDS = 0.01
#: Samples a second that files have; other numbers are slips.
LEAST_RATE, MOST_RATE = 1000, 768_000
#: Samples, of all channels, that are read at a time.
BLOCK = 1 << 16
#: Seconds of silence between recordings that are joined.
PAUSE = 0.1


class RecordingError(ValueError):
    """What is wrong with a recording; who knows where it is named makes it a message."""


def is_recording(path: str | Path) -> bool:
    """Return whether a file, by its name, is one of sound."""
    return Path(path).suffix.lower() in ENDINGS


def of_folder(folder: Path, option: str) -> list[Path]:
    """Return the recordings of a folder, by their names and in the order of these, without hidden ones.

    Raises:
        UserError: it cannot be read.
    """
    return [entry for entry in entries_of(folder, option) if is_recording(entry) and not entry.name.startswith(".")]


def read(path: str, sample_rate: int, max_seconds: float) -> Floats:
    """Return a recording as a waveform ``(N,)`` of values about -1 to 1, the mean of its channels.

    Args:
        path: of a regular file.
        sample_rate: samples a second, to which it is resampled.
        max_seconds: a longer recording is refused, unread.

    Raises:
        RecordingError: there is no such file, it is none of sound, or too long or too short.
        UserError: a library is missing.
    """
    check_file(path)
    try:
        import soundfile
    except (ImportError, OSError):  # the latter: without libsndfile
        raise missing() from None
    try:
        with soundfile.SoundFile(path) as file:
            rate, length = file.samplerate, file.frames
            check_length(length, rate, max_seconds)
            sound = blocks(file, round(max_seconds * rate) + 1)
    except (soundfile.LibsndfileError, TypeError, MemoryError) as error:  # TypeError: of samples without a header
        reason = getattr(error, "error_string", "") or "not a format that is known"
        raise RecordingError(f"{path}: not a recording that can be read: {reason.strip().rstrip('.')}") from None
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from None
    return resampled(sound, rate, sample_rate)


def blocks(file: Any, most: int) -> Floats:
    """Return at most ``most`` samples of an open file, the mean of its channels; no more than is there is held.

    Raises:
        RecordingError: there are none, or some are no numbers.
    """
    parts: list[Floats] = []
    left = most
    while left > 0:
        block = file.read(min(left, max(1, BLOCK // file.channels)), dtype="float32", always_2d=True)
        if not len(block):
            break
        parts.append(block.mean(axis=1))
        left -= len(block)
    sound = np.concatenate([np.zeros(0, np.float32), *parts])
    check_length(len(sound), file.samplerate, (most - 1) / file.samplerate)
    if not np.isfinite(sound).all():
        raise RecordingError("holds values that are no numbers (NaN or infinite)")
    return sound


def check_file(path: str) -> None:
    """Refuse what is no regular file with something in it.

    Raises:
        RecordingError: saying what it is.
    """
    try:
        state = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and not isinstance(error, FileNotFoundError) else None
        raise RecordingError(f"{path}: {f'cannot be read: {reason}' if reason else 'no such file'}") from None
    if stat.S_ISDIR(state.st_mode):
        raise RecordingError(f"{path}: a folder, where a recording is needed")
    if not stat.S_ISREG(state.st_mode):
        raise RecordingError(f"{path}: no regular file, which a recording must be")
    if not state.st_size:
        raise RecordingError(f"{path}: an empty file")


def check_length(samples: int, rate: int, max_seconds: float) -> None:
    """Refuse sound that is too short or too long.

    Raises:
        RecordingError: saying how long it is.
    """
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise RecordingError(f"{rate:,} samples a second, where {LEAST_RATE:,} to {MOST_RATE:,} are read")
    if samples < LEAST_SECONDS * rate:
        held = "no sound" if not samples else f"{samples:,} sample{'s' if samples > 1 else ''} only"
        raise RecordingError(f"holds {held}, where {LEAST_SECONDS:g} s are the least")
    if samples > max_seconds * rate:
        raise RecordingError(
            f"{samples / rate:,.1f} s long, more than preprocessing.max_seconds={max_seconds:g}: cut it, or set more"
        )


def resampled(sound: npt.NDArray[np.float32], rate: int, wanted: int) -> Floats:
    """Return a waveform ``(N,)`` of ``rate`` samples a second as one of ``wanted``.

    Raises:
        UserError: the library is missing.
    """
    if rate == wanted:
        return sound
    try:
        import soxr
    except ImportError:
        raise missing() from None
    changed: Floats = soxr.resample(sound, rate, wanted).astype(np.float32, copy=False)
    return changed


def missing() -> UserError:
    """Return what is told where recordings cannot be read."""
    return UserError("recordings are read by soundfile and soxr: pip install 'gru_nlp[speech]'")
