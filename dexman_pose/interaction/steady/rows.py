"""Linear least squares over a whole clip, put together term by term; what is far apart in time is not tied together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from dexman_pose.arrays import Array

_FLOOR = 1e-9
"""Information of unknowns that nothing else holds; far below any measurement."""


class Rows:
    """Residuals that are linear in U unknowns.

    Args:
        unknowns: how many there are.
    """

    def __init__(self, unknowns: int) -> None:
        self._unknowns, self._count = unknowns, 0
        self._rows: list[NDArray[np.intp]] = []
        self._columns: list[NDArray[np.intp]] = []
        self._slopes: list[Array] = []
        self._residuals: list[Array] = []

    def add(self, residuals: Array, *terms: tuple[NDArray[np.intp], Array]) -> None:
        """Add N times M residuals, over their standard deviations.

        Args:
            residuals: (N, M) where all unknowns are 0.
            terms: unknowns (N, K), each column at most once in a row, and slopes (N, M, K) by them.
        """
        count, size = residuals.shape
        rows = self._count + np.arange(count * size).reshape(count, size)
        for columns, slopes in terms:
            shape = (count, size, columns.shape[1])
            self._rows.append(np.broadcast_to(rows[..., None], shape).ravel())
            self._columns.append(np.broadcast_to(columns[:, None], shape).ravel())
            self._slopes.append(np.broadcast_to(slopes, shape).ravel())
        self._residuals.append(residuals.ravel())
        self._count += count * size

    def solve(self) -> Array:
        """(U,) the unknowns at which the sum of squares is least."""
        at = np.concatenate(self._rows), np.concatenate(self._columns)
        slopes = coo_array((np.concatenate(self._slopes), at), (self._count, self._unknowns)).tocsr()
        few = np.arange(self._unknowns)
        floor = coo_array((np.full(self._unknowns, _FLOOR), (few, few)))
        square = (slopes.T @ slopes + floor).tocsc()
        right = -(slopes.T @ np.concatenate(self._residuals))
        out: Array = np.atleast_1d(spsolve(square, right, permc_spec="MMD_AT_PLUS_A"))
        return out
