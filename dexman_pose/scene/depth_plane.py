"""Planes in depth images around the objects: the table they stand on, or a wall behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.masks import BACKGROUND, OCCLUDER, MaskSequence
from dexman_pose.imaging.masks import dilated, mask_box
from dexman_pose.scene.evidence import PlaneVote
from dexman_pose.scene.options import DepthOptions, SceneOptions


def depth_planes(
    depth: DepthSequence, masks: MaskSequence, camera: Camera, options: SceneOptions | None = None
) -> list[PlaneVote]:
    """Find planes in depth images around the objects.

    Points of the background around objects are taken from a few frames. Planes through three of them are tried
    (RANSAC; Fischler and Bolles 1981), the one with the most points on it is fitted by least squares to these, they are
    taken away, and the next one is looked for.

    Args:
        depth: metres, registered to the pictures.
        masks: which tell objects and hands from the background.
        camera: pinhole.
        options: how planes are looked for.

    Returns:
        Planes below the camera that face upwards in the picture, the largest first.
    """
    o = options or SceneOptions()
    rng = np.random.default_rng(0)
    points = background_points(depth, masks, camera, rng, o.depth)
    total = len(points)
    out: list[PlaneVote] = []
    while len(out) < o.depth.planes and len(points) >= max(o.depth.fewest, o.depth.share * total):
        found = _largest_plane(points, rng, o.depth)
        if found is None or found[2].sum() < o.depth.share * total:
            break
        normal, offset, on = found
        if offset > o.priors.nearest and normal[1] < o.priors.upright:
            out.append(_vote(normal, points[on], o))
        points = points[~on]
    return out


def background_points(
    depth: DepthSequence, masks: MaskSequence, camera: Camera, rng: np.random.Generator, options: DepthOptions
) -> Array:
    """(N, 3) metres, points of the background around the objects, of a few frames spread over the clip."""
    frames = np.unique(np.linspace(0, min(len(depth), masks.num_frames) - 1, options.frames).astype(int))
    parts = [
        p for t in frames if len(p := _around(depth.frame(int(t)), masks.labels(int(t)), camera, options))
    ]
    points = np.concatenate(parts) if parts else np.zeros((0, 3))
    if len(points) > options.points:
        points = points[rng.choice(len(points), options.points, replace=False)]
    return points


def _around(depth: NDArray[np.float32], labels: NDArray[np.uint8], camera: Camera, o: DepthOptions) -> Array:
    free = (labels == BACKGROUND) & (depth > 0)
    near = np.zeros_like(free)
    for label in np.unique(labels):
        if label in (BACKGROUND, OCCLUDER):
            continue
        mask = labels == label
        box = mask_box(mask)
        if box is not None:
            size = float(max(box[2] - box[0], box[3] - box[1]))
            margin = max(round(o.around * size), 2)
            # Beside and below: above its middle a thing mostly has something else behind it than its table.
            x0, y0 = max(int(box[0]) - margin, 0), int(box[1] + box[3]) // 2
            near[y0 : int(box[3]) + margin, x0 : int(box[2]) + margin] = True
    # Depth at the edge of a thing in front is neither its own nor the background's.
    free &= near & ~dilated(labels != BACKGROUND, 3)
    v, u = np.nonzero(free)
    return camera.unproject(np.stack([u, v], 1), depth[v, u])


def _largest_plane(
    points: Array, rng: np.random.Generator, o: DepthOptions
) -> tuple[Array, float, NDArray[np.bool_]] | None:
    """Normal towards the camera, offset, and the points (N,) on the plane."""
    near = o.floor + o.near * points[:, 2] ** 2
    best, most = None, 0
    for _ in range(o.tries):
        a, b, c = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1e-9:
            continue
        normal /= length
        count = int((np.abs((points - a) @ normal) < near).sum())
        if count > most:
            best, most = (normal, float(-normal @ a)), count
    if best is None:
        return None
    normal, offset = best
    for _ in range(o.rounds):
        on = np.abs(points @ normal + offset) < near
        if on.sum() < 3:
            return None
        weight = 1 / near[on] ** 2
        middle = (points[on] * weight[:, None]).sum(0) / weight.sum()
        off = (points[on] - middle) * np.sqrt(weight)[:, None]
        normal = np.linalg.svd(off.T @ off)[2][2]
        normal = normal if normal @ middle < 0 else -normal
        offset = float(-normal @ middle)
    return normal, offset, np.abs(points @ normal + offset) < near


def _vote(normal: Array, points: Array, o: SceneOptions) -> PlaneVote:
    """The plane of points (N, 3), its tilt from how far they scatter and how far apart they lie."""
    middle = points.mean(0)
    scatter = float(np.sqrt((((points - middle) @ normal) ** 2).mean()))
    across = np.linalg.svd((points - middle).T @ (points - middle) / len(points))[1]
    count = max(len(points) / o.depth.independent, 1.0)
    tilt = scatter / float(np.sqrt(across[1] * count))
    place = scatter / np.sqrt(count)
    return PlaneVote(
        "depth around the objects",
        normal,
        float(np.hypot(tilt, o.sigmas.depth_turn)),
        middle,
        float(np.hypot(place, o.sigmas.depth_place)),
        o.priors.unknown,
        True,
    )
