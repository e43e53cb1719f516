"""The rendered demonstration clip: determinism, truth that fits the picture, files, grasp."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Clip, HandTrack, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, se3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic import DemoTruth, SyntheticClip, compare_with_truth, render_demo
from dexman_pose.synthetic.demo import clip as module
from dexman_pose.synthetic.demo.tin import HEIGHT, build_tin, tin_distance

FRAMES, WIDTH, HEIGHT_PX = 12, 160, 120  # small: the scene is that of the full clip


@pytest.fixture(scope="module")
def clip() -> SyntheticClip:
    return SyntheticClip(FRAMES, WIDTH, HEIGHT_PX)


def test_same_seed_same_frame_other_seed_other_noise(clip: SyntheticClip) -> None:
    again = SyntheticClip(FRAMES, WIDTH, HEIGHT_PX)
    np.testing.assert_array_equal(again.frame(5), clip.frame(5))
    for index, frame in zip(range(3), clip.frames()):
        np.testing.assert_array_equal(frame, again.frame(index))
    other = SyntheticClip(FRAMES, WIDTH, HEIGHT_PX, seed=1)
    assert (other.frame(5) != clip.frame(5)).any()
    np.testing.assert_array_equal(other.truth.joints, clip.truth.joints)


@pytest.mark.parametrize("index", [0, 5, 11])
def test_truth_falls_on_the_drawn_object(clip: SyntheticClip, index: int) -> None:
    picture = clip.picture(index)
    pose = clip.truth.camera_from_object[index]
    seen = Rasterizer(clip.mesh).render(pose, clip.camera.K, WIDTH, HEIGHT_PX)
    iou = (seen.mask[0] & picture.object_pixels).sum() / (seen.mask[0] | picture.object_pixels).sum()
    assert iou > 0.94
    visible = picture.labels == 1
    assert (visible & ~picture.object_pixels).mean() < 0.004
    inner = visible & seen.mask[0]
    assert seen.depth is not None
    np.testing.assert_allclose(np.median(np.abs(picture.depth[inner] - seen.depth[0][inner])), 0.0, atol=2e-3)


def test_the_label_is_what_changes_when_the_object_changes_colour(clip: SyntheticClip) -> None:
    """The object's pixels, found from the picture alone: repaint it and see which pixels change."""
    twin = SyntheticClip(FRAMES, WIDTH, HEIGHT_PX)
    first = twin.picture(5)
    studio = twin._studio()
    assert twin.mesh.texture is not None
    white = replace(twin.mesh, texture=255 - twin.mesh.texture // 2)
    studio._rasterizers[0] = Rasterizer(white)
    changed = np.abs(twin.picture(5).image.astype(int) - first.image).max(-1) > 12
    labelled = first.labels == 1
    assert (changed & labelled).sum() / (changed | labelled).sum() > 0.85


def test_joints_fall_on_hand_pixels_or_behind_the_object(clip: SyntheticClip) -> None:
    for index in (0, 6):
        picture = clip.picture(index)
        pixels = np.round(clip.camera.project(clip.truth.joints[index])).astype(int)
        inside = ((pixels >= 0) & (pixels < [WIDTH, HEIGHT_PX])).all(1)
        labels = picture.labels[pixels[inside, 1], pixels[inside, 0]]
        assert inside.sum() >= 15
        assert (labels != 0).mean() > 0.85


def test_grasp_touches_everywhere_and_penetrates_little() -> None:
    grasp, hand = module._grasp(), module._hand()
    np.testing.assert_allclose(grasp.gaps, -0.0012, atol=3e-4)
    vertices = hand.vertices(hand.pose_from_angles(grasp.angles), grasp.object_from_hand)
    assert tin_distance(vertices).min() > -0.0065  # the ball of the thumb is soft, the rest is at 1.2 mm
    skin = hand.rest_vertices[:, 0] > 0
    assert vertices[skin, 2].min() > -HEIGHT / 2 - 0.002  # not into the table


def test_story(clip: SyntheticClip) -> None:
    truth = SyntheticClip(150, WIDTH, HEIGHT_PX).truth
    world = np.linalg.inv(truth.camera_from_world) @ truth.camera_from_object
    height = world[:, 2, 3]
    assert height[0] == pytest.approx(HEIGHT / 2) and height[-1] == pytest.approx(HEIGHT / 2)
    assert height.max() > HEIGHT / 2 + 0.06
    assert truth.touching[truth.held].all(1).mean() > 0.95
    assert not truth.touching[0].any() and not truth.touching[-1].any()
    np.testing.assert_allclose(truth.camera_from_object[~truth.held][0], truth.camera_from_object[0])
    hand, motion = module._hand(0.004), SyntheticClip(150, WIDTH, HEIGHT_PX)._motion
    for t in range(0, 150, 3):  # on the way in and out the fingers pass the object, they do not cross it
        place = np.linalg.inv(motion.world_from_object[t]) @ motion.world_from_hand[t]
        vertices = hand.vertices(hand.pose_from_angles(motion.angles[t]), place)
        assert tin_distance(vertices).min() > -0.004
    steps = np.linalg.norm(np.diff(truth.joints, axis=0), axis=-1)
    assert steps.max() < 0.03  # under 0.9 m/s: a hand, not a jump


def test_tin_is_a_solid_with_outward_normals() -> None:
    tin = build_tin()
    mesh = trimesh.Trimesh(tin.mesh.vertices, tin.mesh.faces, process=False)
    assert mesh.is_watertight and mesh.volume > 0
    assert np.abs(tin_distance(tin.mesh.vertices)).max() < 3e-3
    assert np.einsum("fi,fi->f", mesh.face_normals, tin.corner_normals.mean(1)).min() > 0.5
    np.testing.assert_allclose(tin_distance(np.array([[0.1, 0, 0], [0, 0, -0.1]])), [0.066, 0.044], atol=1e-9)


def test_no_turn_leaves_the_tin_as_it_is() -> None:
    """The print and the slope of the lid differ from every side, so that the pose is unique."""
    tin = build_tin()
    k = np.array([[300.0, 0, 63.5], [0, 300.0, 63.5], [0, 0, 1]])
    look = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0.4], [0, 0, 0, 1]])
    turns = [look @ se3_exp([0, 0, 0, 0, 0, a]) for a in np.radians([0, 90, 180, 270])]
    images = Rasterizer(tin.mesh).render(np.stack(turns), k, 128, 128, attributes=("color",)).color
    assert images is not None
    for other in (1, 2, 3):
        assert np.abs(images[0] - images[other]).mean() > 0.03


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    render_demo(path, num_frames=4, width=WIDTH, height=HEIGHT_PX)
    return path


