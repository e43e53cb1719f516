"""Distance of hands whose guessed pose is wrong: it stays what the size in the image says."""

from __future__ import annotations

import numpy as np
import pytest
from hand_scenes import articulated

from dexman_pose.data import Camera, HandObservations
from dexman_pose.data.depth import DepthSequence
from dexman_pose.geometry import so3_exp
from dexman_pose.hands import lift_hands
from dexman_pose.hands.lifting.distance import DistanceCues, likely_distances

LEFT, RIGHT = 0, 1
CAMERA = Camera.from_focal(900.0, 848, 624)
T = 90


def _still_hands(depth: float = 0.85) -> np.ndarray:
    """(T, 2, 21, 3) two hands that close a little in front of the camera and stay at their distance."""
    out = np.zeros((T, 2, 21, 3))
    for i in range(T):
        curl = 0.2 + 0.15 * np.sin(i / 15)
        for side, x in ((LEFT, 0.15), (RIGHT, -0.15)):
            turn = so3_exp([0.5, 0.3 if side else -0.3, 0.0])
            out[i, side] = articulated(curl) @ turn.T * [2 * side - 1, 1, 1] + [x, 0.05, depth]
    return out


def _misjudged(joints: np.ndarray, seed: int = 0) -> HandObservations:
    """Noisy pixels, and a guess that tilts each hand by up to 45 degrees too much, for seconds at a time."""
    rng = np.random.default_rng(seed)
    pixels = CAMERA.project(joints) + rng.normal(0, 1.0, joints.shape[:3] + (2,))
    local = joints - joints.mean(2, keepdims=True)
    for side in range(2):
        for i in range(T):
            tilt = so3_exp([-0.4 - 0.35 * np.sin(i / 20 + side), 0.3 * np.cos(i / 25), 0.0])
            local[i, side] = local[i, side] @ tilt.T
    local += rng.normal(0, 0.004, local.shape)
    seen = np.ones((T, 2), dtype=bool)
    return HandObservations(pixels, local, seen, np.zeros_like(seen), seen.astype(float))


@pytest.mark.parametrize("seed", [0, 1])
def test_misjudged_foreshortening_does_not_move_still_hands(seed: int) -> None:
    truth = _still_hands()
    for track in lift_hands(_misjudged(truth, seed), CAMERA).values():
        z = track.joints[:, 0, 2]
        assert track.valid.all()
        assert np.abs(z / 0.85 - 1.0).max() < 0.15
        assert np.ptp(z) / np.median(z) < 0.12
        assert np.abs(np.diff(np.log(z))).max() < 0.01
        off = np.linalg.norm(CAMERA.project(track.joints) - track.joints_2d, axis=-1)
        assert np.median(off) < 4.0


def test_hands_that_come_nearer_are_followed() -> None:
    truth = _still_hands()
    truth[..., 2] += np.linspace(0.4, -0.2, T)[:, None, None]
    for track in lift_hands(_misjudged(truth), CAMERA).values():
        z, real = track.joints[:, 0, 2], truth[:, 0, 0, 2]
        # The misjudged pose hides part of the motion; a guess that fits the image hides none (test_lifting.py).
        assert np.log(z[0] / z[-1]) > 0.35 * np.log(real[0] / real[-1])
        assert (np.diff(z[::10]) < 0.01).all()
        assert np.abs(z / real - 1.0).max() < 0.25


def test_nonsense_is_not_valid() -> None:
    seen = _misjudged(_still_hands())
    rng = np.random.default_rng(3)
    seen.joints_2d[40:43, RIGHT] = [424, 312] + rng.normal(0, 120, (3, 21, 2))
    seen.bridged[41, RIGHT], seen.detected[41, RIGHT] = True, False
    track = lift_hands(seen, CAMERA)["right"]
    assert not track.valid[40:43].any() and not track.bridged[41]
    assert (track.confidence[40:43] == 0).all()
    others = np.delete(np.arange(T), [40, 41, 42])
    assert track.valid[others].all()
    assert np.abs(track.joints[:, 0, 2] / 0.85 - 1.0).max() < 0.15
    assert track.joints[..., 2].min() > 0.1


def test_measured_depth_carries_over_to_frames_without() -> None:
    truth = _still_hands(0.7)
    images = np.zeros((T, 624, 848), dtype=np.float32)
    for i in range(0, T, 10):
        for (x, y), z in zip(
            np.round(CAMERA.project(truth[i])).astype(int).reshape(-1, 2), truth[i, ..., 2].ravel()
        ):
            images[i, y - 3 : y + 4, x - 3 : x + 4] = z - 0.01
    for track in lift_hands(_misjudged(truth), CAMERA, depth=DepthSequence.from_arrays(images)).values():
        assert track.scale_source == "depth"
        middle = track.joints[..., 2].mean(1) / truth[:, 0, :, 2].mean(1)
        assert np.median(np.abs(middle - 1.0)) < 0.04
        assert np.abs(middle - 1.0).max() < 0.1


def _cues(guessed: np.ndarray, doubt: float, apparent: np.ndarray) -> DistanceCues:
    return DistanceCues(np.arange(len(guessed)), guessed, np.full(len(guessed), doubt), apparent)


def test_a_guess_without_doubt_is_believed() -> None:
    guessed = np.linspace(-0.4, 0.1, 50)
    (found,) = likely_distances([_cues(guessed, 1e-4, np.full(50, 0.3))])
    assert found == pytest.approx(guessed, abs=1e-3)


def test_a_doubtful_guess_is_overruled_by_the_apparent_size() -> None:
    guessed = np.where(np.arange(60) < 30, -1.5, 0.5)
    (found,) = likely_distances([_cues(guessed, 0.6, np.zeros(60))])
    assert np.abs(found).max() < 0.06


def test_hands_of_one_person_are_drawn_together() -> None:
    near, far = np.full(20, -0.6), np.zeros(20)
    alone = likely_distances([_cues(near, 0.5, near)])[0] - likely_distances([_cues(far, 0.5, far)])[0]
    left, right = likely_distances([_cues(near, 0.5, near), _cues(far, 0.5, far)])
    assert alone == pytest.approx(np.full(20, -0.6), abs=1e-6)
    assert (right - left < 0.6).all() and (right - left > 0.3).all()


def test_a_gap_lets_the_hand_move() -> None:
    apparent = np.where(np.arange(40) < 20, 0.0, 0.3)
    together = DistanceCues(np.arange(40), apparent, np.full(40, 0.1), apparent)
    later = DistanceCues(np.arange(40) + 200 * (np.arange(40) >= 20), apparent, np.full(40, 0.1), apparent)
    step = [float(x[20] - x[19]) for x in (likely_distances([together])[0], likely_distances([later])[0])]
    assert step[0] < 0.1
    assert step[1] > 0.15


def test_one_frame() -> None:
    (found,) = likely_distances([_cues(np.array([-0.2]), 1e-4, np.array([0.2]))])
    assert found == pytest.approx([-0.2], abs=1e-3)
