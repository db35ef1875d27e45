import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.speech.augment import WAVES, Augmentation, warping
from gru_nlp.speech.mel import DECIBEL, LogMel

NONE = {"time_masks": 0, "time_width": 0, "frequency_masks": 0, "frequency_width": 0, "speed": 0.0, "noise": 0.0}


def test_blots_cover_whole_frames_and_bands_within_their_widths():
    changes = Augmentation(**{**NONE, "time_masks": 1, "time_width": 4, "frequency_masks": 1, "frequency_width": 3})
    random, sizes = np.random.default_rng(1), set()
    for _ in range(200):
        frames = np.ones((50, 12), np.float32)
        zero = changes.blot(frames, random) == 0
        rows, bands = zero.all(axis=1), zero.all(axis=0)
        assert (zero == (rows[:, None] | bands)).all()
        for covered in (rows, bands):
            places = np.flatnonzero(covered)
            assert len(places) == 0 or len(places) == places[-1] - places[0] + 1
        sizes.add((int(rows.sum()), int(bands.sum())))
        assert (frames == 1).all()
    assert sizes == {(time, band) for time in range(5) for band in range(4)}


def test_short_recordings_lose_a_fifth_at_most():
    changes = Augmentation(**{**NONE, "time_masks": 1, "time_width": 100})
    random = np.random.default_rng(1)
    lost = [(changes.blot(np.ones((10, 2), np.float32), random) == 0).all(axis=1).sum() for _ in range(50)]
    assert set(lost) == {0, 1, 2}


def test_speed_and_noise_change_length_pitch_and_power():
    sound = np.sin(2 * np.pi * 500 * np.arange(8000) / 8000).astype(np.float32)
    faster = Augmentation(**{**NONE, "speed": 0.2})
    assert faster.before_frames
    for seed in range(5):
        changed = faster.sound(sound, np.random.default_rng(seed))
        speed = len(sound) / len(changed)
        assert 0.8 <= speed <= 1.2
        peak = np.abs(np.fft.rfft(changed)).argmax() * 8000 / len(changed)
        assert peak == pytest.approx(500 * speed, rel=0.01)
    noisy = Augmentation(**{**NONE, "noise": 0.5}).sound(sound, np.random.default_rng(1))
    assert len(noisy) == len(sound)
    assert 0.01 < np.std(noisy - sound) < 0.5 * np.std(sound) * 1.05


def test_a_warp_moves_a_tone_to_the_band_of_its_new_frequency_and_keeps_the_highest():
    log_mel = LogMel(8000, 40, 30, 15)
    time = np.arange(8000) / 8000
    for factor in (0.85, 0.93, 1.0, 1.1, 1.2):
        for hertz in (600, 1100, 1900):
            tone, moved = (log_mel(np.sin(2 * np.pi * f * time).astype(np.float32))[5] for f in (hertz, hertz / factor))
            assert abs(int((tone @ warping(40, 4000, factor)).argmax()) - int(moved.argmax())) <= 1
        moves = warping(40, 4000, factor)
        assert moves.sum(axis=0) == pytest.approx(np.ones(40))
        places = np.arange(40) @ moves
        assert (np.diff(places) > 0).all()
        assert places[-1] == pytest.approx(39, abs=0.5)
    assert warping(40, 4000, 1.0) == pytest.approx(np.eye(40), abs=1e-5)


def test_an_equaliser_adds_the_same_smooth_curve_to_every_frame():
    frames = np.random.default_rng(1).standard_normal((30, 24)).astype(np.float32)
    changes, random = Augmentation(**{**NONE, "equaliser": 3.0}), np.random.default_rng(1)
    assert changes.before_frames
    curves = [changes.colour(frames, 4000, random) - frames for _ in range(300)]
    for curve in curves[:20]:
        assert curve == pytest.approx(np.tile(curve[0], (30, 1)), abs=1e-5)
        assert np.abs(np.diff(curve[0])).max() < 0.5 * np.abs(curve[0]).max()
    spread = np.std([curve[0] for curve in curves])  # of three waves, each half of its square over all bands
    assert spread == pytest.approx(3.0 * DECIBEL * np.sqrt(WAVES / 2), rel=0.1)


def test_nothing_changes_where_nothing_is_asked_for():
    changes, frames = Augmentation(**NONE), np.ones((5, 3), np.float32)
    assert not changes.before_frames
    assert changes.blot(frames, np.random.default_rng(1)) is frames
    assert changes.colour(frames, 4000, np.random.default_rng(1)) is frames


@pytest.mark.parametrize(
    "option",
    [("speed", 0.9), ("noise", -1), ("time_masks", -1), ("frequency_width", 5000), ("warp", 0.6), ("equaliser", -1)],
)
def test_changes_beyond_reason_are_refused(option):
    with pytest.raises(UserError, match=rf"preprocessing.augmentation.{option[0]}={option[1]}"):
        Augmentation(**{**NONE, option[0]: option[1]})
