"""Hands of other programs in our order, our pixels and as our camera would see them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, HandObservations
from dexman_pose.errors import InputError
from dexman_pose.given.hand_joints import ORDERS, order_of
from dexman_pose.given.hands import read_hands
from dexman_pose.hands import lift_hands
from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS, bone_vectors

WIDTH, HEIGHT, COUNT = 640, 480, 5
CAMERA = Camera.from_focal(520.0, WIDTH, HEIGHT)


def hand(left: bool = False) -> Array:
    """(21, 3) a bent right hand of average size about its wrist, palm to the camera; mirrored for a left one."""
    joints = np.zeros((21, 3))
    for finger, spread in enumerate((-0.9, -0.3, -0.05, 0.2, 0.45)):
        at = np.zeros(3)
        for k in range(4):
            joint = 1 + 4 * finger + k
            bend = 0.0 if k == 0 else 0.35 * k
            way = np.array([np.sin(spread), -np.cos(spread) * np.cos(bend), -np.sin(bend)])
            at = at + AVERAGE_LENGTHS[joint] * way / np.linalg.norm(way)
            joints[joint] = at
    return joints * np.array([-1.0, 1, 1]) if left else joints


def moved(left: bool = False) -> Array:
    """(T, 21, 3) that hand in the camera's frame."""
    shifts = np.stack([[-0.08 + 0.01 * t, 0.03, 0.6 + 0.01 * t] for t in range(COUNT)])
    return hand(left)[None] + shifts[:, None]


