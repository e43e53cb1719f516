"""Poses that fill a box, ranked by what the picture shows along their outlines; no mask is asked.

A mask cut from a box fills the bays of an outline, or holds the ground beside the object and not the object. Its box
is still right: all poses that fill it are drawn small. Of a right one, colours differ on both sides of the outline, and
the picture has edges that run along it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.masks import crop_box
from dexman_pose.pose.observation.crop import crop_like, gather
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.search.asked_box import closely, off_box
from dexman_pose.pose.search.coarse_mesh import stand_in
from dexman_pose.pose.search.distinct import distinct_poses
from dexman_pose.pose.search.options import BOX_OUTLINES, VIEWPOINTS, BoxOutlineOptions, ViewpointOptions
from dexman_pose.pose.search.viewpoints import extreme_points, poses_on_box, ray_rotation, rotation_grid
from dexman_pose.render.rasterizer import Rasterizer

_CHUNK = 128
"""Poses drawn and scored at once: few enough for their pictures to stay in the cache."""


def poses_by_outline(
    refiner: PoseRefiner,
    look: ObjectView,
    options: BoxOutlineOptions = BOX_OUTLINES,
    viewpoints: ViewpointOptions = VIEWPOINTS,
) -> tuple[Array, Array]:
    """Poses (B, 4, 4) from all sides that fill the object's box, and how well the picture shows their outlines (B,).

    Args:
        refiner: of the mesh, as large as the object is.
        look: the picture; the box that somebody drew in it, or else that of the mask.
        options: of the pictures and the scores.
        viewpoints: rotations that are tried.

    Raises:
        EstimationError: nobody drew a box, and the mask is empty.
    """
    box = object_box(look)
    ray = look.camera.unproject(0.5 * (box[:2] + box[2:]), np.array(1.0))
    rotations = ray_rotation(ray) @ rotation_grid(viewpoints.directions, viewpoints.turns)
    mesh = refiner.rasterizer.mesh
    poses = poses_on_box(rotations, extreme_points(mesh.vertices), box, look.camera)
    view = gather(
        look.labels, look.label, look.camera, crop_box([box], options.margin), max_side=options.side
    )
    picture = cv2.cvtColor(np.asarray(crop_like(look.image, view), np.float32), cv2.COLOR_RGB2LAB)
    kinds, edges = color_kinds(picture, options), edge_vectors(picture, options)
    rasterizer, (height, width) = Rasterizer(stand_in(mesh), refiner.rasterizer.device), view.size
    scores = []
    for part in np.array_split(poses, max(1, len(poses) // _CHUNK)):
        drawn = rasterizer.render(part, view.camera.K, width, height, attributes=()).mask
        scores.append(told_apart(drawn, kinds) + options.edges * edges_along(drawn, edges))
    return poses, np.concatenate(scores)


def poses_filling_box(
    refiner: PoseRefiner,
    look: ObjectView,
    apart: float,
    symmetry: SymmetryGroup | None = None,
    options: BoxOutlineOptions = BOX_OUTLINES,
) -> Array:
    """The best poses (N, 4, 4) of :func:`poses_by_outline` that differ by ``apart`` radians; at most ``looked_at``."""
    poses, scores = poses_by_outline(refiner, look, options)
    return poses[distinct_poses(poses, scores, options.looked_at, apart, symmetry)]


def is_astray(look: ObjectView, options: BoxOutlineOptions = BOX_OUTLINES) -> bool:
    """Whether a mask cannot be that of the object: it misses the box that somebody drew around it."""
    missed = off_box(look.own, look.asked)
    return missed is not None and missed > options.astray


def object_box(look: ObjectView) -> Array:
    """(4,) x0, y0, x1, y1 pixels that the object fills: the box that somebody drew, less its looseness, or the mask's.

    Raises:
        EstimationError: neither is there.
    """
    if look.asked is None:
        return look.box
    loose = np.minimum(closely(look.asked), 0.25 * (look.asked[2:] - look.asked[:2]))
    return look.asked + np.concatenate([loose, -loose])


def color_kinds(lab: FloatImage, options: BoxOutlineOptions = BOX_OUTLINES) -> NDArray[np.int32]:
    """(h, w) to which of a few colours of the picture (h, w, 3) each of its pixels is nearest; k-means in Lab."""
    pixels = (lab * np.array([options.lightness, 1.0, 1.0], np.float32)).reshape(-1, 3)
    count = min(options.colors, len(pixels))
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, options.rounds, 1.0)
    labels = cv2.kmeans(pixels, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)[1]
    return np.asarray(labels, np.int32).reshape(lab.shape[:2])


def told_apart(drawn: Mask, kinds: NDArray[np.int32]) -> Array:
    """(B,) how far a pixel's colour tells whether it lies in an outline: mutual information in nats.

    Args:
        drawn: (B, h, w) outlines, filled.
        kinds: (h, w) of :func:`color_kinds`.
    """
    each = np.eye(int(kinds.max()) + 1, dtype=np.float32)[kinds.reshape(-1)]
    inside = drawn.reshape(len(drawn), -1).astype(np.float32) @ each
    joint = np.stack([inside, each.sum(0) - inside], 1).astype(np.float64) + 0.5
    joint /= joint.sum((1, 2), keepdims=True)
    apart = joint.sum(1, keepdims=True) * joint.sum(2, keepdims=True)
    return np.asarray((joint * np.log(joint / apart)).sum((1, 2)))


def edge_vectors(lab: FloatImage, options: BoxOutlineOptions = BOX_OUTLINES) -> FloatImage:
    """(2, h, w) across the edges of a picture (h, w, 3): of the channel that changes most, strong ones one long."""
    smooth = cv2.GaussianBlur(lab, (0, 0), options.blur)
    both = np.stack([cv2.Sobel(smooth, cv2.CV_32F, *way, scale=0.25) for way in ((1, 0), (0, 1))])
    most = (both**2).sum(0).argmax(-1)
    out = np.take_along_axis(both, most[None, ..., None], -1)[..., 0]
    return np.asarray(out / (np.hypot(*out) + options.faint), np.float32)


def edges_along(drawn: Mask, edges: FloatImage) -> Array:
    """(B,) mean strength of the edges (2, h, w) across the outlines (B, h, w), those that run otherwise for less."""
    filled = drawn.astype(np.float32)
    across, down = np.zeros_like(filled), np.zeros_like(filled)
    across[:, :, 1:-1] = filled[:, :, 2:] - filled[:, :, :-2]
    down[:, 1:-1] = filled[:, 2:] - filled[:, :-2]
    size = np.hypot(across, down)
    found = np.abs(across * edges[0] + down * edges[1]) / np.maximum(size, 1.0)
    found[size == 0] = 0.0
    return np.asarray(found.sum((1, 2)) / np.maximum((size > 0).sum((1, 2)), 1))
