"""Tracks of all objects of a clip: forwards from the start, then backwards into every stretch that is missing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, OCCLUDER, Camera, Clip, DepthSequence, MaskSequence, PoseTrack
from dexman_pose.imaging.flow import to_gray
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.options import FramePose, TrackOptions
from dexman_pose.pose.tracking.track_record import TrackRecord, TrackStart, finished, has_work
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.progress import progress
from dexman_pose.render.halves import in_halves
from dexman_pose.threads import behind

__all__ = ["TrackStart", "hidden_by", "track_objects"]


def track_objects(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    starts: dict[str, TrackStart],
    *,
    depth: DepthSequence | None = None,
    options: TrackOptions | None = None,
) -> dict[str, PoseTrack]:
    """Follow several objects through a whole clip.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        starts: by object name.
        depth: depth images of the same frames, metres.
        options: settings of the tracker.

    Returns:
        A track per object. Frames in which it was lost hold the last good pose with ``valid`` False; frames whose
        pose is doubted hold that pose and its confidence, ``valid`` False as well. ``doubt`` says why.
    """
    options = options or TrackOptions()
    records = {name: TrackRecord.empty(clip.num_frames, s.camera_from_object) for name, s in starts.items()}
    first = min(s.frame for s in starts.values())
    ahead = progress(clip.frames(first), "tracking", total=clip.num_frames - first)
    _pass(ahead, masks, camera, starts, records, depth, options, backwards=False)
    if any(not r.valid.all() for r in records.values()):
        back = progress(clip.frames(reverse=True), "tracking back", total=clip.num_frames)
        _pass(back, masks, camera, starts, records, depth, options, backwards=True)
    return {name: finished(name, record, starts[name], options.verdict) for name, record in records.items()}


def _pass(
    frames: Iterable[tuple[int, NDArray[np.uint8]]],
    masks: MaskSequence,
    camera: Camera,
    starts: dict[str, TrackStart],
    records: dict[str, TrackRecord],
    depth: DepthSequence | None,
    options: TrackOptions,
    *,
    backwards: bool,
) -> None:
    """One sweep over the frames, in either direction; fills the records in place."""
    trackers = {
        name: ObjectTracker(
            TrackedObject(s.refiner, camera, masks.label_of(name), options, s.trusted, s.symmetry)
        )
        for name, s in starts.items()
    }
    running = dict.fromkeys(starts, False)
    # A refiner has room for one pose at a time; several objects may share one.
    apart = len({id(s.refiner) for s in starts.values()}) == len(starts)
    with behind() as ask:
        for index, image in frames:
            needed = [n for n in starts if has_work(n, index, records, starts, running, backwards)]
            if not needed:
                running = dict.fromkeys(starts, False)
                continue
            gray = to_gray(image)
            shared = masks.labels(index)
            z = depth.frame(index) if depth is not None else None
            seen, on = {}, {name for name in needed if running[name]}
            for name in needed:
                tracker = trackers[name]
                others = [trackers[n] for n in starts if n != name and running[n] and trackers[n].is_tracking]
                labels = hidden_by(shared, tracker, others)
                seen[name] = TrackedFrame(image, gray, labels, tracker.tracked.label, camera, z)

            def looked(
                name: str, index: int = index, seen: dict[str, TrackedFrame] = seen, on: set[str] = on
            ) -> FramePose | None:
                record, tracker = records[name], trackers[name]
                if backwards and record.valid[index]:
                    tracker.start(record.poses[index], seen[name])
                    return None
                if name in on:
                    return tracker.step(seen[name])
                if not backwards and index == starts[name].frame:
                    return tracker.start(starts[name].camera_from_object, seen[name])
                return None

            if apart:
                found = in_halves(lambda _, names: [looked(name) for name in names], needed)
            else:
                found = [looked(name) for name in needed]
            for name, result in zip(needed, found):
                record = records[name]
                began = record.valid[index] if backwards else index == starts[name].frame
                running[name] = running[name] or bool(began)
                if result is not None and (not backwards or result.valid):
                    record.put(index, result)
                    if result.compare is not None:
                        ask(partial(record.compare, index, result.compare))


def hidden_by(
    labels: NDArray[np.uint8], tracker: ObjectTracker, others: list[ObjectTracker]
) -> NDArray[np.uint8]:
    """Labels in which nearer objects hide what is behind them, also where the masks call it background.

    Objects are rendered where they were last; only those whose boxes meet and that are nearer are.
    """
    own = tracker.tracked.image_box(tracker.state.pose)
    if own is None:
        return labels
    out = labels
    for other in others:
        pose = other.state.pose
        box = other.tracked.image_box(pose)
        if box is None or (box[:2] > own[2:]).any() or (own[:2] > box[2:]).any():
            continue
        if other.tracked.distance(pose) >= tracker.tracked.distance(tracker.state.pose):
            continue
        x0, y0 = box[:2].astype(int)
        w, h = (box[2:] - box[:2]).astype(int) + 1
        crop = other.tracked.camera.cropped(float(x0), float(y0), int(w), int(h))
        rasterizer = other.tracked.refiner.rasterizer
        drawn = rasterizer.render(pose[None], crop.K, int(w), int(h)).mask[0]
        out = out.copy() if out is labels else out
        part = out[y0 : y0 + h, x0 : x0 + w]
        part[drawn & (part == BACKGROUND)] = OCCLUDER
    return out
