"""Poses in every form, written here and read back; what is no pose, or of another unit or frame, is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.se3 import quaternion_from_matrix
from dexman_pose.given.poses import GivenPoses, read_poses

POSES = np.stack([se3(so3_exp([0.3, 0.2 * t, -0.4]), [0.01 * t, -0.02, 0.5 + 0.01 * t]) for t in range(4)])


def check(
    source: Any, clip: Clip, frames: Sequence[int] = range(4), names: Sequence[str] = ("cup",)
) -> GivenPoses:
    found = read_poses(source, names, clip)[names[0]]
    assert np.flatnonzero(found.given).tolist() == list(frames)
    np.testing.assert_allclose(found.camera_from_object[list(frames)], POSES[list(frames)], atol=1e-6)
    return found


def bop(path: Path, rows: list[tuple[int, int, int, float, np.ndarray]], header: bool = True) -> Path:
    lines = ["scene_id,im_id,obj_id,score,R,t,time"] if header else []
    for scene, image, one, score, pose in rows:
        r, t = (" ".join(repr(float(x)) for x in v.ravel()) for v in (pose[:3, :3], 1000 * pose[:3, 3]))
        lines.append(f"{scene},{image},{one},{score},{r},{t}" + (",-1" if header else ""))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("header", [True, False])
def test_bop_in_millimetres_by_number_of_the_picture(
    tmp_path: Path, pictures: Callable[..., Clip], header: bool
) -> None:
    clip = pictures(["000001", "000004", "000007", "000009"])
    rows = [(2, n, 5, 0.9, POSES[t]) for t, n in enumerate((1, 4, 7, 9))]
    rows += [(2, 4, 5, 0.1, POSES[0]), (2, 4, 8, 1.0, POSES[3])]
    path = bop(tmp_path / "r.csv", rows, header)
    check(path, clip, names=("obj_000005",))
    both = read_poses(path, ["obj_000005", "obj_000008"], clip)
    np.testing.assert_allclose(both["obj_000008"].camera_from_object[1], POSES[3], atol=1e-9)
    with pytest.raises(InputError, match="objects 5, 8, but they are named cup"):
        read_poses(path, ["cup"], clip)
    with pytest.raises(InputError, match="scenes 2, 3"):
        read_poses(bop(tmp_path / "s.csv", [*rows, (3, 1, 5, 1.0, POSES[0])]), ["obj_000005"], clip)


def test_bop_in_metres_is_told_by_its_unit(tmp_path: Path, clip: Clip) -> None:
    small = POSES.copy()
    small[:, :3, 3] /= 1000
    with pytest.raises(InputError, match="unit"):
        read_poses(bop(tmp_path / "r.csv", [(0, t, 1, 1.0, small[t]) for t in range(4)]), ["cup"], clip)


@pytest.mark.parametrize(
    ("pictured", "named"),
    [
        (["0001", "0002", "0003", "0004"], ["0001", "0002", "0003", "0004"]),
        (["7", "9", "10", "30"], ["0007", "0009", "0010", "0030"]),
        (["1305031102.175304", "1305031102.211214", "1305031102.243211", "1305031102.275326"],) * 2,
    ],
)
@pytest.mark.parametrize("inner", ["", "ob_in_cam"])
def test_a_text_per_frame_named_by_number_or_time(
    tmp_path: Path, pictures: Callable[..., Clip], pictured: list[str], named: list[str], inner: str
) -> None:
    clip = pictures(pictured)
    folder = tmp_path / "poses" / inner
    folder.mkdir(parents=True)
    for t in (0, 2, 3):
        np.savetxt(folder / f"{named[t]}.txt", POSES[t])
    check(tmp_path / "poses", clip, [0, 2, 3])


def test_a_text_per_frame_of_a_video_from_one(tmp_path: Path, clip: Clip) -> None:
    for t in range(4):
        np.savetxt(tmp_path / f"{t + 1:06d}.txt", POSES[t][:3])
    check(tmp_path, clip)


def test_stacks(tmp_path: Path, clip: Clip) -> None:
    np.save(tmp_path / "p.npy", POSES)
    np.savez(tmp_path / "p.npz", poses=POSES)
    np.savez(tmp_path / "some.npz", camera_from_object=POSES[[1, 3]], frames=[1, 3])
    (tmp_path / "p.json").write_text(json.dumps({str(t): POSES[t].tolist() for t in (0, 2)}))
    check(tmp_path / "p.npy", clip)
    check(tmp_path / "p.npz", clip)
    check(tmp_path / "some.npz", clip, [1, 3])
    check(tmp_path / "p.json", clip, [0, 2])
    check(POSES, clip)
    check({"cup": POSES, "spoon": tmp_path / "p.npy"}, clip, names=("cup", "spoon"))
    holes = POSES.copy()
    holes[1], holes[2] = np.nan, 0.0
    found = check(holes, clip, [0, 3])
    assert found.nearest(1) == 0 and found.nearest(1, np.array([False, True, True, True])) == 3
    np.testing.assert_array_equal(found.track().valid, [True, False, False, True])


def test_rows_of_time_and_quaternion(tmp_path: Path, clip: Clip) -> None:
    rows = []
    for t in (0, 1, 3):
        w, x, y, z = quaternion_from_matrix(POSES[t, :3, :3])
        rows.append([clip.frame_times[t] + 0.002, *POSES[t, :3, 3], x, y, z, w])
    np.savetxt(tmp_path / "t.txt", rows, header="time x y z qx qy qz qw")
    check(tmp_path / "t.txt", clip, [0, 1, 3])
    np.savetxt(tmp_path / "k.txt", POSES[:, :3].reshape(4, 12))
    check(tmp_path / "k.txt", clip)


def test_a_folder_of_objects(tmp_path: Path, clip: Clip) -> None:
    for name, order in (("cup", [0, 1, 2, 3]), ("spoon", [3, 2, 1, 0])):
        (tmp_path / name).mkdir()
        for t in range(4):
            np.save(tmp_path / name / f"{t}.npy", POSES[order[t]])
    both = read_poses(tmp_path, ["cup", "spoon"], clip)
    np.testing.assert_allclose(both["spoon"].camera_from_object, POSES[::-1], atol=1e-9)


_MM = POSES.copy()
_MM[:, :3, 3] *= 1000
_GL = np.diag([1.0, -1, -1, 1])


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        (_MM, "unit"),
        (_GL @ POSES, "behind the camera"),
        (np.swapaxes(POSES, 1, 2), "transposed"),
        (POSES * [1.1, 1.1, 1.1, 1.0], "no rotation"),
        (POSES * [-1.0, 1, 1, 1], "no rotation"),
        (POSES[:3], "3 poses, but the clip has 4"),
        (np.full((4, 4, 4), np.nan), "holds no pose"),
        (np.zeros((4, 5)), r"shape \(frames, 4, 4\)"),
        ("none.npy", "there are no poses at none.npy"),
        ({"mug": POSES}, "poses are of mug, but the objects are cup"),
    ],
)
def test_what_is_no_pose(clip: Clip, poses: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_poses(poses, ["cup"], clip)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.npy", b"junk"),
        ("p.npz", b"PK junk"),
        ("p.csv", b"a,b"),
        ("p.csv", b"\xff\xfe"),
        ("p.txt", b"one two"),
        ("p.txt", b"1 2 3"),
        ("p.json", b"[]"),
        ("p.xyz", b"junk"),
        ("p.txt", b"0 1 2 3 0 0 0 9"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, clip: Clip, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read_poses(tmp_path / name, ["cup"], clip)
    assert "\n" not in str(error.value)


def test_several_objects_need_names(clip: Clip) -> None:
    with pytest.raises(InputError, match="NAME=FILE"):
        read_poses(POSES, ["cup", "spoon"], clip)
