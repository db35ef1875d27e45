"""Log-mel frames: the energy of a waveform in overlapping windows and bands that are even to the ear.

A waveform is cut into windows (Hann), each becomes a power spectrum (a real Fourier transform of the window, zeros
behind it), and triangular filters, evenly spaced on the mel scale, sum that into bands, whose logarithm is taken
(Davis and Mermelstein 1980, without their cosine transform). The mel scale is that of the HTK book (Young et al.
2006, section 5.4): ``2595 log10(1 + f / 700)``.

Shapes: N samples, T frames, W samples of a window, F bins of a spectrum, M bands.
"""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gru_nlp.errors import UserError

Floats = npt.NDArray[np.float32]
#: Least power of a band before its logarithm; a full-scale tone has about 0.25.
FLOOR = 1e-8
#: Greatest of a frame of sound, for the way back: a broken model gives anything.
LOUDEST = 20.0
#: Least spread of a band over the time of a recording; silence has none.
LEAST_SPREAD = 1e-3
#: Nepers of power in a decibel.
DECIBEL = float(np.log(10) / 10)
#: Values of spectra that are held at a time.
BLOCK = 1 << 22
#: Most of each; more would take memory for nothing.
MOST_RATE, MOST_BANDS, LONGEST_MS = 192_000, 512, 200


def to_mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return frequencies on the mel scale."""
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def to_hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return frequencies in hertz of those on the mel scale."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


class LogMel:
    """Makes frames of waveforms.

    Attributes:
        window, hop: samples of a window, and from one to the next.
        fft: samples of a transform; enough for each band to have a bin of its own.
        taper: ``(W,)`` the window, scaled so that a full-scale tone keeps its power whatever the window's length.
        filters: ``(M, F)`` what each bin adds to each band.

    Args:
        sample_rate: samples a second.
        mels: number of bands M, from 0 to half the sample rate.
        window_ms, hop_ms: length of a window, and from one to the next, in milliseconds.

    Raises:
        UserError: naming the option of ``preprocessing`` that is out of range.
    """

    def __init__(self, sample_rate: int, mels: int, window_ms: float, hop_ms: float) -> None:
        check("sample_rate", sample_rate, 1000, MOST_RATE)
        check("mels", mels, 1, MOST_BANDS)
        check("window_ms", window_ms, 1, LONGEST_MS)
        check("hop_ms", hop_ms, 1, window_ms)
        self.sample_rate, self.mels = sample_rate, mels
        self.window, self.hop = (round(sample_rate * ms / 1000) for ms in (window_ms, hop_ms))
        if self.window < 2:  # of which Hann's window is 0
            raise UserError(f"preprocessing.window_ms={window_ms} is less than two samples: set more")
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)
        self.taper = (hann / hann.sum()).astype(np.float32)
        self.fft = 1 << (self.window - 1).bit_length()
        while not (filters := triangles(sample_rate, mels, self.fft)).any(axis=1).all():
            self.fft *= 2
        self.filters = filters.astype(np.float32)

    def steps(self, samples: int) -> int:
        """Return how many frames T a waveform of N samples has; the last window may reach beyond its end."""
        return 1 + max(0, -(-(samples - self.window) // self.hop))

    def power(self, waveform: Floats) -> Floats:
        """Return the power spectra ``(T, F)`` of a waveform ``(N,)``."""
        missing = (self.steps(len(waveform)) - 1) * self.hop + self.window - len(waveform)
        padded = np.pad(waveform.astype(np.float32, copy=False), (0, missing))
        windows = sliding_window_view(padded, self.window)[:: self.hop] * self.taper  # (T, W)
        spectra = np.fft.rfft(windows, self.fft, axis=1)
        return (spectra.real**2 + spectra.imag**2).astype(np.float32, copy=False)

    def __call__(self, waveform: Floats) -> Floats:
        """Return the log-mel frames ``(T, M)`` of a waveform ``(N,)`` of values from -1 to 1; natural logarithms."""
        size = max(1, BLOCK // self.fft)
        parts = []
        for first in range(0, self.steps(len(waveform)), size):
            power = self.power(waveform[first * self.hop : (first + size - 1) * self.hop + self.window])
            parts.append(np.log(np.maximum(power @ self.filters.T, np.float32(FLOOR))))
        return np.concatenate(parts)

    def inverse(self, frames: Floats) -> Floats:
        """Return power spectra ``(T, F)`` whose bands are near those of log-mel frames ``(T, M)``.

        By least squares, what comes out negative being 0: bands are fewer than bins, so that fine structure is lost.
        """
        bounded = np.minimum(np.nan_to_num(frames), np.float32(LOUDEST))
        spectra: Floats = np.exp(bounded) @ np.linalg.pinv(self.filters.astype(np.float64)).T.astype(np.float32)
        return np.maximum(spectra, 0.0)


def triangles(sample_rate: int, mels: int, fft: int) -> npt.NDArray[np.float64]:
    """Return triangular filters ``(M, F)``: each rises from the centre of the one before to 1 at its own, and falls."""
    edges = to_hertz(np.linspace(0.0, to_mel(np.array(sample_rate / 2)), mels + 2))[:, None]  # (M + 2, 1)
    bins = np.arange(fft // 2 + 1) * (sample_rate / fft)  # (F,)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters: npt.NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return filters


def normalised(frames: Floats, by: str = "bands") -> Floats:
    """Return frames ``(T, M)`` with mean 0 and spread 1 over a recording.

    Args:
        frames: log-mel frames.
        by: ``bands``: of each band over time, so that what is the same throughout goes, the microphone say (Viikki and
            Laurila 1998); ``level``: of all bands together, so that loudness alone goes, and a word of a single sound
            keeps what tells it.
    """
    axes = 0 if by == "bands" else None
    centred = frames - frames.mean(axis=axes)
    scaled: Floats = centred / np.maximum(centred.std(axis=axes), np.float32(LEAST_SPREAD))
    return scaled


def floored(frames: Floats, top_db: float) -> Floats:
    """Return log-mel frames ``(T, M)`` with no band more than ``top_db`` decibels below the loudest of all.

    How quiet a recording is between its sounds tells of its microphone and its room alone.
    """
    heard: Floats = np.maximum(frames, frames.max() - np.float32(top_db * DECIBEL))
    return heard


def trimmed(frames: Floats, trim_db: float) -> Floats:
    """Return log-mel frames without those at both ends that lie ``trim_db`` decibels or more below the loudest band."""
    peaks = frames.max(axis=1)
    loud = np.flatnonzero(peaks > peaks.max() - np.float32(trim_db * DECIBEL))
    return frames[loud[0] : loud[-1] + 1]


def check(name: str, value: float, least: float, most: float) -> None:
    """Refuse a number that is out of range.

    Raises:
        UserError: naming the option of ``preprocessing``.
    """
    if not least <= value <= most:
        raise UserError(f"preprocessing.{name}={value} must lie between {least:g} and {most:g}")
