"""Planted noise is as large as it is said to be, and of the kinds it is said to be of."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.noise.planted import (
    NoiseOptions,
    kept_frames,
    noise,
    noisy_joints,
    noisy_poses,
)
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import so3_log

FPS = 30.0


def test_noise_has_its_size_and_its_shares() -> None:
    o = NoiseOptions()
    clips = np.stack([noise(np.random.default_rng(k), (60, 40), FPS, o) for k in range(60)])
    assert clips.std() == pytest.approx(1.0, abs=0.05)
    assert np.median(np.abs(np.diff(clips, 2, axis=1))) / 0.6745 / np.sqrt(6) == pytest.approx(
        np.sqrt(1 - o.drift - o.offset), abs=0.06
    )
    # Over two seconds an offset stays, and a part of the drift.
    assert 0.5 < clips.mean(1).std() < 0.75


def test_poses_and_joints_are_off_by_what_is_said() -> None:
    o, rng = NoiseOptions(), np.random.default_rng(0)
    still = np.tile(np.eye(4), (30, 1, 1))
    off = np.stack([noisy_poses(rng, still, np.zeros(3), FPS, o) for _ in range(200)])
    assert np.sqrt((off[..., :3, 3] ** 2).sum(-1).mean()) == pytest.approx(0.010, rel=0.06)
    assert np.degrees(np.sqrt((so3_log(off[..., :3, :3]) ** 2).sum(-1).mean())) == pytest.approx(
        8.0, rel=0.06
    )
    joints = np.stack([noisy_joints(rng, np.zeros((30, 21, 3)), FPS, o) for _ in range(100)])
    assert np.sqrt((joints**2).sum(-1).mean()) == pytest.approx(0.008, rel=0.06)
    # Half of what stays is the whole hand's.
    assert np.sqrt((joints.mean((1, 2)) ** 2).sum(-1).mean()) == pytest.approx(
        0.008 * np.sqrt(0.5 * 0.25), rel=0.3
    )


def test_a_fifth_of_the_frames_is_dropped_but_no_end() -> None:
    kept = kept_frames(np.random.default_rng(0), 70, NoiseOptions())
    assert (~kept).sum() == 14 and kept[0] and kept[-1]


def test_shares_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="together at most 1"):
        NoiseOptions(drift=0.8, offset=0.4)
    with pytest.raises(InputError, match="dropped"):
        NoiseOptions(dropped=1.0)
