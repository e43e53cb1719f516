"""The linear system of a whole clip: pose blocks in a band, bordered by the few unknowns all frames share.

Acceleration ties a frame to its two neighbours on either side, so the matrix of all poses is block-pentadiagonal: 6x6
blocks, two below the diagonal. Shared unknowns (scale, focal length) touch every frame and stand in a border; they are
eliminated by their Schur complement. Work and memory grow with the number of frames, not with its square. The marginal
covariances come from the same factor by the recursion of Takahashi, Fagan and Chen (1973) for sparse inverses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array

POSE_SIZE = 6
"""Unknowns of a pose: a twist (v, w)."""

_BAND = 3 * POSE_SIZE  # diagonals of the lower band: the own block and two below it
_FLOOR = 1e-9  # keeps a frame that nothing holds solvable; far below any measurement


@dataclass
class ArrowSystem:
    """A symmetric matrix of N poses and S shared unknowns, and the gradient that goes with it.

    Attributes:
        diagonal: (N, 6, 6) blocks (i, i).
        below1: (N - 1, 6, 6) blocks (i + 1, i).
        below2: (N - 2, 6, 6) blocks (i + 2, i).
        border: (N, 6, S) blocks of pose i and the shared unknowns.
        corner: (S, S) block of the shared unknowns.
        gradient: (N, 6) by the poses.
        shared_gradient: (S,) by the shared unknowns.
    """

    diagonal: Array
    below1: Array
    below2: Array
    border: Array
    corner: Array
    gradient: Array
    shared_gradient: Array

    @classmethod
    def zeros(cls, frames: int, shared: int) -> ArrowSystem:
        """An empty system of ``frames`` poses and ``shared`` shared unknowns."""
        return cls(
            np.zeros((frames, POSE_SIZE, POSE_SIZE)),
            np.zeros((max(frames - 1, 0), POSE_SIZE, POSE_SIZE)),
            np.zeros((max(frames - 2, 0), POSE_SIZE, POSE_SIZE)),
            np.zeros((frames, POSE_SIZE, shared)),
            np.zeros((shared, shared)),
            np.zeros((frames, POSE_SIZE)),
            np.zeros(shared),
        )

    @property
    def scales(self) -> tuple[Array, Array]:
        """Diagonals (N, 6) and (S,), never below a tiny floor: what damping is measured in."""
        own = np.einsum("nii->ni", self.diagonal)
        return np.maximum(own, _FLOOR), np.maximum(np.diag(self.corner), _FLOOR)

    def solve(self, damping: Array | float = 0.0, shared_damping: float = 0.0) -> tuple[Array, Array]:
        """The Levenberg-Marquardt step (N, 6) and (S,): ``(A + damping * diag(A)) step = -gradient``.

        Args:
            damping: scalar or (N,), per pose.
            shared_damping: of the shared unknowns.

        Raises:
            numpy.linalg.LinAlgError: the damped matrix is not positive definite.
        """
        from scipy.linalg import cho_solve_banded, cholesky_banded

        pose_scale, shared_scale = self.scales
        frames, shared = len(self.diagonal), len(self.corner)
        extra = np.broadcast_to(damping, (frames,))[:, None] * pose_scale + _FLOOR
        factor = cholesky_banded(self._banded(extra), lower=True, overwrite_ab=True)
        right = np.concatenate([self._side, -self.gradient.reshape(-1, 1)], 1)
        solved = cho_solve_banded((factor, True), right)
        columns, free = solved[:, :shared], solved[:, shared]
        corner = self._schur(columns) + np.diag(shared_damping * shared_scale + _FLOOR)
        rhs = -self.shared_gradient - self._side.T @ free
        shared_step = _solve_small(corner, rhs)
        return (free - columns @ shared_step).reshape(frames, POSE_SIZE), shared_step

    def covariance(self, vague: float = 0.0) -> tuple[Array, Array]:
        """Marginal covariances (N, 6, 6) of the poses and (S, S) of the shared unknowns.

        Args:
            vague: information added to every unknown, so that what nothing measures comes out large, not infinite.

        Raises:
            numpy.linalg.LinAlgError: the matrix is not positive definite.
        """
        from scipy.linalg import cho_solve_banded, cholesky_banded

        frames, shared = len(self.diagonal), len(self.corner)
        factor = cholesky_banded(self._banded(np.full((frames, POSE_SIZE), vague + _FLOOR)), lower=True)
        poses = _diagonal_of_inverse(factor)
        if shared == 0:
            return poses, np.zeros((0, 0))
        columns = cho_solve_banded((factor, True), self._side)
        corner = self._schur(columns) + (vague + _FLOOR) * np.eye(shared)
        covariance = np.linalg.inv(np.linalg.cholesky(corner))
        covariance = covariance.T @ covariance
        blocks = columns.reshape(frames, POSE_SIZE, shared)
        return poses + blocks @ covariance @ np.swapaxes(blocks, -1, -2), covariance

    def quadratic(self, step: Array, shared_step: Array) -> float:
        """``step' A step`` without damping, for a step (N, 6) and (S,)."""
        total = np.einsum("ni,nij,nj->", step, self.diagonal, step)
        total += 2.0 * np.einsum("ni,nij,nj->", step[1:], self.below1, step[:-1])
        total += 2.0 * np.einsum("ni,nij,nj->", step[2:], self.below2, step[:-2])
        total += 2.0 * np.einsum("ni,nij,j->", step, self.border, shared_step)
        return float(total + shared_step @ self.corner @ shared_step)

    def dense(self) -> Array:
        """The whole matrix (6 N + S, 6 N + S), for small N."""
        frames, shared = len(self.diagonal), len(self.corner)
        out = np.zeros((POSE_SIZE * frames + shared, POSE_SIZE * frames + shared))
        for reach, blocks in enumerate((self.diagonal, self.below1, self.below2)):
            for i, block in enumerate(blocks):
                rows = slice(POSE_SIZE * (i + reach), POSE_SIZE * (i + reach + 1))
                out[rows, POSE_SIZE * i : POSE_SIZE * (i + 1)] = block
                out[POSE_SIZE * i : POSE_SIZE * (i + 1), rows] = block.T
        poses = POSE_SIZE * frames
        out[:poses, poses:] = self._side
        out[poses:, :poses] = self._side.T
        out[poses:, poses:] = self.corner
        return out

    @property
    def _side(self) -> Array:
        """(6 N, S) the border as a matrix."""
        return self.border.reshape(self.gradient.size, len(self.corner))

    def _schur(self, columns: Array) -> Array:
        return self.corner - self._side.T @ columns

    def _banded(self, extra: Array) -> Array:
        """(18, 6 N) lower band as LAPACK wants it, row k the k-th diagonal, with ``extra`` (N, 6) on the main one."""
        frames = len(self.diagonal)
        band = np.zeros((_BAND, frames, POSE_SIZE))
        for reach, blocks in enumerate((self.diagonal, self.below1, self.below2)):
            rows, columns = (
                np.tril_indices(POSE_SIZE)
                if reach == 0
                else np.indices((POSE_SIZE, POSE_SIZE)).reshape(2, -1)
            )
            offsets = POSE_SIZE * reach + rows - columns
            band[offsets, : len(blocks), columns] = blocks[:, rows, columns].T
        band[0] += extra
        return band.reshape(_BAND, -1)


