"""What belongs to each vertex of the hand at rest: which bones carry it, and its colour.

Weights: a vertex goes to the finger whose skin it lies on; along the finger the weight passes from bone to bone over
about one finger radius around each joint; then the weights are smoothed over the surface.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from dexman_pose.arrays import Array
from dexman_pose.geometry.grids import interpolated
from dexman_pose.hands.model.skeleton import Skeleton
from dexman_pose.hands.model.surface import MM, HandSurface

FOREARM = 16
"""Index of the forearm among the 17 bones a vertex can ride on: palm, 15 finger bones, forearm."""

_SKIN = np.array([0.890, 0.700, 0.590])
_PALM_TINT = np.array([1.04, 0.985, 0.985])
_RED = np.array([1.0, 0.86, 0.84])
_DARK = np.array([0.80, 0.68, 0.63])
_NAIL = np.array([0.965, 0.800, 0.760])
_NAIL_TIP = np.array([0.985, 0.925, 0.885])


def adjacency(faces: NDArray[np.int32], count: int) -> csr_matrix:
    """Row-normalised neighbour matrix (V, V): multiplying by it averages over a vertex's neighbours."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    both = np.concatenate([edges, edges[:, ::-1]])
    m = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    m.data[:] = 1.0
    inverse = 1.0 / np.maximum(np.asarray(m.sum(1)).ravel(), 1.0)
    return csr_matrix(m.multiply(inverse[:, None]))


def skin_weights(
    vertices: Array, faces: NDArray[np.int32], skeleton: Skeleton, surface: HandSurface
) -> Array:
    """Weights (V, 17) that sum to one: palm, 15 finger bones (``BONE_NAMES``), forearm."""
    weights = np.zeros((len(vertices), 17))
    owner = np.argmin([f.distance(vertices) for f in surface.fingers], axis=0)
    palm = surface.palm.distance(vertices)
    for finger in range(5):
        mine = owner == finger
        on_finger = surface.fingers[finger].distance(vertices[mine])
        weights[mine, 1 + 3 * finger : 4 + 3 * finger] = _along_finger(vertices[mine], skeleton, finger)
        if finger == 0:  # the ball of the thumb moves with the metacarpal as far as it is not the palm's skin
            weights[mine, 1] *= _step(palm[mine] - on_finger, -5 * MM, 7 * MM)
    weights[:, 0] = 1.0 - weights.sum(1)
    forearm = 1.0 - _step(vertices[:, 0], -24 * MM, 14 * MM)
    weights *= (1.0 - forearm)[:, None]
    weights[:, FOREARM] = forearm
    mean = adjacency(faces, len(vertices))
    for _ in range(10):
        weights = 0.5 * weights + 0.5 * (mean @ weights)
    out: Array = weights / weights.sum(1, keepdims=True)
    return out


def _along_finger(points: Array, skeleton: Skeleton, finger: int) -> Array:
    """Weights (N, 3) of a finger's three bones; what is missing to one is the palm's."""
    joints = skeleton.joints[1 + 4 * finger : 5 + 4 * finger]
    widths = ((20.0, 9.0, 8.0), (9.0, 7.0, 6.0))[finger > 0]
    starts = [
        _step((points - joints[k]) @ skeleton.directions[3 * finger + k], -widths[k] * MM, widths[k] * MM)
        for k in range(3)
    ]
    return np.stack([starts[0] * (1 - starts[1]), starts[1] * (1 - starts[2]), starts[1] * starts[2]], 1)


def skin_colors(
    vertices: Array, normals: Array, skeleton: Skeleton, surface: HandSurface
) -> NDArray[np.uint8]:
    """Colours (V, 3) RGB: paler palm, redder knuckles and tips, creases, blotches, nails."""
    palmar = _step(-normals[:, 2], -0.35, 0.5) * _step(vertices[:, 0], -60 * MM, 0.0)
    color = _SKIN * (1.0 + palmar[:, None] * (_PALM_TINT - 1.0))
    color = color * (1.0 + _blotches(vertices, 11 * MM, 3)[:, None] * np.array([0.02, 0.045, 0.05]))
    color = color * (1.0 + _blotches(vertices, 3 * MM, 5)[:, None] * 0.018)
    owner = np.argmin([f.distance(vertices) for f in surface.fingers], axis=0)
    on_finger = np.min([f.distance(vertices) for f in surface.fingers], axis=0) < 1.5 * MM
    color = _mix(color, color * _DARK, 0.45 * _palm_lines(vertices) * palmar)
    for finger in range(5):
        mine = np.flatnonzero((owner == finger) & on_finger)
        color[mine] = _finger_color(color[mine], vertices[mine], normals[mine], skeleton, finger)
    return np.round(255 * np.clip(color, 0, 1)).astype(np.uint8)


