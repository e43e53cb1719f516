"""Poses of a small coloured object moved to where it, drawn in the clip's light, looks like the picture.

The steps are those of Gauss and Newton on grey levels, with Cauchy's weights: how the drawing changes with the pose
follows from its own gradient, over and beyond its outline, so that one drawing tells all six ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.pose.matching.lit_drawing import Drawn, LitOptions, LitWindow
from dexman_pose.pose.refinement.refiner import apply_increment
from dexman_pose.render import Rasterizer

WAYS = 6
"""Ways in which a pose is moved: logarithm of the distance, two across the line of sight, three turns."""


@dataclass(frozen=True)
class LitRefineOptions:
    """How a pose is moved.

    Attributes:
        blurs: pixels, sigma, of the blur in each round, from far to near ...
        steps: ... and steps in each, at most.
        soft: squared residuals, in squares of the noise, that are taken for usual.
        damping: first damping of a step, as a share of its own curvature; least and most of it ...
        eased, stiffened: ... and factors on it after a step that is taken, and after one that is not.
        most: largest step: turns in radians, others in radii of the object and logarithms.
        settled: share of the cost below which a step's gain ends a round.
        drawing: how the mesh is drawn.
    """

    blurs: tuple[float, ...] = (2.0, 1.0, 0.0)
    steps: tuple[int, ...] = (8, 8, 10)
    soft: float = 3.0
    damping: tuple[float, float, float] = (1e-2, 1e-4, 1e2)
    eased: float = 0.2
    stiffened: float = 5.0
    most: float = 0.15
    settled: float = 1e-3
    drawing: LitOptions = field(default_factory=LitOptions)


_DEFAULT = LitRefineOptions()


@dataclass(frozen=True)
class _State:
    """A pose, its drawing, what the picture differs by (N, 3), and the cost of that."""

    pose: Array
    drawn: Drawn
    off: FloatImage
    cost: float


class LitRefiner:
    """Moves poses of one mesh in one window.

    Args:
        rasterizer: of the coloured mesh.
        window: the picture.
        light: (4,) that falls on it.
        noise: grey levels by which drawing and picture differ anyway.
        options: settings.
    """

    def __init__(
        self,
        rasterizer: Rasterizer,
        window: LitWindow,
        light: Array,
        noise: float,
        options: LitRefineOptions = _DEFAULT,
    ) -> None:
        self._rasterizer, self._window, self._light = rasterizer, window, light
        self._usual, self._options = options.soft * noise**2, options

    def cost(self, pose: Array, blur: float = 0.0) -> float:
        """How badly a pose (4, 4) explains the picture, mean over its pixels; infinite where it cannot be drawn."""
        state = self._at(pose, blur)
        return np.inf if state is None else state.cost / max(len(state.off), 1)

    def refined(self, pose: Array, blur: float, steps: int) -> Array:
        """A pose (4, 4) moved so that it explains the picture better."""
        o = self._options
        state = self._at(pose, blur)
        damping, least, most = o.damping
        for _ in range(steps):
            if state is None:
                return pose
            curve, slope = self._normal(state, blur)
            before = state.cost
            while damping <= most:
                damped = curve + np.diag(damping * np.diag(curve) + 1e-6 * np.trace(curve))
                step = np.clip(-np.linalg.solve(damped, slope), -o.most, o.most)
                tried = self._at(self._moved(state.pose, step), blur)
                if tried is not None and tried.cost < state.cost:
                    state, damping = tried, max(o.eased * damping, least)
                    break
                damping *= o.stiffened
            if before - state.cost <= o.settled * before:
                break
        return pose if state is None else state.pose

    def _at(self, pose: Array, blur: float) -> _State | None:
        drawn = self._window.drawn(self._rasterizer, pose, self._light)
        if drawn is None:
            return None
        off = self._window.compared_values(self._window.picture - self._window.model(drawn), blur)
        return _State(pose, drawn, off, float(np.log1p((off**2).sum(1) / self._usual).sum()))

    def _normal(self, state: _State, blur: float) -> tuple[Array, Array]:
        """Normal equations (6, 6) and (6,) of the residuals at a pose."""
        slopes = -self._window.compared_values(self._slopes(state), blur).astype(np.float64)
        off = state.off.astype(np.float64)
        weighted = slopes / (1.0 + (off**2).sum(1) / self._usual)[:, None, None]
        rows, flat = slopes.reshape(-1, WAYS), weighted.reshape(-1, WAYS)
        return flat.T @ rows, flat.T @ off.reshape(-1)

    def _slopes(self, state: _State) -> FloatImage:
        """(h, w, 3, 6) how the drawing changes with the pose: the layer of the object moves over the ground."""
        shown, share, ground = state.drawn.shown, state.drawn.share, self._window.ground
        across = np.gradient(shown, axis=1) - ground * np.gradient(share, axis=1)
        down = np.gradient(shown, axis=0) - ground * np.gradient(share, axis=0)
        u, v = self._motion(state)
        return np.asarray(-(across[..., None] * u[:, :, None] + down[..., None] * v[:, :, None]), np.float32)

    def _motion(self, state: _State) -> tuple[FloatImage, FloatImage]:
        """(h, w, 6) pixels by which the surface moves to the right and down, and beyond its outline as on it."""
        c, mesh = self._window.camera, self._rasterizer.mesh
        width, height = self._window.size
        depth = _filled(state.drawn.depth, state.drawn.share[..., 0] > 0)
        x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
        points = c.unproject(np.stack([x, y], -1).reshape(-1, 2), depth.reshape(-1).astype(float))
        center = state.pose[:3, :3] @ mesh.center + state.pose[:3, 3]
        arms = points - center
        moves = np.zeros((len(points), 3, WAYS))
        moves[:, :, 0] = center
        moves[:, 0, 1] = moves[:, 1, 2] = mesh.radius
        for axis in range(3):
            moves[:, :, 3 + axis] = np.cross(np.eye(3)[axis], arms)
        near = points[:, 2, None]
        to_right = moves[:, 0] - points[:, 0, None] / near * moves[:, 2]
        to_below = moves[:, 1] - points[:, 1, None] / near * moves[:, 2]
        u = (c.K[0, 0] * to_right + c.K[0, 1] * to_below) / near
        v = c.K[1, 1] * to_below / near
        shape = (height, width, WAYS)
        return u.reshape(shape).astype(np.float32), v.reshape(shape).astype(np.float32)

    def _moved(self, pose: Array, step: Array) -> Array:
        mesh = self._rasterizer.mesh
        center = pose[:3, :3] @ mesh.center + pose[:3, 3]
        shift = (np.exp(step[0]) - 1.0) * center + np.array([step[1], step[2], 0.0]) * mesh.radius
        return apply_increment(np.concatenate([shift, step[3:]]), pose, center)


def _filled(depth: FloatImage, there: Mask) -> FloatImage:
    """Depth (h, w) where there is any, and that of the nearest such pixel elsewhere."""
    nowhere = (~there).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        nowhere, cv2.DIST_L2, cv2.DIST_MASK_3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(nearest.max()) + 1, np.float32)
    table[nearest[there]] = depth[there]
    return np.asarray(table[nearest], np.float32)
