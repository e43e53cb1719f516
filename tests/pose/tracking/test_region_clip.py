"""Clips followed by region, forwards and backwards, and the masks that come of tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import (
    BACKGROUND,
    OCCLUDER,
    Clip,
    DepthSequence,
    HandObservations,
    MaskSequence,
    PoseTrack,
)
from dexman_pose.data.doubt import Doubt
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.hand_cover import hands_over
from dexman_pose.pose.tracking.region_clip import masks_of_tracks, track_by_region
from dexman_pose.pose.tracking.region_scene import RegionScene
from dexman_pose.pose.tracking.region_tracker import RegionTracker
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer

FRAMES = 10
GONE = (2, 3)


@dataclass(frozen=True)
class Film:
    """A coloured body that moves, and is gone in two frames; its true poses."""

    clip: Clip
    poses: NDArray[np.float64]


def refiner_of(mesh: Any) -> PoseRefiner:
    return PoseRefiner(Rasterizer(mesh), mesh.center)


@pytest.fixture(scope="module")
def film(scene: Any) -> Film:
    poses = np.stack(
        [
            scene.pose_at((0.5 + 0.03 * t, 0.4 - 0.02 * t, 0.1), (-0.03 + 0.006 * t, 0.0, 0.3))
            for t in range(FRAMES)
        ]
    )
    frames = [
        scene.filmed(scene.clutter() if t in GONE else scene.painted(scene.clutter(), scene.mesh, pose), t)
        for t, pose in enumerate(poses)
    ]
    return Film(Clip.from_frames(np.stack(frames)), poses)


def test_a_clip_is_followed_both_ways_from_a_frame_in_its_middle(scene: Any, film: Film) -> None:
    start = TrackStart(refiner_of(scene.mesh), 6, film.poses[6], given=True)
    track = track_by_region(film.clip, scene.camera, {"body": start})["body"]
    there = np.setdiff1d(np.arange(FRAMES), GONE)
    assert track.valid[there].all() and not track.valid[list(GONE)].any()
    for t in there:
        shift, turn = scene.error(track.camera_from_object[t], film.poses[t])
        assert shift < 5.0 and turn < 3.0
    assert track.doubt is not None and track.mask_iou is not None and track.covariance is not None
    assert all(track.doubt[t] & Doubt.NO_POSE for t in GONE)
    assert track.confidence[there].min() > 0.7 and not track.confidence[list(GONE)].any()
    assert track.mask_iou[there].min() > 0.7
    # A frame without a pose holds that of the nearest valid one.
    np.testing.assert_array_equal(track.camera_from_object[3], track.camera_from_object[4])
    np.testing.assert_array_equal(track.camera_from_object[2], track.camera_from_object[1])


def test_frames_before_the_start_are_looked_at_backwards_alone(
    scene: Any, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    for name in ("start", "step"):
        own = getattr(RegionTracker, name)

        def noting(self: Any, *args: Any, own: Any = own, name: str = name) -> Any:
            looked.append(name)
            return own(self, *args)

        monkeypatch.setattr(RegionTracker, name, noting)
    start = TrackStart(refiner_of(scene.mesh), 8, film.poses[8])
    track_by_region(film.clip, scene.camera, {"body": start})
    # On to the end; then back: again at the start, and every frame before it.
    assert looked == ["start", "step", "start", *["step"] * 8]
    looked.clear()
    clip = Clip.from_frames([film.clip.frame(t) for t in range(4, FRAMES)])
    track_by_region(clip, scene.camera, {"body": TrackStart(refiner_of(scene.mesh), 0, film.poses[4])})
    assert looked == ["start", *["step"] * 5]  # all valid: no way back


def test_objects_are_followed_together_each_from_its_own_frame(scene: Any) -> None:
    """The plain one passes behind the coloured one; on the way back too the nearer hides the other."""
    near = [scene.pose_at((0.1, 0.4, 0.2), (0.075 - 0.007 * t, 0.012, 0.3)) for t in range(8)]
    far = scene.pose_at((0.3, 0.4, 0.1), (0.0, 0.0, 0.4))
    frames = []
    for t, pose in enumerate(near):
        behind = scene.painted(scene.clutter(), scene.plain, far, scene.plain_color)
        frames.append(scene.filmed(scene.painted(behind, scene.mesh, pose), t))
    clip = Clip.from_frames(np.stack(frames))
    starts = {
        "far": TrackStart(refiner_of(scene.plain), 7, far, given=True),
        "near": TrackStart(refiner_of(scene.mesh), 0, near[0], given=True),
    }
    tracks = track_by_region(clip, scene.camera, starts)
    assert list(tracks) == ["far", "near"]
    for t, pose in enumerate(near):
        assert scene.error(tracks["near"].camera_from_object[t], pose)[0] < 5.0
        assert scene.error(tracks["far"].camera_from_object[t], far, scene.plain)[0] < 5.0
    assert tracks["near"].valid.all() and tracks["far"].valid.all()


def test_in_every_frame_the_nearest_is_looked_at_first(
    scene: Any, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = scene.pose_at((0.3, 0.4, 0.1), (0.08, 0.0, 0.5))
    ground = scene.painted(scene.clutter(), scene.plain, far, scene.plain_color)
    frames = [scene.filmed(scene.painted(ground, scene.mesh, film.poses[t]), t) for t in range(3)]
    looked: list[str] = []
    for kind in ("start", "step"):
        own = getattr(RegionScene, kind)

        def noting(self: Any, name: str, *args: Any, own: Any = own) -> Any:
            looked.append(name)
            return own(self, name, *args)

        monkeypatch.setattr(RegionScene, kind, noting)
    starts = {
        "far": TrackStart(refiner_of(scene.plain), 0, far),
        "near": TrackStart(refiner_of(scene.mesh), 0, film.poses[0]),
    }
    track_by_region(Clip.from_frames(np.stack(frames)), scene.camera, starts)
    assert looked == ["near", "far"] * 3


def test_on_the_way_back_objects_hide_where_they_are_known_to_be(
    scene: Any, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is followed forwards alone; the other one's way back knows its pose in every frame, and where it has none."""
    seen: dict[int, Any] = {}
    look = RegionScene._seen
    index = {film.clip.frame(t).tobytes()[:3000]: t for t in range(FRAMES)}

    def noting(self: Any, name: str, frame: Any) -> Any:
        tracker = self.trackers["first"]
        if name == "second":
            there = self.is_running("first") and tracker.is_tracking
            seen[index[frame.image.tobytes()[:3000]]] = tracker.pose.copy() if there else None
        return look(self, name, frame)

    monkeypatch.setattr(RegionScene, "_seen", noting)
    starts = {
        "second": TrackStart(refiner_of(scene.mesh), FRAMES - 1, film.poses[-1], given=True),
        "first": TrackStart(refiner_of(scene.mesh), 0, film.poses[0], given=True),
    }
    track = track_by_region(film.clip, scene.camera, starts)["first"]
    assert set(seen) == set(range(FRAMES))
    for t in set(range(FRAMES - 1)) - {*GONE, GONE[-1] + 1}:
        # Of the frame, or of the one after it where it is looked at after the other.
        known = track.camera_from_object[[t, t + 1]]
        assert seen[t] is not None and any(np.array_equal(seen[t], pose) for pose in known), t


