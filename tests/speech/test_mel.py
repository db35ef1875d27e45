import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.speech.mel import FLOOR, LogMel, floored, normalised, to_hertz, to_mel, trimmed

RATE = 8000


def tone(hertz, seconds=0.3):
    return np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE).astype(np.float32)


def test_the_mel_scale_is_that_of_the_htk_book():
    assert to_mel(np.array([0.0, 1000.0])) == pytest.approx([0.0, 1000.0], abs=0.02)
    assert to_hertz(to_mel(np.array([123.0, 3456.0]))) == pytest.approx([123.0, 3456.0])


def test_frames_are_windowed_spectra_summed_in_triangles():
    log_mel, sound = LogMel(RATE, 10, 25, 10), np.random.default_rng(1).standard_normal(1000).astype(np.float32)
    frames = log_mel(sound)
    assert frames.shape == (log_mel.steps(1000), 10) == (11, 10)
    window = sound[80:280] * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)) / 100
    bins = np.arange(129)
    spectrum = (window[:, None] * np.exp(-2j * np.pi * bins * np.arange(200)[:, None] / 256)).sum(axis=0)  # a DFT
    edges = to_hertz(np.linspace(0, to_mel(np.array(4000.0)), 12))
    bands = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        bands.append(
            sum(abs(spectrum[k]) ** 2 * np.interp(k * RATE / 256, [low, middle, high], [0, 1, 0]) for k in bins)
        )
    assert frames[1] == pytest.approx(np.log(bands), abs=1e-3)


@pytest.mark.parametrize("hertz", [250, 900, 2500])
def test_a_tone_is_loudest_in_its_band_and_loud_by_its_power(hertz):
    log_mel = LogMel(RATE, 40, 25, 10)
    middle = log_mel(tone(hertz))[5]
    centre = to_hertz(np.linspace(0, to_mel(np.array(RATE / 2)), 42))[1 + middle.argmax()]
    assert abs(to_mel(np.array(centre)) - to_mel(np.array(hertz))) < 2146 / 41
    assert 0.1 < np.exp(middle).max() < 0.5
    assert log_mel(tone(hertz) / 10)[5].max() == pytest.approx(middle.max() - np.log(100), abs=0.01)


@pytest.mark.parametrize("mels", [40, 80, 200])
def test_no_band_is_empty_however_many_there_are(mels):
    log_mel = LogMel(RATE, mels, 25, 10)
    assert (log_mel.filters.sum(axis=1) > 0).all()
    assert log_mel(tone(440)).shape[1] == mels


def test_power_comes_back_from_frames_with_the_same_bands():
    log_mel = LogMel(RATE, 40, 25, 10)
    frames = log_mel(np.random.default_rng(2).standard_normal(4000).astype(np.float32) * 0.1)
    again = np.log(np.maximum(log_mel.inverse(frames) @ log_mel.filters.T, FLOOR))
    assert np.abs(again - frames).mean() < 0.1


@pytest.mark.parametrize("samples", [1, 79, 80, 200, 201, 280, 281])
def test_every_sample_is_in_a_frame(samples):
    log_mel = LogMel(RATE, 8, 25, 10)
    steps = log_mel.steps(samples)
    assert log_mel(np.ones(samples, np.float32)).shape == (steps, 8)
    assert (steps - 1) * 80 + 200 >= samples
    assert steps == 1 or (steps - 2) * 80 + 200 < samples


def test_a_long_recording_is_taken_in_pieces(monkeypatch):
    log_mel, sound = LogMel(RATE, 12, 25, 10), np.random.default_rng(4).standard_normal(3333).astype(np.float32)
    whole = log_mel(sound)
    for block in (1, 256 * 3, 256 * 7):
        monkeypatch.setattr("gru_nlp.speech.mel.BLOCK", block)
        assert log_mel(sound) == pytest.approx(whole, abs=1e-5)


def test_normalised_frames_have_mean_0_and_spread_1_and_silence_stays_finite():
    frames = LogMel(RATE, 20, 25, 10)(np.random.default_rng(3).standard_normal(4000).astype(np.float32))
    found = normalised(frames)
    assert found.mean(axis=0) == pytest.approx(np.zeros(20), abs=1e-5)
    assert found.std(axis=0) == pytest.approx(np.ones(20), abs=1e-4)
    assert normalised(frames + 3) == pytest.approx(found, abs=1e-3)  # as loud as one likes
    assert np.abs(normalised(LogMel(RATE, 20, 25, 10)(np.zeros(900, np.float32)))).max() < 0.01


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((0, 40, 25, 10), "preprocessing.sample_rate=0 must lie between 1000 and 192000"),
        ((8000, 0, 25, 10), "preprocessing.mels=0"),
        ((8000, 40, 0, 10), "preprocessing.window_ms=0"),
        ((8000, 40, 25, 30), "preprocessing.hop_ms=30 must lie between 1 and 25"),
        ((8000, 40, float("nan"), 10), "preprocessing.window_ms=nan"),
    ],
)
def test_what_makes_no_frames_is_refused(options, told):
    with pytest.raises(UserError, match=told):
        LogMel(*options)


def test_a_window_of_one_sample_is_refused_and_wild_frames_stay_sound():
    with pytest.raises(UserError, match="window_ms=1 is less than two samples"):
        LogMel(1000, 4, 1, 1)
    wild = np.array([[1e30, np.inf], [-1e30, np.nan]], dtype=np.float32)
    assert np.isfinite(LogMel(RATE, 2, 25, 10).inverse(wild)).all()


def test_no_band_is_further_below_the_loudest_than_allowed():
    frames = LogMel(RATE, 40, 25, 10)(tone(500))
    heard = floored(frames, 30)
    assert heard.min() == pytest.approx(heard.max() - 3 * np.log(10), abs=1e-4)
    assert heard.max() == frames.max()
    assert (heard[frames > heard.min()] == frames[frames > heard.min()]).all()
    assert floored(frames, 200) == pytest.approx(frames)


def test_ends_far_below_the_loudest_are_cut_off_and_pauses_stay():
    log_mel, hiss = LogMel(RATE, 40, 25, 10), np.random.default_rng(5).standard_normal(8800).astype(np.float32)
    word = np.concatenate([tone(500), np.zeros(800, np.float32), tone(900)])  # 5,600 samples
    cut = np.concatenate([np.zeros(1600, np.float32), word, np.zeros(1600, np.float32)]) + hiss * 1e-3
    assert abs(len(trimmed(log_mel(cut), 20)) - len(log_mel(word))) <= 4
    assert len(trimmed(log_mel(cut), 200)) == len(log_mel(cut))


def test_silence_alone_is_kept_whole():
    frames = LogMel(RATE, 8, 25, 10)(np.zeros(900, np.float32))
    assert len(trimmed(frames, 20)) == len(frames)
    assert (floored(frames, 20) == frames).all()
