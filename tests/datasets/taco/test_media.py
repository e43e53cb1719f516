"""Depth videos and mask files on their own, and the camera on the head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data.video.writer import write_video
from dexman_pose.datasets.taco.cameras import HEAD_SIZE, head_view, rigid_rows, video_header
from dexman_pose.datasets.taco.files import TacoSequence
from dexman_pose.datasets.taco.media import DepthVideo, MaskFile, resampled
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.synthetic.tiny_datasets.taco import write_depth


@pytest.fixture
def depth_path(tmp_path: Path) -> Path:
    path = tmp_path / "egocentric_depth.avi"
    write_depth(path, [np.full((12, 16), 0.5 + 0.01 * i, np.float32) for i in range(40)])
    return path


def test_frames_by_number_in_any_order(depth_path: Path) -> None:
    depth = DepthVideo(depth_path, (16, 12), video_header(depth_path).frames)
    assert depth.count == 40
    for index in (0, 1, 39, 5, 5, 20, 19):
        np.testing.assert_allclose(depth(index), 0.5 + 0.01 * index, atol=0.5 / 4000)
        assert depth(index).dtype == np.float32 and depth(index).shape == (12, 16)
    depth.close()
    np.testing.assert_allclose(depth(7), 0.57, atol=0.5 / 4000)
    first = depth(7)
    first[:] = 0
    assert depth(7).max() > 0  # what was given out belongs to the caller


def test_damaged_depth(depth_path: Path) -> None:
    depth = DepthVideo(depth_path, (16, 12), 60)
    with pytest.raises(InputError, match="ends before depth frame 50"):
        depth(50)
    rng = np.random.default_rng(0)
    write_depth(depth_path, [rng.uniform(0.5, 2.0, (48, 64)).astype(np.float32) for _ in range(40)])
    data = depth_path.read_bytes()
    depth_path.write_bytes(data[: len(data) // 2])
    cut = DepthVideo(depth_path, (64, 48), 40)
    assert cut(0).max() > 0
    with pytest.raises(InputError, match="depth frame 39"):
        cut(39)
    depth_path.write_bytes(b"no video")
    with pytest.raises(InputError, match="cannot be decoded"):
        DepthVideo(depth_path, (16, 12), 40)(0)
    with pytest.raises(InputError, match="cannot be opened as a video"):
        video_header(depth_path)


def test_depth_of_8_bits_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "egocentric_depth.mp4", [np.zeros((12, 16, 3), np.uint8)])
    with pytest.raises(InputError, match="not 16-bit depth"):
        DepthVideo(path, (16, 12), 1)(0)


def test_resampling_makes_up_nothing() -> None:
    image = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(resampled(resampled(image, (8, 6)), (4, 3)), image)
    np.testing.assert_array_equal(resampled(image, (2, 1)), [[5, 7]])


def test_masks(tmp_path: Path) -> None:
    path = tmp_path / "22070938_masks.npy"
    stack = np.zeros((3, 6, 8), np.int64)
    stack[1, 0] = [0, 1, 2, 3, 4, 5, 300, -1]
    np.save(path, stack)
    labels = {1: "target", 2: "tool", 3: "hand", 4: "background"}
    masks = MaskFile(path, (8, 6), labels, ("tool", "target"))
    assert len(masks) == 3 and masks(0) is not None and masks(10) is not None
    assert [masks(i) for i in (1, 4, 6, 15, -5)] == [None] * 5
    found = masks(5)
    assert found is not None and found.dtype == np.uint8
    np.testing.assert_array_equal(found[0], [0, 2, 1, 255, 0, 255, 255, 255])
    bool_path = tmp_path / "b_masks.npy"
    np.save(bool_path, stack > 0)
    only = MaskFile(bool_path, (8, 6), {1: "tool"}, ("tool",))(5)
    assert only is not None and set(only[0]) == {0, 1}
    with pytest.raises(InputError, match="does not go with 8x4"):
        MaskFile(path, (8, 4), labels, ("tool",))
    np.save(path, np.zeros((3, 6)))
    with pytest.raises(InputError, match="must be whole numbers"):
        MaskFile(path, (8, 6), labels, ("tool",))


def _head(tmp_path: Path, k: object, size: tuple[int, int]) -> TacoSequence:
    np.savetxt(tmp_path / "egocentric_intrinsic.txt", np.asarray(k))
    np.save(tmp_path / "egocentric_frame_extrinsic.npy", np.tile(np.eye(4), (2, 1, 1)))
    write_video(tmp_path / "color.mp4", [np.zeros((size[1], size[0], 3), np.uint8)] * 2)
    folders = {"head_camera": (tmp_path,), "head_video": (tmp_path,)}
    return TacoSequence("20231105_019", "(a, b, c)", folders=folders)


def test_size_of_the_heads_intrinsics(tmp_path: Path) -> None:
    full = np.array([[1360.0, 0, 962.0], [0, 1361.0, 541.0], [0, 0, 1]])
    view = head_view(_head(tmp_path, full, (192, 108)))
    assert (view.camera.width, view.camera.height) == (192, 108)
    np.testing.assert_allclose(view.camera.K[:2, 2], (np.array([962.0, 541.0]) + 0.5) / 10 - 0.5)
    np.testing.assert_allclose([view.camera.fx, view.camera.fy], [136.0, 136.1])
    assert any("192x108" in note and "1920x1080" in note for note in view.notes)
    small = np.array([[136.0, 0, 95.7], [0, 136.1, 53.6], [0, 0, 1]])
    view = head_view(_head(tmp_path, small, (192, 108)))
    np.testing.assert_array_equal(view.camera.K, small)
    assert view.notes == ()
    (tmp_path / "color.mp4").unlink()
    sequence = TacoSequence("s", "t", folders={"head_camera": (tmp_path,)})
    view = head_view(sequence)
    assert (view.camera.width, view.camera.height) == HEAD_SIZE
    with pytest.raises(InputError, match="fits neither"):
        head_view(_head(tmp_path, np.array([[100.0, 0, 300], [0, 100, 200], [0, 0, 1]]), (192, 108)))


@pytest.mark.parametrize("text", ["", "1 2 3", "a b c d e f g h i", "1 0 0 0 1 0 0 0 1 5", "nan " * 9])
def test_bad_intrinsics(tmp_path: Path, text: str) -> None:
    sequence = _head(tmp_path, np.eye(3), (16, 12))
    (tmp_path / "egocentric_intrinsic.txt").write_text(text)
    with pytest.raises(InputError, match=r"egocentric_intrinsic\.txt"):
        head_view(sequence)


def test_rigid_rows() -> None:
    good = se3(
        so3_exp([[0.1, 0.2, 0.3], [1.0, 0, 0], [0, 2.0, 0], [0, 0, 3.0], [0, 0, 0.5]]), np.ones((5, 3))
    )
    rows = good.copy()
    rows[0] = np.nan
    rows[2, :3, :3] *= 1.1
    rows[3, :3, 0] *= -1
    rows[4, :3, :3] *= 1.0 + 1e-6
    found, valid = rigid_rows(rows)
    np.testing.assert_array_equal(valid, [False, True, False, False, True])
    np.testing.assert_allclose(
        found[:4], np.tile(good[1], (4, 1, 1))
    )  # the first good one, then the last good one
    np.testing.assert_allclose(found[4], good[4], atol=1e-9)
    found, valid = rigid_rows(np.zeros((2, 4, 4)))
    assert not valid.any() and (found == np.eye(4)).all()
    found, valid = rigid_rows(np.zeros((0, 4, 4)))
    assert found.shape == (0, 4, 4) and valid.shape == (0,)
