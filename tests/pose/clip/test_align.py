"""A mesh of wrong size and unknown pose, aligned to rendered clips with exact truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, DepthSequence, HandTrack, MaskSequence, Mesh, PoseTrack
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.optimize.problem import move_poses
from dexman_pose.pose.clip.align import align_mesh
from dexman_pose.pose.clip.smoothing import smooth_track
from dexman_pose.pose.clip.start import best_frames
from dexman_pose.render import Rasterizer

FRAMES = 12
LOST = 7
Array = np.ndarray


class Shot:
    """A clip of the wedge with masks, depth and true poses; in one frame it is out of sight."""

    def __init__(self, scene: Any) -> None:
        t = np.arange(FRAMES)
        turn = so3_exp(np.stack([0.4 + 0.04 * t, 0.5 - 0.03 * t, 0.03 * t], -1))
        self.poses = se3(turn, np.stack([-0.03 + 0.005 * t, 0.01 + 0 * t, 0.34 + 0.003 * t], -1))
        self.masks = MaskSequence(("wedge",), scene.camera.height, scene.camera.width, FRAMES)
        images, self.depths = [], []
        for i, pose in enumerate(self.poses):
            away = se3(np.eye(3), [5.0, 0.0, 1.0])
            image, labels, depth = scene.picture(scene.mesh, away if i == LOST else pose)
            images.append(image)
            self.depths.append(depth)
            self.masks.set(i, labels)
            self.masks.confidence[i] = float(i != LOST)
        self.clip = Clip.from_frames(np.stack(images))
        self.depth = DepthSequence.from_arrays(self.depths)


@pytest.fixture(scope="module")
def shot(scene: Any) -> Shot:
    return Shot(scene)


def angles(poses: Array, true: Array, valid: Array) -> Array:
    """Degrees between rotations in the valid frames."""
    return np.degrees(rotation_angle(poses[valid, :3, :3] @ np.swapaxes(true[valid, :3, :3], 1, 2)))


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_depth_gives_size_and_poses(scene: Any, shot: Shot, factor: float) -> None:
    given = scene.mesh.scaled(factor)
    found = align_mesh(given, shot.clip, shot.masks, scene.camera, depth=shot.depth, start_frame=2)
    assert found.scale_source == "depth"
    assert found.scale * factor == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(found.mesh.vertices, given.vertices * found.scale, atol=1e-9)
    assert found.valid.sum() == FRAMES - 1 and not found.valid[LOST]
    assert angles(found.camera_from_object, shot.poses, found.valid).max() < 2.0
    moved = (found.camera_from_object - shot.poses)[found.valid, :3, 3]
    assert np.linalg.norm(moved, axis=1).max() < 0.005
    assert found.symmetry.shape == (1, 4, 4)


def test_a_mesh_off_its_origin_keeps_its_place(scene: Any, shot: Shot) -> None:
    """Factors are about the mesh's origin; poses must fit them wherever that lies."""
    away = np.array([0.3, -0.2, 0.1])
    moved = scene.mesh.moved(se3(np.eye(3), away)).scaled(0.9)
    start = shot.poses[0] @ se3(np.eye(3), -away)
    start[:3, 3] *= 0.9
    found = align_mesh(
        moved, shot.clip, shot.masks, scene.camera, depth=shot.depth, start=start, start_frame=0
    )
    assert found.scale * 0.9 == pytest.approx(1.0, abs=0.02)
    corners = found.mesh.vertices[::97] @ found.camera_from_object[4, :3, :3].T
    corners += found.camera_from_object[4, :3, 3]
    true = scene.mesh.vertices[::97] @ shot.poses[4, :3, :3].T + shot.poses[4, :3, 3]
    assert np.linalg.norm(corners - true, axis=1).max() < 0.006


def test_without_depth_and_hands_the_size_is_unknown(scene: Any, shot: Shot) -> None:
    found = align_mesh(scene.mesh.scaled(1.4), shot.clip, shot.masks, scene.camera)
    assert found.scale_source == "unknown" and found.scale == pytest.approx(1.0)
    assert angles(found.camera_from_object, shot.poses, found.valid).max() < 2.0
    distance = found.camera_from_object[found.valid, 2, 3] / shot.poses[found.valid, 2, 3]
    assert distance == pytest.approx(1.4, rel=0.03)


def test_depth_in_one_frame_is_enough(scene: Any, shot: Shot) -> None:
    sparse = [d if i == 5 else np.zeros_like(d) for i, d in enumerate(shot.depths)]
    depth = DepthSequence.from_arrays(sparse)
    assert best_frames(shot.masks, "wedge", depth) == [5]
    found = align_mesh(scene.mesh.scaled(0.7), shot.clip, shot.masks, scene.camera, depth=depth)
    assert found.scale_source == "depth"
    assert found.scale * 0.7 == pytest.approx(1.0, abs=0.02)
    assert angles(found.camera_from_object, shot.poses, found.valid).max() < 2.0


def test_depth_away_from_the_start_frame_still_counts(scene: Any, shot: Shot) -> None:
    sparse = [d if i >= 8 else np.zeros_like(d) for i, d in enumerate(shot.depths)]
    start = shot.poses[2].copy()
    start[:3, 3] *= 1.3
    found = align_mesh(
        scene.mesh.scaled(1.3),
        shot.clip,
        shot.masks,
        scene.camera,
        depth=DepthSequence.from_arrays(sparse),
        start=start,
        start_frame=2,
    )
    assert found.scale_source == "depth"
    assert found.scale * 1.3 == pytest.approx(1.0, abs=0.02)


