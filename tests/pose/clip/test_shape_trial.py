"""A shape that covers the masks better wins the trial, a worse one loses it; a loser is not tracked again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, MaskSequence, ObjectPrompt, PoseTrack
from dexman_pose.pose import reconstruct_objects
from dexman_pose.pose.clip import objects
from dexman_pose.pose.clip.scale import stretched_mesh
from dexman_pose.pose.clip.shape_trial import trial_gain
from dexman_pose.pose.observation.view import ObjectClip

FRAMES = 6


@pytest.fixture(scope="module")
def seen(scene: Any) -> tuple[ObjectClip, PoseTrack]:
    """A mesh that turns, its masks, and its true track."""
    poses = np.stack([scene.pose_at((0.3, 0.2 + 0.1 * t, 0.05 * t), (0.0, 0.0, 0.35)) for t in range(FRAMES)])
    masks = MaskSequence(("thing",), scene.camera.height, scene.camera.width, FRAMES, np.ones((FRAMES, 1)))
    frames = []
    for t, pose in enumerate(poses):
        image, labels, _ = scene.picture(scene.mesh, pose)
        frames.append(image)
        masks.set(t, labels)
    track = PoseTrack(poses, np.ones(FRAMES, bool), np.ones(FRAMES))
    return ObjectClip(Clip.from_frames(frames), masks, "thing", scene.camera), track


def _squashed(scene: Any) -> Any:
    """The mesh, half as long along one axis: no pose makes its outline that of the mesh."""
    return stretched_mesh(scene.mesh, np.array([1.0, 0.5, 1.0]))


def test_the_true_shape_beats_a_squashed_one_and_loses_to_none(
    scene: Any, seen: tuple[ObjectClip, PoseTrack]
) -> None:
    object_clip, track = seen
    squashed = _squashed(scene)
    assert trial_gain(object_clip, squashed, scene.mesh, track, 0) > 0.05
    assert trial_gain(object_clip, scene.mesh, squashed, track, 0) < -0.05
    assert trial_gain(object_clip, scene.mesh, scene.mesh, track, 0) == 0.0


def test_without_masks_nothing_speaks_for_or_against(scene: Any, seen: tuple[ObjectClip, PoseTrack]) -> None:
    object_clip, track = seen
    nothing = MaskSequence(("thing",), scene.camera.height, scene.camera.width, FRAMES)
    empty = ObjectClip(object_clip.clip, nothing, "thing", scene.camera)
    assert trial_gain(empty, scene.mesh, scene.mesh, track, 0) == 0.0


@pytest.mark.parametrize(("gain", "tracks"), [(-0.5, 1), (-0.001, 2), (0.2, 2)])
def test_a_second_track_is_made_unless_the_trial_speaks_against_it(
    scene: Any,
    seen: tuple[ObjectClip, PoseTrack],
    gain: float,
    tracks: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    object_clip, _ = seen
    tracked: list[int] = []
    track_objects = objects.track_objects

    def counted(*args: Any, **options: Any) -> Any:
        tracked.append(1)
        return track_objects(*args, **options)

    monkeypatch.setattr(objects, "track_objects", counted)
    monkeypatch.setattr(objects, "choose_shape", lambda _, start, __: start)
    monkeypatch.setattr(objects, "trial_gain", lambda *_: gain)
    monkeypatch.setattr(objects, "_mean_overlap", lambda _: 0.5)
    prompt = ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))
    reconstruct_objects(object_clip.clip, object_clip.masks, {"thing": prompt}, {"thing": None}, scene.camera)
    assert len(tracked) == tracks
