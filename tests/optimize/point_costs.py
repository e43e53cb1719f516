"""Evidence from known object points seen at pixels, with or without depth: the simplest :class:`FrameCosts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera
from dexman_pose.errors import InputError
from dexman_pose.geometry import hat
from dexman_pose.optimize.smoothness import robust
from dexman_pose.optimize.types import FrameTerms

_NEAR = 0.01  # metres; a point nearer than this, or behind the camera, is seen by no camera


@dataclass(frozen=True)
class PointCosts:
    """N points of an object, seen at pixels in the frames of a clip; robust after Geman and McClure (1987).

    The shared unknowns are, in this order, the log-scales about ``center`` (none, one, or one per axis of the object)
    and, with ``focal``, the log of the factor on the camera's focal lengths.

    Attributes:
        points: (N, 3) object frame, metres.
        center: (3,) the object's centre, as given to ``solve_clip``.
        camera: the camera of the whole images; its distortion is not applied.
        pixels: (T, N, 2) where each point was seen.
        seen: (T, N) which of them were.
        depth: (T, N) measured z in metres, or None.
        depth_seen: (T, N) which depths were measured; None with ``depth`` means wherever ``seen``.
        scale: ``none``, ``uniform`` or ``axes``.
        focal: whether the focal length is unknown.
        pixel_sigma: standard deviation in pixels, each way.
        depth_sigma: standard deviation in metres.
        reach: in sigmas; points further off lose influence.

    Raises:
        InputError: shapes do not fit or a sigma is not positive.
    """

    points: Array
    center: Array
    camera: Camera
    pixels: Array
    seen: Bools
    depth: Array | None = None
    depth_seen: Bools | None = None
    scale: Literal["none", "uniform", "axes"] = "none"
    focal: bool = False
    pixel_sigma: float = 1.0
    depth_sigma: float = 0.004
    reach: float = 4.0

    def __post_init__(self) -> None:
        frames, count = np.shape(self.seen)
        expected = {"points": (count, 3), "center": (3,), "pixels": (frames, count, 2)}
        if self.depth is not None:
            expected["depth"] = (frames, count)
        if self.depth_seen is not None:
            expected["depth_seen"] = (frames, count)
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise InputError(
                    f"PointCosts.{name} must have shape {shape} to fit seen {(frames, count)}, "
                    f"but got {np.shape(getattr(self, name))}"
                )
        if min(self.pixel_sigma, self.depth_sigma, self.reach) <= 0:
            raise InputError("PointCosts needs positive pixel_sigma, depth_sigma and reach")

    @property
    def num_shared(self) -> int:
        """How many shared unknowns there are."""
        return {"none": 0, "uniform": 1, "axes": 3}[self.scale] + int(self.focal)

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4) and shared unknowns (S,)."""
        if np.shape(shared) != (self.num_shared,):
            raise InputError(
                f"These PointCosts have {self.num_shared} shared unknowns, but got {np.shape(shared)}"
            )
        arm, by_scale = self._arms(poses[:, :3, :3], shared)
        moved = (poses[:, :3, :3] @ self.center + poses[:, :3, 3])[:, None] + arm
        front = moved[..., 2] > _NEAR
        z = np.where(front, moved[..., 2], 1.0)
        ray = moved[..., :2] / z[..., None]
        focal = np.array([self.camera.fx, self.camera.fy]) * np.exp(shared[-1] if self.focal else 0.0)
        across = np.zeros((*z.shape, 2, 3))
        across[..., 0, 0], across[..., 1, 1] = focal[0] / z, focal[1] / z
        across[..., 2] = -focal * ray / z[..., None]
        off = focal * ray + [self.camera.cx, self.camera.cy] - self.pixels
        jacobian = self._chain(across, arm, by_scale, focal * ray)
        terms = self._sum(off, jacobian, np.asarray(self.seen, bool), front, self.pixel_sigma)
        if self.depth is None:
            return terms
        seen = np.asarray(self.seen if self.depth_seen is None else self.depth_seen, bool)
        along = np.broadcast_to([[0.0, 0.0, 1.0]], (*z.shape, 1, 3))
        jacobian = self._chain(along, arm, by_scale, np.zeros((*z.shape, 1)))
        error = (moved[..., 2] - self.depth)[..., None]
        more = self._sum(error, jacobian, seen, np.ones_like(front), self.depth_sigma)
        return FrameTerms(
            terms.hessian + more.hessian, terms.gradient + more.gradient, terms.cost + more.cost
        )

    def _arms(self, rotations: Array, shared: Array) -> tuple[Array, Array]:
        """Points from the centre in camera axes (T, N, 3), and their derivative (T, N, 3, scales) by log-scales."""
        if self.scale == "none":
            factors = np.ones(3)
        else:
            factors = np.exp(np.broadcast_to(shared[: 1 if self.scale == "uniform" else 3], (3,)))
        scaled = (self.points - self.center) * factors
        arm = scaled @ np.swapaxes(rotations, -1, -2)
        if self.scale == "none":
            return arm, np.zeros((*arm.shape, 0))
        if self.scale == "uniform":
            return arm, arm[..., None]
        return arm, rotations[:, None] * scaled[:, None, :]

    def _chain(self, by_point: Array, arm: Array, by_scale: Array, by_focal: Array) -> Array:
        """(T, N, K, 6 + S) jacobian of K residuals from their derivative (T, N, K, 3) by the camera-frame point."""
        parts = [by_point, -by_point @ hat(arm), by_point @ by_scale]
        if self.focal:
            parts.append(by_focal[..., None])
        return np.concatenate(parts, -1)

    def _sum(self, off: Array, jacobian: Array, seen: Bools, front: Bools, sigma: float) -> FrameTerms:
        """Terms of residuals (T, N, K) with jacobian (T, N, K, 6 + S); those not in front cost their most."""
        used = seen & front
        square = np.where(used, np.sum(np.where(used[..., None], off, 0.0) ** 2, -1) / sigma**2, 0.0)
        cost, weight = robust(square, "geman-mcclure", self.reach)
        cost = np.where(used, cost, np.where(seen, self.reach**2, 0.0))
        weight = np.where(used, weight, 0.0) / sigma**2
        frames, size = len(off), jacobian.shape[-1]
        flat = jacobian.reshape(frames, -1, size)
        weighted = np.swapaxes((jacobian * weight[..., None, None]).reshape(frames, -1, size), -1, -2)
        residual = np.where(used[..., None], off, 0.0).reshape(frames, -1, 1)
        return FrameTerms(weighted @ flat, (weighted @ residual)[..., 0], cost.sum(1))
