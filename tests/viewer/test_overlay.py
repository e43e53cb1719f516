"""What is drawn over pictures and videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip, MaskSequence, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.geometry import transform_points
from dexman_pose.imaging.undistort import pinhole_of
from dexman_pose.imaging.undistorted_inputs import undistorted_clip
from dexman_pose.viewer import OverlayRenderer, overlay_frame, write_overlay
from dexman_pose.viewer.palette import HAND_COLORS, OBJECT_COLORS, RGB


def near(image: NDArray[np.uint8], color: RGB, tolerance: int = 40) -> NDArray[np.bool_]:
    """(H, W) pixels of about that colour."""
    close: NDArray[np.bool_] = np.abs(image.astype(int) - color).max(-1) <= tolerance
    return close


def bare(trajectory: Trajectory) -> Trajectory:
    """Without hands and contacts, so that only objects draw."""
    return replace(trajectory, hands={}, contacts=None)


def cube_hull(trajectory: Trajectory, index: int, camera: Camera) -> NDArray[np.float32]:
    obj = trajectory.objects["cube"]
    pixels = camera.project(transform_points(obj.camera_from_object[index], obj.mesh.vertices))
    hull: NDArray[np.float32] = cv2.convexHull(pixels.astype(np.float32))
    return hull


def test_outline_pixels_lie_on_the_projected_mesh(trajectory: Trajectory, clip: Clip) -> None:
    drawn = overlay_frame(bare(trajectory), clip.frame(5), 5)
    below_panel = near(drawn, OBJECT_COLORS[0], 25)
    below_panel[:70] = False
    hull = cube_hull(trajectory, 5, trajectory.camera)
    found = np.argwhere(below_panel)[:, ::-1]
    away = [abs(cv2.pointPolygonTest(hull, (float(x), float(y)), True)) for x, y in found]
    assert len(found) > 150 and max(away) < 2.2  # half the stroke and a pixel
    around = np.concatenate([np.linspace(a, b, 40) for a, b in zip(hull[:, 0], np.roll(hull[:, 0], -1, 0))])
    gaps = np.linalg.norm(around[:, None] - found, axis=-1).min(1)
    assert gaps[around[:, 1] > 72].max() < 2.5


def test_the_lens_bends_the_outline(trajectory: Trajectory, clip: Clip) -> None:
    lens = replace(trajectory.camera, distortion=np.array([-0.6, 0.2, 0.0, 0.0]))
    straight = near(overlay_frame(bare(trajectory), clip.frame(0), 0), OBJECT_COLORS[0], 25)
    bent = near(overlay_frame(replace(bare(trajectory), camera=lens), clip.frame(0), 0), OBJECT_COLORS[0], 25)
    left = [np.argwhere(m[70:])[:, 1].min() for m in (straight, bent)]
    obj = trajectory.objects["cube"]
    points = transform_points(obj.camera_from_object[0], obj.mesh.vertices)
    truth = [
        cv2.projectPoints(points, np.zeros(3), np.zeros(3), lens.K, d)[0][:, 0, 0].min()
        for d in (None, lens.distortion)
    ]
    assert truth[1] - truth[0] > 2.5
    assert left[1] - left[0] == pytest.approx(truth[1] - truth[0], abs=1.2)


def test_an_invalid_pose_is_dashed_and_dimmed_without_axes(trajectory: Trajectory, clip: Clip) -> None:
    drawn = overlay_frame(bare(trajectory), clip.frame(11), 11)[70:]
    assert not near(drawn, OBJECT_COLORS[0], 15).any()
    hull = cube_hull(trajectory, 11, trajectory.camera)[:, 0]
    along = np.concatenate([np.linspace(a, b, 100) for a, b in zip(hull, np.roll(hull, -1, 0))]).astype(int)
    untouched = clip.frame(11)[70:]
    on_line = along[along[:, 1] > 74] - [0, 70]
    changed = (drawn != untouched).any(-1)[on_line[:, 1], on_line[:, 0]]
    assert 0.4 < changed.mean() < 0.95


def test_hands_are_drawn_where_valid_and_hollow_where_bridged(trajectory: Trajectory, clip: Clip) -> None:
    hands = replace(trajectory, objects={}, contacts=None)
    at = np.rint(trajectory.camera.project(trajectory.hands["left"].joints[:, 0])).astype(int)

    def wrist(index: int) -> NDArray[np.uint8]:
        u, v = at[index]
        return overlay_frame(hands, clip.frame(index), index)[v - 3 : v + 4, u - 3 : u + 4]

    last = trajectory.num_frames - 1
    assert near(wrist(8), HAND_COLORS["left"])[3, 3]
    assert wrist(3)[3, 3].max() < 60  # dark inside the ring
    u, v = at[last]
    patch = np.s_[v - 3 : v + 4, u - 3 : u + 4]
    np.testing.assert_array_equal(
        overlay_frame(hands, clip.frame(last), last)[patch], clip.frame(last)[patch]
    )


def test_a_touching_joint_carries_the_colour_of_the_object(trajectory: Trajectory, clip: Clip) -> None:
    contacts = trajectory.contacts
    assert contacts is not None
    row = contacts.pairs.index(("right", "cube"))
    joint = int(np.flatnonzero(contacts.touching[row, 20])[-1])
    u, v = np.rint(trajectory.camera.project(trajectory.hands["right"].joints[20, joint])).astype(int)
    assert near(overlay_frame(trajectory, clip.frame(20), 20), OBJECT_COLORS[0], 20)[v, u]
    apart = replace(trajectory, contacts=None)
    assert near(overlay_frame(apart, clip.frame(20), 20), HAND_COLORS["right"])[v, u]


def test_masks_tint_their_pixels(trajectory: Trajectory, clip: Clip, masks: MaskSequence) -> None:
    empty = replace(trajectory, objects={}, hands={}, contacts=None)
    plain, drawn = (
        clip.frame(0).astype(float),
        overlay_frame(empty, clip.frame(0), 0, masks=masks).astype(float),
    )
    change = drawn - plain
    expected = 0.28 * (np.array(OBJECT_COLORS[0]) - plain[100:140, 60:120])
    np.testing.assert_allclose(change[100:140, 60:120], expected, atol=1.0)
    assert not change[150:].any()


def test_wide_pictures_are_made_smaller(trajectory: Trajectory, clip: Clip) -> None:
    renderer = OverlayRenderer(bare(trajectory), max_width=160)
    drawn = renderer.draw(clip.frame(5), 5)
    assert drawn.shape[1] == 160 and renderer.size == (160, 120)
    found = near(drawn, OBJECT_COLORS[0], 25)
    found[:60] = False
    hull = cube_hull(trajectory, 5, renderer._camera)
    away = [abs(cv2.pointPolygonTest(hull, (float(x), float(y)), True)) for y, x in np.argwhere(found)]
    assert len(away) > 30 and max(away) < 2.2


def test_the_picture_given_is_not_changed(trajectory: Trajectory, clip: Clip) -> None:
    image = clip.frame(0).copy()
    overlay_frame(trajectory, image, 0)
    np.testing.assert_array_equal(image, clip.frame(0))


def test_bad_input(trajectory: Trajectory, clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="321x241"):
        overlay_frame(trajectory, np.zeros((10, 10, 3), np.uint8), 0)
    with pytest.raises(InputError, match="frames 0 to 23"):
        overlay_frame(trajectory, clip.frame(0), 24)
    short = Clip.from_frames([clip.frame(i) for i in range(5)], 25.0)
    with pytest.raises(InputError, match="5 frames"):
        write_overlay(trajectory, short, tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


def test_write_overlay_keeps_every_frame(
    trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path: Path
) -> None:
    path = write_overlay(trajectory, clip, tmp_path / "sub" / "o.mp4", masks=masks)
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == trajectory.num_frames
    assert frames[0].shape == (242, 322, 3)
    drawn = overlay_frame(trajectory, clip.frame(20), 20, masks=masks)
    assert np.abs(frames[20][:241, :321].astype(float) - drawn).mean() < 6.0


def test_a_filmed_clip_is_undistorted_before_it_is_drawn_on(
    trajectory: Trajectory, clip: Clip, tmp_path: Path
) -> None:
    """The same video as from the undistorted clip; a clip that is undistorted already is not undistorted again."""
    filmed = replace(trajectory.camera, distortion=np.array([-0.3, 0.1, 0.0, 0.0]))
    straight = undistorted_clip(clip, filmed)
    assert straight is not clip
    result = replace(trajectory, camera=pinhole_of(filmed), filmed_camera=filmed)
    shown = []
    for name, drawn, given in (
        ("filmed", result, clip),
        ("straight", result, straight),
        ("bent", replace(result, filmed_camera=None), clip),
    ):
        write_overlay(drawn, given, tmp_path / f"{name}.mp4")
        shown.append(Clip.open(tmp_path / f"{name}.mp4").frame(3).astype(int))
    np.testing.assert_array_equal(shown[0], shown[1])
    assert np.abs(shown[0] - shown[2]).mean() > 1
