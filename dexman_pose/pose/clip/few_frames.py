"""A few frames of a clip, made once, through which many shapes are followed: enough to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import MaskSequence, Mesh
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.options import RelocalisationOptions, TrackOptions
from dexman_pose.pose.tracking.tracked_frame import FramePicture, TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject

_QUICK = TrackOptions(
    relocalisation=RelocalisationOptions(every=1000, near=1, iterations=6, around=12, around_keep=2),
    judged=False,
)
"""A shape that is lost is looked for in passing: that it was lost is the news."""


@dataclass(frozen=True, eq=False)
class FewFrames:
    """Frames of a clip as one object is looked for in them.

    Attributes:
        frames: in order.
        start: index of the one that tracks begin in.
    """

    frames: list[TrackedFrame]
    start: int

    def follow(
        self, mesh: Mesh, camera_from_object: Array, rival: Array | None = None, behind: float = np.inf
    ) -> tuple[Array, Array]:
        """(N,) overlaps with the masks and (N,) confidences of a shape that is followed both ways from the start.

        Args:
            mesh: coloured where it was seen.
            camera_from_object: (4, 4) in the starting frame.
            rival: (N,) overlaps of another shape. A shape that stays behind it by ``behind`` on the mean over half of
                the frames is given up: what it would have reached in the others is taken to be as far behind.
            behind: overlap.
        """
        frames, first = self.frames, self.frames[self.start]
        overlap, sure = np.zeros(len(frames)), np.zeros(len(frames))
        refiner = refiner_for(mesh, first.mask)
        done = [self.start]
        for way in (range(self.start + 1, len(frames)), range(self.start - 1, -1, -1)):
            if len(way) == 0 and overlap[self.start] > 0:
                continue
            tracker = ObjectTracker(TrackedObject(refiner, first.camera, first.label, _QUICK, mesh.seen))
            found = tracker.start(camera_from_object, first)
            overlap[self.start], sure[self.start] = found.iou, found.confidence
            for index in way:
                found = tracker.step(frames[index])
                overlap[index], sure[index] = found.iou, found.confidence
                done.append(index)
                if rival is None or 2 * len(done) < len(frames):
                    continue
                lead = float((rival - overlap)[done].mean())
                if lead > behind:
                    rest = np.setdiff1d(np.arange(len(frames)), done)
                    overlap[rest], sure[rest] = rival[rest] - lead, sure[done].mean()
                    return overlap, sure
        return overlap, sure


def few_frames(object_clip: ObjectClip, start: int, count: int, least: int) -> FewFrames:
    """Frames that show an object in many ways, and the one its track begins in.

    Args:
        object_clip: all frames.
        start: frame its track begins in.
        count: of frames.
        least: pixels of a mask that is looked at.
    """
    masks, name = object_clip.masks, object_clip.name
    label = masks.label_of(name)
    chosen = shown_frames(masks, name, start, count, least)
    frames = []
    for index in chosen:
        picture = FramePicture(object_clip.clip.frame(index))
        frames.append(TrackedFrame(picture, masks.labels(index), label, object_clip.camera, None))
    return FewFrames(frames, chosen.index(start))


def shown_frames(masks: MaskSequence, name: str, start: int, count: int, least: int) -> list[int]:
    """Up to ``count`` frames with a mask, in order, and that of the start.

    Where the picture of an object does not change, one frame says it all: frames are spread evenly over the way that
    the mask's middle, size and shape go, and over time.
    """
    label = masks.label_of(name)
    step = max(1, masks.num_frames // (4 * count))
    seen, shapes = [], []
    for index in sorted({*range(0, masks.num_frames, step), start}):
        y, x = np.nonzero(masks.labels(index)[::2, ::2] == label)
        if 4 * len(y) >= least or index == start:
            seen.append(index)
            shapes.append(_moments(x, y))
    way = np.linalg.norm(np.diff(np.array(shapes), axis=0), axis=1)
    way = way + max(float(way.mean()) if len(way) else 0.0, 1e-6)
    along = np.concatenate([[0.0], np.cumsum(way)])
    size = float(np.mean([shape[2] for shape in shapes]))
    enough = int(np.clip(count * float(np.ptp(shapes, axis=0).sum()) / max(size, 1.0), 0.4 * count, count))
    wanted = np.linspace(0.0, along[-1], min(enough, len(seen)))
    return sorted({seen[int(np.argmin(np.abs(along - w)))] for w in wanted} | {start})


def _moments(x: NDArray[np.int64], y: NDArray[np.int64]) -> list[float]:
    """Middle, size and two numbers for the elongation of a mask, all in pixels."""
    if len(x) < 2:
        return [0.0] * 5
    size = float(np.sqrt(len(x)))
    xx, xy, yy = np.cov(np.stack([x, y]))[np.triu_indices(2)]
    return [float(x.mean()), float(y.mean()), size, float((xx - yy) / size), float(2 * xy / size)]