def _finger_color(color: Array, points: Array, normals: Array, s: Skeleton, finger: int) -> Array:
    joints = s.joints[1 + 4 * finger : 5 + 4 * finger]
    for k in range(3):
        bone = 3 * finger + k
        t = (points - joints[k]) @ s.directions[bone] / MM
        back = normals @ s.dorsal[bone]
        knuckle = np.exp(-((t / 7.0) ** 2)) * np.clip(back, 0, 1)
        color = _mix(color, color * _RED, 0.75 * knuckle)
        if finger > 0 or k > 0:
            wrinkles = np.exp(-((t / 4.5) ** 2)) * (0.5 + 0.5 * np.cos(t * 2.2)) * _step(back, 0.2, 0.7)
            crease = np.exp(-(((t - (0.0 if k else 9.0)) / 1.3) ** 2)) * _step(-back, -0.1, 0.5)
            color = _mix(color, color * _DARK, 0.55 * crease + 0.30 * wrinkles)
    tip = (points - joints[3]) @ s.directions[3 * finger + 2] / MM
    color = _mix(color, color * _RED, 0.55 * _step(tip, -14.0, 0.0))
    return _with_nail(color, points - joints[3], normals, s, finger)


def _with_nail(color: Array, from_tip: Array, normals: Array, s: Skeleton, finger: int) -> Array:
    """The nail plate: paler and pinker than the skin, a white edge in front, a dark line around."""
    bone = 3 * finger + 2
    along, up = s.directions[bone], s.dorsal[bone]
    side = from_tip @ np.cross(up, along) / MM
    t = from_tip @ along / MM
    half = (7.4, 6.0, 6.2, 5.8, 4.9)[finger]
    length = (13.5, 11.0, 11.5, 11.0, 9.0)[finger]
    middle = 1.2 - 0.5 * length
    # A rounded rectangle: the fourth power is between an ellipse and a box.
    r = (np.abs(side / half) ** 3.2 + np.abs((t - middle) / (0.5 * length)) ** 3.2) ** (1 / 3.2)
    on_top = _step(normals @ up, 0.05, 0.35)
    rim = np.exp(-(((r - 1.04) / 0.13) ** 2)) * on_top
    color = _mix(color, color * _DARK, 0.75 * rim)
    plate = _step(-r, -1.04, -0.9) * on_top
    color = _mix(color, np.broadcast_to(_NAIL, color.shape), 0.9 * plate)
    return _mix(color, np.broadcast_to(_NAIL_TIP, color.shape), 0.8 * plate * _step(t, -0.9, 0.3))


def _palm_lines(points: Array) -> Array:
    """Strength (V,) of the three main lines of the palm (heart, head, life)."""
    lines = (
        ((70, -42), (74, -25), (80, -8), (90, 8), (97, 16)),
        ((50, -34), (58, -18), (66, 2), (72, 20), (74, 36)),
        ((12, 2), (28, 0), (46, 6), (62, 18), (73, 36)),
    )
    out = np.zeros(len(points))
    for line in lines:
        p = np.array(line, float) * MM
        d = np.min([_segment_distance(points[:, :2], a, b) for a, b in pairwise(p)], axis=0)
        out = np.maximum(out, np.exp(-((d / (1.5 * MM)) ** 2)))
    return out


def _segment_distance(points: Array, a: Array, b: Array) -> Array:
    t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    out: Array = np.linalg.norm(points - a - t[:, None] * (b - a), axis=1)
    return out


def _blotches(points: Array, size: float, seed: int) -> Array:
    """Smooth noise (V,) in about [-1, 1] with features of the given size in metres."""
    cells = (points - points.min(0)) / size
    shape = np.ceil(cells.max(0)).astype(int) + 2
    grid = np.random.default_rng(seed).uniform(-1, 1, shape)
    out: Array = interpolated(grid, cells.T, "constant")
    return out


def _step(x: Array, low: float, high: float) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _mix(a: Array, b: Array, amount: Array) -> Array:
    return a + np.clip(amount, 0, 1)[:, None] * (b - a)
