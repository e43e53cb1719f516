from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip
from dexman_pose.data.doubt import DOUBT_TEXT, Doubt
from dexman_pose.errors import InputError, MissingNameError
from dexman_pose.hands.live import LiveHand, LiveHands
from dexman_pose.imaging.undistort import undistortion_of
from dexman_pose.pose import LiveTracker, track
from dexman_pose.pose.tracking.hand_cover import hands_over
from dexman_pose.pose.tracking.live_verdict import LiveOptions
from dexman_pose.pose.tracking.region_scene import RegionScene

Image = NDArray[np.uint8]
Pose = NDArray[np.float64]


@pytest.fixture(scope="module")
def way(scene: Any) -> list[Pose]:
    return [scene.pose_at((0.5 + 0.02 * i, 0.4, 0.1), (0.002 * i, 0.0, 0.35)) for i in range(6)]


@pytest.fixture(scope="module")
def pictures(scene: Any, way: list[Pose]) -> list[Image]:
    return [scene.picture(scene.mesh, pose)[0] for pose in way]


@pytest.fixture(scope="module")
def ground() -> Image:
    grey = 90.0 + 12.0 * np.random.default_rng(5).standard_normal((240, 320, 1)) * np.ones(3)
    return grey.clip(0, 255).astype(np.uint8)


def test_it_follows_as_the_tracks_of_clips_do(scene: Any, way: list[Pose], pictures: list[Image]) -> None:
    tracker = LiveTracker(scene.mesh, scene.camera, start=way[0])
    found = [tracker.update(p)["object"] for p in pictures]
    assert all(f.valid and f.doubts == () and f.lost_for == 0 and 0.5 < f.confidence <= 1.0 for f in found)
    for pose, true in zip(found, way):
        shift, turn = scene.error(pose.camera_from_object, true)
        assert shift < 2.5 and turn < 2.5
    whole = track(scene.mesh, Clip.from_frames(pictures), None, scene.camera, start=way[0])
    assert np.allclose([f.camera_from_object for f in found], whole.camera_from_object, atol=1e-9)


def test_a_box_is_searched_in_the_first_picture(scene: Any, way: list[Pose], pictures: list[Image]) -> None:
    y, x = np.nonzero(scene.picture(scene.mesh, way[0])[1])
    box = [x.min() - 3, y.min() - 3, x.max() + 3, y.max() + 3]
    tracker = LiveTracker({"block": scene.mesh}, scene.camera, box={"block": box})
    found = [tracker.update(p)["block"] for p in pictures[:2]]
    assert [f.valid for f in found] == [True, True]
    shift, turn = scene.error(found[1].camera_from_object, way[1])
    assert shift < 2.0 and turn < 2.0


def test_without_start_and_box_it_says_what_to_give(
    scene: Any, way: list[Pose], pictures: list[Image]
) -> None:
    tracker = LiveTracker({"a": scene.mesh, "b": scene.mesh}, scene.camera, start={"a": way[0]})
    with pytest.raises(InputError, match=r"where is b\? give start=\(4, 4\), a pose, or box="):
        tracker.update(pictures[0])
    tracker.restart("b", scene.pose_at((0.5, 0.4, 0.1), (0.0, 0.0, 0.36)))
    found = tracker.update(pictures[0])
    assert set(found) == {"a", "b"} and found["a"].valid
    with pytest.raises(MissingNameError, match="no object named 'c'"):
        _ = found["c"]


def test_what_is_lost_is_not_valid_and_begins_again_where_it_is_told(
    scene: Any, way: list[Pose], pictures: list[Image], ground: Image
) -> None:
    tracker = LiveTracker(scene.mesh, scene.camera, start=way[0])
    assert tracker.update(pictures[0])["object"].valid
    lost = [tracker.update(ground)["object"] for _ in range(2)]
    assert [f.valid for f in lost] == [False, False]
    assert [f.lost_for for f in lost] == [1, 2]
    assert all(f.confidence == 0.0 and f.doubts == (DOUBT_TEXT[Doubt.NO_POSE],) for f in lost)
    away = scene.pose_at((0.2, 0.1, 1.0), (-0.08, 0.03, 0.4))
    tracker.restart("object", away)
    again = tracker.update(scene.picture(scene.mesh, away)[0])["object"]
    shift, turn = scene.error(again.camera_from_object, away)
    assert again.valid and again.lost_for == 0 and shift < 2.5 and turn < 2.5