def _solve_small(matrix: Array, rhs: Array) -> Array:
    """Solve with a positive definite matrix; an indefinite one is an error, not a step uphill."""
    if len(rhs) == 0:
        return np.zeros(0)
    lower = np.linalg.cholesky(matrix)
    return np.asarray(np.linalg.solve(lower.T, np.linalg.solve(lower, rhs)), np.float64)


def _factor_blocks(factor: Array, reach: int) -> Array:
    """(N, 6, 6) blocks (i + reach, i) of a banded Cholesky factor (18, 6 N); those beyond the end are zero."""
    band = factor.reshape(_BAND, -1, POSE_SIZE)
    out = np.zeros((band.shape[1], POSE_SIZE, POSE_SIZE))
    rows, columns = (
        np.tril_indices(POSE_SIZE) if reach == 0 else np.indices((POSE_SIZE, POSE_SIZE)).reshape(2, -1)
    )
    # Entries past the end of the matrix are unused memory to LAPACK, not zeros: leave those blocks out.
    inside = max(band.shape[1] - reach, 0)
    out[:inside, rows, columns] = band[POSE_SIZE * reach + rows - columns, :inside, columns].T
    return out


def _diagonal_of_inverse(factor: Array) -> Array:
    """(N, 6, 6) diagonal blocks of the inverse of a matrix with banded Cholesky factor (18, 6 N)."""
    inverse = np.asarray(np.linalg.inv(_factor_blocks(factor, 0)), np.float64)
    below = np.concatenate([_factor_blocks(factor, 1), _factor_blocks(factor, 2)], 1) @ inverse
    out: Array = np.swapaxes(inverse, -1, -2) @ inverse
    later = np.zeros((2 * POSE_SIZE, 2 * POSE_SIZE))  # covariance of the two frames after the present one
    for i in range(len(out) - 1, -1, -1):
        cross = -later @ below[i]
        out[i] -= below[i].T @ cross
        later = np.block([[out[i], cross[:POSE_SIZE].T], [cross[:POSE_SIZE], later[:POSE_SIZE, :POSE_SIZE]]])
    return out
