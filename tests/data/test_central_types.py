"""Camera, mesh, masks, prompts and tracks: what they accept, compute, and say when they refuse."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import (
    JOINT_NAMES,
    JOINT_PARENTS,
    OCCLUDER,
    Camera,
    Contacts,
    HandObservations,
    HandTrack,
    MaskSequence,
    Mesh,
    ObjectPrompt,
    PoseTrack,
    RigidObject,
    Trajectory,
)
from dexman_pose.errors import InputError, MeshError
from dexman_pose.geometry import se3_exp

K = np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]])
TRIANGLE = {"vertices": np.eye(3), "faces": [[0, 1, 2]]}


def test_camera_projects_and_unprojects() -> None:
    camera = Camera(K, 640, 480)
    np.testing.assert_allclose(camera.project([0.2, -0.1, 2.0]), [370.0, 214.5])
    points = np.random.default_rng(0).uniform([-1, -1, 0.5], [1, 1, 3], (7, 3))
    np.testing.assert_allclose(camera.unproject(camera.project(points), points[:, 2]), points, atol=1e-15)


def test_pixel_zero_is_the_centre_of_the_first_pixel() -> None:
    camera = Camera.from_focal(100.0, 3, 5)
    np.testing.assert_allclose(camera.project([0.0, 0.0, 1.0]), [1.0, 2.0])


def test_cropping_and_resizing_follow_the_pixels() -> None:
    """A crop at (100, 50) enlarged twice: its first output pixels share the input pixel (100, 50)."""
    camera = Camera(K, 640, 480)
    crop = camera.cropped(100, 50, 64, 32, scale=2.0)
    ray = camera.unproject([100.0, 50.0], 1.0)
    np.testing.assert_allclose(crop.project(ray), [0.5, 0.5])
    assert (crop.width, crop.height) == (64, 32)


def test_a_camera_without_distortion_has_none() -> None:
    assert Camera(K, 640, 480, [0.0, 0, 0, 0]).distortion is None  # type: ignore[arg-type]
    assert Camera(K, 640, 480, [0.1, 0, 0, 0]).distortion is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(4), 640, 480), r"Camera.K must have shape \(3, 3\), but got \(4, 4\)"),
        ((K * np.nan, 640, 480), "NaN or infinite"),
        ((-K, 640, 480), "positive focal lengths"),
        ((K, 0, 480), "width=0, height=480"),
        ((K, 640, 480, None, "guessed"), "'given', 'estimated' or 'assumed'"),
        ((K, 640, 480, [[1, 2]]), "Camera.distortion"),
        (("wide", 640, 480), "Camera.K must be an array"),
    ],
)
def test_camera_refuses(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Camera(*arguments)


def test_mesh_measures_and_moves() -> None:
    box = Mesh([[0, 0, 0], [2, 0, 0], [0, 4, 0], [0, 0, 6], [99, 99, 99]], [[0, 1, 2], [0, 1, 3]])  # type: ignore[arg-type]
    np.testing.assert_allclose(box.extents, [2, 4, 6])  # the vertex of no face does not count
    np.testing.assert_allclose(box.center, [1, 2, 3])
    assert box.radius == pytest.approx(np.sqrt(14))
    np.testing.assert_allclose(box.scaled(0.5).extents, [1, 2, 3])
    pose = se3_exp([1, 2, 3, 0, 0, np.pi / 2])
    np.testing.assert_allclose(box.moved(pose).vertices[1] - pose[:3, 3], [0, 2, 0], atol=1e-15)
    assert box.vertices.dtype == np.float64 and box.faces.dtype == np.int32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertices": np.zeros((0, 3)), "faces": np.zeros((0, 3))}, "0 vertices and 0 faces"),
        ({"faces": np.zeros((0, 3))}, "3 vertices and 0 faces"),
        ({"vertices": np.full((3, 3), np.inf)}, "mesh vertices holds 9 values"),
        ({"vertices": np.zeros((3, 2))}, r"mesh vertices must have shape \(any, 3\)"),
        ({"faces": [[0, 1, 3]]}, "index vertices 0..3, but there are 3"),
        ({"faces": [[-1, 1, 2]]}, "index vertices -1..2"),
        ({"uv": np.zeros((1, 3, 2))}, "both uv and texture"),
        ({"texture": np.zeros((2, 2, 3), np.uint8)}, "both uv and texture"),
        ({"uv": np.zeros((3, 2)), "texture": np.zeros((2, 2, 3))}, r"mesh uv must have shape \(1, 3, 2\)"),
        ({"uv": np.zeros((1, 3, 2)), "texture": np.zeros((2, 2))}, "mesh texture must have shape"),
        ({"vertex_colors": np.zeros((2, 3))}, "vertex colours must have shape"),
        ({"seen": [True, False]}, "mesh seen must have shape"),
    ],
)
def test_mesh_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshError, match=message):
        Mesh(**(TRIANGLE | change))


def test_masks_roundtrip_and_answer_by_name() -> None:
    masks = MaskSequence(("cup", "lid"), 6, 9, 4)
    labels = np.random.default_rng(1).choice(np.array([0, 1, 2, OCCLUDER], np.uint8), (6, 9))
    masks.set(2, labels)
    masks.confidence[2] = [0.5, 1.0]
    again = MaskSequence.from_arrays(masks.to_arrays())
    assert again.names == ("cup", "lid") and again.num_frames == 4
    for m in (masks, again):
        np.testing.assert_array_equal(m.labels(2), labels)
        np.testing.assert_array_equal(m.mask(2, "lid"), labels == 2)
        assert not m.labels(0).any() and m.labels(3).shape == (6, 9)
        np.testing.assert_array_equal(m.confidence[2], [0.5, 1.0])
    with pytest.raises(InputError, match="no object named 'pot'; the masks hold: cup, lid"):
        masks.mask(0, "pot")


def test_masks_refuse() -> None:
    with pytest.raises(InputError, match="1 to 254 objects, but got 0"):
        MaskSequence((), 6, 9, 4)
    masks = MaskSequence(("cup",), 6, 9, 4)
    for wrong in (np.zeros((9, 6), np.uint8), np.zeros((6, 9), np.int64)):
        with pytest.raises(InputError, match=r"labels of frame 1 must be uint8 of shape \(6, 9\)"):
            masks.set(1, wrong)


def test_prompt_points_default_to_on_the_object() -> None:
    prompt = ObjectPrompt(points=[[3, 4], [5, 6]])  # type: ignore[arg-type]
    np.testing.assert_array_equal(prompt.points, [[3, 4, 1], [5, 6, 1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs a box"),
        ({"box": [5, 5, 1, 9]}, "x0 < x1 and y0 < y1"),
        ({"box": [5, 5, 9]}, r"prompt box must have shape \(4,\)"),
        ({"points": [[1, 2, 3, 4]]}, "prompt points must have shape"),
        ({"mask": np.zeros((2, 2, 2))}, "prompt mask must have shape"),
        ({"box": [0, 0, 1, 1], "frame": -1}, "frame must be 0 or more"),
    ],
)
def test_prompt_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ObjectPrompt(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"box": [700, 5, 800, 9]}, "'cup': box .* lies outside the 640x480 image"),
        ({"box": [-9, -9, 0, 0]}, "lies outside"),
        ({"box": [0, 0, 9, 9], "frame": 10}, "prompt frame 10 is not in the clip of 10 frames"),
        ({"points": [[640, 3]]}, "a point lies outside"),
        ({"mask": np.ones((640, 480))}, r"mask is \(640, 480\), but the frames are \(480, 640\)"),
    ],
)
def test_prompt_must_fit_the_clip(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ObjectPrompt(**arguments).check_inside("cup", 640, 480, 10)


def test_prompt_inside_the_clip_is_accepted() -> None:
    ObjectPrompt(box=[-5, 0, 640, 480], frame=9).check_inside("cup", 640, 480, 10)  # type: ignore[arg-type]


def _track(n: int = 3, **change: Any) -> PoseTrack:
    fields = {
        "camera_from_object": np.tile(np.eye(4), (n, 1, 1)),
        "valid": [True] * n,
        "confidence": [1.0] * n,
    }
    return PoseTrack(**(fields | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camera_from_object": np.zeros((3, 4, 4))}, "entry 0 is not a rigid transform"),
        ({"camera_from_object": np.tile(np.diag([1, 1, -1, 1]), (3, 1, 1))}, "not a rigid transform"),
        ({"camera_from_object": np.eye(4)}, "camera_from_object must have shape"),
        ({"valid": [True]}, r"valid must have shape \(3,\)"),
        ({"confidence": [1, np.nan, 1]}, "confidence holds 1 values"),
        ({"mask_iou": [1.0]}, "mask_iou must have shape"),
        ({"covariance": np.zeros((3, 3, 3))}, "covariance must have shape"),
    ],
)
def test_pose_track_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _track(**change)


def test_rigid_object_gives_its_track_and_refuses() -> None:
    mesh = Mesh(**TRIANGLE)  # type: ignore[arg-type]
    cup = RigidObject("cup", mesh, _track())
    assert cup.valid.all() and cup.confidence.sum() == 3 and cup.camera_from_object.shape == (3, 4, 4)
    for change, message in [
        ({"name": ""}, "needs a name"),
        ({"scale": 0.0}, "scale must be positive, but got 0"),
        ({"scale": float("nan")}, "scale must be positive"),
        (
            {"scale_source": "luck"},
            "scale_source must be one of given, depth, hand, contact, table, unknown",
        ),
        ({"symmetry": np.zeros((1, 4, 4))}, "symmetry: entry 0 is not a rigid"),
    ]:
        with pytest.raises(InputError, match=message):
            RigidObject(**({"name": "cup", "mesh": mesh, "track": _track()} | change))  # type: ignore[arg-type]


def test_hand_joints_form_a_tree() -> None:
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == 21
    assert JOINT_PARENTS[0] == -1 and all(0 <= p < j for j, p in enumerate(JOINT_PARENTS) if j)
    assert JOINT_NAMES[JOINT_PARENTS[8]] == "index_dip" and JOINT_NAMES[JOINT_PARENTS[17]] == "wrist"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "both"}, "'left' or 'right', but got 'both'"),
        ({"joints": np.zeros((4, 20, 3))}, r"hand joints must have shape \(any, 21, 3\)"),
        ({"joints_2d": np.zeros((3, 21, 2))}, r"hand joints_2d must have shape \(4, 21, 2\)"),
        ({"bone_lengths": np.zeros(20)}, "hand bone_lengths must have shape"),
        ({"joints": np.full((4, 21, 3), np.nan)}, "hand joints holds 252 values"),
    ],
)
def test_hand_track_refuses(change: dict[str, Any], message: str) -> None:
    fields = {
        "side": "left",
        "joints": np.zeros((4, 21, 3)),
        "joints_2d": np.zeros((4, 21, 2)),
        "valid": np.ones(4, bool),
        "bridged": np.zeros(4, bool),
        "confidence": np.ones(4),
        "bone_lengths": np.zeros(21),
    }
    assert len(HandTrack(**fields)) == 4  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        HandTrack(**(fields | change))  # type: ignore[arg-type]


def test_contacts_and_observations_check_their_shapes() -> None:
    shapes = (np.zeros((1, 4, 21)), np.zeros((1, 4, 21)), np.zeros((1, 4, 21, 3)), np.zeros((1, 4)))
    assert Contacts((("left", "cup"),), *shapes, 0.01, 0.02).touching.dtype == np.bool_
    with pytest.raises(InputError, match=r"contact distance must have shape \(2, any, 21\)"):
        Contacts((("left", "cup"), ("right", "cup")), *shapes, 0.01, 0.02)
    seen = np.array([[True, False], [False, False]])
    bridged = np.array([[False, False], [True, False]])
    joints = np.zeros((2, 2, 21, 2)), np.zeros((2, 2, 21, 3))
    observed = HandObservations(*joints, seen, bridged, np.ones((2, 2)))
    np.testing.assert_array_equal(observed.valid, [[True, False], [True, False]])
    with pytest.raises(InputError, match=r"joints_local must have shape \(2, 2, 21, 3\)"):
        HandObservations(joints[0], joints[1][:1], seen, bridged, np.ones((2, 2)))


def test_results_are_frozen() -> None:
    """A result that was checked cannot be changed into one that was not; a change is a replacement."""
    track = PoseTrack(np.tile(np.eye(4), (2, 1, 1)), np.ones(2, bool), np.ones(2))
    with pytest.raises(FrozenInstanceError):
        track.valid = np.zeros(2, bool)  # type: ignore[misc]
    kinds = (PoseTrack, RigidObject, HandTrack, Contacts, HandObservations, Trajectory)
    assert all(kind.__dataclass_params__.frozen for kind in kinds)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="valid must have shape"):
        replace(track, valid=np.ones(3, bool))
