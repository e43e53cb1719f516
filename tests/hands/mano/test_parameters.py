"""Where root rotation and translation put a hand, by every convention."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data.mano import ManoParameters
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.parameters import (
    frame_from_mano,
    mano_from_frame,
    parameter_joints,
    parameter_mesh,
    parameter_vertices,
)

FRAMES = 4


def _parameters(side: str = "right", **change: object) -> ManoParameters:
    rng = np.random.default_rng(7)
    pose = np.concatenate([rng.normal(size=(FRAMES, 3)), 0.3 * rng.normal(size=(FRAMES, 45))], 1)
    made = ManoParameters(
        side,
        pose,
        rng.normal(size=(FRAMES, 3)),
        rng.normal(size=10),
        np.ones(FRAMES, np.bool_),
        left_fixed=True,
    )
    return replace(made, **change)  # type: ignore[arg-type]


def _hand(p: ManoParameters, file: ManoFile) -> ManoHand:
    return ManoHand(file, p.shape, flat_hand_mean=p.flat_hand_mean, left_fixed=p.left_fixed)


def test_without_a_centre_the_template_turns_about_its_wrist(mano_files: dict[str, ManoFile]) -> None:
    p, file = _parameters(), mano_files["right"]
    hand = _hand(p, file)
    wrist = hand.rest_joints[0]
    for t in range(FRAMES):
        posed = hand.vertices(hand.pose_from_mano(p.pose[t, 3:]))
        expected = (posed - wrist) @ so3_exp(p.pose[t, :3]).T + wrist + p.translation[t]
        np.testing.assert_allclose(parameter_vertices(p, file)[t], expected, atol=1e-12)


@pytest.mark.parametrize("center", [0, 9, 12])
def test_a_centre_lies_at_the_translation(mano_files: dict[str, ManoFile], center: int) -> None:
    p, file = _parameters("left", center_joint=center), mano_files["left"]
    joints = parameter_joints(p, file)
    np.testing.assert_allclose(joints[:, center], p.translation, atol=1e-12)
    free = parameter_joints(replace(p, center_joint=None), file)
    np.testing.assert_allclose(joints - joints[:, :1], free - free[:, :1], atol=1e-12)


@pytest.mark.parametrize("center", [None, 0, 16])
def test_places_there_and_back(mano_files: dict[str, ManoFile], center: int | None) -> None:
    p = _parameters()
    hand = _hand(p, mano_files["right"])
    pose = hand.pose_from_mano(p.pose[:, 3:])
    places = frame_from_mano(hand, p.pose[:, :3], p.translation, pose, center)
    root, shift = mano_from_frame(hand, places, pose, center)
    np.testing.assert_allclose(so3_exp(root), so3_exp(p.pose[:, :3]), atol=1e-12)
    np.testing.assert_allclose(shift, p.translation, atol=1e-12)


def test_shapes_of_single_frames(mano_files: dict[str, ManoFile]) -> None:
    p, file = _parameters(), mano_files["right"]
    shapes = np.stack([p.shape, 0 * p.shape, p.shape, 2 * p.shape])
    found = parameter_joints(replace(p, shape=shapes), file)
    for t in range(FRAMES):
        np.testing.assert_allclose(
            found[t], parameter_joints(replace(p, shape=shapes[t]), file)[t], atol=1e-12
        )


def test_components_and_mean(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    p = _parameters(pca=True, flat_hand_mean=False)
    coefficients = replace(p, pose=p.pose[:, :9])
    angles = coefficients.pose[:, 3:] @ file.hands_components[:6] + file.hands_mean
    plain = replace(p, pca=False, flat_hand_mean=True, pose=np.concatenate([p.pose[:, :3], angles], 1))
    np.testing.assert_allclose(
        parameter_joints(coefficients, file), parameter_joints(plain, file), atol=1e-12
    )


def test_mesh_of_a_frame(mano_files: dict[str, ManoFile]) -> None:
    p, file = _parameters(), mano_files["right"]
    mesh = parameter_mesh(p, file, 2)
    np.testing.assert_allclose(mesh.vertices, parameter_vertices(p, file)[2], atol=1e-6)
    assert len(mesh.faces) == 1538


def test_what_is_refused(mano_files: dict[str, ManoFile]) -> None:
    with pytest.raises(InputError, match="parameters are of a left hand"):
        parameter_joints(_parameters("left"), mano_files["right"])
    unknown = _parameters("left", left_fixed=None)
    with pytest.raises(InputError, match="left_fixed"):
        parameter_joints(unknown, mano_files["left"])
    said = parameter_joints(unknown, mano_files["left"], left_fixed=False)
    np.testing.assert_array_equal(
        said, parameter_joints(replace(unknown, left_fixed=False), mano_files["left"])
    )
    with pytest.raises(InputError, match="no frame"):
        parameter_joints(
            _parameters(pose=np.zeros((0, 48)), translation=np.zeros((0, 3)), valid=np.zeros(0, np.bool_)),
            mano_files["right"],
        )