def test_hands_hide_what_they_cover(scene: Any) -> None:
    """A hand in the object's own colour slides over it."""
    true = scene.pose_at((0.5, 0.4, 0.1), (0.0, 0.0, 0.35))
    columns = np.nonzero(scene.mask(scene.plain, true).any(0))[0]
    joints = np.zeros((6, 2, 21, 2))
    frames = []
    for t in range(6):
        wrist = np.array([columns[0] - 20.0 + 9.0 * t, 190.0])
        for joint in range(1, 21):
            finger, along = divmod(joint - 1, 4)
            joints[t, 0, joint] = wrist + np.array([(finger - 2) * 0.35, -1.0]) * (50.0 + 12.0 * along)
        joints[t, 0, 0] = wrist
        image = scene.painted(scene.clutter(), scene.plain, true, scene.plain_color)
        if t:
            covered = hands_over([joints[t, 0]], scene.camera)
            image[covered] = np.array(scene.plain_color) * 0.9
        frames.append(scene.filmed(image, t))
    detected = np.zeros((6, 2), np.bool_)
    detected[1:, 0] = True
    hands = HandObservations(
        joints, np.zeros((6, 2, 21, 3)), detected, np.zeros((6, 2), np.bool_), np.ones((6, 2))
    )
    start = TrackStart(refiner_of(scene.plain), 0, true, given=True)
    off = {}
    for known in (hands, None):
        track = track_by_region(Clip.from_frames(np.stack(frames)), scene.camera, {"o": start}, hands=known)[
            "o"
        ]
        errors = [scene.error(p, true, scene.plain)[0] for p in track.camera_from_object]
        off[known is not None] = max(e if v else np.inf for e, v in zip(errors, track.valid))
    assert off[True] < 3.0 < off[False]


