"""Tracks of all objects of a clip: forwards from the start, then backwards into every stretch that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, OCCLUDER, Camera, Clip, DepthSequence, MaskSequence, PoseTrack
from dexman_pose.geometry import inverse, rotation_angle
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.options import FramePose, TrackOptions
from dexman_pose.pose.tracking.track_record import TrackRecord, TrackStart, finished, has_work
from dexman_pose.pose.tracking.tracked_frame import FramePicture, TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.progress import progress
from dexman_pose.render.halves import in_halves

__all__ = ["Sweep", "TrackStart", "hidden_by", "track_objects"]


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
    sweep = Sweep(masks, camera, starts, depth, options or TrackOptions(), clip.num_frames)
    first = min(s.frame for s in starts.values())
    sweep.run(progress(clip.frames(first, shared=True), "tracking", total=clip.num_frames - first))
    return sweep.completed(clip)


class Sweep:
    """Follows objects through frames in either direction.

    Attributes:
        records: what is known of each object, by name; filled as frames are looked at.
        options: settings of the tracker.
        expected: poses (T, 4, 4) of objects by name that are known from elsewhere; NaN where they are not. An object is
            looked for there, and not where its motion so far leads.
    """

    def __init__(
        self,
        masks: MaskSequence,
        camera: Camera,
        starts: Mapping[str, TrackStart],
        depth: DepthSequence | None,
        options: TrackOptions,
        count: int,
    ) -> None:
        self._masks, self._camera, self._depth, self.options = masks, camera, depth, options
        self._starts, self._count = dict(starts), count
        self.expected: Mapping[str, Array] = {}
        self.records = {name: TrackRecord.empty(count, s.camera_from_object) for name, s in starts.items()}
        # A refiner has room for one pose at a time; several objects may share one.
        self._apart = len({id(s.refiner) for s in starts.values()}) == len(starts)
        self.restart()

    def restart(self) -> None:
        """Forget what was last seen; records stay."""
        label_of, camera, o = self._masks.label_of, self._camera, self.options
        self._trackers = {
            name: ObjectTracker(
                TrackedObject(s.refiner, camera, label_of(name), o, s.trusted, s.symmetry),
            )
            for name, s in self._starts.items()
        }
        self._running = dict.fromkeys(self._starts, False)
        self._last: dict[str, int] = {}

    def another(self, frame: int, poses: Mapping[str, Array]) -> Sweep:
        """One for another thread, of the same objects, which begins in a frame at poses (4, 4)."""
        starts = {
            name: replace(s, refiner=s.refiner.twin(), frame=frame, camera_from_object=poses[name])
            for name, s in self._starts.items()
        }
        out = Sweep(self._masks, self._camera, starts, self._depth, self.options, self._count)
        out.expected = self.expected
        return out

    def run(self, frames: Iterable[tuple[int, NDArray[np.uint8]]], *, backwards: bool = False) -> None:
        """Look at frames one after the other."""
        starts, running = self._starts, self._running
        for index, image in frames:
            needed = [n for n in starts if has_work(n, index, self.records, starts, running, backwards)]
            if not needed:
                running.update(dict.fromkeys(starts, False))
                continue
            seen = self._seen(needed, index, image)
            looks = [partial(self._look, name, index, seen[name], backwards) for name in needed]
            if self._apart:
                in_halves(lambda _, part: [look() for look in part], looks)
            else:
                for look in looks:
                    look()
            for name in needed:
                began = self.records[name].valid[index] if backwards else index == starts[name].frame
                running[name], self._last[name] = running[name] or bool(began), index

    def completed(self, clip: Clip) -> dict[str, PoseTrack]:
        """Go back into every stretch that is missing, and judge the tracks."""
        if any(not r.valid.all() for r in self.records.values()):
            self.restart()
            back = progress(clip.frames(reverse=True, shared=True), "tracking back", total=clip.num_frames)
            self.run(back, backwards=True)
        return {
            name: finished(name, record, self._starts[name], self.options.verdict)
            for name, record in self.records.items()
        }

    def _seen(self, needed: list[str], index: int, image: NDArray[np.uint8]) -> dict[str, TrackedFrame]:
        """The frame as each object is looked for in it, by name."""
        picture, shared = FramePicture(image), self._masks.labels(index)
        depth = self._depth.frame(index) if self._depth is not None else None
        out = {}
        for name in needed:
            tracker = self._trackers[name]
            others = [
                self._trackers[n]
                for n in self._starts
                if n != name and self._running[n] and self._trackers[n].is_tracking
            ]
            labels = hidden_by(shared, tracker, others)
            out[name] = TrackedFrame(picture, labels, tracker.tracked.label, self._camera, depth)
        return out

    def _expected(self, name: str, index: int) -> Array | None:
        """Where an object is expected by what is known from elsewhere; off by what that was off last time.

        What is known may jump, as to the other side of a symmetry that the object nearly has: it is not believed then.
        """
        known, tracker, last = self.expected.get(name), self._trackers[name], self._last.get(name)
        if known is None or np.isnan(known[index, 0, 0]):
            return None
        pose: Array = known[index]
        if last is None or not tracker.is_tracking:
            return pose
        if not np.isnan(known[last, 0, 0]):
            pose = pose @ (inverse(known[last]) @ tracker.state.pose)
        turn = np.degrees(rotation_angle(tracker.state.pose[:3, :3].T @ pose[:3, :3]))
        return pose if turn <= self.options.verdict.turn else None

    def _look(self, name: str, index: int, frame: TrackedFrame, backwards: bool) -> None:
        """Look for an object in a frame, and note what is found."""
        found = self._found(name, index, frame, backwards)
        if found is None or (backwards and not found.valid):
            return
        self.records[name].put(index, found)

    def _found(self, name: str, index: int, frame: TrackedFrame, backwards: bool) -> FramePose | None:
        """What is found of an object in a frame; None where it was known, or is not there yet."""
        record, tracker, start = self.records[name], self._trackers[name], self._starts[name]
        if backwards and record.valid[index]:
            tracker.start(record.poses[index], frame)
            return None
        if self._running[name]:
            return tracker.step(frame, self._expected(name, index))
        if not backwards and index == start.frame:
            return tracker.start(start.camera_from_object, frame)
        return None


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
