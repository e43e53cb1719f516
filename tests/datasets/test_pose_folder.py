"""Folders of matrices: numbering, formats, and wrong conventions that must not pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.pose_folder import read_pose_folder
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, se3, so3_exp


def _poses(count: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return se3(so3_exp(rng.normal(size=(count, 3))), rng.uniform(0.4, 0.9, (count, 3)))


def test_text_files_by_number_with_gaps(tmp_path: Path) -> None:
    poses = _poses(3)
    for name, pose in zip(("000010", "000002", "frame_1000000"), poses):
        np.savetxt(tmp_path / f"{name}.txt", pose)
    frames, read = read_pose_folder(tmp_path)
    assert frames.tolist() == [2, 10, 1000000]
    np.testing.assert_allclose(read, poses[[1, 0, 2]], atol=1e-15)


def test_stems_of_images_give_their_places(tmp_path: Path) -> None:
    poses = _poses(2)
    stems = ["1581120424100262102", "1581120424148532296", "1581120424197325000"]
    np.savetxt(tmp_path / f"{stems[2]}.txt", poses[0])
    np.save(tmp_path / f"{stems[0]}.npy", poses[1])
    frames, read = read_pose_folder(tmp_path, stems=stems)
    assert frames.tolist() == [0, 2]
    np.testing.assert_allclose(read, poses[[1, 0]])
    with pytest.raises(InputError, match="no image of the clip is named"):
        read_pose_folder(tmp_path, stems=stems[:2])


def test_stacks_and_three_rows(tmp_path: Path) -> None:
    poses = _poses(4)
    np.save(tmp_path / "all.npy", poses)
    np.savez(tmp_path / "all.npz", poses=poses, frames=np.array([3, 1, 8, 2]), scores=np.ones(4))
    assert read_pose_folder(tmp_path / "all.npy")[0].tolist() == [0, 1, 2, 3]
    frames, read = read_pose_folder(tmp_path / "all.npz")
    assert frames.tolist() == [1, 2, 3, 8]
    np.testing.assert_allclose(read, poses[[1, 3, 0, 2]])
    folder = tmp_path / "rows"
    folder.mkdir()
    np.savetxt(folder / "5.txt", poses[0][:3])
    np.testing.assert_allclose(read_pose_folder(folder)[1][0], poses[0])


def test_wrong_conventions_are_refused(tmp_path: Path) -> None:
    poses = _poses(3)
    millimetres = poses.copy()
    millimetres[:, :3, 3] *= 1000
    np.save(tmp_path / "mm.npy", millimetres)
    with pytest.raises(InputError, match=r"give unit_m=0\.001"):
        read_pose_folder(tmp_path / "mm.npy")
    np.testing.assert_allclose(read_pose_folder(tmp_path / "mm.npy", unit_m=0.001)[1], poses, atol=1e-12)
    np.save(tmp_path / "gl.npy", np.diag([1.0, -1, -1, 1]) @ poses)
    with pytest.raises(InputError, match="behind the camera"):
        read_pose_folder(tmp_path / "gl.npy")
    np.save(tmp_path / "inverse.npy", inverse(se3(np.eye(3), [[0.0, 0.0, 0.5]] * 3)))
    with pytest.raises(InputError, match="object_from_camera"):
        read_pose_folder(tmp_path / "inverse.npy")
    np.save(tmp_path / "transposed.npy", np.swapaxes(poses, 1, 2))
    with pytest.raises(InputError, match="transposed"):
        read_pose_folder(tmp_path / "transposed.npy")


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no matrices"):
        read_pose_folder(tmp_path)
    pose = _poses(1)[0]
    np.savetxt(tmp_path / "7.txt", 2 * pose)
    with pytest.raises(InputError, match=r"7\.txt has a last row"):
        read_pose_folder(tmp_path)
    np.savetxt(tmp_path / "7.txt", np.eye(3))
    with pytest.raises(InputError, match=r"7\.txt must hold a 4x4 matrix, but holds 9"):
        read_pose_folder(tmp_path)
    np.savetxt(tmp_path / "7.txt", np.diag([1.0, 1.1, 1, 1]) + np.eye(4, k=3))
    with pytest.raises(InputError, match=r"7\.txt has no rotation"):
        read_pose_folder(tmp_path)
    np.savetxt(tmp_path / "7.txt", pose * np.nan)
    with pytest.raises(InputError, match="NaN"):
        read_pose_folder(tmp_path)
    (tmp_path / "7.txt").write_text("lost\n")
    with pytest.raises(InputError, match="not a matrix of numbers"):
        read_pose_folder(tmp_path)
    np.savetxt(tmp_path / "7.txt", pose)
    np.savetxt(tmp_path / "0007.txt", pose)
    with pytest.raises(InputError, match="frame 7 is given twice"):
        read_pose_folder(tmp_path)