def test_axes_of_unequal_size_are_found(scene: Any, shot: Shot) -> None:
    wrong = np.array([0.8, 1.0, 1.15])
    given = Mesh(scene.mesh.vertices * wrong, scene.mesh.faces, vertex_colors=scene.mesh.vertex_colors)
    found = align_mesh(
        given,
        shot.clip,
        shot.masks,
        scene.camera,
        depth=shot.depth,
        start=shot.poses[2],
        start_frame=2,
        scale="axes",
    )
    extent = np.ptp(found.mesh.vertices, axis=0) / np.ptp(scene.mesh.vertices, axis=0)
    assert np.abs(extent - 1.0).max() < 0.05


def test_hands_give_the_size_without_depth(scene: Any, shot: Shot) -> None:
    joints = np.zeros((FRAMES, 21, 3))
    pixels = np.zeros((FRAMES, 21, 2))
    center = shot.poses[:, :3, :3] @ scene.mesh.center + shot.poses[:, :3, 3]
    joints[:] = center[:, None]
    pixels[:] = scene.camera.project(center)[:, None]
    seen = np.ones(FRAMES, bool)
    hand = HandTrack("right", joints, pixels, seen, ~seen, np.ones(FRAMES), np.ones(21))
    start = shot.poses[0].copy()
    start[:3, 3] *= 1.5
    found = align_mesh(
        scene.mesh.scaled(1.5),
        shot.clip,
        shot.masks,
        scene.camera,
        hands={"right": hand},
        start=start,
        start_frame=0,
    )
    assert found.scale_source == "hand"
    assert found.scale * 1.5 == pytest.approx(1.0, abs=0.03)


def test_smoothing_takes_jitter_away_and_leaves_the_mean(scene: Any, shot: Shot) -> None:
    rng = np.random.default_rng(1)
    valid = np.arange(FRAMES) != LOST
    twists = rng.standard_normal((FRAMES, 6)) * np.repeat([0.002, 0.03], 3)
    noisy = PoseTrack(move_poses(shot.poses, twists, scene.mesh.center), valid, np.ones(FRAMES))
    smooth = smooth_track(scene.mesh, noisy, shot.clip, shot.masks, scene.camera)

    def middles(poses: Array) -> Array:
        return poses[:, :3, :3] @ scene.mesh.center + poses[:, :3, 3]

    def jitter(poses: Array) -> float:
        return float(np.linalg.norm(np.diff(middles(poses)[:LOST], 2, axis=0), axis=1).mean())

    assert jitter(smooth.camera_from_object) < 0.4 * jitter(noisy.camera_from_object)
    off = (middles(smooth.camera_from_object) - middles(shot.poses))[valid]
    assert np.linalg.norm(off.mean(0)) < 0.002
    before, after = (angles(t.camera_from_object, shot.poses, valid).mean() for t in (noisy, smooth))
    assert after < 0.4 * before
    np.testing.assert_array_equal(smooth.valid, valid)
    assert smooth.covariance is not None and smooth.covariance.shape == (FRAMES, 6, 6)


def test_true_poses_stay_where_they_are(scene: Any, shot: Shot) -> None:
    valid = np.arange(FRAMES) != LOST
    true = PoseTrack(shot.poses, valid, np.ones(FRAMES))
    smooth = smooth_track(scene.mesh, true, shot.clip, shot.masks, scene.camera)
    errors = np.array(
        [scene.error(smooth.camera_from_object[i], shot.poses[i]) for i in np.nonzero(valid)[0]]
    )
    assert errors[:, 0].max() < 2.0 and errors[:, 1].max() < 1.0


def test_a_symmetric_object_does_not_jump(scene: Any) -> None:
    """Half turns of a plain box are undone wherever its own frame lies."""
    half = np.array([0.04, 0.025, 0.015])
    corners = half * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    place = se3(so3_exp([0.3, 0.2, -0.4]), [0.1, 0.05, -0.02])
    box = Mesh(corners, np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])).moved(place)
    twist = place @ se3(so3_exp([0.0, 0.0, np.pi]), np.zeros(3)) @ np.linalg.inv(place)
    group = generate_symmetry([twist])
    t = np.arange(8)
    true = se3(so3_exp(np.stack([0.5 + 0 * t, 0.4 + 0.03 * t, 0 * t], -1)), np.tile([0.0, 0.0, 0.4], (8, 1)))
    true = true @ np.linalg.inv(place)
    masks = MaskSequence(("box",), scene.camera.height, scene.camera.width, 8)
    for i, drawn in enumerate(Rasterizer(box).render(true, scene.camera.K, 320, 240).mask):
        masks.set(i, drawn.astype(np.uint8))
    clip = Clip.from_frames(np.zeros((8, 240, 320, 3), np.uint8))
    flipped = true.copy()
    flipped[3::2] = flipped[3::2] @ twist
    track = PoseTrack(flipped, np.ones(8, bool), np.ones(8))
    smooth = smooth_track(box, track, clip, masks, scene.camera, symmetry=group)
    steps = rotation_angle(
        np.swapaxes(smooth.camera_from_object[:-1, :3, :3], 1, 2) @ smooth.camera_from_object[1:, :3, :3]
    )
    assert np.degrees(steps).max() < 5.0
    assert angles(smooth.camera_from_object, true, np.ones(8, bool)).max() < 2.0


def test_what_cannot_be_done_is_told(scene: Any, shot: Shot) -> None:
    with pytest.raises(InputError, match="scale must be one of"):
        align_mesh(scene.mesh, shot.clip, shot.masks, scene.camera, scale="big")
    with pytest.raises(InputError, match="needs start_frame"):
        align_mesh(scene.mesh, shot.clip, shot.masks, scene.camera, start=np.eye(4))
    empty = MaskSequence(("wedge",), scene.camera.height, scene.camera.width, FRAMES)
    with pytest.raises(EstimationError, match="no usable mask"):
        align_mesh(scene.mesh, shot.clip, empty, scene.camera)
