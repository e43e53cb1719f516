"""What is symmetric in the stress suite's shapes, and errors of poses modulo it. Kept apart from the engine's own
symmetry code, so that one cannot hide the other's mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import quaternion_from_matrix, so3_exp
from dexman_pose.geometry.symmetry import Axis, SymmetryGroup


@dataclass(frozen=True)
class TrueSymmetry:
    """Turns about the origin of the object frame that leave a shape, print included, as it is.

    Attributes:
        discrete: (S, 4, 4), identity first.
        axes: (A, 3) unit axes through the origin about which any turn is allowed; none or one.
    """

    discrete: Array = field(default_factory=lambda: np.eye(4)[None])
    axes: Array = field(default_factory=lambda: np.zeros((0, 3)))

    @property
    def order(self) -> str:
        """A short name: ``none``, the number of discrete turns, or ``inf``."""
        if len(self.axes):
            return "inf"
        return "none" if len(self.discrete) == 1 else str(len(self.discrete))

    def for_engine(self) -> SymmetryGroup:
        """The same as the engine's own type."""
        return SymmetryGroup(self.discrete, tuple(Axis(np.zeros(3), axis) for axis in self.axes))


def half_turns(*axes: ArrayLike) -> Array:
    """(1 + n, 4, 4): identity and half a turn about each axis."""
    out = np.repeat(np.eye(4)[None], 1 + len(axes), 0)
    for k, axis in enumerate(axes):
        out[1 + k, :3, :3] = so3_exp(np.pi * np.asarray(axis, np.float64))
    return out


def rotation_errors(found: ArrayLike, true: ArrayLike, symmetry: TrueSymmetry | None = None) -> Array:
    """Smallest angles (N,) in degrees between rotations, modulo symmetry.

    About a continuous axis a the best turn is known in closed form: of the unit quaternion (w, v) of the rest, the
    largest real part any turn about a can give is sqrt(w^2 + (a.v)^2) (swing-twist decomposition).

    Args:
        found: (N, 4, 4) or (N, 3, 3).
        true: same shape.
        symmetry: None for none.
    """
    symmetry = symmetry or TrueSymmetry()
    f, t = np.asarray(found, np.float64)[..., :3, :3], np.asarray(true, np.float64)[..., :3, :3]
    rest = np.swapaxes(symmetry.discrete[:, None, :3, :3], -1, -2) @ (np.swapaxes(t, -1, -2) @ f)[None]
    q = quaternion_from_matrix(rest)
    real, size = q[..., 0] ** 2, np.sum(q[..., 1:] ** 2, -1)
    if len(symmetry.axes):
        twist = (q[..., 1:] @ symmetry.axes[0]) ** 2
        real, size = real + twist, np.maximum(size - twist, 0.0)
    angle = 2 * np.arctan2(np.sqrt(size), np.sqrt(real))
    return np.degrees(angle.min(0))
