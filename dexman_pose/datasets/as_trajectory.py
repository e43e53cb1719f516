"""The truth of a recording as a trajectory: data sets are planned through the same door as video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.detect import detect_contacts
from dexman_pose.data import HandTrack, PoseTrack, RigidObject, Trajectory
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.scene import estimate_scene


def trajectory_of(
    recording: Recording,
    *,
    frames: tuple[int, int] | None = None,
    objects: Sequence[str] | None = None,
) -> Trajectory:
    """Take the true objects and hands of a recording as if a video of them had been reconstructed.

    A camera that moves is put where it was in the first of the frames. The table is found by what rests on it, as in a
    video: data sets do not say where theirs is.

    Args:
        recording: with objects; with hands where there is to be anything to plan.
        frames: the first, and one after the last; None for all.
        objects: names of those to take; None for all.

    Raises:
        InputError: no such frames or objects.
    """
    start, stop = frames if frames is not None else (0, recording.num_frames)
    if not 0 <= start < stop <= recording.num_frames:
        raise InputError(
            f"frames {start} to {stop} are not in {recording.key}, which has {recording.num_frames} frames"
        )
    unknown = [n for n in objects or () if n not in recording.objects]
    if unknown:
        raise InputError(
            f"{recording.key} has no object {unknown[0]!r}; there are: {', '.join(recording.objects) or 'none'}"
        )
    span = slice(start, stop)
    still = recording.camera_from_world[start] @ inverse(recording.camera_from_world[span])
    things = {
        name: _object(thing, span, still)
        for name, thing in recording.objects.items()
        if objects is None or name in objects
    }
    hands = {side: _hand(hand, span, still) for side, hand in recording.hands.items()}
    times = recording.frame_times[span] - recording.frame_times[start]
    scene = estimate_scene(things, hands, recording.camera, times)
    return Trajectory(
        recording.camera,
        times,
        things,
        hands,
        detect_contacts(things, hands) if things and hands else None,
        scene.world_from_camera,
        {
            "source": f"the truth of {recording.dataset} {recording.key}, frames {start} to {stop}",
            "world": "camera" if scene.table is None else "table",
            "table": {"reason": scene.reason},
        },
        table=scene.table,
    )


def _object(thing: RigidObject, span: slice, still: Array) -> RigidObject:
    track = PoseTrack(still @ thing.camera_from_object[span], thing.valid[span], thing.confidence[span])
    return replace(thing, track=track)


def _hand(hand: HandTrack, span: slice, still: Array) -> HandTrack:
    valid: NDArray[np.bool_] = hand.valid[span]
    return HandTrack(
        hand.side,
        transform_points(still, hand.joints[span]),
        hand.joints_2d[span],
        valid,
        hand.bridged[span],
        hand.confidence[span],
        hand.bone_lengths,
        hand.scale_source,
    )
