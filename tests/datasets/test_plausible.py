"""Grasps that were converted wrongly are found and the mistake named; right ones raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh, PoseTrack, RigidObject
from dexman_pose.datasets.misreadings import MISREADINGS
from dexman_pose.datasets.plausible import suspicions, with_suspicions
from dexman_pose.datasets.reading import truth_hand
from dexman_pose.datasets.recording import Recording
from dexman_pose.geometry import inverse, se3, so3_exp, transform_points
from dexman_pose.meshing import load_mesh

Array = NDArray[np.float64]
CAMERA = Camera.from_focal(600, 640, 480)
FRAMES = 50
# What a reader that makes the mistake does to right poses: what undoes the mistake, done the other way round.
ORDERS = (
    "quaternions (x, y, z, w) were read as (w, x, y, z)",
    "quaternions (w, x, y, z) were read as (x, y, z, w)",
)
MADE_BY: dict[str, Callable[[Array], Array]] = {
    **MISREADINGS,
    ORDERS[0]: MISREADINGS[ORDERS[1]],
    ORDERS[1]: MISREADINGS[ORDERS[0]],
}


def _poses() -> Array:
    """At rest, then lifted and turned."""
    t = np.clip(np.arange(FRAMES) - 10, 0, None)[:, None] / (FRAMES - 10)
    return se3(
        so3_exp([0.4, -0.8, 0.3]) @ so3_exp(t * [1.5, 0.8, 1.3]), [0.05, 0.1, 0.7] + t * [0.1, -0.3, 0.1]
    )


def _hand() -> Array:
    """(21, 3) joints of a left hand around an upright block of 6 x 9 x 15 cm, in its frame; tips 6 to 9 mm off."""
    wrist = np.array([0.0, -0.1, -0.01])
    tips = np.array(
        [
            [0.038, 0.0, 0.0],
            [-0.036, 0.01, 0.03],
            [-0.037, 0.02, 0.01],
            [-0.039, 0.015, -0.01],
            [-0.037, 0, -0.03],
        ]
    )
    knuckles = np.array(
        [
            [0.03, -0.07, 0.02],
            [-0.045, -0.035, 0.03],
            [-0.05, -0.03, 0.01],
            [-0.05, -0.035, -0.01],
            [-0.045, -0.04, -0.03],
        ]
    )
    joints = [wrist]
    for knuckle, tip in zip(knuckles, tips):
        joints += [knuckle + k * (tip - knuckle) / 3 for k in range(4)]
    return np.array(joints) * [1, 1, -1]


BLOCK = trimesh.creation.box((0.06, 0.09, 0.15)).subdivide()
MESH = Mesh(np.asarray(BLOCK.vertices), np.asarray(BLOCK.faces))


def _recording(
    poses: Array, joints: Array, mesh: Mesh = MESH, side: str = "left", valid: Array | None = None
) -> Recording:
    count = len(poses)
    yes = np.ones(count, np.bool_)
    hand = truth_hand(side, joints, yes if valid is None else valid, CAMERA)
    assert hand is not None
    thing = RigidObject("thing", mesh, PoseTrack(poses, yes, yes.astype(float)), scale_source="given")
    still = np.tile(np.eye(4), (count, 1, 1))
    return Recording(
        "x", "s", "v", CAMERA, still, np.arange(count) / 30, {"thing": thing}, hands={side: hand}
    )


def _grasp() -> tuple[Array, Array]:
    poses = _poses()
    noise = np.random.default_rng(0).normal(0, 0.001, (FRAMES, 21, 3))
    return poses, transform_points(poses, np.tile(_hand(), (FRAMES, 1, 1)) + noise)


def test_a_right_grasp_raises_no_alarm() -> None:
    assert suspicions(_recording(*_grasp())) == []


@pytest.mark.parametrize("mistake", MISREADINGS)
def test_a_mistake_of_conversion_is_named(mistake: str) -> None:
    poses, joints = _grasp()
    (said,) = suspicions(_recording(MADE_BY[mistake](poses), joints))
    assert mistake in said and "while thing is carried, the left fingertips drift by" in said


@pytest.mark.parametrize(
    ("factor", "unit"), [(1000.0, "millimetres"), (100.0, "centimetres"), (0.001, "thousandths")]
)
def test_units_are_named(factor: float, unit: str) -> None:
    poses, joints = _grasp()
    grown = poses.copy()
    grown[:, :3, 3] *= factor
    assert unit in suspicions(_recording(grown, joints))[0]
    assert unit in suspicions(_recording(grown, factor * joints))[0]
    assert "mesh" in suspicions(_recording(poses, joints, MESH.scaled(1000.0)))[0]


def test_the_other_hand_is_named() -> None:
    poses, joints = _grasp()
    (said,) = suspicions(_recording(poses, joints, side="right"))
    assert "right hand's fingers bend to the back" in said


def test_nothing_is_said_of_things_at_rest_and_without_hands() -> None:
    poses, joints = _grasp()
    still = np.tile(poses[:1], (FRAMES, 1, 1))
    wrong = MADE_BY[ORDERS[0]](still)
    assert suspicions(_recording(wrong, np.tile(joints[:1], (FRAMES, 1, 1)))) == []
    assert suspicions(replace(_recording(MADE_BY[ORDERS[0]](poses), joints), hands={})) == []


def test_a_moving_camera_changes_nothing() -> None:
    poses, joints = _grasp()
    path = se3(so3_exp(np.linspace(0, 1, FRAMES)[:, None] * [0.0, 0.3, 0.1]), [0.0, 0.0, 0.2])
    wrong = MADE_BY[ORDERS[0]](poses)
    for given, alarms in ((poses, 0), (wrong, 1)):
        moved = replace(_recording(given, joints), camera_from_world=np.eye(4)[None] @ path)
        assert len(suspicions(moved)) == alarms


def test_the_recording_carries_what_is_said() -> None:
    poses, joints = _grasp()
    assert with_suspicions(_recording(poses, joints)).suspicions == ()
    assert len(with_suspicions(_recording(MADE_BY[ORDERS[0]](poses), joints)).suspicions) == 1


def _real(data_dir: Path) -> dict[str, tuple[Array, Array, NDArray[np.bool_], Mesh]]:
    found = {}
    for path in sorted((data_dir / "grasps").glob("*.npz")):
        grasp, name = np.load(path), path.stem.split("__")[-1]
        mesh = next(p for p in sorted((data_dir / "meshes/ycb").rglob("*.obj")) if name in str(p))
        poses = grasp["T_cam_obj"].astype(np.float64)
        found[name] = (
            poses,
            grasp["hand_joints_cam"].astype(np.float64),
            grasp["hand_valid"],
            load_mesh(mesh, "m"),
        )
    return found


@pytest.mark.data
def test_real_grasps_raise_no_alarm_and_their_misreadings_are_named(data_dir: Path) -> None:
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    named = 0
    real = _real(data_dir)
    for poses, joints, valid, mesh in real.values():
        for start, end in ((0, len(poses)), (0, 50), (20, len(poses))):
            part = slice(start, end)
            assert suspicions(_recording(poses[part], joints[part], mesh, valid=valid[part])) == []
        flipped = Mesh(mesh.vertices @ mirror[:3, :3], mesh.faces[:, ::-1].copy())
        right = mirror @ poses @ mirror
        assert suspicions(_recording(right, joints @ mirror[:3, :3], flipped, "right", valid)) == []
        assert len(suspicions(_recording(poses, joints, mesh, "right", valid))) == 1
        assert np.allclose(inverse(inverse(poses)), poses)
        for mistake, make in MADE_BY.items():
            said = suspicions(_recording(make(poses), joints, mesh, valid=valid))
            named += any(mistake in text for text in said)
    assert len(real) == 7 and named >= 36, named  # of 42; a can or a mug hides some turns
