"""Rotations spread evenly over viewpoints and in-plane turns, and poses that put them on a mask."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.search.options import VIEWPOINTS

_GOLDEN_RATIO = 0.5 * (1.0 + 5.0**0.5)
_ALONG_Z = 0.9  # of a unit vector's z above which x serves better to build a frame on it
_NO_ANGLE = 1e-9  # sine below which two directions are one
_NO_SIZE = 1e-9  # pixels, so that nothing is divided by zero


def sphere_directions(count: int) -> Array:
    """(count, 3) unit vectors on a Fibonacci lattice: even to a few percent for any count."""
    k = np.arange(count) + 0.5
    z = 1.0 - 2.0 * k / count
    phi = 2.0 * np.pi * _GOLDEN_RATIO * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], -1)


def rotation_grid(directions: int, turns: int) -> Array:
    """(directions * turns, 3, 3) rotations: each viewing direction with ``turns`` turns about the optical axis."""
    z = sphere_directions(directions)
    helper = np.where(np.abs(z[:, 2:]) < _ALONG_Z, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    look = np.stack([x, np.cross(z, x), z], 1)
    angle = 2.0 * np.pi * np.arange(turns) / turns
    roll = so3_exp(np.stack([np.zeros(turns), np.zeros(turns), angle], -1))
    return (roll[None] @ look[:, None]).reshape(-1, 3, 3)


def rotations_near(rotation: Array, count: int, angle: float, seed: int = 0) -> Array:
    """(count, 3, 3) rotations within ``angle`` radians of one, the first being itself."""
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    amount = angle * rng.random(count) ** (1 / 3)
    amount[0] = 0.0
    near: Array = so3_exp(axis * amount[:, None]) @ rotation
    return near


def ray_rotation(ray: Array) -> Array:
    """(3, 3) smallest rotation of the optical axis onto a viewing ray (3,): keeps the seen viewpoint off-centre."""
    z = ray / np.linalg.norm(ray)
    axis = np.cross([0.0, 0.0, 1.0], z)
    sine = np.linalg.norm(axis)
    if sine < _NO_ANGLE:
        return np.eye(3)
    turn: Array = so3_exp(axis / sine * np.arctan2(sine, z[2]))
    return turn


def poses_on_box(
    rotations: Array, vertices: Array, box: Array, camera: Camera, passes: int = VIEWPOINTS.passes
) -> Array:
    """(B, 4, 4) poses of the given rotations whose projected bounding box best covers a box in the image.

    Args:
        rotations: (B, 3, 3) camera from object.
        vertices: (V, 3) object frame; the extreme points suffice.
        box: (4,) x0, y0, x1, y1 pixels.
        camera: intrinsics.
        passes: refinements of distance and position.
    """
    center = 0.5 * (vertices.min(0) + vertices.max(0))
    local = _turned(rotations, vertices - center)
    size = np.maximum(box[2:] - box[:2] + 1.0, VIEWPOINTS.least_size)
    middle = 0.5 * (box[:2] + box[2:])
    span = np.ptp(local[:, :2], axis=2)
    z = np.sqrt((span[:, 0] * camera.fx / size[0]) * (span[:, 1] * camera.fy / size[1]))
    offset = camera.unproject(np.broadcast_to(middle, (len(z), 2)), z)
    for _ in range(passes):
        low, high = _projected_box(local, offset, camera)
        ratio = np.sqrt(np.prod((high - low + _NO_SIZE) / size, axis=1))
        z = offset[:, 2] * np.clip(ratio, VIEWPOINTS.least_change, VIEWPOINTS.most_change)
        shift = middle - 0.5 * (low + high)
        anchor = camera.project(offset) + shift
        offset = camera.unproject(anchor, z)
    translation = offset - np.einsum("bij,j->bi", rotations, center)
    return se3(rotations, translation)


def poses_on_part(
    rotations: Array, vertices: Array, box: Array, camera: Camera, passes: int = VIEWPOINTS.passes
) -> Array:
    """(4 B, 4, 4) poses of which the box (4,) shows only a part: each reaches past one side of it.

    Three sides of the projected bounding box meet the box, the fourth lies beyond: below, above, right, left. The
    distance follows from the side that is seen in full.

    Args:
        rotations: (B, 3, 3) camera from object.
        vertices: (V, 3) object frame; the extreme points suffice.
        box: (4,) x0, y0, x1, y1 pixels of what is visible.
        camera: intrinsics.
        passes: refinements of distance and position.
    """
    center = 0.5 * (vertices.min(0) + vertices.max(0))
    local = _turned(rotations, vertices - center)
    span = np.ptp(local[:, :2], axis=2)
    size = np.maximum(box[2:] - box[:2] + 1.0, VIEWPOINTS.least_size)
    out = []
    for full, side in ((0, 0), (0, 1), (1, 0), (1, 1)):  # the axis seen in full, the end of the other that is
        other = 1 - full
        focal = (camera.fx, camera.fy)[full]
        z = span[:, full] * focal / size[full]
        anchor = np.broadcast_to(0.5 * (box[:2] + box[2:]), (len(z), 2)).copy()
        offset = camera.unproject(anchor, z)
        for _ in range(passes):
            low, high = _projected_box(local, offset, camera)
            ratio = (high[:, full] - low[:, full] + _NO_SIZE) / size[full]
            z = offset[:, 2] * np.clip(ratio, VIEWPOINTS.least_change, VIEWPOINTS.most_change)
            shift = np.zeros((len(z), 2))
            shift[:, full] = 0.5 * (box[full] + box[full + 2]) - 0.5 * (low + high)[:, full]
            shift[:, other] = (box[other] - low[:, other], box[other + 2] - high[:, other])[side]
            offset = camera.unproject(camera.project(offset) + shift, z)
        out.append(se3(rotations, offset - np.einsum("bij,j->bi", rotations, center)))
    return np.concatenate(out)


_AT_ONCE = 256
"""Vertices measured along all directions at once: few enough that memory stays small and no threads are woken."""


def projected_boxes(camera_from_object: Array, points: Array, camera: Camera) -> Array:
    """(B, 4) x0, y0, x1, y1 pixels around points (V, 3), object frame, at poses (B, 4, 4), metres."""
    low, high = _projected_box(
        _turned(camera_from_object[:, :3, :3], points), camera_from_object[:, :3, 3], camera
    )
    return np.concatenate([low, high], 1)


def _turned(rotations: Array, points: Array) -> Array:
    """(B, 3, V) points (V, 3) turned by rotations (B, 3, 3): x, y and z apart, each in one piece."""
    out: Array = (rotations.reshape(-1, 3) @ points.T).reshape(len(rotations), 3, len(points))
    return out


def _projected_box(local: Array, offset: Array, camera: Camera) -> tuple[Array, Array]:
    """Least and largest pixels (B, 2) of points (B, 3, V) moved by (B, 3), metres, through a pinhole."""
    camera.require_pinhole("the search")
    depth = np.maximum(local[:, 2] + offset[:, 2:], VIEWPOINTS.least_depth)
    u = (local[:, 0] + offset[:, :1]) / depth * camera.fx + camera.cx
    v = (local[:, 1] + offset[:, 1:2]) / depth * camera.fy + camera.cy
    return np.stack([u.min(1), v.min(1)], 1), np.stack([u.max(1), v.max(1)], 1)


def extreme_points(vertices: Array, count: int = VIEWPOINTS.extremes) -> Array:
    """At most ``count`` vertices that reach farthest in evenly spread directions: enough for bounding boxes."""
    directions = sphere_directions(count)
    farthest, reach = np.zeros(count, np.int64), np.full(count, -np.inf)
    for first in range(0, len(vertices), _AT_ONCE):
        along = vertices[first : first + _AT_ONCE] @ directions.T
        best = along.argmax(0)
        there = along[best, np.arange(count)]
        farther = there > reach  # of vertices that reach as far, the first one counts
        farthest[farther], reach[farther] = first + best[farther], there[farther]
    return vertices[np.unique(farthest)]
