"""Poses of an object whose shape is not known: each frame is laid onto what the frames before it showed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import EstimationError
from dexman_pose.geometry import inverse
from dexman_pose.meshing.fusion.views import View
from dexman_pose.pose.clip.fused.cloud import Cloud, Known, Target, cloud_of
from dexman_pose.pose.clip.fused.options import FusedOptions
from dexman_pose.pose.clip.fused.register import Registered, register
from dexman_pose.pose.clip.start import frame_worth
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.progress import progress

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placed:
    """Where an object is in the frames of a clip.

    Attributes:
        camera_from_object: (T, 4, 4); the object frame is that of the camera in ``start``, moved to what was seen.
        valid: (T,) frames in which it was placed.
        start: frame that was taken first.
        size: metres, the longest side of what was seen there.
    """

    camera_from_object: Array
    valid: Bools
    start: int
    size: float


def view_of(object_clip: ObjectClip, frame: int, camera_from_object: Array | None = None) -> View:
    """What a frame shows; at the identity where no pose is known."""
    assert object_clip.depth is not None
    masks = object_clip.masks
    return View(
        object_clip.clip.frame(frame),
        masks.labels(frame),
        masks.label_of(object_clip.name),
        object_clip.depth.frame(frame),
        np.eye(4) if camera_from_object is None else camera_from_object,
    )


def placed_frames(object_clip: ObjectClip, options: FusedOptions) -> Placed:
    """Lay all frames onto each other.

    The frame that shows the object best is taken first; the others follow to both ends of the clip, and at last every
    frame is laid once more onto all of them together, which takes drift out.

    Raises:
        EstimationError: no frame has a mask with depth, or too few can be laid onto each other.
    """
    walk = _Walk(object_clip, options)
    walk.go(range(walk.start + 1, walk.count))
    walk.go(range(walk.start - 1, -1, -1))
    walk.again()
    if walk.valid.sum() < options.least_views:
        raise EstimationError(
            f"only {int(walk.valid.sum())} frames of {object_clip.name!r} can be laid onto each other by their depth; "
            f"a mesh needs {options.least_views}. Check that depth and masks belong to the same frames and pixels"
        )
    return Placed(inverse(walk.object_from_camera), walk.valid, walk.start, walk.size)


class _Walk:
    """The state of a walk through the frames."""

    def __init__(self, object_clip: ObjectClip, options: FusedOptions) -> None:
        self.options, self._clip = options, object_clip
        self.count = object_clip.clip.num_frames
        worth = frame_worth(object_clip.masks, object_clip.name, object_clip.depth)
        self.start = int(worth.argmax())
        first = self._cloud(self.start)
        if worth[self.start] <= 0 or first is None:
            raise EstimationError(
                f"object {object_clip.name!r} has no frame with a mask and depth on it, so no mesh can be made of its "
                "depth"
            )
        self.size = float((np.quantile(first.points, 0.99, 0) - np.quantile(first.points, 0.01, 0)).max())
        self.object_from_camera = np.repeat(np.eye(4)[None], self.count, 0)
        self.object_from_camera[self.start, :3, 3] = -np.median(first.points, 0)
        self.valid = np.arange(self.count) == self.start
        registration = options.registration
        self._known = Known(registration.spacing * self.size, registration.neighbors)
        self._known.add(first.moved(self.object_from_camera[self.start]))

    def go(self, frames: range) -> None:
        """Place frame after frame; one that cannot be placed is left out, the next begins where the last one was."""
        last, before = self.start, self.start
        for frame in progress(frames, "depth laid together", total=len(frames)):
            cloud = self._cloud(frame)
            if cloud is None:
                continue
            target = self._known.target()
            found = max(
                (self._placed(target, cloud, start) for start in self._starts(last, before)),
                key=lambda one: (one.holds(self.options.registration), one.overlap, -one.distance),
            )
            if not found.holds(self.options.registration):
                _log.info(
                    "%s: frame %d is not laid onto the others: overlap %.2f, distance %.1f mm",
                    self._clip.name,
                    frame,
                    found.overlap,
                    1e3 * found.distance,
                )
                continue
            self.object_from_camera[frame], self.valid[frame] = found.object_from_camera, True
            self._known.add(cloud.moved(found.object_from_camera))
            before, last = last, frame

    def again(self) -> None:
        """Lay every placed frame onto all of them."""
        target = self._known.target()
        for frame in np.nonzero(self.valid)[0].tolist():
            cloud = self._cloud(frame)
            assert cloud is not None
            found = self._placed(target, cloud, self.object_from_camera[frame])
            self.valid[frame] = found.holds(self.options.registration)
            self.object_from_camera[frame] = found.object_from_camera

    def _placed(self, target: Target, cloud: Cloud, start: Array) -> Registered:
        return register(target, cloud, start, self.size, self.options.registration)

    def _starts(self, last: int, before: int) -> list[Array]:
        """Where the frame may be: as in the last one, and as far on as it came there from the one before."""
        here = self.object_from_camera[last]
        if before == last:
            return [here]
        return [here, here @ inverse(self.object_from_camera[before]) @ here]

    def _cloud(self, frame: int) -> Cloud | None:
        """Points of a frame, the same ones whenever it is asked; None where they are too few."""
        camera, options = self._clip.camera, self.options
        view = view_of(self._clip, frame)
        if np.count_nonzero(view.depth[view.mask]) < options.registration.least_points:
            return None
        cloud = cloud_of(view, camera, options.fusion)
        if len(cloud) < options.registration.least_points:
            return None
        return cloud.thinned(options.registration.points, np.random.default_rng(frame))
