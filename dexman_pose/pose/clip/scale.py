"""The metric size of an object whose mesh has none: from depth, or from the hands that hold it.

A picture is unchanged when mesh and distance grow together, so one factor per object is free. It is solved once from
the whole clip, never per frame: the median over all frames in which the object's distance can be read off something
metric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, DepthSequence, HandTrack, MaskSequence, Mesh, PoseTrack, RigidObject
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.geometry.se3 import scaled_translations
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.optimize.types import ClipOptions
from dexman_pose.pose.clip.smoothing import FREE, solve_track
from dexman_pose.pose.clip.types import AlignStart, ObjectStart
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.solver.options import SCALE_COUNTS
from dexman_pose.render import Rasterizer
from dexman_pose.symmetry.cache import symmetry_of, symmetry_of_made

_CLEAR, _MANY = 0.85, 10  # outline overlap of frames that a size is read off first, and how many are enough

_TIPS = (4, 8, 12, 16, 20)
_STEP = 3  # every third frame is plenty: neighbours say the same
_ENOUGH = 5  # frames; with fewer, those in between are asked too
_NEAR = 0.15  # of the object's size in the picture: how far beside its outline a finger tip holds it
_VERTICES = 4000  # of a mesh, enough to tell the depth at a place


@dataclass(frozen=True)
class Scale:
    """A factor on mesh and translations, and what fixed it."""

    factor: float
    source: ScaleSource


def scale_from_depth(
    track: PoseTrack, mesh: Mesh, masks: MaskSequence, name: str, camera: Camera, depth: DepthSequence
) -> Scale | None:
    """Median ratio of measured to rendered depth over the object's pixels; None when there are too few."""
    rasterizer = Rasterizer(mesh)
    ratios: list[float] = []
    for index in _spread(track):
        if index is None:
            if len(ratios) >= _ENOUGH:
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
        both = (drawn > 0) & (measured > 0) & masks.mask(index, name)
        if int(both.sum()) >= 20:
            ratios.append(float(np.median(measured[both] / drawn[both])))
    return Scale(float(np.median(ratios)), "depth") if ratios else None


def scale_from_hands(
    track: PoseTrack,
    mesh: Mesh,
    masks: MaskSequence,
    name: str,
    hands: dict[str, HandTrack],
    camera: Camera | None = None,
) -> Scale | None:
    """Median ratio of hand to object distance where finger tips overlap the object in the picture.

    With ``camera`` each tip is compared with the part of the object that lies where the tip is seen, behind the hand
    too: right for tools that are held at one end. Without it tips on the mask are compared with the object's middle.
    Returns None when no hand comes near it in three frames while both are tracked.
    """
    ratios = []
    for index in np.nonzero(track.valid)[0][::_STEP].tolist():
        held = [h for h in hands.values() if h.valid[index]]
        pose = track.camera_from_object[index]
        if camera is not None:
            found = [_ratios_at_tips(pose, mesh, camera, h.joints_2d[index], h.joints[index]) for h in held]
        else:
            mask = masks.mask(index, name)
            grown = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            middle = _middle_depth(pose, mesh)
            found = [_tips_on(grown, h.joints_2d[index], h.joints[index]) / middle for h in held]
        near = np.concatenate(found) if found else np.zeros(0)
        if len(near) >= 2:
            ratios.append(float(np.median(near)))
    return Scale(float(np.median(ratios)), "hand") if len(ratios) >= 3 else None


def _spread(track: PoseTrack) -> list[int | None]:
    """Every third valid frame, then, after a None that marks the place, the others."""
    valid = np.nonzero(track.valid)[0].tolist()
    return [*valid[::_STEP], None, *valid[1::_STEP], *valid[2::_STEP]]


