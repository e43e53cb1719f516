"""A mesh put in the place of another: turned and sized so that it fills the same box."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class SwapOptions:
    """What may stand in for an object.

    Attributes:
        size: share by which the other mesh is made smaller or larger, at most.
        side: share by which a side of its box may then differ from the object's.
    """

    size: float = 0.25
    side: float = 0.3


def fitted(other: Mesh, own: Mesh, name: str = "the mesh", options: SwapOptions | None = None) -> Mesh:
    """Put a mesh where another is, in its frame: box on box, axes along axes, upright stays upright.

    Of the 24 ways to turn it onto the axes that one is taken whose box is most alike; among equal ones the first, which
    is as it is. The same mesh comes out as it is.

    Args:
        other: what stands in, metres.
        own: what it stands in for.
        name: of it, for the message.
        options: how much it may differ.

    Raises:
        InputError: its box is not alike in any way.
    """
    o = options or SwapOptions()
    best: tuple[float, Array, float] | None = None
    for turn in _turns():
        sides = np.abs(turn) @ other.extents
        ratio = own.extents / np.maximum(sides, 1e-9)
        factor = float(np.clip(np.exp(np.log(ratio).mean()), 1.0 - o.size, 1.0 + o.size))
        apart = float(np.abs(factor * sides / own.extents - 1.0).max())
        if best is None or apart < best[0] - 1e-9:
            best = apart, turn, factor
    assert best is not None
    apart, turn, factor = best
    if apart > o.side:
        given, wanted = (" x ".join(f"{1e3 * side:.0f}" for side in m.extents) for m in (other, own))
        raise InputError(
            f"{name} measures {given} mm and cannot stand in for an object of {wanted} mm, sizes {100 * o.size:.0f} % "
            "smaller to larger allowed: give a mesh of like proportions"
        )
    return moved(other, factor * turn, own.center - factor * turn @ other.center)


def moved(mesh: Mesh, turn: Array, shift: Array) -> Mesh:
    """A mesh with all vertices turned by (3, 3), sizes included, and shifted by (3,)."""
    from dataclasses import replace

    return replace(mesh, vertices=mesh.vertices @ turn.T + shift)


def _turns() -> list[Array]:
    """The 24 rotations (3, 3) of a cube, the identity first."""
    out = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0:
                out.append(turn)
    return sorted(out, key=lambda t: -float(np.trace(t)))
