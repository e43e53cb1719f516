"""The table: a plane in the camera frame, how sure it is, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.numbers import described, number, plain
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

_UNIT = 1e-6


@dataclass(frozen=True)
class TablePlane:
    """The plane that objects stand on; ``normal @ x + offset`` is the height of a point x above it.

    Attributes:
        normal: (3,) unit, camera frame, away from the table: up, as far as the table is level.
        offset: metres, the height of the camera above the table.
        covariance: (4, 4) of normal and offset, camera frame; along the normal there is no variance.
        evidence: what the plane rests on, one phrase each.
    """

    normal: NDArray[np.float64]
    offset: float
    covariance: NDArray[np.float64]
    evidence: tuple[str, ...] = ()

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self, normal: ArrayLike, offset: float, covariance: ArrayLike, evidence: Sequence[str] = ()
        ) -> None: ...

    def __post_init__(self) -> None:
        _check.settle(self, normal=_check.array(self.normal, "table normal", (3,)))
        length = float(np.linalg.norm(self.normal))
        if abs(length - 1.0) > _UNIT:
            raise InputError(f"table normal must be a unit vector, but its length is {length:g}")
        _check.settle(self, offset=number(self.offset, "table offset"))
        _check.settle(self, covariance=_check.array(self.covariance, "table covariance", (4, 4)))
        if (np.diagonal(self.covariance) < 0).any():
            raise InputError("table covariance must not hold negative variances")
        if not isinstance(self.evidence, (list, tuple)) or not all(isinstance(e, str) for e in self.evidence):
            raise InputError(f"table evidence must be texts, but got {described(self.evidence)}")
        _check.settle(self, evidence=tuple(self.evidence))

    def __repr__(self) -> str:
        tilt = np.degrees(self.normal_std)
        return f"TablePlane({self.offset:.3f} m under the camera, normal +-{tilt:.1f} degrees)"

    @property
    def normal_std(self) -> float:
        """Standard deviation of the normal in its least certain direction, radians."""
        return float(np.sqrt(max(np.linalg.eigvalsh(self.covariance[:3, :3])[-1], 0.0)))

    def heights(self, points: ArrayLike) -> Array:
        """Heights (...,) of camera-frame points (..., 3) above the table, metres."""
        out: Array = plain(points, "points") @ self.normal + self.offset
        return out

    def height_std(self, point: ArrayLike) -> float:
        """Standard deviation of the table's height under a camera-frame point (3,), metres."""
        row = np.append(plain(point, "point"), 1.0)
        return float(np.sqrt(max(row @ self.covariance @ row, 0.0)))
