"""A known object followed from a pose alone, through the public door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip
from dexman_pose.data.doubt import Doubt
from dexman_pose.errors import InputError
from dexman_pose.imaging.undistort import undistortion_of
from dexman_pose.pose import track
from dexman_pose.pose.without_masks import outline_box
from dexman_pose.render import Rasterizer

FRAMES = 7


@dataclass(frozen=True)
class Film:
    """The plain body through a few frames, with its true poses and depth."""

    clip: Clip
    poses: NDArray[np.float64]
    depth: NDArray[np.float32]


@pytest.fixture(scope="module")
def film(scene: Any) -> Film:
    poses = np.stack(
        [scene.pose_at((0.5, 0.4 - 0.02 * t, 0.1), (-0.02 + 0.005 * t, 0.0, 0.35)) for t in range(FRAMES)]
    )
    frames = [
        scene.filmed(scene.painted(scene.clutter(), scene.plain, pose, scene.plain_color), t)
        for t, pose in enumerate(poses)
    ]
    drawn = Rasterizer(scene.plain).render(poses, scene.camera.K, 320, 240)
    assert drawn.depth is not None
    depth = np.where(drawn.mask, drawn.depth, np.float32(0.6)).astype(np.float32)
    return Film(Clip.from_frames(np.stack(frames)), poses, depth)


def errors(scene: Any, found: Any, film: Film) -> NDArray[np.float64]:
    """(T, 2) millimetres and degrees."""
    return np.array(
        [scene.error(p, true, scene.plain) for p, true in zip(found.camera_from_object, film.poses)]
    )


def test_from_the_first_frame_on(scene: Any, film: Film) -> None:
    found = track(scene.plain, film.clip, None, scene.camera, start=film.poses[0])
    assert found.valid.all() and len(found) == FRAMES
    assert (errors(scene, found, film) < [4.0, 2.0]).all()
    assert found.mesh_scale == 1.0 and found.covariance is not None


@pytest.mark.parametrize("start_frame", [3, FRAMES - 1])
def test_from_another_frame_both_ways(scene: Any, film: Film, start_frame: int) -> None:
    start = scene.beside(scene.plain, film.poses[start_frame], 0.005, 3.0)
    found = track(scene.plain, film.clip, None, scene.camera, start=start, start_frame=start_frame)
    assert found.valid.all()
    assert (errors(scene, found, film) < [4.0, 2.0]).all()


def test_frames_before_the_object_comes_have_no_valid_pose(scene: Any, film: Film) -> None:
    frames = [film.clip.frame(t) if t > 1 else scene.filmed(scene.clutter(), t) for t in range(FRAMES)]
    clip = Clip.from_frames(np.stack(frames))
    found = track(scene.plain, clip, None, scene.camera, start=film.poses[4], start_frame=4)
    assert found.valid.tolist() == [False] * 2 + [True] * (FRAMES - 2)
    assert (errors(scene, found, film)[2:] < [4.0, 2.0]).all()


def test_depth_judges_the_poses_and_is_no_evidence_for_them(scene: Any, film: Film) -> None:
    plain = track(scene.plain, film.clip, None, scene.camera, start=film.poses[0])
    right = track(scene.plain, film.clip, None, scene.camera, start=film.poses[0], depth=film.depth)
    wrong = track(scene.plain, film.clip, None, scene.camera, start=film.poses[0], depth=film.depth + 0.1)
    np.testing.assert_array_equal(right.camera_from_object, plain.camera_from_object)
    assert right.valid.all() and right.doubt is not None and not right.doubt.any()
    assert wrong.doubt is not None and not wrong.valid.any() and (wrong.doubt & Doubt.DEPTH).all()
    assert not wrong.confidence.any()


def test_a_start_where_the_object_is_not_makes_no_valid_pose(scene: Any, film: Film) -> None:
    far = film.poses[0].copy()
    far[0, 3] += 0.1
    found = track(scene.plain, film.clip, None, scene.camera, start=far)
    assert not found.valid.any() and not found.confidence.any()


def test_through_a_lens_poses_are_of_the_undistorted_camera(scene: Any, film: Film) -> None:
    lens = Camera(scene.camera.K, 320, 240, distortion=np.array([0.25, -0.1, 0.0, 0.0, 0.0]))
    undistortion = undistortion_of(lens)
    assert undistortion is not None
    grid = np.stack(np.meshgrid(np.arange(320.0), np.arange(240.0)), -1)
    there = undistortion.pixels(grid).astype(np.float32)
    true = scene.pose_at((0.5, 0.4, 0.1), (-0.06, 0.03, 0.35))
    drawn = Rasterizer(scene.plain).render(true[None], undistortion.camera.K, 320, 240).mask[0]
    image = np.where(drawn[..., None], np.uint8(scene.plain_color), scene.clutter())
    given = cv2.remap(image, there[..., 0], there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    found = track(scene.plain, np.stack([given] * 2), None, lens, start=true)
    assert found.valid.all()
    assert max(scene.error(found.camera_from_object[1], true, scene.plain)) < 3.0
    bent = track(scene.plain, np.stack([given] * 2), None, scene.camera, start=true)  # the lens is not told
    assert max(scene.error(bent.camera_from_object[1], true, scene.plain)) > 3.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": None}, r"give start=\(4, 4\), or masks"),
        ({"start": np.diag([1.0, -1.0, -1.0, 1.0])}, "start puts the object behind the camera"),
        ({"start": np.ones((4, 4))}, "start"),
        ({"start_frame": FRAMES}, f"start_frame {FRAMES} is not in the clip of {FRAMES} frames"),
        ({"start_frame": -1}, "start_frame -1 is not in the clip"),
        ({"start_frame": 0.5}, "start_frame must be the number of a frame"),
        ({"device": "cuda"}, "cuda"),
        ({"scale": "unknown"}, "needs a mesh of known size"),
        ({"scale": "axes"}, "takes scale 'known' or 'unknown'"),
        ({"depth": np.ones((2, 240, 320))}, "depth"),
        ({"depth": np.full((FRAMES, 240, 320), 900.0)}, "depth"),
        ({"symmetry": np.eye(4)}, "symmetry"),
        ({"camera": Camera.from_focal(420.0, 640, 480)}, "640x480"),
        ({"mesh": "nowhere.obj"}, "nowhere.obj"),
        ({"clip": "nowhere.mp4"}, "nowhere.mp4"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    scene: Any, film: Film, changed: dict[str, Any], message: str
) -> None:
    options: dict[str, Any] = {
        "mesh": scene.plain,
        "clip": film.clip,
        "camera": scene.camera,
        "start": film.poses[0],
        **changed,
    }
    mesh, clip, camera = (options.pop(name) for name in ("mesh", "clip", "camera"))
    with pytest.raises(InputError, match=message) as refused:
        track(mesh, clip, None, camera, **options)
    assert "\n" not in str(refused.value)


def test_a_mesh_that_is_not_in_metres_is_told(scene: Any, film: Film) -> None:
    with pytest.raises(InputError, match=r"mesh.scaled\(0.001\)"):
        track(scene.plain.scaled(1000.0), film.clip, None, scene.camera, start=film.poses[0])


def test_the_box_of_an_object_is_that_of_its_outline_inside_the_picture(scene: Any) -> None:
    for place in ((0.0, 0.0, 0.35), (0.12, -0.09, 0.35)):
        pose = scene.pose_at((0.5, 0.4, 0.1), place)
        box = outline_box(scene.plain, pose, scene.camera)
        drawn = scene.mask(scene.plain, pose)
        assert not (drawn & ~box).any()
        for axis in (0, 1):
            inside, around = np.nonzero(drawn.any(axis))[0], np.nonzero(box.any(axis))[0]
            assert inside[0] - 2 <= around[0] <= inside[0] and inside[-1] <= around[-1] <= inside[-1] + 2
        rows, columns = box.any(1).sum(), box.any(0).sum()
        assert box.sum() == rows * columns
