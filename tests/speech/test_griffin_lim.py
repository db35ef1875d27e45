import wave
from pathlib import Path

import numpy as np
import pytest

from gru_nlp.errors import Fault
from gru_nlp.samples.spoken_digits import RATE, rows
from gru_nlp.speech.griffin_lim import GriffinLim, write_wav
from gru_nlp.speech.mel import LogMel

LOG_MEL = LogMel(RATE, 40, 25, 10)


def apart(waveform, strength):
    """Return the spectral convergence: how far spectra are from those wanted, as a share of these."""
    return np.linalg.norm(np.abs(GriffinLim(LOG_MEL).spectra(waveform)) - strength) / np.linalg.norm(strength)


def test_a_tone_comes_back_from_its_power():
    times = np.arange(RATE // 3) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 700 * times)).astype(np.float32)
    power = LOG_MEL.power(tone)
    found = GriffinLim(LOG_MEL).of_power(power)
    assert len(found) == LOG_MEL.window + (len(power) - 1) * LOG_MEL.hop
    assert found.dtype == np.float32
    assert apart(found, np.sqrt(power)) < 0.1
    assert np.abs(found).max() == pytest.approx(0.5, rel=0.3)
    single = GriffinLim(LOG_MEL).of_power(power[:1])
    assert single.shape == (LOG_MEL.window,)
    assert np.abs(single).max() < 2.0


def test_rounds_come_nearer_and_the_same_frames_sound_alike():
    speech = next(row["recording"] for row in rows("test") if row["label"] == "six")
    power = LOG_MEL.power(speech)
    few, many = (GriffinLim(LOG_MEL, rounds).of_power(power) for rounds in (2, 60))
    strength = np.sqrt(power)
    assert apart(many, strength) < 0.15 < apart(few, strength)
    assert np.array_equal(many, GriffinLim(LOG_MEL).of_power(power))
    assert not np.array_equal(few, GriffinLim(LOG_MEL, 2, seed=2).of_power(power))
    frames = LOG_MEL(speech)
    assert np.abs(LOG_MEL(GriffinLim(LOG_MEL)(frames)) - frames).mean() < 0.5


@pytest.mark.parametrize(("window_ms", "hop_ms"), [(25, 12.5), (25, 9.9), (30, 7)])
def test_windows_are_added_up_to_the_waveform_that_they_were_cut_from(window_ms, hop_ms):
    log_mel = LogMel(RATE, 10, window_ms, hop_ms)
    both, sound = GriffinLim(log_mel), np.random.default_rng(1).normal(size=log_mel.window + 9 * log_mel.hop)
    again = both.waveform(both.spectra(sound.astype(np.float32)))
    edge = log_mel.window // 2
    np.testing.assert_allclose(again[edge:-edge], sound[edge:-edge], atol=1e-4)


def test_a_waveform_is_written_as_16_bits_whole_or_not_at_all():
    write_wav(Path("a.wav"), np.array([0.0, 0.5, -1.0], np.float32), 8000)
    with wave.open("a.wav") as file:
        assert file.getparams()[:4] == (1, 2, 8000, 3)
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [0, 16384, -32767]
    write_wav(Path("a.wav"), np.array([4.0, -2.0], np.float32), 8000)  # too loud
    with wave.open("a.wav") as file:
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [32767, -16384]
    write_wav(Path("b.wav"), np.zeros(0, np.float32), 8000)
    with pytest.raises(Fault, match=r"no/c.wav: cannot be written: No such file or directory \(set output=...\)"):
        write_wav(Path("no/c.wav"), np.zeros(2, np.float32), 8000, "output")
    assert sorted(path.name for path in Path().iterdir()) == ["a.wav", "b.wav"]
