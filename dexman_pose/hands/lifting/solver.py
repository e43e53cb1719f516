"""Fit a hand of fixed bone lengths to what was seen, all frames of a clip at once.

Unknown per frame: where the wrist is seen (2), the logarithm of its depth (1), and the direction of each of the 20
bones (2 each, on the sphere): the lengths cannot change. Gauss-Newton on reprojection (robust), closeness of the
directions to the detector's, and smoothness of depth in time. Frames are coupled through their depth alone, so
each step eliminates the other 42 unknowns of every frame and solves one banded system over time: exact, and linear
in the number of frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from dexman_pose.arrays import Array
from dexman_pose.hands.lifting.bones import ancestry

OUTLIER = 3.0  # a joint this many times its noise away counts a quarter, and less the farther it is
CHUNK = 512  # frames whose normal equations are in memory at a time


@dataclass
class Hands:
    """The state: n frames of one hand.

    Attributes:
        wrist: (n, 2) x/z and y/z of the wrist.
        log_depth: (n,) natural logarithm of the wrist's z in metres.
        directions: (n, 20, 3) unit vector of each bone, camera axes.
    """

    wrist: Array
    log_depth: Array
    directions: Array

    def joints(self, lengths: Array) -> Array:
        """(n, 21, 3) metres in the camera frame, for bone lengths (21,)."""
        root = np.exp(self.log_depth)[:, None] * np.concatenate(
            [self.wrist, np.ones((len(self.wrist), 1))], 1
        )
        bones = self.directions * lengths[1:, None]
        joints: Array = root[:, None] + ancestry() @ bones
        return joints


@dataclass(frozen=True)
class LiftEvidence:
    """What the hand is fitted to.

    Attributes:
        rays: (n, 21, 2) x/z and y/z of every joint as seen.
        noise: (n,) expected error of ``rays``.
        directions: (n, 20, 3) bone directions as the detector guesses them.
        log_depth: (n,) measured, where ``depth_weight`` is positive.
        depth_weight: (n,) inverse variance of ``log_depth``; 0 where nothing was measured.
        runs: spans [start, stop) of consecutive frames.
        joint_noise: metres, one number or (n,), error of the detector's guess across a bone: short bones point less
            surely.
        acceleration: expected second difference of ``log_depth`` between frames.
    """

    rays: Array
    noise: Array
    directions: Array
    log_depth: Array
    depth_weight: Array
    runs: list[tuple[int, int]]
    joint_noise: float | Array = 0.012
    acceleration: float = 0.004


def solve(start: Hands, evidence: LiftEvidence, lengths: Array, *, iterations: int = 12) -> Hands:
    """The hand that fits best, from a start close by; stops early when nothing moves any more."""
    state = start
    smooth = _smoothness(evidence.runs, len(start.wrist), evidence.acceleration)
    for iteration in range(iterations):
        # Outliers are let go of step by step: from far off, good joints look like outliers too.
        cut = OUTLIER**2 * max(1.0, 100.0 / 4.0**iteration)
        local, mixed, hessian, gradient = _reduced(state, evidence, lengths, cut)
        curvature = evidence.depth_weight
        hessian = hessian + curvature
        gradient = gradient + curvature * (state.log_depth - evidence.log_depth)
        step = _depth_step(hessian, gradient, smooth, state.log_depth)
        rest = -(local + mixed * step[:, None])
        state = _moved(state, step, rest)
        if iteration > 4 and max(float(np.abs(step).max()), float(np.abs(rest).max())) < 1e-6:
            break
    return state


def _tangents(directions: Array) -> Array:
    """(n, 20, 3, 2) two unit vectors across each direction."""
    axis = np.eye(3)[np.argmin(np.abs(directions), axis=-1)]
    first = np.cross(directions, axis)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return np.stack([first, np.cross(directions, first)], -1)


def _reduced(
    state: Hands, evidence: LiftEvidence, lengths: Array, cut: float
) -> tuple[Array, Array, Array, Array]:
    """Each frame's equations with all but its depth eliminated.

    Returns:
        (n, 42) and (n, 42): the local step is minus (first + second * depth step); (n,) curvature and (n,) gradient
        of what is left for the depth.
    """
    parts: list[tuple[Array, Array, Array, Array]] = []
    for at in range(0, len(state.wrist), CHUNK):
        piece = slice(at, at + CHUNK)
        h, g = _normal_equations(
            Hands(state.wrist[piece], state.log_depth[piece], state.directions[piece]),
            evidence,
            piece,
            lengths,
            cut=cut,
        )
        right = np.stack([g[:, :-1], h[:, :-1, -1]], -1)
        solved = np.asarray(np.linalg.solve(h[:, :-1, :-1], right), dtype=np.float64)
        local, mixed = solved[..., 0], solved[..., 1]
        coupling = h[:, -1, :-1]
        curvature = h[:, -1, -1] - np.sum(coupling * mixed, 1)
        parts.append((local, mixed, curvature, g[:, -1] - np.sum(coupling * local, 1)))
    return (
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        np.concatenate([p[2] for p in parts]),
        np.concatenate([p[3] for p in parts]),
    )


def _normal_equations(
    state: Hands, evidence: LiftEvidence, piece: slice, lengths: Array, *, cut: float
) -> tuple[Array, Array]:
    """(n, 43, 43) and (n, 43): Gauss-Newton matrix and gradient of each frame, its depth last."""
    n = len(state.wrist)
    joints = state.joints(lengths)
    depth = np.maximum(joints[..., 2], 1e-3)
    seen = joints[..., :2] / depth[..., None]
    tangents = _tangents(state.directions)
    moves = _point_jacobian(state, tangents, lengths)
    jacobian = (moves[:, :, :2] - seen[..., None] * moves[:, :, 2:]) / depth[..., None, None]
    residual = (seen - evidence.rays[piece]) / evidence.noise[piece, None, None]
    # Geman-McClure: a joint several times its noise away is not this hand's joint.
    weight = 1.0 / (1.0 + np.sum(residual**2, -1) / cut) ** 2
    scaled = (jacobian * (np.sqrt(weight) / evidence.noise[piece, None])[..., None, None]).reshape(n, 42, -1)
    flat = (residual * np.sqrt(weight)[..., None]).reshape(n, 42, 1)
    transposed = np.swapaxes(scaled, 1, 2)
    h, g = transposed @ scaled, (transposed @ flat)[..., 0]
    noise = np.broadcast_to(evidence.joint_noise, evidence.noise.shape)[piece, None]
    prior = np.repeat((lengths[1:] / noise) ** 2, 2, axis=1)
    pull = -np.einsum("nbxk,nbx->nbk", tangents, evidence.directions[piece])
    h[:, np.arange(2, 42), np.arange(2, 42)] += prior
    g[:, 2:42] += prior * pull.reshape(n, 40)
    h[:, np.arange(43), np.arange(43)] *= 1.0 + 1e-6
    return h, g


def _point_jacobian(state: Hands, tangents: Array, lengths: Array) -> Array:
    """(n, 21, 3, 43) of every joint's position by wrist x, y, bone directions, log depth."""
    n = len(state.wrist)
    z = np.exp(state.log_depth)
    out = np.zeros((n, 21, 3, 43))
    out[:, :, 0, 0] = z[:, None]
    out[:, :, 1, 1] = z[:, None]
    bones = tangents * lengths[1:, None, None]
    by_direction = np.einsum("jb,nbxk->njxbk", ancestry(), bones, optimize=True)
    out[..., 2:42] = by_direction.reshape(n, 21, 3, 40)
    out[..., 42] = (z[:, None] * np.concatenate([state.wrist, np.ones((n, 1))], 1))[:, None]
    return out