def test_files_hold_what_they_say(folder: Path) -> None:
    names = {p.name for p in folder.iterdir()}
    assert names == {
        "video.mp4", "object.obj", "object.mtl", "object.png", "camera.json", "prompts.json", "truth.npz"
    }  # fmt: skip
    video = Clip.open(folder / "video.mp4")
    assert (video.num_frames, video.width, video.height) == (4, WIDTH, HEIGHT_PX)
    camera = json.loads((folder / "camera.json").read_text())
    Camera(np.array(camera["K"]), camera["width"], camera["height"])
    prompts = json.loads((folder / "prompts.json").read_text())
    box = prompts["objects"]["tin"]
    v, u = np.nonzero(SyntheticClip(4, WIDTH, HEIGHT_PX).picture(0).object_pixels)
    assert box[0] <= u.min() and box[1] <= v.min() and box[2] >= u.max() and box[3] >= v.max()
    mesh = trimesh.load(folder / "object.obj", process=False, force="mesh")
    np.testing.assert_allclose(mesh.extents, build_tin().mesh.extents, atol=1e-6)
    assert mesh.visual.material.image.size == (1024, 768)


def test_truth_round_trip(folder: Path, tmp_path: Path) -> None:
    truth = DemoTruth.load(folder)
    np.testing.assert_array_equal(truth.joints, SyntheticClip(4, WIDTH, HEIGHT_PX).truth.joints)
    with pytest.raises(InputError, match="no truth"):
        DemoTruth.load(tmp_path)


def reconstruction(truth: DemoTruth, offset: np.ndarray) -> Trajectory:
    n = truth.num_frames
    ones = np.ones(n)
    valid = np.ones(n, bool)
    valid[-1] = False
    track = PoseTrack(truth.camera_from_object @ offset, valid, ones)
    joints = truth.joints + [0.0, 0.0, 0.01]
    hand = HandTrack("right", joints, joints[..., :2], valid, ~valid, ones, np.zeros(21))
    thing = RigidObject("tin", build_tin().mesh, track)
    camera = Camera.from_focal(200, WIDTH, HEIGHT_PX)
    return Trajectory(camera, truth.frame_times, {"tin": thing}, {"right": hand})


def test_comparison_measures_a_known_offset(clip: SyntheticClip) -> None:
    truth = clip.truth
    exact = compare_with_truth(reconstruction(truth, np.eye(4)), truth)
    assert exact["translation_mm_max"] < 1e-9 and exact["rotation_deg_max"] < 1e-5
    offset = se3_exp([0.003, 0.0, 0.004, 0.0, np.radians(6.0), 0.0])
    offset[:3, 3] = [0.003, 0.0, 0.004]
    found = compare_with_truth(reconstruction(truth, offset), truth)
    assert found["translation_mm_median"] == pytest.approx(5.0)
    assert found["rotation_deg_max"] == pytest.approx(6.0)
    assert found["object_valid_share"] == pytest.approx((FRAMES - 1) / FRAMES)
    assert found["hand_joint_mm_median"] == pytest.approx(10.0)
    assert found["hand_relative_mm_median"] == pytest.approx(0.0, abs=1e-9)
    far = compare_with_truth(reconstruction(truth, se3_exp([0.2, 0, 0, 0, 0, 0])), truth)
    assert far["object_good_share"] == 0.0


def test_comparison_measures_gravity_and_the_table(clip: SyntheticClip) -> None:
    truth = clip.truth
    plain = reconstruction(truth, np.eye(4))
    assert "gravity_deg" not in compare_with_truth(plain, truth)
    up, height = truth.camera_from_world[:3, 2], float(inverse(truth.camera_from_world)[2, 3])
    side = truth.camera_from_world[:3, 0]
    tilted = np.cos(0.05) * up + np.sin(0.05) * side
    place = truth.camera_from_object[0, :3, 3]
    foot = place - (up @ place + height) * up
    for normal, offset, degrees, mm in (
        (up, height, 0.0, 0.0),
        (up, height + 0.004, 0.0, 4.0),
        (tilted, -float(tilted @ foot), np.degrees(0.05), 0.0),
    ):
        table = TablePlane(normal, offset, np.zeros((4, 4)))
        found = compare_with_truth(replace(plain, table=table), truth)
        assert found["gravity_deg"] == pytest.approx(degrees, abs=1e-4)
        assert found["table_mm"] == pytest.approx(mm, abs=1e-6)


def test_comparison_refuses_another_clip(clip: SyntheticClip) -> None:
    short = SyntheticClip(4, WIDTH, HEIGHT_PX).truth
    with pytest.raises(InputError, match="not the same clip"):
        compare_with_truth(reconstruction(short, np.eye(4)), clip.truth)
