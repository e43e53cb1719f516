"""The metric size of an object whose mesh has none: from depth, or from the hands that hold it.

A picture is unchanged when mesh and distance grow together, so one factor per object is free. It is solved once from
the whole clip, never per frame: the median over all frames in which the object's distance can be read off something
metric.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.units import UNITS
from dexman_pose.pose.clip.options import TIPS, ScaleOptions
from dexman_pose.pose.observation.view import ObjectClip, in_front
from dexman_pose.render import Rasterizer
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)
_DEFAULTS = ScaleOptions()
_TINY = 1e-9
"""Length that is not divided by."""


@dataclass(frozen=True)
class Scale:
    """A factor on mesh and translations, and what fixed it.

    Attributes:
        factor: of the size, and of the distance with it.
        source: what fixed it.
        passed: whether it is that of hands that were seen over the object and never moved it: they may be nearer.
    """

    factor: float
    source: ScaleSource
    passed: bool = False


def metric_scale(
    track: PoseTrack,
    mesh: Mesh,
    object_clip: ObjectClip,
    hands: dict[str, HandTrack],
    options: ScaleOptions = _DEFAULTS,
) -> Scale:
    """One factor from depth, else from hands; first from the frames whose outline the track explains."""
    overlap = np.zeros(len(track)) if track.mask_iou is None else track.mask_iou
    clear = track.valid & (overlap > options.clear)
    parts = [track]
    if int(clear.sum()) >= options.clear_frames:
        parts = [replace(track, valid=clear), track]
    found: Scale | None = None
    for part in parts:
        found = found or scale_from_depth(part, mesh, object_clip, options)
    for part in parts:
        found = found or scale_from_hands(part, mesh, object_clip.camera, hands, options)
    found = found or Scale(1.0, "unknown")
    _log.info("%s: scale %.4f by %s", object_clip.name, found.factor, found.source)
    return found


def scale_from_depth(
    track: PoseTrack, mesh: Mesh, object_clip: ObjectClip, options: ScaleOptions = _DEFAULTS
) -> Scale | None:
    """Median ratio of measured to rendered depth over the object's pixels; None when there are too few."""
    depth, camera = object_clip.depth, object_clip.camera
    if depth is None:
        return None
    rasterizer = Rasterizer(mesh)
    ratios: list[float] = []
    for index in _spread(track, options.step):
        if index is None:
            if len(ratios) >= options.enough:
                break
            continue
        measured = depth.frame(index)
        if not (measured > 0).any():
            continue
        picture = rasterizer.render(
            track.camera_from_object[index][None], camera.K, camera.width, camera.height
        )
        assert picture.depth is not None
        drawn = picture.depth[0]
        both = (drawn > 0) & (measured > 0) & object_clip.masks.mask(index, object_clip.name)
        if int(both.sum()) >= options.pixels:
            ratios.append(float(np.median(measured[both] / drawn[both])))
    return Scale(float(np.median(ratios)), "depth") if ratios else None


def scale_from_hands(
    track: PoseTrack,
    mesh: Mesh,
    camera: Camera,
    hands: dict[str, HandTrack],
    options: ScaleOptions = _DEFAULTS,
) -> Scale | None:
    """Median ratio of hand to object distance where finger tips meet a moving object in the picture.

    Each tip is compared with the part of the object that lies where the tip is seen, behind the hand too: right for
    tools that are held at one end. A hand over an object that stays where it is may be nearer, never farther: where it
    never moves one, the largest ratios count. None when no hand comes near it in enough frames while both are tracked.
    """
    moving = moves_across(track, mesh, options)
    ratios: list[float] = []
    carried: list[float] = []
    for index in np.nonzero(track.valid)[0][:: options.step].tolist():
        pose = track.camera_from_object[index]
        found = [
            _ratios_at_tips(pose, mesh, camera, h.joints_2d[index], h.joints[index], options)
            for h in hands.values()
            if h.valid[index]
        ]
        near = np.concatenate(found) if found else np.zeros(0)
        if len(near) >= options.tips:
            (carried if moving[index] else ratios).append(float(np.median(near)))
    if len(carried) >= options.hand_frames:
        return Scale(float(np.median(carried)), "hand")
    ratios += carried
    if len(ratios) < options.hand_frames:
        return None
    if moving.any():  # somebody moves it, in frames that are not known well enough
        return Scale(float(np.median(ratios)), "hand")
    return Scale(float(np.quantile(ratios, options.behind)), "hand", passed=True)


