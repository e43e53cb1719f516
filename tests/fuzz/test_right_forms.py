"""One thing in the forms that other libraries hold it in gives one result: pictures, masks, depth, poses, cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

import dexman_pose as dp
from dexman_pose.data.accept import (
    as_camera,
    as_clip,
    as_depth,
    as_depths,
    as_mask,
    as_masks,
    as_picture,
    as_pose,
)
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.pose import estimate_pose, refine_pose, smooth_track, track
from dexman_pose.render import Rasterizer, render

WIDTH, HEIGHT = 96, 72
SIZE = HEIGHT, WIDTH
CAMERA = dp.Camera.from_focal(110.0, WIDTH, HEIGHT)
POSE = se3(so3_exp([0.5, 0.6, 0.1]), [0.01, 0.0, 0.3])


def colored_box() -> dp.Mesh:
    shape = trimesh.creation.box((0.08, 0.05, 0.12)).subdivide().subdivide()
    colors = np.random.default_rng(0).integers(40, 255, (len(shape.vertices), 3))
    return dp.Mesh(shape.vertices, shape.faces, vertex_colors=colors)


MESH = colored_box()
DRAWN = Rasterizer(MESH).render(POSE, CAMERA.K, WIDTH, HEIGHT, attributes=("depth", "color"))
assert DRAWN.color is not None and DRAWN.depth is not None
MASK, DEPTH = DRAWN.mask[0], DRAWN.depth[0]
IMAGE = np.where(MASK[..., None], np.rint(255 * DRAWN.color[0]), 90).astype(np.uint8)


PICTURES: dict[str, Any] = {
    "bytes": IMAGE,
    "lists": IMAGE.tolist(),
    "tuples": tuple(map(tuple, IMAGE.tolist())),
    "floats to 1": IMAGE / 255.0,
    "float32 to 1": (IMAGE / 255.0).astype(np.float32),
    "floats to 255": IMAGE.astype(np.float64),
    "int64": IMAGE.astype(np.int64),
    "16 bits": IMAGE.astype(np.uint16) * 257,
    "8 bits in 16": IMAGE.astype(np.uint16),
    "torch": torch.from_numpy(IMAGE),
    "torch floats, channels first": torch.from_numpy(IMAGE).permute(2, 0, 1) / 255.0,
    "torch with gradient": (torch.from_numpy(IMAGE) / 255.0).requires_grad_(),
    "pil": Image.fromarray(IMAGE),
    "pil with alpha": Image.fromarray(np.dstack([IMAGE, np.full(SIZE, 128, np.uint8)])),
    "alpha": np.dstack([IMAGE, np.full(SIZE, 128, np.uint8)]),
    "reversed memory": np.ascontiguousarray(IMAGE[:, ::-1])[:, ::-1],
    "fortran": np.asfortranarray(IMAGE),
    "read only": np.frombuffer(IMAGE.tobytes(), np.uint8).reshape(IMAGE.shape),
}


@pytest.mark.parametrize("form", PICTURES)
def test_a_picture_is_the_same_in_every_form(form: str) -> None:
    found = as_picture(PICTURES[form], SIZE)
    np.testing.assert_array_equal(found, IMAGE)
    assert found.dtype == np.uint8 and found.flags.c_contiguous


def test_grey_pictures_are_repeated() -> None:
    for grey in (IMAGE[..., 0], IMAGE[..., :1], Image.fromarray(IMAGE[..., 0]), IMAGE[..., 0] / 255.0):
        np.testing.assert_array_equal(as_picture(grey, SIZE), np.repeat(IMAGE[..., :1], 3, 2))


def test_16_bit_grey_files_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, WIDTH * HEIGHT).reshape(SIZE).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    found = as_picture(tmp_path / "ramp.png", SIZE)
    np.testing.assert_array_equal(found[..., 1], np.rint(ramp / 257.0).astype(np.uint8))


MASKS: dict[str, Any] = {
    "flags": MASK,
    "lists": MASK.tolist(),
    "0 and 1": MASK.astype(np.uint8),
    "0 and 255": MASK.astype(np.uint8) * 255,
    "floats": MASK.astype(np.float32),
    "floats to 255": MASK * 255.0,
    "probabilities": np.where(MASK, 0.7, 0.3),
    "torch": torch.from_numpy(MASK),
    "torch probabilities": torch.from_numpy(np.where(MASK, 0.51, 0.49)).requires_grad_(),
    "one channel before": MASK[None],
    "one channel behind": MASK[..., None],
    "three equal channels": np.repeat(MASK[..., None].astype(np.uint8) * 255, 3, 2),
    "pil": Image.fromarray(MASK.astype(np.uint8) * 255),
    "pil of one bit": Image.fromarray(MASK),
}


@pytest.mark.parametrize("form", MASKS)
def test_a_mask_is_the_same_in_every_form(form: str) -> None:
    found = as_mask(MASKS[form], SIZE)
    np.testing.assert_array_equal(found, MASK)
    assert found.dtype == np.bool_


def test_an_empty_and_a_full_mask_stay_so() -> None:
    for value in (0, 1):
        for kind in (bool, np.uint8, np.float32):
            assert as_mask(np.full(SIZE, value, kind), SIZE).all() == bool(value)
    assert as_mask(np.full(SIZE, 255, np.uint8), SIZE).all()


def test_depth_without_a_measurement_is_0_whatever_stands_there() -> None:
    for nothing in (np.nan, np.inf, -1.0, -np.inf, 0.0):
        given = np.where(MASK, DEPTH, nothing)
        np.testing.assert_array_equal(as_depth(given, SIZE), np.where(MASK, DEPTH, 0.0).astype(np.float32))
    np.testing.assert_array_equal(as_depth(torch.from_numpy(DEPTH), SIZE), DEPTH)
    np.testing.assert_array_equal(as_depth(DEPTH.astype(np.float64).tolist(), SIZE), DEPTH)
    assert not as_depth(np.zeros(SIZE), SIZE).any()


def test_a_far_background_as_renderers_write_it_is_no_wrong_unit() -> None:
    given = np.where(MASK, DEPTH, np.float32(1e10))
    np.testing.assert_array_equal(as_depth(given, SIZE), given)


def test_a_pose_is_the_same_in_every_form() -> None:
    for form in (POSE, POSE.tolist(), POSE[:3], POSE[None], torch.from_numpy(POSE), tuple(map(tuple, POSE))):
        np.testing.assert_array_equal(as_pose(form), POSE)


def test_a_camera_is_the_same_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "camera.json").write_text(f'{{"K": {CAMERA.K.tolist()}}}')
    k = CAMERA.K
    forms = [CAMERA, k, k.tolist(), torch.from_numpy(k), (k[0, 0], k[1, 1], k[0, 2], k[1, 2])]
    for form in [*forms, tmp_path / "camera.json", str(tmp_path / "camera.json")]:
        found = as_camera(form, SIZE)
        np.testing.assert_array_equal(found.K, CAMERA.K)
        assert (found.height, found.width) == SIZE


def found_pose(**changed: Any) -> np.ndarray:
    start = se3(so3_exp([0.02, -0.03, 0.02]), [0.002, 0.001, 0.004]) @ POSE
    given = {"mesh": MESH, "camera_from_object": start, "mask": MASK, "camera": CAMERA, "image": IMAGE}
    return refine_pose(**{**given, "depth": DEPTH, **changed}).camera_from_object


@pytest.mark.parametrize(
    "changed",
    [
        {"image": IMAGE / 255.0, "mask": MASK * 255.0},
        {"image": torch.from_numpy(IMAGE), "mask": torch.from_numpy(MASK), "depth": torch.from_numpy(DEPTH)},
        {"image": Image.fromarray(IMAGE), "mask": Image.fromarray(MASK), "camera": CAMERA.K},
        {
            "image": IMAGE.tolist(),
            "mask": MASK.tolist(),
            "depth": DEPTH.tolist(),
            "camera": CAMERA.K.tolist(),
        },
    ],
    ids=["floats", "torch", "pil", "lists"],
)
def test_a_pose_is_refined_alike_from_every_form(changed: dict[str, Any]) -> None:
    expected = found_pose()
    np.testing.assert_array_equal(found_pose(**changed), expected)
    assert np.linalg.norm(expected[:3, 3] - POSE[:3, 3]) < 0.001


def test_floats_from_0_to_1_find_the_side_that_bytes_find() -> None:
    """A picture cut to black leaves the turned box as good as the right one."""
    for image in (IMAGE, IMAGE / 255.0):
        found = estimate_pose(MESH, image, MASK, CAMERA)
        turn = rotation_angle(found.camera_from_object[:3, :3] @ POSE[:3, :3].T)
        assert np.degrees(turn) < 5.0


def test_a_mesh_of_trimesh_and_its_file_are_the_mesh(tmp_path: Path) -> None:
    shape = trimesh.Trimesh(MESH.vertices, MESH.faces, process=False)
    shape.export(tmp_path / "box.ply")
    plain = dp.Mesh(MESH.vertices, MESH.faces)
    expected = found_pose(mesh=plain)
    np.testing.assert_allclose(found_pose(mesh=shape), expected, atol=2e-4)
    np.testing.assert_allclose(found_pose(mesh=str(tmp_path / "box.ply")), expected, atol=2e-4)


def test_a_clip_may_come_as_arrays_and_paths(tmp_path: Path) -> None:
    frames = np.repeat(IMAGE[None], 3, 0)
    depth = np.repeat(DEPTH[None], 3, 0)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{i}.png")
    masks = np.repeat(MASK[None], 3, 0)
    clip = dp.Clip.from_frames(frames)
    expected = track(MESH, clip, as_masks(masks, clip), CAMERA, start=POSE, depth=as_depths(depth, clip))
    assert expected.valid.all()
    for video, given in ((frames / 255.0, masks.astype(np.uint8) * 255), (tmp_path, list(masks))):
        found = track(MESH, video, given, CAMERA.K, start=POSE.tolist(), depth=depth)
        np.testing.assert_array_equal(found.camera_from_object, expected.camera_from_object)
    smooth = smooth_track(MESH, expected, frames, {"cup": masks}, CAMERA)
    assert smooth.valid.all()


def test_frames_of_a_list_are_pictures_of_any_form() -> None:
    clip = as_clip([IMAGE, IMAGE / 255.0, Image.fromarray(IMAGE), torch.from_numpy(IMAGE)])
    for i in range(4):
        np.testing.assert_array_equal(clip.frame(i), IMAGE)


def test_the_renderer_takes_lists_and_a_matrix() -> None:
    expected = render(MESH, POSE, CAMERA)
    for camera in (CAMERA.K, CAMERA.K.tolist(), torch.from_numpy(CAMERA.K)):
        found = render(MESH, POSE.tolist(), camera, SIZE)
        assert torch.equal(found.depth, expected.depth)
    bright = render(MESH, POSE, CAMERA, colors=np.ones((len(MESH.vertices), 3)).tolist())
    assert bright.colour[bright.mask].min() == 1.0
