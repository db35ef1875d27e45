"""English digits that nobody spoke: made of tones and noise by a formula, one a recording.

A digit is spelled in phones. A vowel is the harmonics of a speaker's pitch, loud about the vowel's three formants (means
of men from Peterson and Barney 1952; glides and nasals nearby); a fricative is noise of a band, a stop a gap and a burst.
Speakers differ by pitch, by the length of their mouth, which moves all formants, and by tempo. It sounds like a robot,
and is enough to learn from.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Row = dict[str, Any]
Sound = npt.NDArray[np.float64]

RATE = 8000  # samples a second
PERIOD = 1024  # places of a period of a voice
TAKES = {"train": 12, "validation": 3, "test": 3}


class Phone(NamedTuple):
    """What a phone sounds like.

    Attributes:
        ms: how long it is.
        formants: in hertz; none for a phone without voice.
        noise: lowest and highest frequency of its noise; none for one without.
        loudness: of its loudest part.
    """

    ms: int
    formants: tuple[int, ...] = ()
    noise: tuple[int, int] | None = None
    loudness: float = 0.3


PHONES = {
    "z": Phone(80, (250, 1600, 2500), (2500, 4000), 0.15),
    "ih": Phone(90, (390, 1990, 2550)),
    "iy": Phone(130, (270, 2290, 3010)),
    "eh": Phone(110, (530, 1840, 2480)),
    "ey": Phone(90, (430, 2100, 2600)),
    "ah": Phone(110, (640, 1190, 2390)),
    "aa": Phone(90, (730, 1090, 2440)),
    "ao": Phone(120, (570, 840, 2410)),
    "ow": Phone(120, (450, 880, 2400)),
    "uw": Phone(140, (300, 870, 2240)),
    "r": Phone(70, (420, 1300, 1600), None, 0.2),
    "w": Phone(60, (290, 610, 2150), None, 0.2),
    "n": Phone(90, (250, 1450, 2300), None, 0.12),
    "v": Phone(60, (250, 1100, 2100), (1500, 3500), 0.1),
    "f": Phone(90, (), (1500, 3900), 0.06),
    "th": Phone(90, (), (2200, 3900), 0.04),
    "s": Phone(110, (), (3000, 4000), 0.15),
    "-": Phone(50, (), None, 0.0),
    "t": Phone(30, (), (2400, 4000), 0.15),
    "k": Phone(35, (), (1200, 2200), 0.15),
}
DIGITS = {
    "zero": "z ih r ow",
    "one": "w ah n",
    "two": "- t uw",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f aa ih v",
    "six": "s ih - k s",
    "seven": "s eh v ah n",
    "eight": "ey ih - t",
    "nine": "n aa ih n",
}


class Speaker(NamedTuple):
    """Pitch in hertz, size of the formants, and tempo, as shares of the usual."""

    pitch: float
    size: float
    tempo: float


SPEAKERS = {
    "ada": Speaker(205, 1.12, 1.0),
    "bert": Speaker(105, 0.97, 0.85),
    "carl": Speaker(125, 1.0, 1.15),
    "dora": Speaker(180, 1.07, 1.1),
}


def sound_of(phone: Phone, speaker: Speaker, random: np.random.Generator) -> Sound:
    """Return the samples of a phone."""
    length = round(RATE * phone.ms / 1000 / speaker.tempo * random.uniform(0.85, 1.2))
    times, sound = np.arange(length) / RATE, np.zeros(length)
    if phone.formants:
        pitch = speaker.pitch * random.uniform(0.94, 1.06)
        numbers = np.arange(int(RATE / 2 / pitch))
        gains = sum(
            weight * np.exp(-(((numbers * pitch - formant * speaker.size) / (60 + 0.06 * formant)) ** 2))
            for formant, weight in zip(phone.formants, (1.0, 0.5, 0.25), strict=True)
        )
        period = np.fft.irfft(gains * np.exp(0.5j * numbers), PERIOD)
        sound += period[(times * pitch % 1.0 * PERIOD).astype(np.int64)] * PERIOD
    if phone.noise:
        spectrum = np.fft.rfft(random.standard_normal(length))
        bins = np.fft.rfftfreq(length, 1 / RATE)
        low, high = phone.noise
        sound += 0.5 * np.fft.irfft(spectrum * ((bins >= low) & (bins <= high)), length)
    peak = np.abs(sound).max()
    edge = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.008 * RATE))
    made: Sound = sound * edge * (phone.loudness / peak if peak else 0.0)
    return made


def silence(seconds: float) -> Sound:
    """Return samples of silence."""
    return np.zeros(round(RATE * seconds))


def spoken(digits: list[str], name: str, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return samples of digits, spoken one after the other by a speaker of a name, with a little noise.

    They have 16 bits, as those of a file, so that they are the same on every machine.
    """
    parts = [silence(random.uniform(0.02, 0.1))]
    for digit in digits:
        parts += [sound_of(PHONES[phone], SPEAKERS[name], random) for phone in DIGITS[digit].split()]
        parts.append(silence(random.uniform(0.04, 0.12)))
    sound = np.concatenate(parts) * random.uniform(0.5, 1.0)
    sound += 0.002 * random.standard_normal(len(sound))
    return np.round(sound * 32768).astype(np.float32) / np.float32(32768)


@cache
def made(split: str) -> list[Row]:
    """Return the recordings of a split: each digit by each speaker, several times."""
    random = np.random.default_rng(sum(map(ord, split)))
    rows = []
    for take in range(TAKES[split]):
        for name in SPEAKERS:
            for digit in DIGITS:
                sound = {"recording": spoken([digit], name, random), "rate": RATE, "name": f"{digit}_{name}_{take}"}
                rows.append({**sound, "label": digit, "speaker": name})
    return rows


def rows(split: str) -> list[Row]:
    """Return recordings as samples, with their rate, name, label and speaker."""
    return [dict(row) for row in made(split)]