def moves_across(track: PoseTrack, mesh: Mesh, options: ScaleOptions = _DEFAULTS) -> NDArray[np.bool_]:
    """(T,) whether an object moves across the line of sight around a frame; along it poses of made shapes are vague."""
    at = track.camera_from_object[:, :3, :3] @ mesh.center + track.camera_from_object[:, :3, 3]
    toward = at / np.maximum(np.linalg.norm(at, axis=1, keepdims=True), _TINY)
    frames = np.arange(len(track))
    before = np.maximum(frames - options.moving_frames, 0)
    after = np.minimum(frames + options.moving_frames, len(track) - 1)
    known = track.valid[before] & track.valid[after]
    moved: NDArray[np.bool_] = known & (
        np.linalg.norm(toward[after] - toward[before], axis=1) > options.moving * (after - before)
    )
    return moved


def unit_by_hands(
    track: PoseTrack,
    mesh: Mesh,
    camera: Camera,
    hands: dict[str, HandTrack],
    options: ScaleOptions = _DEFAULTS,
) -> float:
    """The factor from the guessed unit of a mesh to the plausible one that hands on the object speak for.

    1 where nobody guessed, no hand holds it, or no other unit fits clearly better. Hands tell distances to some ten per
    cent, units are apart by a factor of 2.5 or more: the factor is that of the units, and exact.
    """
    unit = mesh.unit
    if unit is None or unit.source != "guessed" or not unit.others:
        return 1.0
    found = scale_from_hands(track, mesh, camera, hands, options)
    if found is None:
        return 1.0
    misfit = {u: abs(np.log(found.factor * UNITS[unit.name] / UNITS[u])) for u in (unit.name, *unit.others)}
    best = min(misfit, key=lambda u: misfit[u])
    return UNITS[best] / UNITS[unit.name] if misfit[best] < np.log(options.unit) else 1.0


def _spread(track: PoseTrack, step: int) -> list[int | None]:
    """Every ``step``-th valid frame, then, after a None that marks the place, the others."""
    valid = np.nonzero(track.valid)[0].tolist()
    return [*valid[::step], None, *(i for k, i in enumerate(valid) if k % step)]


def _ratios_at_tips(
    pose: Array, mesh: Mesh, camera: Camera, pixels: Array, joints: Array, options: ScaleOptions
) -> Array:
    """(N,) distance of each finger tip near the object over that of the object there.

    Front and back of the object count alike: fingers close around it.
    """
    points = mesh.vertices[:: max(1, len(mesh.vertices) // options.vertices)]
    points = points @ pose[:3, :3].T + pose[:3, 3]
    if not in_front(points):
        return np.zeros(0)
    drawn = camera.project(points)
    size = float(np.ptp(drawn, axis=0).max())
    off, which = cKDTree(drawn).query(pixels[list(TIPS)], k=min(options.around, len(drawn)))
    near = off[:, 0] < options.tip_reach * size
    there = points[which, 2].mean(1)
    return np.asarray((joints[list(TIPS), 2] / there)[near], np.float64)


def about_origin(track: PoseTrack, center: Array, factors: Array) -> PoseTrack:
    """The solver stretches a mesh about its centre, a mesh is scaled about its origin: the poses of the latter."""
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] += poses[:, :3, :3] @ (center - factors * center)
    return replace(track, camera_from_object=poses)


def stretched_mesh(mesh: Mesh, factors: Array) -> Mesh:
    """The mesh with its axes multiplied by (3,) factors; the same mesh where they are all 1."""
    return mesh if (factors == 1.0).all() else replace(mesh, vertices=mesh.vertices * factors)


def sized_symmetry(
    group: SymmetryGroup, sized: Mesh, factors: Array, even: float = _DEFAULTS.even
) -> SymmetryGroup:
    """The symmetry after scaling; unequal factors may break it, so that it is looked for anew."""
    if float(np.ptp(factors)) < even:
        return group.scaled(float(factors[0]))
    return group if group.is_trivial else symmetry_of(sized)
