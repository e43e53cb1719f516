"""Tracks of known meshes through a clip without masks, and the masks that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Bools
from dexman_pose.data import (
    BACKGROUND,
    OCCLUDER,
    Camera,
    Clip,
    DepthSequence,
    HandObservations,
    HandTrack,
    MaskSequence,
    PoseTrack,
)
from dexman_pose.pose.tracking.hand_cover import hands_over, seen_joints
from dexman_pose.pose.tracking.hand_motion import CarriedObject, placed_hands
from dexman_pose.pose.tracking.region_options import RegionTrackOptions
from dexman_pose.pose.tracking.region_scene import RegionScene, draw_mask, frame_of
from dexman_pose.pose.tracking.track_record import TrackRecord, TrackStart, finished, has_work
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.progress import progress


def track_by_region(
    clip: Clip,
    camera: Camera,
    starts: Mapping[str, TrackStart],
    *,
    masks: MaskSequence | None = None,
    hands: Mapping[str, HandTrack] | HandObservations | None = None,
    depth: DepthSequence | None = None,
    options: RegionTrackOptions | None = None,
) -> dict[str, PoseTrack]:
    """Follow several known objects through a clip by what their outlines separate.

    Args:
        clip: the frames.
        camera: intrinsics, an ideal pinhole. It may move: poses are in its frame.
        starts: by object name.
        masks: label images of the same frames: one voice beside the colours, and what hides the objects.
        hands: metric by side, or as they were detected; what they cover is not looked at.
        depth: depth images of the same frames, metres; they judge poses, they do not make them.
        options: settings.

    Returns:
        A track per object, as :func:`~dexman_pose.pose.tracking.clip_tracker.track_objects` gives it; ``mask_iou`` is
        the share of the outline's lines that agree with the pose.
    """
    options = options or RegionTrackOptions()
    records = {name: TrackRecord.empty(clip.num_frames, s.camera_from_object) for name, s in starts.items()}
    sweep = _Sweep(RegionScene(starts, camera, options), starts, records, masks, hands, depth)
    first = min(s.frame for s in starts.values())
    ahead = progress(clip.frames(first, shared=True), "tracking", total=clip.num_frames - first)
    sweep.run(ahead, backwards=False)
    if any(not r.valid.all() for r in records.values()):
        back = progress(clip.frames(reverse=True, shared=True), "tracking back", total=clip.num_frames)
        sweep.run(back, backwards=True)
    return {name: finished(name, r, starts[name], options.verdict) for name, r in records.items()}


class _Sweep:
    """Fills the records of all objects, in either direction."""

    def __init__(
        self,
        scene: RegionScene,
        starts: Mapping[str, TrackStart],
        records: dict[str, TrackRecord],
        masks: MaskSequence | None,
        hands: Mapping[str, HandTrack] | HandObservations | None,
        depth: DepthSequence | None,
    ) -> None:
        self._scene, self._starts, self._records = scene, dict(starts), records
        self._masks, self._hands, self._depth = masks, hands, depth
        self._carried = {
            name: CarriedObject(s.refiner.center, s.refiner.rasterizer.mesh.radius)
            for name, s in starts.items()
        }

    def run(self, frames: Iterable[tuple[int, NDArray[np.uint8]]], *, backwards: bool) -> None:
        """One sweep over the frames."""
        scene, starts, records = self._scene, self._starts, self._records
        running = dict.fromkeys(starts, False)
        for name in starts:
            scene.stop(name)
        for index, image in frames:
            needed = [n for n in starts if has_work(n, index, records, starts, running, backwards)]
            if not needed:
                running = dict.fromkeys(starts, False)
                continue
            for name in starts:
                if not running[name]:
                    self._place(name, index, backwards)
            for name in scene.nearest_first(needed):
                self._look(name, index, image, running, backwards)

    def _place(self, name: str, index: int, backwards: bool) -> None:
        """Let an object that begins here, or need not be looked at, hide others where it is known to be."""
        record, start = self._records[name], self._starts[name]
        if record.valid[index]:
            self._scene.place(name, record.poses[index])
        elif not backwards and index == start.frame:
            self._scene.place(name, start.camera_from_object)
        else:
            self._scene.stop(name)

    def _look(
        self, name: str, index: int, image: NDArray[np.uint8], running: dict[str, bool], backwards: bool
    ) -> None:
        scene, record, carried = self._scene, self._records[name], self._carried[name]
        hands = placed_hands(self._hands, index, scene.camera)
        frame = frame_of(
            image,
            None if self._masks is None else self._masks.labels(index),
            0 if self._masks is None else self._masks.label_of(name),
            hands_over(seen_joints(self._hands, index), scene.camera),
            None if self._depth is None else self._depth.frame(index),
        )
        if backwards and record.valid[index]:
            scene.start(name, record.poses[index], frame)
            running[name] = True
        elif running[name]:
            result = scene.step(name, replace(frame, guesses=carried.guesses(hands)))
            if not backwards or result.valid:
                record.put(index, result)
        elif not backwards and index == self._starts[name].frame:
            record.put(index, scene.start(name, self._starts[name].camera_from_object, frame))
            running[name] = True
        if running[name] and scene.trackers[name].is_tracking:
            carried.note(scene.trackers[name].pose, hands)


def masks_of_tracks(
    tracks: Mapping[str, PoseTrack],
    objects: Mapping[str, TrackedObject],
    hidden: Iterable[Bools | None],
) -> MaskSequence:
    """Label images of posed objects: their outlines, the nearest before, less what hides them.

    Args:
        tracks: by object name, in the order of their labels; frames that are not valid have no mask.
        objects: by the same names.
        hidden: (H, W) pixels that something else covers, or None, frame by frame.
    """
    names = tuple(tracks)
    camera = objects[names[0]].camera
    count = len(tracks[names[0]].valid)
    confidence = np.stack([np.where(t.valid, t.confidence, 0.0) for t in tracks.values()], 1)
    out = MaskSequence(names, camera.height, camera.width, count, confidence.astype(np.float32))
    for index, covered in zip(range(count), hidden):
        labels = np.full((camera.height, camera.width), BACKGROUND, np.uint8)
        shown = [n for n in names if tracks[n].valid[index]]
        poses = {n: tracks[n].camera_from_object[index] for n in shown}
        for name in sorted(shown, key=lambda n: -objects[n].distance(poses[n])):
            box = objects[name].image_box(poses[name])
            if box is not None:
                own = np.zeros(labels.shape, np.bool_)
                draw_mask(own, objects[name], poses[name], box)
                labels[own] = out.label_of(name)
        if covered is not None:
            labels[covered] = OCCLUDER
        out.set(index, labels)
    return out
