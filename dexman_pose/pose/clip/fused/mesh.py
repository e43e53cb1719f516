"""From a clip with depth to a mesh of one of its objects, closed, coloured and of true size."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Mesh
from dexman_pose.data.accept import CameraLike, ClipLike, DepthsLike, MasksLike
from dexman_pose.data.numbers import described
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse
from dexman_pose.imaging.undistorted_inputs import undistorted_views
from dexman_pose.meshing.bake import baked
from dexman_pose.meshing.fusion.box import Box, box_of
from dexman_pose.meshing.fusion.closed import closed_solid, fused_views, seen_points
from dexman_pose.meshing.fusion.open3d_volume import integrate_by_open3d
from dexman_pose.meshing.fusion.views import View
from dexman_pose.meshing.fusion.volume import Integrator, integrate
from dexman_pose.meshing.paint import Painter
from dexman_pose.pose.clip.fused.floor import floor_of
from dexman_pose.pose.clip.fused.options import FusedOptions
from dexman_pose.pose.clip.fused.placed import Placed, placed_frames, view_of
from dexman_pose.pose.clip.objects import find_objects
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.pose.observation.checked import checked_views
from dexman_pose.pose.observation.view import ObjectClip, object_name

_log = logging.getLogger(__name__)
_DEFAULTS = FusedOptions()

INTEGRATORS: dict[str, Integrator] = {"own": integrate, "open3d": integrate_by_open3d}
"""What fuses depth images, by name."""


@dataclass(frozen=True)
class FusedMesh:
    """A mesh made of depth.

    Attributes:
        mesh: metres, closed, textured, its origin at its middle; ``seen`` says which faces the camera saw. Its
            ``source`` is ``"depth"``.
        camera_from_object: (T, 4, 4) of it.
        valid: (T,) frames in which the object was placed.
        kind: ``"box"``: a box explains all that was seen, and hidden sides are those of the box. ``"fused"``: the
            measured surface; hidden sides are the largest that outlines and table allow.
        table: whether a table was found that ends it below.
    """

    mesh: Mesh
    camera_from_object: Array
    valid: Bools
    kind: str
    table: bool

    def __repr__(self) -> str:
        return f"FusedMesh({self.kind}, {self.mesh}, {int(self.valid.sum())} of {len(self.valid)} frames)"


def mesh_from_depth(
    clip: ClipLike,
    masks: MasksLike,
    camera: CameraLike,
    depth: DepthsLike,
    *,
    name: str | None = None,
    fusion: str = "own",
    options: FusedOptions = _DEFAULTS,
) -> FusedMesh:
    """Make a mesh of an object from a clip with depth.

    Frames are laid onto each other by points and colours, without any idea of the shape. Where a box explains what was
    seen, its sides are found by outlines and depth of all frames together; else distances are fused and closed.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics; with a lens, frames, masks and depth are undistorted first.
        depth: depth images of the same frames and pixels, metres.
        name: which object of ``masks``; may be left out when there is one.
        fusion: ``"own"``, or ``"open3d"``: the volume of Open3D, which is an extra.
        options: settings.

    Raises:
        InputError: something given is of another kind, size or length.
        MissingExtraError: Open3D was asked for and is not installed.
        EstimationError: too few frames have depth on the object or can be laid onto each other.
    """
    if fusion not in INTEGRATORS:
        raise InputError(f"fusion must be one of {', '.join(INTEGRATORS)}, but got {described(fusion)}")
    clip, masks, camera, given = checked_views(clip, masks, camera, depth, name)
    if given is None:
        raise InputError("a mesh from depth needs depth images: depth=")
    name = object_name(masks, name)
    clip, masks, camera, given = undistorted_views(clip, masks, camera, given)
    object_clip = ObjectClip(clip, masks, name, camera, given)
    placed = placed_frames(object_clip, options)
    views = _views(object_clip, placed, options)
    distance = float(np.median(placed.camera_from_object[placed.valid, 2, 3]))
    cut = options.fusion.cut * distance / camera.fx
    box = box_of(*seen_points(views, camera, options.fusion), options.box, cut=cut)
    made = None if box is None else _as_box(object_clip, placed, box, options)
    return _as_fused(object_clip, placed, views, INTEGRATORS[fusion], options) if made is None else made


def _views(object_clip: ObjectClip, placed: Placed, options: FusedOptions) -> list[View]:
    frames = np.nonzero(placed.valid)[0]
    if len(frames) > options.views:
        frames = frames[np.linspace(0, len(frames) - 1, options.views).round().astype(int)]
    return [view_of(object_clip, int(f), placed.camera_from_object[f]) for f in frames]


def _as_box(object_clip: ObjectClip, placed: Placed, box: Box, options: FusedOptions) -> FusedMesh | None:
    """The box with its sides found over the whole clip; None where its outline does not fill the masks."""
    name = object_clip.name
    shape = box.mesh(float(box.sides.max())).moved(inverse(box.object_from_box))
    request = ObjectRequest(
        name,
        shape,
        frame=placed.start,
        start=placed.camera_from_object[placed.start] @ box.object_from_box,
        scale="axes",
    )
    found = find_objects(
        object_clip.clip,
        object_clip.masks,
        object_clip.camera,
        [request],
        depth=object_clip.depth,
        smooth=False,
    )[name]
    track = found.track
    overlap = (
        0.0 if track.mask_iou is None or not track.valid.any() else np.median(track.mask_iou[track.valid])
    )
    _log.info("%s: a box explains %.2f of its points, its outline %.2f", name, box.explained, overlap)
    if overlap < options.box.outline or track.valid.sum() < options.least_views:
        return None
    sides = found.mesh.extents
    fine = Box(np.eye(4), sides, box.explained).mesh(float(sides.max()) / options.fusion.resolution)
    poses = track.camera_from_object.copy()
    poses[:, :3, 3] += poses[:, :3, :3] @ found.mesh.center
    mesh = _painted(object_clip, fine, poses, track.valid, options)
    coarse = Box(np.eye(4), sides, box.explained).mesh(float(sides.max()))
    return FusedMesh(baked(coarse, mesh), poses, track.valid, "box", False)


def _as_fused(
    object_clip: ObjectClip,
    placed: Placed,
    views: list[View],
    integrator: Integrator,
    options: FusedOptions,
) -> FusedMesh:
    """The measured surface, closed."""
    camera = object_clip.camera
    fused = fused_views(views, camera, options.fusion, integrator)
    points, _ = seen_points(views, camera, options.fusion)
    floor = floor_of(object_clip, placed, points, options)
    solid = closed_solid(fused, views, camera, floor, options.fusion)
    fine, coarse = solid.surface(), solid.surface(options.coarser)
    middle = np.eye(4)
    middle[:3, 3] = coarse.center
    fine, coarse = fine.moved(inverse(middle)), coarse.moved(inverse(middle))
    poses = placed.camera_from_object @ middle
    fine = _painted(object_clip, fine, poses, placed.valid, options)
    return FusedMesh(baked(coarse, fine), poses, placed.valid, "fused", floor is not None)


def _painted(object_clip: ObjectClip, mesh: Mesh, poses: Array, valid: Bools, options: FusedOptions) -> Mesh:
    """The mesh with colours from frames spread over the valid ones."""
    frames = np.nonzero(valid)[0]
    if len(frames) > options.colored:
        frames = frames[np.linspace(0, len(frames) - 1, options.colored).round().astype(int)]
    painter = Painter(mesh, object_clip.camera)
    for frame in frames.tolist():
        view = view_of(object_clip, frame)
        painter.add(view.image, view.mask, poses[frame])
    return painter.painted()
