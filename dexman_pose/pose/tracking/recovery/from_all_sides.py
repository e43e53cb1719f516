"""A lost object looked for from all sides where the picture has its colours, near where a hand may have taken it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.metrics.points import add_s
from dexman_pose.pose.region.refiner import RegionPose, RegionRefiner
from dexman_pose.pose.search.distinct import distinct_poses
from dexman_pose.pose.search.viewpoints import ray_rotation, rotation_grid
from dexman_pose.pose.tracking.region_options import FarSearchOptions
from dexman_pose.pose.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from dexman_pose.pose.tracking.region_tracker import RegionFrame

_VERTICES = 500
"""Vertices by which surfaces are compared, about."""


def merit(found: RegionPose) -> float:
    """What speaks for a pose, to choose among several."""
    colors = 0.0 if np.isnan(found.colors) else found.colors
    return found.agree + found.odds + found.edge + colors


def far_search(
    refiner: RegionRefiner,
    tracked: TrackedObject,
    near: Sequence[Array],
    frame: RegionFrame,
    options: FarSearchOptions,
) -> RegionPose | None:
    """The best pose of all sides of an object; None where none stands out.

    Args:
        refiner: with the colours that were learnt.
        tracked: the object.
        near: poses (4, 4) about whose places it is looked for, at their distances.
        frame: the picture.
        options: how many, and what stands out.
    """
    center, grid = tracked.refiner.center, rotation_grid(options.directions, options.turns)
    starts: list[Array] = []
    places: list[Array] = []
    apart = options.same_place * tracked.refiner.rasterizer.mesh.radius
    for pose in near:
        for place in likely_places(refiner, tracked, pose, frame, options):
            if any(np.linalg.norm(place - other) < apart for other in places):
                continue
            places.append(place)
            rotations = ray_rotation(place) @ grid
            poses = np.tile(np.eye(4), (len(grid), 1, 1))
            poses[:, :3, :3], poses[:, :3, 3] = rotations, place - rotations @ center
            starts += list(poses)
    if not starts:
        return None
    seen = [_refined(refiner, start, frame, textured=False) for start in starts]
    chosen = _distinct(seen, tracked, options.looked_at, options)
    best = [_refined(refiner, r.camera_from_object, frame) for r in chosen]
    ranked = _distinct(best, tracked, options.looked_at, options)
    rivals = [r for r in ranked if merit(r) > merit(ranked[0]) - options.lead]
    if any(_apart(r, rivals[0], tracked) > options.alike for r in rivals[1:]):
        return None
    return min(rivals, key=lambda r: _turned(r, near, tracked)) if rivals else None


def _apart(one: RegionPose, other: RegionPose, tracked: TrackedObject) -> float:
    """Radii of the object that its surfaces at two poses are apart: little where it is turned about its own axis."""
    mesh = tracked.refiner.rasterizer.mesh
    vertices = mesh.vertices[:: max(1, len(mesh.vertices) // _VERTICES)]
    first, second = one.camera_from_object[None], other.camera_from_object[None]
    return float(add_s(first, second, vertices)[0]) / mesh.radius


def _turned(found: RegionPose, near: Sequence[Array], tracked: TrackedObject) -> float:
    """Radians by which a pose is turned against the nearest of others, but for the object's symmetry."""
    return min(float(tracked.symmetry.rotation_error(found.camera_from_object, pose)) for pose in near)


def _refined(
    refiner: RegionRefiner, start: Array, frame: RegionFrame, *, textured: bool = True
) -> RegionPose:
    return refiner.refine(start, frame.image, frame.hidden, frame.mask, held=False, textured=textured)


def _distinct(
    found: list[RegionPose], tracked: TrackedObject, count: int, options: FarSearchOptions
) -> list[RegionPose]:
    """The best that differ in their rotations, and of which enough is in sight."""
    known = [r for r in found if r.seen >= options.seen]
    if not known:
        return []
    poses = np.stack([r.camera_from_object for r in known])
    merits = np.array([merit(r) for r in known])
    return [known[i] for i in distinct_poses(poses, merits, count, options.apart, tracked.symmetry)]


def likely_places(
    refiner: RegionRefiner,
    tracked: TrackedObject,
    pose: Array,
    frame: RegionFrame,
    options: FarSearchOptions,
) -> list[Array]:
    """Points (3,) of the camera frame, at the distance of a pose (4, 4), behind which the object's colours are."""
    middle = tracked.refiner.camera_center(pose)
    height, width = frame.image.shape[:2]
    if middle[2] <= 0:
        return []
    radius = tracked.camera.fx * tracked.refiner.rasterizer.mesh.radius / middle[2]
    u, v = tracked.camera.project(middle[None])[0]
    reach = options.reach * radius
    x0, x1 = (int(np.clip(x, 0, width)) for x in (u - reach, u + reach))
    y0, y1 = (int(np.clip(y, 0, height)) for y in (v - reach, v + reach))
    if min(x1 - x0, y1 - y0) < 2:
        return []
    odds = refiner.solver.likeliness(frame.image[y0:y1, x0:x1])
    side = (options.around, options.around)
    likely = cv2.blur(np.clip(odds, -options.limit, options.limit), side) > options.likely
    if frame.hidden is not None:
        likely &= ~frame.hidden[y0:y1, x0:x1]
    spots = _spots(likely, options.least * radius**2)[: options.places]
    return [
        tracked.camera.unproject(np.array([[x + x0, y + y0]]), np.array([middle[2]]))[0] for x, y in spots
    ]


def _spots(mask: Bools, least: float) -> list[Array]:
    """Middles (2,) of connected parts of a mask (h, w) of so many pixels or more, the largest first."""
    count, _, stats, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    order = [i for i in np.argsort(-areas).tolist() if 0 < i < count and areas[i] >= least]
    return [middles[i] for i in order]