def test_masks_and_depth_have_their_say(scene: Any, film: Film) -> None:
    """A mask of each frame helps a body of the ground's colour; depth in another place takes the word from a pose."""
    start = TrackStart(refiner_of(scene.mesh), 4, film.poses[4], given=True)
    far = np.full((FRAMES, scene.camera.height, scene.camera.width), 0.9, np.float32)
    track = track_by_region(
        film.clip, scene.camera, {"o": start}, depth=DepthSequence.from_arrays(list(far))
    )["o"]
    assert track.doubt is not None and (track.doubt[4:] & Doubt.DEPTH).all() and not track.valid.any()
    grey = np.full((scene.camera.height, scene.camera.width, 3), 90, np.uint8)
    masks = MaskSequence(("o",), scene.camera.height, scene.camera.width, 3)
    poses = [scene.pose_at((0.5, 0.4, 0.1), (0.004 * t, 0.0, 0.35)) for t in range(3)]
    for t, pose in enumerate(poses):
        masks.set(t, scene.mask(scene.plain, pose).astype(np.uint8))
    clip = Clip.from_frames(np.stack([grey] * 3))
    start = TrackStart(refiner_of(scene.plain), 0, poses[0], given=True)
    shifts = {}
    for told in (masks, None):
        track = track_by_region(clip, scene.camera, {"o": start}, masks=told)["o"]
        shifts[told is not None] = track.camera_from_object[2, 0, 3]
    assert shifts[True] == pytest.approx(0.008, abs=0.002)
    assert abs(shifts[False]) < 0.004


def still(pose: Any, valid: list[bool]) -> PoseTrack:
    count = len(valid)
    return PoseTrack(np.repeat(pose[None], count, 0), np.array(valid), np.linspace(0.5, 0.9, count))


def test_masks_of_tracks_are_outlines_the_nearest_in_front(scene: Any) -> None:
    far, near = (
        scene.pose_at((0.3, 0.4, 0.1), (0.0, 0.0, 0.4)),
        scene.pose_at((0.1, 0.4, 0.2), (0.03, 0.01, 0.3)),
    )
    objects = {
        name: TrackedObject(refiner_of(mesh), scene.camera, label)
        for label, (name, mesh) in enumerate((("near", scene.mesh), ("far", scene.plain)), 1)
    }
    tracks = {"near": still(near, [True, False, True, True]), "far": still(far, [True, True, False, True])}
    cover = np.zeros((scene.camera.height, scene.camera.width), np.bool_)
    cover[:, 150:170] = True
    masks = masks_of_tracks(tracks, objects, [None, None, None, cover])
    assert masks.names == ("near", "far") and masks.num_frames == 4
    front, behind = scene.mask(scene.mesh, near), scene.mask(scene.plain, far)
    assert (front & behind).any()
    expected = np.zeros(front.shape, np.uint8)
    expected[behind] = 2
    np.testing.assert_array_equal(masks.labels(1), expected)
    expected[front] = 1
    np.testing.assert_array_equal(masks.labels(0), expected)
    np.testing.assert_array_equal(masks.labels(2), np.where(front, 1, BACKGROUND))
    np.testing.assert_array_equal(masks.labels(3), np.where(cover, OCCLUDER, expected))
    np.testing.assert_allclose(masks.confidence[:, 0], np.linspace(0.5, 0.9, 4) * [1, 0, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(masks.confidence[:, 1], np.linspace(0.5, 0.9, 4) * [1, 1, 0, 1], rtol=1e-6)


def test_a_track_that_leaves_the_picture_has_no_mask_there(scene: Any) -> None:
    objects = {"o": TrackedObject(refiner_of(scene.mesh), scene.camera, 1)}
    for place in ((3.0, 0.0, 0.4), (0.0, 0.0, -0.4)):
        masks = masks_of_tracks({"o": still(scene.pose_at((0, 0, 0), place), [True])}, objects, [None])
        assert not masks.labels(0).any()
