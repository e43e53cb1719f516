from __future__ import annotations

import numpy as np

from dexman_pose.data import Clip
from dexman_pose.segmentation.grabcut.background import BackgroundModel, build_background, sample_frames
from dexman_pose.segmentation.grabcut.color import ColorModel, to_bins
from dexman_pose.segmentation.grabcut.model_options import BackgroundOptions


def _stack() -> tuple[np.ndarray, np.ndarray]:
    """A red square stands on grey for 8 of 20 samples, then is elsewhere."""
    samples = np.full((20, 40, 50, 3), [120, 128, 128], np.uint8)
    samples[:8, 10:20, 10:20] = [100, 190, 170]
    samples[8:, 10:20, 30:40] = [100, 190, 170]
    covered = np.zeros((40, 50), bool)
    covered[8:22, 8:22] = True
    return samples, covered


def test_background_under_the_object_comes_from_other_times() -> None:
    samples, covered = _stack()
    plate = build_background(samples, samples[0], covered, [])
    assert (plate.lab[12:18, 12:18] == [120, 128, 128]).all()
    assert plate.trust[12:18, 12:18].min() > 0.9


def test_object_put_elsewhere_is_not_background_there() -> None:
    samples, covered = _stack()
    plate = build_background(samples, samples[0], covered, [])
    assert (plate.lab[12:18, 32:38] == [120, 128, 128]).all()
    assert np.isclose(plate.trust[15, 35], 0.4)
    own, around = ColorModel(), ColorModel()
    own.add(to_bins(samples[0, 10:20, 10:20]))
    around.add(to_bins(samples[0, 30:, :]))
    told = build_background(samples, samples[0], covered, [(own, around)])
    assert told.trust[15, 35] == 1.0


def test_background_never_seen_is_guessed_with_little_trust() -> None:
    samples, covered = _stack()
    samples[:, 10:20, 10:20] = [100, 190, 170]
    plate = build_background(samples, samples[0], covered, [])
    assert plate.trust[12:18, 12:18].max() <= BackgroundOptions().guessed_trust
    assert (plate.lab[12:18, 12:18] == [120, 128, 128]).all()


def test_learning_fills_unknown_pixels_only() -> None:
    plate = BackgroundModel(np.zeros((4, 6, 3), np.uint8), np.array([[0.0, 0.9, 0, 0, 0, 0]] * 4, np.float32))
    window = (slice(0, 2), slice(0, 3))
    where = np.array([[True, True, False]] * 2)
    plate.learn(np.full((2, 3, 3), 77, np.uint8), where, window)
    assert plate.lab[0, 0].tolist() == [77, 77, 77]
    assert plate.lab[0, 1].tolist() == [0, 0, 0]
    assert plate.trust[0, 2] == 0
    assert plate.trust[3, 0] == 0


def test_samples_are_few_and_spread() -> None:
    clip = Clip.from_frames([np.full((20, 30, 3), 2 * t, np.uint8) for t in range(100)])
    samples = sample_frames(clip, (30, 20))
    assert samples.shape == (24, 20, 30, 3)
    light = samples[:, 0, 0, 0].astype(int)
    assert light[0] < 3
    assert light[-1] > 190
    assert (np.diff(light) > 0).all()
