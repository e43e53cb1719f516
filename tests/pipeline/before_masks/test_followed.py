"""What a run follows before there are masks, what it keeps of it, and what it tells people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import OCCLUDER, HandObservations, MaskSequence, PoseTrack
from dexman_pose.pipeline.before_masks import followed as room
from dexman_pose.pipeline.before_masks.followed import FollowedObjects
from dexman_pose.pipeline.inputs import Inputs
from tests.pipeline.before_masks.scenes import inputs_of


def track(count: int = 4, *, judged: bool = True) -> PoseTrack:
    poses = np.repeat(np.eye(4)[None], count, 0)
    poses[:, 2, 3] = 0.4 + 0.01 * np.arange(count)
    valid = np.arange(count) != 1
    return PoseTrack(
        poses,
        valid,
        np.where(valid, 0.8, 0.0),
        mask_iou=np.linspace(0.6, 0.9, count) if judged else None,
        covariance=np.repeat(1e-6 * np.eye(6)[None], count, 0) if judged else None,
        doubt=np.where(valid, 0, 1).astype(np.uint16) if judged else None,
    )


def test_an_object_is_found_in_the_frame_of_its_prompt_and_followed(tiny_scene: Any) -> None:
    inputs = inputs_of(tiny_scene, frames=tiny_scene.frames[::-1], prompt={"frame": 3})
    found = room.follow(inputs, inputs.prompts, None)
    assert list(found.tracks) == ["box"] and found.frames == {"box": 3}
    assert found.tracks["box"].valid.all() and found.masks is not None
    truth = tiny_scene.camera_from_object[::-1]
    off = np.linalg.norm(found.tracks["box"].camera_from_object[:, :3, 3] - truth[:, :3, 3], axis=1)
    assert off.max() < 0.012  # of an object of 30 pixels
    frame, pose = found.starts()["box"]
    assert frame == 3
    np.testing.assert_array_equal(pose, found.tracks["box"].camera_from_object[3])


def test_hands_of_the_prompt_s_frame_hide_it_there(tiny_scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt is segmented in a clip of one frame: the hands must be those of that frame."""
    rng = np.random.default_rng(0)
    hands = HandObservations(
        rng.uniform(0, 90, (4, 2, 21, 2)),
        rng.normal(size=(4, 2, 21, 3)),
        np.array([[0, 0], [0, 0], [1, 0], [0, 0]], bool),
        np.array([[0, 0], [0, 0], [0, 1], [0, 0]], bool),
        rng.random((4, 2)),
    )
    asked: list[Any] = []
    segment = room.segment_clip

    def noting(clip: Any, prompts: Any, observations: Any, **options: Any) -> Any:
        asked.append((clip.num_frames, [p.frame for p in prompts.values()], observations))
        return segment(clip, prompts, None, **options)

    monkeypatch.setattr(room, "segment_clip", noting)
    inputs = inputs_of(tiny_scene, prompt={"frame": 2})
    room.follow(inputs, inputs.prompts, hands)
    [(count, frames, seen)] = asked
    assert (count, frames) == (1, [0])
    for name in ("joints_2d", "joints_local", "detected", "bridged", "score"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(hands, name)[2:3])


