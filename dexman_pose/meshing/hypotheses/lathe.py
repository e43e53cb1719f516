"""The mesh of a body of revolution, full or hollow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.meshing.hypotheses.options import RevolvedOptions
from dexman_pose.meshing.hypotheses.revolved import Profile, across

_DEFAULTS = RevolvedOptions()
_DISCS = 7  # rings of a flat end


def turned_mesh(profile: Profile, *, hollow: bool = False, options: RevolvedOptions = _DEFAULTS) -> Mesh:
    """A closed mesh of a profile, flat at both ends; a hollow one is open towards the end of the axis.

    Args:
        profile: of the outside.
        hollow: whether it is a vessel, with a wall and a bottom of ``options.wall`` of its diameter.
        options: of the mesh.
    """
    heights = np.linspace(profile.heights[0], profile.heights[-1], options.rows)
    radii = np.interp(heights, profile.heights, profile.radii)
    line = [np.linspace(0, radii[0], _DISCS + 1)[1:-1], radii]
    level = [np.full(_DISCS - 1, heights[0]), heights]
    low, high = heights[0], heights[-1]
    wall = 2.0 * options.wall * float(radii.max())
    if hollow and high - low > 2 * wall and radii[-1] > 2 * wall:
        inner = np.linspace(high, low + wall, options.rows)
        inside = np.maximum(np.interp(inner, heights, radii) - wall, 0.05 * radii.max())
        line += [inside, np.linspace(inside[-1], 0, _DISCS + 1)[1:-1]]
        level += [inner, np.full(_DISCS - 1, inner[-1])]
        last = float(inner[-1])
    else:
        line.append(np.linspace(radii[-1], 0, _DISCS + 1)[1:-1])
        level.append(np.full(_DISCS - 1, high))
        last = float(high)
    r, h = np.concatenate(line), np.concatenate(level)
    vertices = _placed(profile, r, h, options.sections)
    tips = profile.base + np.array([[low], [last]]) * profile.axis
    return Mesh(np.concatenate([vertices, tips]), _faces(len(r), options.sections), source="revolved")


def _placed(profile: Profile, radii: Array, heights: Array, sections: int) -> Array:
    u, v = across(profile.axis)
    turn = np.linspace(0, 2 * np.pi, sections, endpoint=False)
    circle = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    rings = profile.base + heights[:, None, None] * profile.axis + radii[:, None, None] * circle[None]
    out: Array = rings.reshape(-1, 3)
    return out


def _faces(rings: int, sections: int) -> NDArray[np.int32]:
    place = np.arange(rings * sections).reshape(rings, sections)
    after = np.roll(place, -1, axis=1)
    a, b, c, d = (x.ravel() for x in (place[:-1], after[:-1], place[1:], after[1:]))
    sides = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    first, last = np.full(sections, rings * sections), np.full(sections, rings * sections + 1)
    caps = [np.stack([first, after[0], place[0]], 1), np.stack([last, place[-1], after[-1]], 1)]
    return np.concatenate([sides, *caps]).astype(np.int32)
