"""What is changed at random in the recordings of training: frames blotted out, speed, noise."""

import numpy as np
import numpy.typing as npt

from gru_nlp.speech.mel import Floats, check

#: Most of a recording's frames that one blot covers (Park et al. 2019, section 2: p).
MOST_BLOTTED = 0.2


class Augmentation:
    """SpecAugment (Park et al. 2019) without warping, another speed (Ko et al. 2015), and white noise.

    Args:
        time_masks, time_width: how many stretches of frames are blotted out, and the most frames of each.
        frequency_masks, frequency_width: how many stretches of bands, and the most bands of each.
        speed: by how much recordings are made faster or slower at most, 0.1 for 0.9 to 1.1 times; 0: not at all.
        noise: most amplitude of white noise, as a share of that of the recording; 0: none.

    Raises:
        UserError: an option is out of range.
    """

    def __init__(
        self,
        *,
        time_masks: int,
        time_width: int,
        frequency_masks: int,
        frequency_width: int,
        speed: float,
        noise: float,
    ) -> None:
        counts = {"time_masks": time_masks, "time_width": time_width}
        counts |= {"frequency_masks": frequency_masks, "frequency_width": frequency_width}
        for name, count in counts.items():
            check(f"augmentation.{name}", count, 0, 1000)
        check("augmentation.speed", speed, 0, 0.5)
        check("augmentation.noise", noise, 0, 10)
        self.time = time_masks, time_width
        self.frequency = frequency_masks, frequency_width
        self.speed, self.noise = speed, noise

    @property
    def of_waveforms(self) -> bool:
        """Whether waveforms are changed, from which frames must be made anew."""
        return bool(self.speed or self.noise)

    def sound(self, waveform: Floats, random: np.random.Generator) -> Floats:
        """Return a waveform ``(N,)`` at another speed, and so another pitch, with noise."""
        changed = waveform
        if self.speed:
            speed = random.uniform(1 - self.speed, 1 + self.speed)
            places = np.arange(max(1, int(len(waveform) / speed))) * speed
            changed = np.interp(places, np.arange(len(waveform)), waveform).astype(np.float32)
        if self.noise:
            loudness = random.uniform(0, self.noise) * float(np.sqrt(np.mean(changed**2)))
            changed = changed + random.standard_normal(len(changed), np.float32) * np.float32(loudness)
        return changed

    def blot(self, frames: Floats, random: np.random.Generator) -> Floats:
        """Return frames ``(T, M)`` of mean 0 with stretches of time and of bands at 0."""
        if not (self.time[0] and self.time[1]) and not (self.frequency[0] and self.frequency[1]):
            return frames
        blotted = frames.copy()
        for start, end in stretches(len(frames), *self.time, MOST_BLOTTED, random):
            blotted[start:end] = 0.0
        for start, end in stretches(frames.shape[1], *self.frequency, 1.0, random):
            blotted[:, start:end] = 0.0
        return blotted


def stretches(size: int, count: int, width: int, share: float, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return start and end ``(count, 2)`` of stretches among ``size`` places, of at most ``width`` and that share."""
    widths = random.integers(0, min(width, int(size * share)) + 1, count)
    starts = random.integers(0, size - widths + 1)
    return np.stack([starts, starts + widths], axis=1)