def test_what_a_hand_covers_is_not_taken_for_the_ground(
    tiny_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture shows a hand there, not the colours of the mesh, and not those of the ground either."""
    segment = room.segment_clip

    def with_hand(clip: Any, prompts: Any, observations: Any, **options: Any) -> Any:
        found = segment(clip, prompts, None, **options)
        labels = found.labels(0).copy()
        labels[:20] = OCCLUDER
        found.set(0, labels)
        return found

    begun: list[MaskSequence] = []

    def noting(clip: Any, first: MaskSequence, *others: Any, **options: Any) -> None:
        begun.append(first)

    monkeypatch.setattr(room, "segment_clip", with_hand)
    monkeypatch.setattr(room, "follow_known", noting)
    inputs = inputs_of(tiny_scene, prompt={"frame": 2})
    room.follow(inputs, inputs.prompts, None)
    assert (begun[0].labels(2)[:20] == OCCLUDER).all()
    assert (begun[0].labels(2)[20:] == 1).any()


def test_what_cannot_be_found_is_not_followed(tiny_scene: Any) -> None:
    ground = [np.full_like(tiny_scene.frames[0], 90)] * 4
    inputs = inputs_of(tiny_scene, frames=ground, prompt={"frame": 2})
    found = room.follow(inputs, inputs.prompts, None)
    assert found.tracks == {} and found.frames == {} and found.masks is None
    assert found.starts() == {} and found.notices() == []
    with pytest.raises(
        dp.EstimationError, match="in frame 2"
    ):  # of the clip, told once, where masks are made
        dp.reconstruct(inputs.clip, inputs.prompts, camera=inputs.camera, hands=None)


def test_masks_of_the_others_are_made_beside(tiny_scene: Any) -> None:
    labels = np.zeros((96, 128), np.uint8)
    labels[:10, :10] = 1
    own = MaskSequence(("box",), 96, 128, 4, np.full((4, 1), 0.5, np.float32))
    for t in range(4):
        own.set(t, labels)
    found = FollowedObjects({"box": track()}, {"box": 0}, own)
    inputs = inputs_of(tiny_scene)
    alone = room.masks_beside(inputs, inputs.prompts, None, found)
    np.testing.assert_array_equal(alone.labels(2), labels)
    made = dp.ObjectPrompt(box=np.array(tiny_scene.box))
    both = Inputs(
        inputs.clip, {"made": made, **inputs.prompts}, {"made": None, **inputs.meshes}, inputs.camera
    )
    joined = room.masks_beside(both, both.prompts, None, found)
    assert joined.names == ("made", "box")
    assert (joined.labels(2)[:10, :10] == 2).all()
    x0, y0, x1, y1 = (int(v) for v in tiny_scene.box)
    assert (joined.labels(0)[y0:y1, x0:x1] == 1).mean() > 0.4
    assert joined.confidence_of(1, "box") == 0.5


@pytest.mark.parametrize("judged", [True, False])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, judged: bool) -> None:
    masks = MaskSequence(("cup", "lid"), 3, 4, 4, np.full((4, 2), 0.25, np.float32))
    masks.set(2, np.array([[0, 1, 2, OCCLUDER]] * 3, np.uint8))
    tracks = {"cup": track(judged=judged), "lid": track()}
    room.save_followed(FollowedObjects(tracks, {"lid": 3, "cup": 0}, masks), tmp_path / "f.npz")
    back = room.load_followed(tmp_path / "f.npz")
    assert list(back.tracks) == ["cup", "lid"] and back.frames == {"cup": 0, "lid": 3}
    for name, one in tracks.items():
        for part in ("camera_from_object", "valid", "confidence", "mask_iou", "covariance", "doubt"):
            expected, found = getattr(one, part), getattr(back.tracks[name], part)
            assert (expected is None) == (found is None)
            if expected is not None:
                np.testing.assert_array_equal(found, expected)
                assert found.dtype == expected.dtype
    assert back.masks is not None and back.masks.names == ("cup", "lid")
    np.testing.assert_array_equal(back.masks.labels(2), masks.labels(2))
    np.testing.assert_array_equal(back.masks.confidence, masks.confidence)
    assert back.notices() == FollowedObjects(tracks, {}, masks).notices()


def test_nothing_followed_is_saved_and_loaded_too(tmp_path: Path) -> None:
    room.save_followed(FollowedObjects({}, {}), tmp_path / "f.npz")
    back = room.load_followed(tmp_path / "f.npz")
    assert back.tracks == {} and back.frames == {} and back.masks is None


def test_people_are_told_what_the_masks_are() -> None:
    [notice] = FollowedObjects({"cup": track(), "lid": track()}, {"cup": 0, "lid": 0}).notices()
    assert (
        notice == "Masks of cup, lid are the outlines of the poses that were followed, less what hands cover."
    )


@pytest.mark.parametrize(("frame", "nearest"), [(0, 0), (1, 0), (3, 3)])
def test_an_object_is_tracked_again_from_a_valid_frame(frame: int, nearest: int) -> None:
    found = FollowedObjects({"cup": track()}, {"cup": frame})  # frame 1 is not valid
    start, pose = found.starts()["cup"]
    assert start == nearest
    np.testing.assert_array_equal(pose, found.tracks["cup"].camera_from_object[nearest])
