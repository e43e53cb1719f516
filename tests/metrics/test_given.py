"""Numbers, flags and masks are taken for what they are or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3
from dexman_pose.metrics import _given
from dexman_pose.metrics.contact import contact_f_score, penetration
from dexman_pose.metrics.hands import hand_error
from dexman_pose.metrics.points import add
from dexman_pose.metrics.scores import recall
from dexman_pose.metrics.silhouette import failure_rate, mask_iou
from dexman_pose.render import Rasterizer

BOX = trimesh.creation.box((0.1, 0.08, 0.06)).subdivide().subdivide().subdivide()
MESH = Mesh(np.asarray(BOX.vertices), np.asarray(BOX.faces))
CAMERA = Camera.from_focal(80, 64, 48)
POSE = se3(np.eye(3), [0.0, 0.0, 0.5])[None]
RIGHT = Rasterizer(MESH).render(POSE, CAMERA.K, 64, 48).mask[0]


def _bad_masks() -> dict[str, Any]:
    soft = np.where(RIGHT, 0.8, 0.2)
    labels = np.where(RIGHT, 7, 3)
    holes = np.where(RIGHT, 1.0, np.nan)
    return {
        "soft": soft,
        "signed": np.where(RIGHT, 1, -1),
        "signed float": np.where(RIGHT, 1.0, -1.0),
        "labels": labels,
        "one label": np.where(RIGHT, 7, 0),
        "nan": holes,
        "complex": RIGHT.astype(complex),
        "text": np.where(RIGHT, "1", "0"),
    }


@pytest.mark.parametrize("kind", sorted(_bad_masks()))
def test_masks_that_are_none_are_refused_by_name(kind: str) -> None:
    image = _bad_masks()[kind]
    with pytest.raises(InputError, match="masks of frame 0 must be booleans"):
        mask_iou(POSE, MESH, CAMERA, image)
    with pytest.raises(InputError, match="masks of frame 0 must be booleans"):
        failure_rate(POSE, None, MESH.vertices, CAMERA, image)
    with pytest.raises(InputError, match="unknown of frame 0 must be booleans"):
        mask_iou(POSE, MESH, CAMERA, RIGHT, unknown=image)


@pytest.mark.parametrize("on", [True, 1, 255])
def test_masks_of_0_and_1_or_255_are_masks(on: Any) -> None:
    image = np.where(RIGHT, on, type(on)(0))
    assert mask_iou(POSE, MESH, CAMERA, image)[0] == 1.0
    assert failure_rate(POSE, None, MESH.vertices, CAMERA, image).failures == 0


BAD_FLAGS = ([1.0], [np.nan], [1], [0.5], ["True"], [None], [1j])


@pytest.mark.parametrize("valid", BAD_FLAGS)
def test_flags_are_booleans(valid: Any) -> None:
    joints = np.zeros((1, 21, 3))
    for call in (
        lambda: mask_iou(POSE, MESH, CAMERA, RIGHT, valid),
        lambda: failure_rate(POSE, valid, MESH.vertices, CAMERA, RIGHT),
        lambda: recall([0.1], 0.2, valid),
        lambda: penetration(joints, MESH, POSE, valid=valid),
        lambda: hand_error(joints, joints, valid_true=valid),
        lambda: contact_f_score([[True]], [[True]], valid),
    ):
        with pytest.raises(InputError, match=r"valid.* must be booleans"):
            call()


@pytest.mark.parametrize("value", [1j, "a", None, {"a": 1}])
def test_numbers_are_real(value: Any) -> None:
    poses = np.full((1, 4, 4), value, dtype=object if isinstance(value, dict) else None)
    for call in (
        lambda: add(poses, POSE, MESH.vertices),
        lambda: mask_iou(poses, MESH, CAMERA, RIGHT),
        lambda: recall([value], 0.1),
        lambda: penetration(np.full((1, 21, 3), value), MESH, POSE),
    ):
        with pytest.raises(InputError, match="must be real numbers"):
            call()


def test_ragged_lists_and_thresholds_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="x must be an array"):
        _given.real([[1.0], [1.0, 2.0]], "x")  # type: ignore[list-item]
    for value in (0, -1.0, np.nan, np.inf, 1j, "a", None, [1.0]):
        with pytest.raises(InputError, match="limit must be"):
            _given.positive(value, "limit")  # type: ignore[arg-type]


def test_penetration_takes_rigid_poses_alone() -> None:
    hand = np.tile([0.0, 0.0, 0.5], (1, 21, 1))
    assert penetration(hand, MESH, POSE).depth_max[0] == pytest.approx(0.03, abs=1e-6)
    for wrong in (2.0 * POSE, POSE @ np.diag([1, 1, -1, 1]), POSE @ np.diag([1000, 1000, 1000, 1]), POSE * 0):
        with pytest.raises(InputError, match="camera_from_object"):
            penetration(hand, MESH, wrong)
    assert penetration(hand, MESH, 2.0 * POSE, valid=[False]).frames == 0