@pytest.fixture
def clip() -> Clip:
    return Clip.from_frames([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * COUNT)


def check(source: Any, clip: Clip, side: int = 1, **options: Any) -> HandObservations:
    found, _ = read_hands(source, clip, **options)
    joints = moved(side == 0)
    assert found.detected[:, side].all() and not found.detected[:, 1 - side].any()
    np.testing.assert_allclose(found.joints_2d[:, side], CAMERA.project(joints), atol=1e-3)
    return found


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("order", list(ORDERS))
def test_orders_are_told_by_the_bones(clip: Clip, order: str, side: int) -> None:
    joints = moved(side == 0)
    shuffled = np.empty_like(joints)
    shuffled[:, list(ORDERS[order])] = joints
    name = ("left", "right")[side]
    source = {name: {"joints_3d": shuffled, "joints_2d": CAMERA.project(shuffled)}}
    for asked in ("auto", order):
        found = check(source, clip, side, order=asked)
        bones = bone_vectors(found.joints_local[0, side])
        np.testing.assert_allclose(bones, bone_vectors(joints[0]), atol=1e-9)


def test_mano_lays_the_little_finger_before_the_ring_finger() -> None:
    at = order_of("mano", np.zeros((1, 21, 3)))
    assert at[[0, 4, 5, 8, 13, 17]].tolist() == [0, 16, 1, 17, 10, 7]
    assert order_of("hamer", np.zeros((1, 21, 3))).tolist() == list(range(21))
    with pytest.raises(
        InputError, match="no order of hand joints is named 'coco'; there is: auto, openpose, mano"
    ):
        order_of("coco", np.zeros((1, 21, 3)))


def hamer(side: int) -> list[dict[str, Any]]:
    """As HaMeR and WiLoR: joints about the root as of a right hand, a shift for their focal length."""
    focal = 5000.0 / 256.0 * WIDTH
    theirs = Camera.from_focal(focal, WIDTH, HEIGHT)
    out = []
    for t, joints in enumerate(moved(side == 0)):
        root = joints[0]
        far = np.array([*(theirs.unproject(CAMERA.project(root), root[2] * focal / CAMERA.fx))])
        mirror = np.array([-1.0, 1, 1]) if side == 0 else np.ones(3)
        out.append(
            {
                "img_name": f"{t:04d}.jpg",
                "right": float(side),
                "pred_keypoints_3d": ((joints - root) * mirror).tolist(),
                "pred_cam_t_full": far.tolist(),
                "scaled_focal_length": focal,
            }
        )
    return out


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("told", [True, False])
def test_the_focal_length_of_hamer_is_converted_by_projection(
    tmp_path: Path, clip: Clip, side: int, told: bool
) -> None:
    records = hamer(side)
    for record in records:
        if not told:
            del record["scaled_focal_length"]
    (tmp_path / "h.json").write_text(json.dumps(records))
    found, _ = read_hands(tmp_path / "h.json", clip, CAMERA)
    joints = moved(side == 0)
    # Theirs is nearly orthographic: the wrist is where it was, the rest to within its own perspective.
    np.testing.assert_allclose(found.joints_2d[:, side, 0], CAMERA.project(joints[:, 0]), atol=1e-6)
    assert np.abs(found.joints_2d[:, side] - CAMERA.project(joints)).max() < 15
    tracks = lift_hands(found, CAMERA)
    lifted = tracks[("left", "right")[side]]
    assert lifted.valid.all()
    off = np.linalg.norm(lifted.joints - joints, axis=-1)
    assert np.median(off) < 0.06  # their shift is 12 m away; ours is where the hand is
    bones = bone_vectors(found.joints_local[0, side])
    np.testing.assert_allclose(bones, bone_vectors(joints[0]), atol=1e-6)


@pytest.mark.parametrize("form", ["cam_t", "joints_cam"])
def test_joints_far_out_of_reach_are_of_the_networks_focal_length(clip: Clip, form: str) -> None:
    records = hamer(1)
    want, _ = read_hands(hamer(1), clip, CAMERA)
    for record in records:
        del record["scaled_focal_length"]
        shift = record.pop("pred_cam_t_full")
        if form == "cam_t":
            record["cam_t"] = shift
        else:
            record["joints_cam"] = (np.array(record.pop("pred_keypoints_3d")) + shift).tolist()
    found, _ = read_hands(records, clip, CAMERA)
    np.testing.assert_allclose(found.joints_2d, want.joints_2d, atol=1e-6)
    np.testing.assert_allclose(found.joints_local, want.joints_local, atol=1e-6)


@pytest.mark.parametrize("suffix", ["json", "npz", "pkl"])
def test_columns_in_every_kind_of_file(tmp_path: Path, clip: Clip, suffix: str) -> None:
    joints = moved()
    columns = {"frame": np.arange(COUNT), "is_right": np.ones(COUNT), "joints_3d": joints * 1000.0}
    path = tmp_path / f"h.{suffix}"
    if suffix == "npz":
        np.savez(path, **columns)
    elif suffix == "pkl":
        path.write_bytes(pickle.dumps(columns))
    else:
        path.write_text(json.dumps({k: v.tolist() for k, v in columns.items()}))
    check(path, clip, camera=CAMERA)


def test_both_hands_as_one_array_with_frames_without_a_hand(clip: Clip) -> None:
    both = np.stack([CAMERA.project(moved(True)), CAMERA.project(moved())], 1)
    space = np.stack([moved(True), moved()], 1)
    valid = np.ones((COUNT, 2), bool)
    valid[2, 0] = False
    both[3, 1] = np.nan
    space[3, 1] = np.nan
    found, _ = read_hands({"joints_2d": both, "joints_3d": space, "valid": valid}, clip)
    np.testing.assert_array_equal(found.detected, valid & np.array([[1, t != 3] for t in range(COUNT)], bool))
    assert np.isfinite(found.joints_2d).all() and np.isfinite(found.joints_local).all()


def test_records_by_the_names_of_pictures(tmp_path: Path, clip: Clip) -> None:
    pixels = CAMERA.project(moved())
    shares = (pixels + 0.5) / [WIDTH, HEIGHT]
    by_name = {
        f"img_{t}.png": [
            {"handedness": "Right", "keypoints_2d": shares[t].tolist(), "keypoints_3d": moved()[t].tolist()}
        ]
        for t in range(COUNT)
    }
    (tmp_path / "h.json").write_text(json.dumps(by_name))
    check(tmp_path / "h.json", clip)


def test_the_best_of_two_hands_of_a_side_counts(clip: Clip) -> None:
    pixels = CAMERA.project(moved())
    rows = [
        {"frame": t, "side": "right", "joints_2d": pixels[t], "joints_3d": moved()[t], "score": 0.9}
        for t in range(COUNT)
    ]
    rows += [
        {"frame": 1, "side": "right", "joints_2d": pixels[0] + 200, "joints_3d": moved()[0], "score": 0.3}
    ]
    found = check(rows, clip)
    assert found.score[1, 1] == 0.9
    assert "1 more" in " ".join(read_hands(rows, clip)[1])


def test_pixels_alone_are_a_flat_hand_and_said_so(clip: Clip) -> None:
    found, notes = read_hands({"right": {"joints_2d": CAMERA.project(moved())}}, clip)
    assert np.ptp(found.joints_local[..., 2]) == 0 and found.score.max() == 0.5
    assert any("flat" in note for note in notes)
    track = lift_hands(found, CAMERA)["right"]
    assert abs(float(np.median(track.joints[:, 0, 2])) - 0.62) < 0.15


def test_joints_in_the_real_camera_are_lifted_back(clip: Clip) -> None:
    found = check({"right": {"joints_3d": moved()}}, clip, camera=CAMERA)
    off = np.linalg.norm(lift_hands(found, CAMERA)["right"].joints - moved(), axis=-1)
    assert off.max() < 0.035 and np.median(off) < 0.02


RELATIVE = {"right": {"joints_3d": moved() - moved()[:, :1]}}
ROW: dict[str, NDArray[Any]] = {"joints_2d": CAMERA.project(moved())[0], "joints_3d": moved()[0]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (RELATIVE, "need a place in the picture"),
        ({"right": {"joints_3d": moved()}}, "need a place in the picture"),  # no camera
        ({"right": {"joints_3d": moved() * 50, "joints_2d": CAMERA.project(moved())}}, "unit"),
        ([{"frame": 0, **ROW}], "left or right"),
        ([{"side": "right", **ROW}], "which frame"),
        ([{"frame": 0, "side": "both", **ROW}], "must be left or right"),
        ([{"frame": 0, "side": "right", "joints_2d": np.zeros((20, 2)) + 5.0}], r"shape \(21, 2\)"),
        ({"hand_pose": np.zeros((5, 45)), "betas": np.zeros(10)}, "MANO without joints"),
        ([], "holds no hands"),
        (3, "must hold"),
        ({"0": 7}, "something else"),
        (Path("none.json"), "there are no hands at none.json"),
    ],
)
def test_what_is_no_hand(clip: Clip, source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_hands(source, clip)


@pytest.mark.parametrize("name", ["h.json", "h.npz", "h.pkl", "h.txt"])
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, clip: Clip, name: str) -> None:
    (tmp_path / name).write_bytes(b"{junk")
    with pytest.raises(InputError) as error:
        read_hands(tmp_path / name, clip)
    assert "\n" not in str(error.value)


def test_observations_of_another_length(clip: Clip, pictures: Callable[..., Clip]) -> None:
    found, _ = read_hands({"right": {"joints_3d": moved()}}, clip, CAMERA)
    assert read_hands(found, clip)[0] is found
    with pytest.raises(InputError, match="5 frames, but the clip has 2"):
        read_hands(found, pictures(["1", "2"]))
