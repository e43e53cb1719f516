"""All objects of one picture followed by region: who is before whom, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.region_options import RegionTrackOptions
from dexman_pose.pose.tracking.region_tracker import RegionFrame, RegionTracker
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.tracked_object import TrackedObject


class RegionScene:
    """Follows several objects; nearer ones hide those behind. Not to be shared between threads.

    Args:
        starts: by object name; the poses in them are used by :meth:`start` alone.
        camera: of the pictures, an ideal pinhole.
        options: settings.
    """

    def __init__(
        self, starts: Mapping[str, TrackStart], camera: Camera, options: RegionTrackOptions | None = None
    ) -> None:
        self.camera, self.options = camera, options or RegionTrackOptions()
        self.trackers = {
            name: RegionTracker(
                TrackedObject(s.refiner, camera, label, trusted=s.trusted, symmetry=s.symmetry), self.options
            )
            for label, (name, s) in enumerate(starts.items(), 1)
        }
        self._running: set[str] = set()

    def is_running(self, name: str) -> bool:
        """Whether an object was started and not stopped."""
        return name in self._running

    def stop(self, name: str) -> None:
        """Follow an object no longer."""
        self._running.discard(name)

    def place(self, name: str, pose: Array) -> None:
        """Take an object to be at a pose (4, 4), where it hides what is behind it, without a look at the picture."""
        self._running.add(name)
        self.trackers[name].pose, self.trackers[name].lost_for = pose, 0

    def start(self, name: str, pose: Array, frame: RegionFrame) -> FramePose:
        """Begin to follow an object at a known pose (4, 4)."""
        self.place(name, pose)
        return self.trackers[name].start(pose, self._seen(name, frame))

    def step(self, name: str, frame: RegionFrame) -> FramePose:
        """The pose of an object in the next frame."""
        return self.trackers[name].step(self._seen(name, frame))

    def nearest_first(self, names: Iterable[str]) -> list[str]:
        """The objects in the order to look at them: who is behind another knows then where that one is by now."""
        return sorted(names, key=lambda n: self.trackers[n].tracked.distance(self.trackers[n].pose))

    def _seen(self, name: str, frame: RegionFrame) -> RegionFrame:
        """The frame with what nearer objects hide."""
        own = self.trackers[name]
        hidden = None
        for other, tracker in self.trackers.items():
            if other == name or other not in self._running or not tracker.is_tracking:
                continue
            if tracker.tracked.distance(tracker.pose) < own.tracked.distance(own.pose):
                hidden = drawn_over(hidden, tracker, frame.image.shape[:2], own)
        if hidden is None:
            return frame
        if frame.hidden is not None:
            hidden |= frame.hidden
        return replace(frame, hidden=hidden)


def drawn_over(
    hidden: Bools | None, nearer: RegionTracker, shape: tuple[int, ...], own: RegionTracker
) -> Bools | None:
    """The pixels (H, W) that are hidden, with those of a nearer object where it is near in the picture too."""
    box = nearer.tracked.image_box(nearer.pose)
    mine = own.tracked.image_box(own.pose)
    if box is None or mine is None or (box[:2] > mine[2:]).any() or (mine[:2] > box[2:]).any():
        return hidden
    out = np.zeros(shape, np.bool_) if hidden is None else hidden
    draw_mask(out, nearer.tracked, nearer.pose, box)
    return out


def draw_mask(out: Bools, tracked: TrackedObject, pose: Array, box: Array) -> None:
    """Mark the pixels (H, W) that an object covers at a pose (4, 4); ``box`` (4,) is that of its outline."""
    x0, y0 = box[:2].astype(int)
    w, h = (int(n) + 1 for n in box[2:].astype(int) - box[:2].astype(int))
    crop = tracked.camera.cropped(float(x0), float(y0), w, h)
    drawn = tracked.refiner.rasterizer.render(pose[None], crop.K, w, h).mask[0]
    part = out[y0 : y0 + h, x0 : x0 + w]
    part |= drawn[: part.shape[0], : part.shape[1]]


def frame_of(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8] | None,
    label: int,
    hidden: Bools | None,
    depth: NDArray[np.float32] | None,
) -> RegionFrame:
    """A frame as one object is looked for in it, with what a label image (H, W) says where there is one."""
    if labels is None:
        return RegionFrame(image, hidden, None, depth)
    mask = labels == label
    others = ~mask & (labels != BACKGROUND)
    return RegionFrame(
        image, others if hidden is None else others | hidden, mask if mask.any() else None, depth
    )
