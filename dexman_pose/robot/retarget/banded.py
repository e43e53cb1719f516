"""Normal equations of a motion: blocks of single frames, tied to the frame before and the one before that."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, solveh_banded

from dexman_pose.arrays import Array, Bools


class BandedSystem:
    """A symmetric system of T frames of N unknowns each; every unknown is tied to itself in the next two frames."""

    def __init__(self, frames: int, size: int) -> None:
        self.frames, self.size = frames, size
        self.reach = 2 * size
        self._bands = np.zeros((self.reach + 1, frames * size))
        row, column = np.triu_indices(size)
        self._row, self._column = row, column

    def add_blocks(self, blocks: Array) -> None:
        """Add (T, N, N) symmetric blocks of single frames."""
        view = self._bands.reshape(self.reach + 1, self.frames, self.size)
        view[self.reach + self._row - self._column, :, self._column] += blocks[:, self._row, self._column].T

    def add_differences(self, weights: Array, order: int) -> None:
        """Add squares of first or second differences over time.

        Args:
            weights: (N,) of the squares.
            order: 1 or 2.
        """
        stencil = np.array([-1.0, 1.0]) if order == 1 else np.array([1.0, -2.0, 1.0])
        view = self._bands.reshape(self.reach + 1, self.frames, self.size)
        for a in range(order + 1):
            for b in range(a, order + 1):
                first, last = b, self.frames - order + b
                view[self.reach - (b - a) * self.size, first:last] += stencil[a] * stencil[b] * weights

    def diagonal(self) -> Array:
        """(T N,) of the matrix."""
        return self._bands[-1].copy()

    def solved(self, right: Array, damping: Array, free: Bools) -> Array | None:
        """Solve for the unknowns that are free; the others stay zero.

        Args:
            right: (T N,).
            damping: (T N,) added to the diagonal.
            free: (T N,).

        Returns:
            (T N,), or None where the matrix is not positive.
        """
        bands = self._bands.copy()
        count = self.frames * self.size
        for offset in range(self.reach + 1):
            row = bands[self.reach - offset]
            row[offset:] *= free[offset:] & free[: count - offset]
        bands[-1] += np.where(free, damping, 1.0)
        try:
            out: Array = solveh_banded(bands, np.where(free, right, 0.0), check_finite=False)
        except LinAlgError:
            return None
        return out
