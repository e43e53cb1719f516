"""Evidence about how joints move from frame to frame, in a frame that may move itself, and its banded equations.

A path term takes differences over time of joints as they are seen from another frame: second differences in the
camera's frame are accelerations, first differences in an object's frame are slip. Frames that a difference joins lie at
most two apart, so that all unknowns of a clip make one banded system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from dexman_pose.arrays import Array

REACH = 2
"""Most frames between two that one difference joins."""


@dataclass(frozen=True)
class JointPath:
    """Differences over time of joints in a frame of their own; each should be 0.

    Attributes:
        frame_from_joints: (T, 4, 4) the frame in which joints should move smoothly, from that of the joints.
        first: (R,) index of the first frame of each difference.
        stencil: (K,) coefficients of the frames from ``first`` on, at most three of them.
        weight: (R, 21) one over the standard deviation in metres, 0 for joints that are not concerned.
    """

    frame_from_joints: Array
    first: NDArray[np.intp]
    stencil: tuple[float, ...]
    weight: Array

    def residual(self, joints: Array) -> Array:
        """(R, 21, 3) differences of joints (T, 21, 3) over their standard deviations."""
        seen = self._seen(joints)
        total = sum(c * seen[self.first + k] for k, c in enumerate(self.stencil))
        out: Array = self.weight[..., None] * total
        return out

    def derivative(self, by: Array) -> list[Array]:
        """(R, 63, P) per frame of the stencil, for derivatives (T, 21, 3, P) of the joints."""
        turned = self.frame_from_joints[:, None, :3, :3] @ by
        return [
            (c * self.weight[..., None, None] * turned[self.first + k]).reshape(
                len(self.first), -1, by.shape[-1]
            )
            for k, c in enumerate(self.stencil)
        ]

    def _seen(self, joints: Array) -> Array:
        turn, shift = self.frame_from_joints[:, :3, :3], self.frame_from_joints[:, None, :3, 3]
        out: Array = joints @ np.swapaxes(turn, 1, 2) + shift
        return out


@dataclass
class PathEquations:
    """What path terms add to the equations of T frames with P unknowns each, which share S more.

    Attributes:
        cost: half the sum of squares.
        gradient: (T, P).
        blocks: (REACH + 1, T, P, P) curvature between a frame and the one so many frames later.
        mixed: (T, P, S).
        shared_gradient: (S,).
        shared_curvature: (S, S).
    """

    cost: float
    gradient: Array
    blocks: Array
    mixed: Array
    shared_gradient: Array
    shared_curvature: Array


def path_equations(
    paths: tuple[JointPath, ...], joints: Array, by_own: Array, by_shared: Array
) -> PathEquations:
    """Equations of path terms at joints (T, 21, 3) with derivatives (T, 21, 3, P) and (T, 21, 3, S)."""
    frames, own, shared = len(joints), by_own.shape[-1], by_shared.shape[-1]
    out = PathEquations(
        0.0,
        np.zeros((frames, own)),
        np.zeros((REACH + 1, frames, own, own)),
        np.zeros((frames, own, shared)),
        np.zeros(shared),
        np.zeros((shared, shared)),
    )
    for path in paths:
        residual = path.residual(joints).reshape(len(path.first), -1)
        parts, common = path.derivative(by_own), sum(path.derivative(by_shared))
        assert not isinstance(common, int)
        out.cost += 0.5 * float((residual**2).sum())
        out.shared_gradient += np.einsum("rms,rm->s", common, residual)
        out.shared_curvature += np.tensordot(common, common, ((0, 1), (0, 1)))
        for i, part in enumerate(parts):
            turned = np.swapaxes(part, 1, 2)
            _add(out.gradient, path.first + i, (turned @ residual[..., None])[..., 0])
            _add(out.mixed, path.first + i, turned @ common)
            for k in range(i, len(parts)):
                _add(out.blocks[k - i], path.first + i, turned @ parts[k])
    return out


def _add(onto: Array, rows: NDArray[np.intp], values: Array) -> None:
    """Add values (R, ...) to rows (R,) of an array; rows that rise are no row twice, which is many times as fast."""
    if (np.diff(rows) > 0).all():
        onto[rows] += values
    else:
        np.add.at(onto, rows, values)


def solve_banded_blocks(blocks: Array, right: Array) -> Array:
    """Solve a symmetric positive block-banded system.

    Args:
        blocks: (REACH + 1, T, P, P), entry (k, t) couples frame t with frame t + k.
        right: (T, P, C).

    Returns:
        (T, P, C).

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive.
    """
    diagonal, coupling, sides = _paired(blocks, right)
    solved: list[Array] = []
    onto: list[Array] = []
    for k, (own, side) in enumerate(zip(diagonal, sides)):
        left, rest = own, side
        if k:
            before = coupling[k - 1].T
            left, rest = own - before @ onto[-1], side - before @ solved[-1]
        factor = cho_factor(left, lower=True, check_finite=False)
        solved.append(cho_solve(factor, rest, check_finite=False))
        if k + 1 < len(diagonal):
            onto.append(cho_solve(factor, coupling[k], check_finite=False))
    for k in range(len(solved) - 2, -1, -1):
        solved[k] = solved[k] - onto[k] @ solved[k + 1]
    out: Array = np.concatenate(solved).reshape(-1, *right.shape[1:])[: len(right)]
    return out


def _paired(blocks: Array, right: Array) -> tuple[Array, Array, Array]:
    """The system as a tridiagonal one of pairs of frames: diagonal, coupling to the next pair, right sides."""
    reach, frames, size, _ = blocks.shape
    pairs = (frames + 1) // REACH
    full = np.zeros((reach, REACH * pairs, size, size))
    full[:, :frames] = blocks
    full[0, frames:] = np.eye(size)  # a frame that is not there makes the last pair whole
    for k in range(1, reach):
        full[k, max(frames - k, 0) :] = 0.0
    sides = np.zeros((REACH * pairs, *right.shape[1:]))
    sides[:frames] = right
    same, following, second = full
    diagonal = np.zeros((pairs, REACH * size, REACH * size))
    diagonal[:, :size, :size], diagonal[:, size:, size:] = same[0::2], same[1::2]
    diagonal[:, :size, size:] = following[0::2]
    diagonal[:, size:, :size] = np.swapaxes(following[0::2], 1, 2)
    coupling = np.zeros_like(diagonal)
    coupling[:, :size, :size], coupling[:, size:, size:] = second[0::2], second[1::2]
    coupling[:, size:, :size] = following[1::2]
    return diagonal, coupling, sides.reshape(pairs, REACH * size, -1)
