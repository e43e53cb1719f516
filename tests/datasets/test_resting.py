"""Things at rest must stand on one table, whichever way is up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh, PoseTrack, RigidObject
from dexman_pose.datasets.misreadings import MISREADINGS
from dexman_pose.datasets.plausible import suspicions
from dexman_pose.datasets.reading import truth_hand
from dexman_pose.datasets.recording import Recording
from dexman_pose.datasets.resting import table_suspicion
from dexman_pose.geometry import se3, so3_exp

Array = NDArray[np.float64]
CAMERA = Camera.from_focal(600, 640, 480)
FRAMES = 15
WRONG = "quaternions (x, y, z, w) were read as (w, x, y, z)"
UNDOES = "quaternions (w, x, y, z) were read as (x, y, z, w)"


def _mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


def _cone() -> trimesh.Trimesh:
    return trimesh.creation.cone(0.04, 0.1, sections=24)


SHAPES = {
    "box": (_mesh(trimesh.creation.box((0.06, 0.09, 0.15))), 0.075),
    "brick": (_mesh(trimesh.creation.box((0.05, 0.08, 0.03))), 0.015),
    "cone": (_mesh(_cone()), 0.0),
}
TABLE = se3(so3_exp([2.1, 0.1, -0.2]), [0.0, 0.15, 0.9])  # camera_from_table, +z up


def _poses(names: list[str], seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    out = {}
    for i, name in enumerate(names):
        spot = se3(
            so3_exp([0, 0, rng.uniform(0, 6)]), [0.2 * i - 0.2, rng.uniform(-0.1, 0.1), SHAPES[name][1]]
        )
        out[name] = TABLE @ spot
    return out


def _recording(poses: dict[str, Array], speed: float = 0.0) -> Recording:
    yes = np.ones(FRAMES, np.bool_)
    times = np.arange(FRAMES) / 30
    objects = {}
    for name, pose in poses.items():
        track = np.tile(pose, (FRAMES, 1, 1))
        track[:, 0, 3] += speed * times
        objects[name] = RigidObject(name, SHAPES[name][0], PoseTrack(track, yes, yes.astype(float)))
    return Recording("x", "s", "v", CAMERA, np.tile(np.eye(4), (FRAMES, 1, 1)), times, objects)


@pytest.mark.parametrize("seed", range(5))
def test_things_on_a_table_raise_no_alarm_and_misread_ones_are_named(seed: int) -> None:
    poses = _poses(list(SHAPES), seed)
    assert table_suspicion(_recording(poses)) == ""
    wrong = {name: MISREADINGS[UNDOES](pose[None])[0] for name, pose in poses.items()}
    said = table_suspicion(_recording(wrong))
    assert said.startswith("box, brick, cone rest, but on no common table") and WRONG in said
    assert suspicions(_recording(wrong)) == [said]


def test_transposed_rotations_are_named() -> None:
    poses = _poses(list(SHAPES), 1)
    wrong = {name: MISREADINGS["rotations were transposed"](pose[None])[0] for name, pose in poses.items()}
    assert "rotations were transposed" in table_suspicion(_recording(wrong))


def test_noise_raises_no_alarm() -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        poses = _poses(list(SHAPES), seed)
        noisy = {
            n: p @ se3(so3_exp(rng.normal(0, 0.03, 3)), rng.normal(0, 0.003, 3)) for n, p in poses.items()
        }
        assert table_suspicion(_recording(noisy)) == ""


def _with_hand(poses: dict[str, Array], at: Array) -> Recording:
    recording = _recording(poses)
    joints = np.tile(at + np.random.default_rng(0).normal(0, 0.02, (21, 3)), (FRAMES, 1, 1))
    hand = truth_hand("left", joints, np.ones(FRAMES, np.bool_), CAMERA)
    assert hand is not None
    return replace(recording, hands={"left": hand})


def test_two_things_are_enough_where_the_hand_is_away() -> None:
    poses = _poses(["box", "cone"], 3)
    wrong = {name: MISREADINGS[UNDOES](pose[None])[0] for name, pose in poses.items()}
    far, near = np.array([0.0, -0.3, 0.5]), wrong["box"][:3, 3]
    assert WRONG in table_suspicion(_with_hand(wrong, far))
    assert table_suspicion(_with_hand(poses, far)) == ""
    assert table_suspicion(_with_hand(wrong, near)) == ""


def test_one_thing_moving_things_and_stacked_things_say_nothing() -> None:
    poses = _poses(list(SHAPES), 0)
    wrong = {name: MISREADINGS[UNDOES](pose[None])[0] for name, pose in poses.items()}
    assert table_suspicion(_recording({"box": wrong["box"]})) == ""
    assert table_suspicion(_recording(wrong, speed=0.2)) == ""
    assert table_suspicion(_recording({"box": wrong["box"], "cone": wrong["cone"]})) == ""
    stacked = {**poses, "brick": poses["box"] @ se3(np.eye(3), [0.0, 0.0, 0.09])}
    assert table_suspicion(_recording(stacked)) == ""
