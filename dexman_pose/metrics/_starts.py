"""Search for the similarity between two surfaces: refine many starts a little, and the best until they converge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.geometry import kabsch, orthonormalize
from dexman_pose.metrics._signed import Surface

COARSE_POINTS = 400
COARSE_STEPS = 15
KEPT = 8
"""Starts that are followed to their rest."""
FINE_STEPS = 60
SCALE_RANGE = (0.2, 5.0)
"""Of the starting size; beyond it closest points have run away."""


@dataclass(frozen=True)
class Samples:
    """A surface and points drawn evenly over it.

    Attributes:
        points: (N, 3) metres.
        surface: answers distances to it.
    """

    points: Array
    surface: Surface

    @cached_property
    def center(self) -> Array:
        """(3,) mean of the points, metres."""
        middle: Array = self.points.mean(0)
        return middle

    @cached_property
    def size(self) -> float:
        """Root mean square distance of the points from their middle, metres."""
        return float(np.sqrt(((self.points - self.center) ** 2).sum(1).mean()))

    @cached_property
    def axes(self) -> Array:
        """(3, 3) principal axes as columns, proper."""
        axes: Array = np.linalg.eigh(np.cov((self.points - self.center).T))[1]
        axes[:, 2] *= np.sign(np.linalg.det(axes))
        return axes


@dataclass(frozen=True)
class Fit:
    """``true = scale * rotation @ generated + translation``.

    Attributes:
        rotation: (3, 3).
        translation: (3,) metres.
        scale: factor.
        error: metres, mean of the mean distances both ways; infinite before it is known.
    """

    rotation: Array
    translation: Array
    scale: float
    error: float = np.inf

    @property
    def matrix(self) -> Array:
        """(4, 4), scale included."""
        out = np.eye(4)
        out[:3, :3], out[:3, 3] = self.scale * self.rotation, self.translation
        return out

    def forward(self, points: Array) -> Array:
        """Points (N, 3) of the generated mesh, on the true one."""
        return self.scale * points @ self.rotation.T + self.translation

    def backward(self, points: Array) -> Array:
        """Points (N, 3) of the true mesh, on the generated one."""
        return (points - self.translation) @ self.rotation / self.scale

    def residual(self, generated: Samples, true: Samples) -> float:
        """Metres, mean of the mean distances from each surface to the other."""
        there = true.surface.nearest(self.forward(generated.points))[0].mean()
        back = generated.surface.nearest(self.backward(true.points))[0].mean()
        return float(0.5 * (there + self.scale * back))


def cube_rotations() -> Array:
    """(24, 3, 3) the rotations that bring a cube onto itself, identity first."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return np.array(found)


def search(generated: Samples, true: Samples, scale: bool, guess: Array | None) -> list[Fit]:
    """Fits, best first; errors are those of :meth:`Fit.residual`."""
    rotation, translation, factor = _starts(generated, true, scale, guess)
    rotation, translation, factor, error = _coarse(generated, true, rotation, translation, factor, scale)
    order = _different(rotation, np.argsort(error, kind="stable"))
    if guess is not None:
        order = [*order, len(rotation) - 1]
    starts = [Fit(rotation[i], translation[i], float(factor[i])) for i in order]
    fits = [_rest(start, generated, true, scale) for start in starts]
    return sorted(fits, key=lambda f: f.error)


def _starts(
    generated: Samples, true: Samples, scale: bool, guess: Array | None
) -> tuple[Array, Array, Array]:
    """Rotations (S, 3, 3), translations (S, 3) and factors (S,); centres on one another, sizes equal."""
    cube = cube_rotations()
    rotation = np.concatenate([cube, true.axes @ cube @ generated.axes.T])
    ratio = true.size / generated.size if scale else 1.0
    factor = np.full(len(rotation), ratio)
    translation = true.center - ratio * (rotation @ generated.center)
    if guess is None:
        return rotation, translation, factor
    own = np.cbrt(np.linalg.det(guess[:3, :3])) if scale else 1.0
    turned = orthonormalize(guess)[None, :3, :3]
    return (
        np.concatenate([rotation, turned]),
        np.concatenate([translation, guess[None, :3, 3]]),
        np.append(factor, own),
    )


