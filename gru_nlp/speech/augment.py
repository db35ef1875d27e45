"""What is changed at random in the recordings of training: speed, noise, the voice, the microphone, blots on frames."""

import numpy as np
import numpy.typing as npt

from gru_nlp.speech.mel import DECIBEL, Floats, check, to_hertz, to_mel

#: Most of a recording's frames that one blot covers (Park et al. 2019, section 2: p).
MOST_BLOTTED = 0.2
#: Share of the highest frequency up to which a warp scales all alike; above, it leads to the highest, which stays.
ALIKE = 0.75
#: Waves of an equaliser's curve: half a period over all bands, a whole one, and so on.
WAVES = 3


class Augmentation:
    """Other speeds (Ko et al. 2015), noise, voices, microphones, and SpecAugment's blots (Park et al. 2019).

    A voice is another by the length of its vocal tract, which scales frequencies (Jaitly and Hinton 2013), a microphone
    by a smooth curve over the bands (FilterAugment, Nam et al. 2022, has straight lines).

    Args:
        time_masks, time_width: how many stretches of frames are blotted out, and the most frames of each.
        frequency_masks, frequency_width: how many stretches of bands, and the most bands of each.
        speed: by how much recordings are made faster or slower at most, 0.1 for 0.9 to 1.1 times; 0: not at all.
        noise: most amplitude of white noise, as a share of that of the recording; 0: none.
        warp: by how much frequencies are scaled at most, 0.1 for 0.9 to 1.1 times; 0: not at all.
        equaliser: decibels of the curve over the bands, the standard deviation of each of its waves; 0: none.

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
        warp: float = 0.0,  # as models have both that an older version trained
        equaliser: float = 0.0,
    ) -> None:
        counts = {"time_masks": time_masks, "time_width": time_width}
        counts |= {"frequency_masks": frequency_masks, "frequency_width": frequency_width}
        for name, count in counts.items():
            check(f"augmentation.{name}", count, 0, 1000)
        check("augmentation.speed", speed, 0, 0.5)
        check("augmentation.noise", noise, 0, 10)
        check("augmentation.warp", warp, 0, 0.5)
        check("augmentation.equaliser", equaliser, 0, 30)
        self.time = time_masks, time_width
        self.frequency = frequency_masks, frequency_width
        self.speed, self.noise = speed, noise
        self.warp, self.equaliser = warp, equaliser

    @property
    def before_frames(self) -> bool:
        """Whether anything is changed before frames are normalised, so that they must be made anew of the waveform."""
        return bool(self.speed or self.noise or self.warp or self.equaliser)

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

    def colour(self, frames: Floats, highest: float, random: np.random.Generator) -> Floats:
        """Return log-mel frames ``(T, M)``, not yet normalised, as of another voice by another microphone.

        Args:
            frames: as ``LogMel`` makes them.
            highest: hertz at which the highest band ends.
            random: what is drawn from.
        """
        coloured = frames
        bands = frames.shape[1]
        if self.warp:
            coloured = coloured @ warping(bands, highest, random.uniform(1 - self.warp, 1 + self.warp))
        if self.equaliser:
            waves = np.cos(np.pi * np.outer(np.arange(1, WAVES + 1), (np.arange(bands) + 0.5) / bands))  # (WAVES, M)
            curve = random.standard_normal(WAVES) @ waves * (self.equaliser * DECIBEL)
            coloured = coloured + curve.astype(np.float32)
        return coloured

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


def warping(bands: int, highest: float, factor: float) -> Floats:
    """Return what turns frames ``(T, M)`` into those of a voice ``factor`` times lower: ``(M, M)``, for their product.

    Each band becomes what there was at ``factor`` times its centre, between two bands a share of each; near the highest
    frequency by a straight line to it (Jaitly and Hinton 2013, equation 1).
    """
    top = to_mel(np.array(highest))
    centres = to_hertz(np.arange(1, bands + 1) / (bands + 1) * top)  # (M,)
    bend = ALIKE * highest * min(factor, 1.0)  # what the last frequency that is scaled as all are becomes
    above = highest - (highest - bend) / (highest - bend / factor) * (highest - centres)
    moved = to_mel(np.where(centres * factor <= bend, centres * factor, above))
    places = np.clip(moved / top * (bands + 1) - 1, 0, bands - 1)  # (M,) among the bands
    shares = np.maximum(0.0, 1.0 - np.abs(np.arange(bands)[:, None] - places))
    return shares.astype(np.float32)


def stretches(size: int, count: int, width: int, share: float, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return start and end ``(count, 2)`` of stretches among ``size`` places, of at most ``width`` and that share."""
    widths = random.integers(0, min(width, int(size * share)) + 1, count)
    starts = random.integers(0, size - widths + 1)
    return np.stack([starts, starts + widths], axis=1)