def test_a_start_that_the_picture_does_not_show_is_in_doubt(
    scene: Any, way: list[Pose], pictures: list[Image]
) -> None:
    off = way[0].copy()
    off[2, 3] += 0.06
    found = LiveTracker(scene.mesh, scene.camera, start=off).update(pictures[0])["object"]
    assert not found.valid and DOUBT_TEXT[Doubt.START] in found.doubts


def test_hands_are_not_waited_for_and_the_last_ones_hide_what_they_cover(
    scene: Any, way: list[Pose], pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    go, seen, hidden = threading.Event(), list[Image](), list[Any]()
    joints = np.random.default_rng(1).uniform(100, 160, (21, 2))
    step = RegionScene.step

    def find(index: int, image: Image) -> dict[str, LiveHand]:
        seen.append(image)
        assert go.wait(5.0)
        return {"left": LiveHand("left", joints, np.zeros((21, 3)), 0.9, index)}

    def noting(self: RegionScene, name: str, frame: Any) -> Any:
        hidden.append(frame.hidden)
        return step(self, name, frame)

    monkeypatch.setattr(RegionScene, "step", noting)
    hands = LiveHands(find)
    with LiveTracker(scene.mesh, scene.camera, start=way[0], hands=hands) as tracker:
        for picture in pictures[:3]:
            tracker.update(picture)
        assert hidden == [None, None] and tracker.hands == {} and tracker.hands_behind is None
        go.set()
        assert hands.wait(5.0)
        assert tracker.hands["left"].frame == 2  # picture 1 gave way to it
        assert tracker.hands_behind == 0
        tracker.update(pictures[3])
        assert (hidden[-1] == hands_over([joints], scene.camera)).all()
        assert hidden[-1].any() and not hidden[-1].all()
    assert (seen[0] == pictures[0]).all() and seen[0] is not pictures[0]
    assert not any(t.name == "dexman-live-hands" for t in threading.enumerate())


@pytest.mark.parametrize("most", [1, 2, None])
def test_an_update_waits_for_hands_that_would_fall_further_behind(
    scene: Any, way: list[Pose], pictures: list[Image], monkeypatch: pytest.MonkeyPatch, most: int | None
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(LiveHands, "catch_up", lambda self, index, far: asked.append((index, far)))
    options = LiveOptions(hands_behind=most)
    hands = LiveHands(lambda index, image: {})
    with LiveTracker(scene.mesh, scene.camera, start=way[0], hands=hands, options=options) as tracker:
        for picture in pictures[:3]:
            tracker.update(picture)
    assert asked == ([] if most is None else [(index, most) for index in range(3)])


def test_pictures_of_a_lens_are_undistorted_and_poses_are_of_the_undistorted_camera(
    scene: Any, way: list[Pose]
) -> None:
    lens = Camera(scene.camera.K, 320, 240, distortion=np.array([0.25, -0.1, 0.0, 0.0, 0.0]))
    undistortion = undistortion_of(lens)
    assert undistortion is not None
    grid = np.stack(np.meshgrid(np.arange(320.0), np.arange(240.0)), -1)
    there = undistortion.pixels(grid).astype(np.float32)
    pose = scene.pose_at((0.5, 0.4, 0.1), (-0.07, 0.04, 0.35))  # where the lens bends
    tracker = LiveTracker(scene.mesh, lens, start=pose)
    assert tracker.camera.is_pinhole and np.allclose(tracker.camera.K, undistortion.camera.K)
    drawn = _drawn(scene, undistortion.camera, pose)
    given = cv2.remap(drawn, there[..., 0], there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(given.astype(int) - drawn).max() > 50
    found = [tracker.update(np.asarray(given, np.uint8))["object"] for _ in range(2)][1]
    shift, turn = scene.error(found.camera_from_object, pose)
    assert found.valid and shift < 2.0 and turn < 1.5


def _drawn(scene: Any, camera: Camera, pose: Pose) -> Image:
    from dexman_pose.render import Rasterizer

    drawn = Rasterizer(scene.mesh).render(pose[None], camera.K, 320, 240, attributes=("depth", "color"))
    out = np.full((240, 320, 3), 90.0)
    assert drawn.color is not None
    out[drawn.mask[0]] = 255.0 * drawn.color[0][drawn.mask[0]]
    return out.astype(np.uint8)


def test_intrinsics_without_a_size_take_that_of_the_first_picture(
    scene: Any, way: list[Pose], pictures: list[Image]
) -> None:
    k = scene.camera.K
    tracker = LiveTracker(scene.mesh, (k[0, 0], k[1, 1], k[0, 2], k[1, 2]), start=way[0])
    with pytest.raises(InputError, match="not known before the first update"):
        _ = tracker.camera
    assert tracker.update(pictures[0])["object"].valid
    assert (tracker.camera.width, tracker.camera.height) == (320, 240)
    with pytest.raises(InputError, match="image must have shape"):
        tracker.update(pictures[0][:, :200])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": np.eye(4)}, "behind the camera"),
        ({"start": np.ones((4, 4))}, "the start of object"),
        ({"start": {"cup": np.eye(4)}}, "start names 'cup', but the meshes are: object"),
        ({"box": [1, 2, 3]}, "box"),
        ({"box": [400, 10, 500, 90]}, "outside the 320x240 image"),
        ({"box": [1, 2, 30, 40], "start": "way"}, "but got both"),
        ({"hands": "yes"}, "hands"),
        ({"options": 3}, "options"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    scene: Any, way: list[Pose], options: dict[str, Any], message: str
) -> None:
    if isinstance(options.get("start"), str):
        options = {**options, "start": way[0]}
    with pytest.raises(InputError, match=message) as refused:
        LiveTracker(scene.mesh, scene.camera, **options)
    assert "\n" not in str(refused.value)


def test_restarts_are_checked(scene: Any, way: list[Pose]) -> None:
    tracker = LiveTracker(scene.mesh, scene.camera)
    for given, message in (
        (("cup", way[0]), "no object is named 'cup'; there are: object"),
        (("object",), "but got neither"),
        (("object", np.eye(4)), "behind the camera"),
    ):
        with pytest.raises(InputError, match=message):
            tracker.restart(*given)
    with pytest.raises(InputError, match="passed"):
        tracker.update(np.zeros((240, 320, 3), np.uint8), passed=0)


def test_who_is_behind_another_knows_from_the_first_picture_on_what_hides_it(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest is looked at first, whatever the order of the meshes; results keep that order."""
    far, near = (
        scene.pose_at((0.3, 0.4, 0.1), (0.0, 0.0, 0.4)),
        scene.pose_at((0.1, 0.4, 0.2), (0.04, 0.01, 0.3)),
    )
    behind = scene.painted(scene.clutter(), scene.mesh, far)
    image = scene.filmed(scene.painted(behind, scene.plain, near, scene.plain_color))
    looked: list[tuple[str, bool]] = []
    seen = RegionScene._seen

    def noting(self: RegionScene, name: str, frame: Any) -> Any:
        out = seen(self, name, frame)
        looked.append((name, out.hidden is not None))
        return out

    monkeypatch.setattr(RegionScene, "_seen", noting)
    tracker = LiveTracker(
        {"far": scene.mesh, "near": scene.plain}, scene.camera, start={"far": far, "near": near}
    )
    for _ in range(2):
        found = tracker.update(image)
        assert list(found) == ["far", "near"] and all(pose.valid for pose in found.values())
    assert looked == [("near", False), ("far", True)] * 2
    assert scene.error(found["near"].camera_from_object, near, scene.plain)[0] < 2.0