def _coarse(
    generated: Samples, true: Samples, rotation: Array, translation: Array, factor: Array, scale: bool
) -> tuple[Array, Array, Array, Array]:
    """All starts moved at once, between few points; the error (S,) is that of the points."""
    a, b = generated.points[:COARSE_POINTS], true.points[:COARSE_POINTS]
    tree_a, tree_b = cKDTree(a), cKDTree(b)
    limits = np.array(SCALE_RANGE) * factor[:1]
    error = np.zeros(len(rotation))
    for _ in range(COARSE_STEPS):
        turned = np.swapaxes(rotation, 1, 2)
        there = factor[:, None, None] * (a @ turned) + translation[:, None]
        back = ((b - translation[:, None]) @ rotation) / factor[:, None, None]
        far_there, to_b = tree_b.query(there)
        far_back, to_a = tree_a.query(back)
        error = 0.5 * (far_there.mean(1) + factor * far_back.mean(1))
        source = np.concatenate([np.broadcast_to(a, there.shape), a[to_a]], 1)
        target = np.concatenate([b[to_b], np.broadcast_to(b, back.shape)], 1)
        rotation, translation, factor = _similarity(source, target, factor, scale, limits)
    return rotation, translation, factor, error


def _rest(fit: Fit, generated: Samples, true: Samples, scale: bool) -> Fit:
    """Closest points on the surfaces themselves, both ways, until they hardly move; the best seen on the way."""
    limits = np.array(SCALE_RANGE) * (true.size / generated.size if scale else 1.0)
    best = Fit(fit.rotation, fit.translation, fit.scale)
    small = 1e-5 * true.size
    stuck = 0
    for _ in range(FINE_STEPS):
        on_true, target = true.surface.nearest(fit.forward(generated.points))
        on_generated, source = generated.surface.nearest(fit.backward(true.points))
        error = float(0.5 * (on_true.mean() + fit.scale * on_generated.mean()))
        stuck = stuck + 1 if error > best.error - small else 0
        if error < best.error:
            best = Fit(fit.rotation, fit.translation, fit.scale, error)
        if stuck >= 3:
            break
        moved = _similarity(
            np.concatenate([generated.points, source])[None],
            np.concatenate([target, true.points])[None],
            np.array([fit.scale]),
            scale,
            limits,
        )
        fit = Fit(moved[0][0], moved[1][0], float(moved[2][0]))
    return best


def _similarity(
    source: Array, target: Array, factor: Array, scale: bool, limits: Array
) -> tuple[Array, Array, Array]:
    """Similarities (S) between pairs (S, N, 3); the size is the ratio of spreads, which favours neither side."""
    rotation = kabsch(source, target)[:, :3, :3]
    mean_a, mean_b = source.mean(1), target.mean(1)
    if scale:
        spread_a = ((source - mean_a[:, None]) ** 2).sum((1, 2))
        spread_b = ((target - mean_b[:, None]) ** 2).sum((1, 2))
        factor = np.clip(np.sqrt(spread_b / np.maximum(spread_a, 1e-30)), *limits)
    translation = mean_b - factor[:, None] * (rotation @ mean_a[:, :, None])[..., 0]
    return rotation, translation, factor


def _different(rotation: Array, order: NDArray[np.int64]) -> list[int]:
    """The first ``KEPT`` in order, leaving out those within 5 degrees of one that was taken."""
    kept: list[int] = []
    for i in order:
        cosine = 0.5 * (np.einsum("kij,ij->k", rotation[kept], rotation[i]) - 1.0)
        if not kept or cosine.max() < np.cos(np.radians(5.0)):
            kept.append(int(i))
        if len(kept) == KEPT:
            break
    return kept
