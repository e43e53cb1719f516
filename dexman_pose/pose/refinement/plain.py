"""Whether a mesh's own colours, as they are drawn, outweigh the light that will fall on it."""

from __future__ import annotations

from itertools import product
from weakref import finalize

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.color_agreement import contrast_of
from dexman_pose.pose.refinement.options import ColorOptions
from dexman_pose.render import Rasterizer

_WHITE = np.float32(255.0)
_known: dict[tuple[int, ColorOptions], float] = {}


def usual_contrast(rasterizer: Rasterizer, options: ColorOptions) -> float:
    """Grey levels of local contrast of a coloured mesh, drawn without light: the middle of several views of it.

    What a texture file holds says little: much of it may be on no face, or vary so slowly that shading hides it. Looked
    at once, and kept as long as the mesh lives: do not write into a mesh's arrays.
    """
    mesh = rasterizer.mesh
    key = (id(mesh), options)
    if key not in _known:
        _known[key] = _looked_at(rasterizer, options)
        finalize(mesh, _known.pop, key, None)
    return _known[key]


def _looked_at(rasterizer: Rasterizer, options: ColorOptions) -> float:
    side, mesh = options.view_side, rasterizer.mesh
    focal = 0.5 * side * options.view_distance
    middle = 0.5 * (side - 1)
    camera = np.array([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])
    poses = np.tile(np.eye(4), (len(_DIRECTIONS), 1, 1))
    poses[:, :3, :3] = [_looking_along(direction) for direction in _DIRECTIONS]
    poses[:, :3, 3] = (
        np.array([0.0, 0.0, options.view_distance * mesh.radius]) - poses[:, :3, :3] @ mesh.center
    )
    drawn = rasterizer.render(poses, camera, side, side, attributes=("color",))
    assert drawn.color is not None
    return float(np.median([contrast_of(c * _WHITE, area) for c, area in zip(drawn.color, drawn.mask)]))


_DIRECTIONS: Array = np.array(
    [d for d in product((-1.0, 0.0, 1.0), repeat=3) if sum(map(abs, d)) in (1.0, 3.0)]
)
"""(14, 3) sides and corners of a cube."""


def _looking_along(direction: Array) -> Array:
    """(3, 3) camera from object of a camera that looks along a direction (3,) of the object."""
    ahead = direction / np.linalg.norm(direction)
    beside = np.eye(3)[int(np.abs(ahead).argmin())]
    right = np.cross(beside, ahead)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(ahead, right), ahead])
