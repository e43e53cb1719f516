"""Better shapes for objects without a mesh: what the whole clip says about the outline, given tracked poses."""

from __future__ import annotations

import logging

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, Camera, Clip, MaskSequence, Mesh, PoseTrack
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.meshing.carve import HullVotes
from dexman_pose.meshing.inflate import SwollenOutline
from dexman_pose.meshing.paint import Painter
from dexman_pose.meshing.silhouette import close_gaps
from dexman_pose.pose.clip.options import ShapeOptions

_log = logging.getLogger(__name__)
_DEFAULTS = ShapeOptions()


def improve_shape(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    meshes: dict[str, Mesh],
    tracks: dict[str, PoseTrack],
    frames: dict[str, int],
    *,
    options: ShapeOptions = _DEFAULTS,
) -> dict[str, Mesh]:
    """Meshes rebuilt from the outlines of many frames, in the same object frames.

    The outline of the starting view is completed where it was hidden and trimmed where most other frames disagree, then
    swollen again; the result is carved by the votes of all views and coloured from all of them.

    Args:
        clip: the frames.
        masks: label images.
        camera: intrinsics.
        meshes: first meshes by object name.
        tracks: their tracks.
        frames: the frame each mesh was made from.
        options: which frames vote, and how.

    Returns:
        New meshes; objects with too few valid frames are left out.
    """
    shapes = {}
    for name, mesh in meshes.items():
        views = _views(tracks[name], frames[name], options)
        if len(views) >= options.least_views:
            try:
                shapes[name] = _reshape(masks, camera, name, mesh, tracks[name], frames[name], views, options)
            except EstimationError as error:
                _log.info("%s: the first shape stays: %s", name, error)
    painters = {n: Painter(m, camera) for n, m in shapes.items()}
    wanted = {
        n: set(_views(tracks[n], frames[n], options)[:: options.painted_every]) | {frames[n]} for n in shapes
    }
    for index in sorted(set().union(*wanted.values())) if wanted else []:
        image, labels = clip.frame(index), masks.labels(index)
        for name, painter in painters.items():
            if index in wanted[name]:
                # The starting view is exact by construction; the others only fill in what it does not show.
                weight = 1.0 if index == frames[name] else options.other_weight
                pose = tracks[name].camera_from_object[index]
                painter.add(image, labels == masks.label_of(name), pose, weight)
    return {name: painter.painted() for name, painter in painters.items()}


def _views(track: PoseTrack, start: int, options: ShapeOptions) -> list[int]:
    """Frames that may vote: valid, with a decent overlap, evenly spread, the starting one among them."""
    assert track.mask_iou is not None
    good = np.nonzero(track.valid & (track.mask_iou > options.view_overlap))[0]
    if len(good) > options.views:
        good = good[np.linspace(0, len(good) - 1, options.views).round().astype(int)]
    return sorted({int(i) for i in good} | ({start} if track.valid[start] else set()))


def _reshape(
    masks: MaskSequence,
    camera: Camera,
    name: str,
    mesh: Mesh,
    track: PoseTrack,
    start: int,
    views: list[int],
    options: ShapeOptions,
) -> Mesh:
    middle = mesh.center
    half = 0.5 * mesh.extents * np.array(options.margin) + options.padding * mesh.radius
    low, high = middle - half, middle + half
    spacing = float((high - low).max()) / options.resolution
    votes = HullVotes(low - 2 * spacing, high + 2 * spacing, spacing)
    label = masks.label_of(name)
    for index in views:
        votes.add(masks.labels(index), label, camera, track.camera_from_object[index])
    pose = track.camera_from_object[start]
    outline = _completed_outline(masks.labels(start), label, camera, pose, votes, options)
    swollen = SwollenOutline(outline, camera, pose, options.thickness)
    steep = options.steep * spacing  # turns a share of votes into something that grows like a distance

    def distance(points: Array) -> Array:
        return np.maximum(swollen(points), steep * (options.inside - votes.share(points)))

    box_low, box_high = swollen.bounds()
    vertices, faces = surface_nets(distance, box_low - 2 * spacing, box_high + 2 * spacing, spacing)
    if len(faces) < options.least_faces:
        raise EstimationError(f"the views of {name!r} do not agree on a shape")
    return Mesh(vertices, faces, source="silhouette")


def _completed_outline(
    labels: NDArray[np.uint8],
    label: int,
    camera: Camera,
    pose: Array,
    votes: HullVotes,
    options: ShapeOptions,
) -> NDArray[np.bool_]:
    """The outline in the starting view: its own mask where it is certain, the vote of the others where it is hidden."""
    height, width = labels.shape
    v, u = np.mgrid[0:height:2, 0:width:2]
    pixels = np.stack([u.ravel(), v.ravel()], 1).astype(np.float64)
    ray = camera.unproject(pixels, np.ones(len(pixels))) @ pose[:3, :3]
    origin = -pose[:3, :3].T @ pose[:3, 3]
    distance = -origin[2] / ray[:, 2]
    points = origin + distance[:, None] * ray
    box = ((points >= votes.low) & (points <= votes.high)).all(1)
    share = np.zeros(len(points))
    share[box] = np.where(votes.known(points[box]) >= options.known_views, votes.share(points[box]), 0.0)
    voted = np.zeros((len(range(0, height, 2)), len(range(0, width, 2))), np.float32)
    voted[...] = share.reshape(voted.shape)
    full = np.repeat(np.repeat(voted, 2, 0), 2, 1)[:height, :width]
    own = labels == label
    hidden = ~own & (labels != BACKGROUND)
    visible = own & (full > options.seen_share)
    count, parts = cv2.connectedComponents(
        (visible | (hidden & (full > options.hidden_share))).astype(np.uint8), connectivity=4
    )
    vouched = np.bincount(parts[visible], minlength=count) > 0
    vouched[0] = False
    return close_gaps(vouched[parts], hidden)
