"""Things that get between camera and object: a slab and a hand-like fan of fingers, and how far to push them in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry.se3 import se3
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.shape_parts import Part, corner_normals, grid_box, joined, lathe

_GAP = 0.05  # metres between the object's nearest point and the occluder's middle
_COARSE = 0.5  # resolution at which the covered share is measured while an occluder is pushed in


@dataclass(frozen=True)
class Occluder:
    """An occluder of unit size: it reaches from x = 0 (its front edge) to beyond x = 2.5.

    Attributes:
        mesh: to be scaled by the object's radius.
        normals: (F, 3, 3) for shading.
    """

    mesh: Mesh
    normals: Array


@lru_cache(maxsize=2)
def occluder(kind: str) -> Occluder:
    """``"slab"`` (a board with a straight edge) or ``"hand"`` (a palm with four fingers ahead)."""
    part = _slab() if kind == "slab" else _hand()
    rng = np.random.default_rng(5)
    waves = np.stack([np.sin(part.vertices @ rng.uniform(-9, 9, 3)) for _ in range(3)], -1)
    base, strength = ((96, 120, 150), 45.0) if kind == "slab" else ((206, 156, 128), 14.0)
    colors = np.clip(np.array(base) + strength * waves, 0, 255).astype(np.uint8)
    mesh = Mesh(part.vertices, part.faces.astype(np.int32), vertex_colors=colors, source="synthetic")
    return Occluder(mesh, corner_normals(mesh.vertices, mesh.faces))


def _slab() -> Part:
    return grid_box((3.2, 3.2, 0.12), 16).placed(np.eye(3), (1.6, 0, 0))


def _hand() -> Part:
    """Capsules of different length side by side, a palm behind them, a thumb across."""
    to_minus_x = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
    parts = [grid_box((2.2, 1.5, 0.34), 10).placed(np.eye(3), (2.0, 0, 0))]
    for y, tip, spread in ((-0.57, 0.22, -0.12), (-0.19, 0.0, -0.04), (0.19, 0.08, 0.05), (0.57, 0.34, 0.14)):
        c, s = np.cos(spread), np.sin(spread)
        turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
        finger = _capsule(0.165, 1.35 - tip)
        parts.append(finger.placed(turn @ to_minus_x, (1.35, y, 0)))
    thumb = np.array([[0.5, 0.866, 0], [-0.866, 0.5, 0], [0, 0, 1.0]])
    parts.append(_capsule(0.19, 1.0).placed(thumb @ to_minus_x, (1.7, 0.6, -0.05)))
    return joined(parts)


def _capsule(radius: float, length: float) -> Part:
    """From z = 0 to z = ``length``, both ends round."""
    a = np.linspace(-0.5 * np.pi, 0, 6)
    low = np.stack([radius * np.cos(a), radius * np.sin(a) + radius], -1)
    high = np.stack([radius * np.cos(a[::-1]), length - radius - radius * np.sin(a[::-1])], -1)
    high[-1, 0] = low[0, 0] = 0.0
    return lathe(np.concatenate([low, high]), 20)


def placed_occluder(middle: Array, radius: float, angle: float, offset: float) -> Array:
    """camera_from_occluder (4, 4), scale included, before an object.

    Args:
        middle: (3,) of the object, camera frame.
        radius: of the object, metres.
        angle: the side in the picture it comes from, radians.
        offset: where its front edge is seen, in object radii from the object's middle towards that side.
    """
    z = max(middle[2] - radius - _GAP, 0.12)
    way = np.array([np.cos(angle), np.sin(angle), 0.0])
    rotation = np.stack([way, [-way[1], way[0], 0.0], [0.0, 0.0, 1.0]], 1)
    size = 1.25 * radius * z / middle[2]
    return se3(size * rotation, middle * (z / middle[2]) + offset * radius * z / middle[2] * way)


def covered_share(
    thing: Rasterizer, pose: Array, cover: Rasterizer, cover_pose: Array, camera: Camera
) -> float:
    """Share of the object's silhouette, inside the picture, that is hidden."""
    k = _COARSE
    small = camera.cropped(0, 0, round(camera.width * k), round(camera.height * k), k)
    own = thing.render(pose, small.K, small.width, small.height).mask[0]
    other = cover.render(cover_pose, small.K, small.width, small.height).mask[0]
    return float((own & other).sum() / max(int(own.sum()), 1))


def pushed_in(
    thing: Rasterizer,
    pose: Array,
    cover: Rasterizer,
    camera: Camera,
    middle: Array,
    radius: float,
    angle: float,
    share: float,
) -> Array:
    """The occluder's pose that hides ``share`` of the object, found by bisection of its offset."""
    far, near = 1.6, -1.6
    for _ in range(9):
        offset = 0.5 * (far + near)
        placed = placed_occluder(middle, radius, angle, offset)
        if covered_share(thing, pose, cover, placed, camera) < share:
            far = offset
        else:
            near = offset
    return placed_occluder(middle, radius, angle, 0.5 * (far + near))
