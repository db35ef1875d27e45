"""From frames back to sound: fast Griffin-Lim, and WAV files of what comes out.

How it works. Frames tell how strong each frequency is in each window, not at which phase. Griffin and Lim (1984) begin
with phases by chance and go to and fro: a waveform is made of the spectra by overlapping and adding, its own spectra
are taken, and of these the phases alone are kept. Windows overlap, so that phases which contradict each other are
averaged away. Perraudin et al. (2013) do not take the new spectra themselves but go beyond them, by a share of the last
change, which comes nearer in as many rounds. All is numpy, one recording at a time.

Shapes, beside those of ``mel``: N samples, T frames, W samples of a window, F bins of a spectrum.
"""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gru_nlp.speech.mel import Floats, LogMel
from gru_nlp.whole import bytes_whole

Complex = npt.NDArray[np.complexfloating]
#: Rounds to and fro, and the share of the last change by which each goes beyond (Perraudin et al. 2013, section 4).
ROUNDS, BEYOND = 60, 0.99
#: Least weight by which a sample is divided, as a share of the largest of one window: at both ends of a recording
#: windows weigh next to nothing, and what is there would become a click.
LEAST_WEIGHT = 0.1
#: Largest whole number of a sample of 16 bits.
LOUDEST = 32767


class GriffinLim:
    """Makes waveforms whose power spectra are near given ones.

    Args:
        log_mel: how frames are made of a waveform.
        rounds: how often it goes to and fro.
        seed: of the phases that it begins with; the same frames give the same waveform.
    """

    def __init__(self, log_mel: LogMel, rounds: int = ROUNDS, seed: int = 1) -> None:
        self.log_mel, self.rounds, self.seed = log_mel, rounds, seed

    def __call__(self, frames: Floats) -> Floats:
        """Return a waveform ``(N,)`` of about -1 to 1 for log-mel frames ``(T, M)``, T being at least 1."""
        return self.of_power(self.log_mel.inverse(frames))

    def of_power(self, power: Floats) -> Floats:
        """Return a waveform ``(N,)`` for power spectra ``(T, F)``; it ends with the last window."""
        strength = np.sqrt(power)
        turns = np.random.default_rng(self.seed).random(strength.shape, dtype=np.float32)
        spectra = strength * np.exp(2j * np.pi * turns)
        before = np.zeros_like(spectra)
        for _ in range(self.rounds):
            found = self.spectra(self.waveform(spectra))
            ahead = found + BEYOND * (found - before)
            spectra, before = strength * unit(ahead), found
        return self.waveform(spectra)

    def waveform(self, spectra: Complex) -> Floats:
        """Return the waveform ``(N,)`` whose spectra are nearest to ``(T, F)``, by least squares."""
        taper = self.log_mel.taper
        windows = np.fft.irfft(spectra, self.log_mel.fft, axis=1)[:, : len(taper)] * taper
        weights = np.broadcast_to(taper**2, windows.shape)
        least = LEAST_WEIGHT * float(taper.max()) ** 2
        sound = self._added(windows) / np.maximum(self._added(weights), least)
        return sound.astype(np.float32)

    def spectra(self, waveform: Floats) -> Complex:
        """Return the spectra ``(T, F)`` of a waveform ``(N,)`` of whole windows."""
        windows = np.lib.stride_tricks.sliding_window_view(waveform, self.log_mel.window)[:: self.log_mel.hop]
        found: Complex = np.fft.rfft(windows * self.log_mel.taper, self.log_mel.fft, axis=1)
        return found

    def _added(self, windows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the sum ``(N,)`` of windows ``(T, W)``, each at its place."""
        steps, size = windows.shape
        hop = self.log_mel.hop
        parts = -(-size // hop)
        cut = np.pad(windows, ((0, 0), (0, parts * hop - size))).reshape(steps, parts, hop)
        total = np.zeros((steps + parts - 1, hop))
        for part in range(parts):
            total[part : part + steps] += cut[:, part]
        return total.ravel()[: (steps - 1) * hop + size]


def unit(spectra: Complex) -> Complex:
    """Return complex numbers of the same phases, of size 1; 1 for 0."""
    size = np.abs(spectra)
    found: Complex = (np.where(size > 0, spectra, 1) / np.where(size > 0, size, 1)).astype(spectra.dtype)
    return found


def write_wav(path: Path, waveform: Floats, sample_rate: int, option: str | None = None) -> None:
    """Write a waveform as a WAV file of one channel and 16 bits, whole; one that is too loud is made softer.

    Args:
        path: of the file.
        waveform: ``(N,)`` of about -1 to 1.
        sample_rate: samples a second.
        option: that chooses another place, for messages.

    Raises:
        Fault: it cannot be written.
    """
    loudest = max(1.0, float(np.abs(waveform).max(initial=0.0)))
    samples = np.round(waveform / loudest * LOUDEST).astype("<i2")
    with bytes_whole(path, option) as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(sample_rate)
        sound.writeframes(samples.tobytes())
