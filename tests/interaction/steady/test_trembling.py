"""Noise is told from tracks alone, and steady motion is none."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh, PoseTrack, RigidObject
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.interaction.options import SteadyOptions
from dexman_pose.interaction.steady.fingering import moved_on
from dexman_pose.interaction.steady.trembling import Trembling, trembling_joints, trembling_object
from dexman_pose.optimize.problem import move_poses

FRAMES = 400


def _thing(shift: float, turn: float, dropped: float = 0.0) -> RigidObject:
    rng, t = np.random.default_rng(0), np.arange(FRAMES) / 30.0
    way = np.stack([0.2 * np.sin(t), 0.1 * t, 0.8 + 0 * t], 1)
    poses = se3(so3_exp(np.stack([0.4 * t, 0 * t, 0 * t], 1)), way)
    box = trimesh.creation.box((0.06, 0.08, 0.1))
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    noise = np.repeat([shift, turn], 3) * rng.standard_normal((FRAMES, 6))
    valid = rng.random(FRAMES) >= dropped
    track = PoseTrack(move_poses(poses, noise, mesh.center), valid, valid.astype(float))
    return RigidObject("box", mesh, track, scale_source="given")


def test_a_smooth_track_does_not_tremble() -> None:
    found = trembling_object(_thing(0.0, 0.0))
    assert found.shift < 1e-4 and found.turn < 1e-4


@pytest.mark.parametrize("dropped", [0.0, 0.3])
def test_noise_is_told_from_motion(dropped: float) -> None:
    found = trembling_object(_thing(0.004, 0.05, dropped))
    assert found.shift == pytest.approx(0.004, rel=0.15) and found.turn == pytest.approx(0.05, rel=0.15)


def test_joints_tremble_in_the_frames_that_were_seen() -> None:
    rng = np.random.default_rng(1)
    joints = rng.normal(0.0, 0.003, (FRAMES, 21, 3))
    seen = rng.random(FRAMES) > 0.2
    joints[~seen] = 1e3
    assert trembling_joints(joints, seen) == pytest.approx(0.003, rel=0.1)
    assert trembling_joints(joints, np.zeros(FRAMES, bool)) == 0.0


def test_a_finger_that_slides_plainly_is_told_from_noise() -> None:
    thing = _thing(0.0, 0.0)
    on = np.tile(np.random.default_rng(2).normal(0, 0.04, (21, 3)), (FRAMES, 1, 1))
    on[:, 8, 0] += 0.004 * np.arange(FRAMES)
    joints = np.einsum("tij,tkj->tki", thing.camera_from_object[:, :3, :3], on)
    joints += thing.camera_from_object[:, None, :3, 3]
    args = (thing, joints, np.arange(FRAMES))
    exact = moved_on(*args, np.zeros(FRAMES), Trembling(0.0, 0.0), 1 / 30, SteadyOptions())
    assert exact[10:-10, 8] == pytest.approx(0.004, rel=1e-6)
    assert np.delete(exact, 8, axis=1).max() < 1e-9
    noisy = moved_on(*args, np.full(FRAMES, 0.01), Trembling(0.0, 0.0), 1 / 30, SteadyOptions())
    assert noisy[10:-10].max() == 0.0
