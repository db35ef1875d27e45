import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from gru_nlp.speech import recordings
from gru_nlp.speech.recordings import RecordingError, is_recording, read

soundfile = pytest.importorskip("soundfile")
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(4800) / 16000)


def written(name, sound, rate, subtype=None):
    soundfile.write(name, sound, rate, subtype=subtype)
    return name


def test_a_recording_is_read_as_its_samples():
    samples = np.arange(-2000, 2000, dtype=np.int16)
    with wave.open("a.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    assert np.array_equal(read("a.wav", 8000, 60), samples / np.float32(32768))


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "PCM_24"), ("a.wav", "FLOAT"), ("a.wav", "ULAW"), ("a.flac", "PCM_16")]
)
def test_other_forms_of_samples_say_the_same(name, subtype):
    found = read(written(name, TONE, 16000, subtype), 16000, 60)
    assert found.dtype == np.float32
    assert found == pytest.approx(TONE, abs=0.02 if subtype == "ULAW" else 1e-4)


def test_channels_become_their_mean_and_rates_the_one_that_is_asked_for():
    eight = np.stack([TONE * share for share in (0, 0, 0, 0, 2, 2, 2, 2)], axis=1) * 0.9
    assert read(written("eight.wav", eight, 16000, "FLOAT"), 16000, 60) == pytest.approx(TONE * 0.9, abs=1e-6)
    times = np.arange(28800) / 96000
    found = read(written("high.wav", 0.5 * np.sin(2 * np.pi * 440 * times), 96000), 16000, 60)
    assert len(found) == pytest.approx(4800, abs=2)
    assert found[200:4600] == pytest.approx(TONE[200:4600], abs=0.01)


def header(rate, channels, size):
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def hours():
    with open("x.wav", "wb") as file:
        file.write(header(8000, 1, 2 * 8000 * 7200))
        file.truncate(44 + 2 * 8000 * 7200)  # a hole, which takes no room


def bytes_of(content):
    return lambda: Path("x.wav").write_bytes(content)


def values(*wrong):
    sound = np.full(4000, 0.1, np.float32)
    sound[: len(wrong)] = wrong
    return lambda: written("x.wav", sound, 8000, "FLOAT")


HOSTILE = {
    "missing": (lambda: None, "no such file"),
    "folder": (lambda: os.mkdir("x.wav"), "a folder, where a recording is needed"),
    "pipe": (lambda: os.mkfifo("x.wav"), "no regular file"),
    "empty": (bytes_of(b""), "an empty file"),
    "header": (bytes_of(header(8000, 1, 0)), "holds no sound"),
    "one": (bytes_of(header(8000, 1, 2) + b"ab"), "holds 1 sample only, where 0.01 s are the least"),
    "cut": (bytes_of(header(8000, 1, 8000)[:30]), "not a recording that can be read"),
    "jpeg": (bytes_of(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(500)), "not a recording that can be read"),
    "text": (bytes_of(b"hello\n" * 99), "not a recording that can be read"),
    "hours": (hours, r"7,200.0 s long, more than preprocessing.max_seconds=60"),
    "slow": (bytes_of(header(1, 1, 200) + bytes(200)), "1 samples a second, where 1,000 to 768,000 are read"),
    "nan": (values(np.nan), "no numbers"),
    "inf": (values(0, -np.inf), "no numbers"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_recording_is_told_with_its_name(kind):
    make, told = HOSTILE[kind]
    make()
    with pytest.raises(RecordingError, match=told) as caught:
        read("x.wav", 8000, 60)
    assert str(caught.value).startswith("x.wav: ")
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_more_than_there_is_does_not_matter():
    Path("x.wav").write_bytes(header(8000, 1, 2 * 8000 * 7200) + bytes(2 * 4000))
    assert len(read("x.wav", 8000, 60)) == 4000


def test_samples_without_a_header_are_no_recording():
    Path("x.raw").write_bytes(bytes(4000))
    with pytest.raises(RecordingError, match=r"x.raw: not a recording that can be read"):
        read("x.raw", 8000, 60)


def test_recordings_are_known_by_their_endings():
    assert is_recording("a/b.WAV")
    assert is_recording("b.flac")
    assert not is_recording("b.txt")


def test_hidden_files_are_no_recordings_of_a_folder(tmp_path):
    (tmp_path / "b.wav").touch()
    (tmp_path / ".a.wav").touch()
    assert [path.name for path in recordings.of_folder(tmp_path, "input")] == ["b.wav"]