def _ratios_at_tips(pose: Array, mesh: Mesh, camera: Camera, pixels: Array, joints: Array) -> Array:
    """(N,) distance of each finger tip near the object over that of the object there.

    Front and back of the object count alike: fingers close around it.
    """
    points = mesh.vertices[:: max(1, len(mesh.vertices) // _VERTICES)] @ pose[:3, :3].T + pose[:3, 3]
    if (points[:, 2] <= 0.02).any():
        return np.zeros(0)
    drawn = camera.project(points)
    size = float(np.ptp(drawn, axis=0).max())
    off, which = cKDTree(drawn).query(pixels[list(_TIPS)], k=min(16, len(drawn)))
    near = off[:, 0] < _NEAR * size
    there = points[which, 2].mean(1)
    return np.asarray((joints[list(_TIPS), 2] / there)[near], np.float64)


def _tips_on(mask: NDArray[np.bool_], pixels: Array, joints: Array) -> Array:
    """(N,) distances z in metres of the finger tips that lie on the mask."""
    at = np.round(pixels[list(_TIPS)]).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < mask.shape[1]) & (at[:, 1] < mask.shape[0])
    at = at.clip(0, [mask.shape[1] - 1, mask.shape[0] - 1])
    return joints[list(_TIPS), 2][inside & mask[at[:, 1], at[:, 0]]]


def _middle_depth(pose: Array, mesh: Mesh) -> float:
    """z of the mesh's middle in the camera frame, metres."""
    return float((pose[:3, :3] @ mesh.center + pose[:3, 3])[2])


def sized_track(
    mesh: Mesh,
    track: PoseTrack,
    object_clip: ObjectClip,
    hands: dict[str, HandTrack] | None,
    scale: str,
    begin: AlignStart,
    group: SymmetryGroup,
    smooth: bool,
) -> tuple[PoseTrack, Array, ScaleSource]:
    """The track in its final size, (3,) further factors on the mesh, and what fixed the size."""
    found = Scale(1.0, "given") if scale == "known" else metric_scale(mesh, track, object_clip, hands)
    factor, source = found.factor, found.source
    mesh, group = mesh.scaled(factor), group.scaled(factor)
    track = replace(track, camera_from_object=scaled_translations(track.camera_from_object, factor))
    scales = SCALE_COUNTS[scale] if source == "depth" else 0
    if not (smooth or scales):
        return track, np.full(3, factor), source
    if source != "depth" and scale != "known":
        object_clip = replace(object_clip, depth=None)
    refiner = refiner_for(mesh, object_clip.masks.mask(begin.frame, object_clip.name))
    options = ClipOptions() if smooth else FREE
    track, more = solve_track(refiner, track, object_clip, group, options, scales=scales)
    return about_origin(track, mesh.center, more), factor * more, source


def metric_scale(
    mesh: Mesh, track: PoseTrack, object_clip: ObjectClip, hands: dict[str, HandTrack] | None
) -> Scale:
    """One factor from depth, else from hands; first from the frames whose outline the track explains."""
    overlap = np.zeros(len(track)) if track.mask_iou is None else track.mask_iou
    clear = track.valid & (overlap > _CLEAR)
    parts = [track] if int(clear.sum()) < _MANY else [replace(track, valid=clear), track]
    found, f = None, object_clip
    for part in parts if f.depth is not None else ():
        assert f.depth is not None
        found = found or scale_from_depth(part, mesh, f.masks, f.name, f.camera, f.depth)
    for part in parts if hands else ():
        found = found or scale_from_hands(part, mesh, f.masks, f.name, hands or {}, f.camera)
    return found or Scale(1.0, "unknown")


def about_origin(track: PoseTrack, center: Array, factors: Array) -> PoseTrack:
    """The solver stretches a mesh about its centre, a mesh is scaled about its origin: the poses of the latter."""
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] += poses[:, :3, :3] @ (center - factors * center)
    return replace(track, camera_from_object=poses)


def stretched_mesh(mesh: Mesh, factors: Array) -> Mesh:
    return replace(mesh, vertices=mesh.vertices * factors)


def sized_symmetry(group: SymmetryGroup, sized: Mesh, factors: Array) -> SymmetryGroup:
    """The symmetry after scaling; unequal factors may break it, so that it is looked for anew."""
    if float(np.ptp(factors)) < 1e-9:
        return group.scaled(float(factors[0]))
    return group if group.is_trivial else symmetry_of(sized)


def object_scales(
    guessed: list[str],
    tracks: dict[str, PoseTrack],
    made: dict[str, ObjectStart],
    masks: MaskSequence,
    camera: Camera,
    hands: dict[str, HandTrack],
    depth: DepthSequence | None,
) -> dict[str, Scale]:
    """The metric scale of each object whose mesh was made here: depth first, then the hands that touch it."""
    out: dict[str, Scale] = {}
    for name in guessed:
        found = None
        if depth is not None:
            found = scale_from_depth(tracks[name], made[name].mesh, masks, name, camera, depth)
        if found is None and hands:
            found = scale_from_hands(tracks[name], made[name].mesh, masks, name, hands)
        out[name] = found or Scale(1.0, "unknown")
    known = [s.factor for s in out.values() if s.source != "unknown"]
    if known:  # an object nobody touched stands on the same table as those that somebody did
        middle = float(np.median(known))
        out = {n: s if s.source != "unknown" else Scale(middle, "unknown") for n, s in out.items()}
    return out


def scaled_object(name: str, mesh: Mesh, track: PoseTrack, scale: Scale) -> RigidObject:
    """The object with mesh and translations multiplied by its scale: the picture stays the same."""
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] *= scale.factor
    source: ScaleSource = scale.source
    return RigidObject(
        name,
        mesh.scaled(scale.factor),
        replace(track, camera_from_object=poses),
        scale=scale.factor,
        scale_source=source,
        symmetry=symmetry_of_made(mesh).scaled(scale.factor).sampled(),
    )