def _smoothness(runs: list[tuple[int, int]], n: int, acceleration: float) -> Array:
    """(3, n) upper bands of the matrix of summed squared second differences within each run."""
    bands = np.zeros((3, n))
    weight = 1.0 / acceleration**2
    for start, stop in runs:
        for i in range(start, stop - 2):
            bands[2, i : i + 3] += weight * np.array([1.0, 4.0, 1.0])
            bands[1, i + 1 : i + 3] += weight * np.array([-2.0, -2.0])
            bands[0, i + 2] += weight
    return bands


def _depth_step(curvature: Array, gradient: Array, smooth: Array, log_depth: Array) -> Array:
    """Step (n,) of the log depths: every frame's own evidence, and smoothness between them."""
    bands = smooth.copy()
    bands[2] += np.maximum(curvature, 1e-9)
    pull = smooth[2] * log_depth
    for k, band in ((1, smooth[1, 1:]), (2, smooth[0, 2:])):
        pull[k:] += band * log_depth[:-k]
        pull[:-k] += band * log_depth[k:]
    if len(log_depth) < 3:
        step: Array = -(gradient + pull) / bands[2]
        return step
    return np.asarray(solveh_banded(bands, -(gradient + pull)), dtype=np.float64)


def _moved(state: Hands, step: Array, rest: Array) -> Hands:
    """The state after a step; directions move on the sphere, no bone by more than half a radian."""
    turn = rest[:, 2:].reshape(-1, 20, 2)
    angle = np.linalg.norm(turn, axis=-1, keepdims=True)
    turn = turn * np.minimum(1.0, 0.5 / np.maximum(angle, 1e-12))
    moved = state.directions + np.einsum("nbxk,nbk->nbx", _tangents(state.directions), turn)
    moved /= np.linalg.norm(moved, axis=-1, keepdims=True)
    return Hands(state.wrist + rest[:, :2], state.log_depth + np.clip(step, -0.5, 0.5), moved)
