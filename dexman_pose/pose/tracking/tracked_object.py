"""What stays the same of an object while it is tracked, and where its pose puts it in the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, bounds
from dexman_pose.data import Camera
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.masks import crop_box
from dexman_pose.pose.observation.crop import CropObservation, gather
from dexman_pose.pose.observation.view import in_front
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.search.viewpoints import extreme_points
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.tracking.options import TrackOptions
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame


@dataclass(frozen=True)
class TrackedObject:
    """One object that is tracked.

    Attributes:
        refiner: holds mesh and rasteriser.
        camera: of the frames.
        label: the object's value in the label images.
        options: settings.
        trusted: (F,) faces whose colour can be believed; None for all.
        symmetry: of the mesh.
    """

    refiner: PoseRefiner
    camera: Camera
    label: int
    options: TrackOptions = field(default_factory=TrackOptions)
    trusted: NDArray[np.bool_] | None = None
    symmetry: SymmetryGroup = field(default_factory=SymmetryGroup.trivial)

    @cached_property
    def extremes(self) -> Array:
        """(N, 3) outermost points of the mesh."""
        return extreme_points(self.refiner.rasterizer.mesh.vertices)

    @cached_property
    def colored(self) -> bool:
        """Whether the mesh's colours say more than its shading does."""
        return has_color(self.refiner)

    def is_texture_guided(self, good_ncc: float) -> bool:
        """Whether the mesh's own colours guide: a user's mesh that was seen to look like the object.

        A mask is propagated from one frame and knows nothing of faces that turn up later; the mesh does.

        Args:
            good_ncc: correlation of the colours in frames whose pose is believed.
        """
        return self.colored and self.trusted is None and good_ncc > self.options.loss.textured_ncc

    def image_box(self, pose: Array) -> Array | None:
        """(4,) box of the projected mesh inside the image, or None when it is out of sight."""
        points = self.extremes @ pose[:3, :3].T + pose[:3, 3]
        if not in_front(points):
            return None
        pixels = self.camera.project(points)
        limit = np.array([self.camera.width - 1.0, self.camera.height - 1.0])
        low, high = (corner.clip(0, limit) for corner in bounds(pixels))
        return np.concatenate([low, high]) if (high - low > self.options.crop.least_box).all() else None

    def distance(self, pose: Array) -> float:
        """Metres from the camera to the object's centre at a pose (4, 4)."""
        return float(np.linalg.norm(self.refiner.camera_center(pose)))

    def evidence(self, frame: TrackedFrame, pose: Array) -> CropObservation:
        """The evidence in a crop around the mask and around where a pose (4, 4) puts the object."""
        o = self.options.crop
        boxes = [] if frame.box is None else [frame.box]
        points = self.extremes @ pose[:3, :3].T + pose[:3, 3]
        if in_front(points):
            pixels = self.camera.project(points)
            box = np.concatenate(bounds(pixels))
            limit = o.reach * np.array([self.camera.width, self.camera.height] * 2)
            box = np.clip(box, -limit, 3 * limit)
            seen = frame.box
            if seen is None or (box[2:] - box[:2]).max() < o.largest * (seen[2:] - seen[:2]).max():
                boxes.append(box)
        if not boxes:
            boxes.append(np.array([0.0, 0.0, o.empty, o.empty]))
        crop = crop_box(boxes, o.margin)
        return gather(frame.labels, self.label, self.camera, crop, depth=frame.depth)

    def refine_options(self, iterations: int, *, texture_guided: bool) -> RefineOptions:
        """Limits of a refinement and its motion prior: texture leaves little room for leaps, an outline needs it."""
        o = self.options.motion
        share = o.texture_shift_sigma if texture_guided else o.shift_sigma
        return RefineOptions(
            iterations=iterations,
            prior_translation=share * self.refiner.rasterizer.mesh.radius,
            prior_rotation=(o.texture_rotation if texture_guided else 1.0) * o.rotation_sigma,
        )
