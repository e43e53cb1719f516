"""A symmetric positive system of frames that are coupled with the next two, bordered by unknowns that all frames share.

It is eliminated frame pair by frame pair (block Cholesky). Of the right sides only the forward half is done for all of
them: products of these are all that the shared unknowns need, and then there is one right side left to go back with.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dtrsm, dtrsv
from scipy.linalg.lapack import dpotrf

from dexman_pose.arrays import Array

_PAIR = 2  # frames that are eliminated at once: as many as a frame is coupled with


def solve_bordered(
    blocks: Array, mixed: Array, shared: Array, gradient: Array, shared_gradient: Array
) -> tuple[Array, Array]:
    """Solve for what frames have of their own and for what they share.

    Args:
        blocks: (K, T, P, P), entry (k, t) couples frame t with frame t + k; K is 1 or 3.
        mixed: (T, P, S) between frames and what they share.
        shared: (S, S).
        gradient: (T, P) right side of the frames.
        shared_gradient: (S,) right side of what they share.

    Returns:
        Solutions (T, P) and (S,).

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive.
    """
    right = np.concatenate([mixed, gradient[..., None]], -1)
    if len(blocks) == 1:
        return _solve_uncoupled(blocks[0], right, shared, shared_gradient)
    factors, halves = _eliminated(blocks, right)
    width = halves.shape[1]
    left = halves[:, :, width:].reshape(-1, right.shape[-1])
    products = left.T @ left
    common = np.asarray(
        np.linalg.solve(shared - products[:-1, :-1], shared_gradient - products[:-1, -1]), np.float64
    )
    rest = (left @ np.append(-common, 1.0)).reshape(len(halves), width)
    own = _substituted(factors, halves[:, :, :width], rest)
    return own.reshape(-1, blocks.shape[-1])[: len(gradient)], common


def _solve_uncoupled(
    blocks: Array, right: Array, shared: Array, shared_gradient: Array
) -> tuple[Array, Array]:
    """Frames that meet in nothing but what they share."""
    solved = np.linalg.solve(blocks, right)
    products = np.tensordot(right[..., :-1], solved, ((0, 1), (0, 1)))
    common = np.asarray(
        np.linalg.solve(shared - products[:, :-1], shared_gradient - products[:, -1]), np.float64
    )
    own: Array = solved[..., -1] - solved[..., :-1] @ common
    return own, common


def _eliminated(blocks: Array, right: Array) -> tuple[list[Array], Array]:
    """Forward elimination of N pairs of frames, W unknowns each, with C right sides.

    Returns:
        The lower factor (W, W) of each pair; and (N, W, W + C) what is left of its coupling to the next pair, and of
        the right sides.
    """
    factors: list[Array] = []
    halves = _couplings(blocks, right.shape[-1])
    width = halves.shape[1]
    row = np.empty(halves.shape[1:])
    for k, half in enumerate(halves):
        _fill(row, blocks, right, _PAIR * k)
        if k:
            before = halves[k - 1]
            row -= before[:, :width].T @ before
        factor, failed = dpotrf(row[:, :width].T, lower=1)
        if failed:
            raise np.linalg.LinAlgError(f"pair {k} of {len(halves)} is not positive")
        half[:, width:] = row[:, width:]
        dtrsm(1.0, factor, half.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        factors.append(factor)
    return factors, halves


def _couplings(blocks: Array, columns: int) -> Array:
    """(N, W, W + C) coupling of each pair to the next, with room for right sides beside it."""
    frames, size = blocks.shape[1:3]
    pairs, last = (frames + 1) // _PAIR, max(frames - _PAIR, 0)
    out = np.zeros((pairs, _PAIR * size, _PAIR * size + columns))
    out[: pairs - 1, size:, :size] = blocks[1, 1 : frames - 1 : 2]
    out[: (last + 1) // _PAIR, :size, :size] = blocks[2, 0:last:2]
    out[: last // _PAIR, size:, size : _PAIR * size] = blocks[2, 1:last:2]
    return out


def _fill(row: Array, blocks: Array, right: Array, first: int) -> None:
    """Write the own block and the right sides of the pair of frames that begins with ``first``."""
    size = blocks.shape[-1]
    width = _PAIR * size
    row[:size, :size], row[:size, width:] = blocks[0, first], right[first]
    if first + 1 < blocks.shape[1]:
        row[size:, size:width], row[size:, width:] = blocks[0, first + 1], right[first + 1]
        row[:size, size:width] = blocks[1, first]
        row[size:, :size] = blocks[1, first].T
    else:  # a frame that is not there makes the last pair whole
        row[size:], row[:size, size:width] = 0.0, 0.0
        row[size:, size:width] = np.eye(size)


def _substituted(factors: list[Array], couplings: Array, rest: Array) -> Array:
    """(N, W) solutions of the pairs, of what is left (N, W) of one right side."""
    out = np.zeros_like(rest)
    after = out[0]
    for k in range(len(factors) - 1, -1, -1):
        after = dtrsv(factors[k], rest[k] - couplings[k] @ after, lower=1, trans=1)
        out[k] = after
    return out
