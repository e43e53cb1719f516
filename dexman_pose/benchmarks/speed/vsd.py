"""How long VSD takes, beside its definition written out in numpy over whole images, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.speed.fastest import fastest
from dexman_pose.benchmarks.speed.rasterise import icosphere
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, se3_exp, so3_exp
from dexman_pose.metrics._crop import NEAR
from dexman_pose.metrics.vsd import TAUS, vsd
from dexman_pose.render.rasterizer import Rasterizer


@dataclass(frozen=True)
class VsdTiming:
    """One measurement: the fastest of the repeated runs.

    Attributes:
        frames: how many were scored.
        size: image, mesh, and pixels of the object.
        own: seconds per frame of :func:`dexman_pose.metrics.vsd.vsd`.
        definition: seconds per frame of :func:`vsd_by_definition`.
        difference: largest difference of their results.
    """

    frames: int
    size: str
    own: float
    definition: float
    difference: float

    @property
    def ratio(self) -> float:
        """How many times as long the definition takes."""
        return self.definition / self.own


class RayMap:
    """(u - cx) / fx and (v - cy) / fy of every pixel, kept for the frames of one camera."""

    def __init__(self, camera: Camera) -> None:
        u, v = np.arange(camera.width), np.arange(camera.height)
        self.x = np.tile((u - camera.cx) / camera.fx, (camera.height, 1))
        self.y = np.tile(((v - camera.cy) / camera.fy)[:, None], (1, camera.width))

    def distance(self, depth: NDArray[np.float32]) -> Array:
        """(H, W) metres from the camera centre."""
        far: Array = np.sqrt(
            np.multiply(self.x, depth) ** 2 + np.multiply(self.y, depth) ** 2 + depth.astype(np.float64) ** 2
        )
        return far


def vsd_by_definition(
    pair: Array,
    rasterizer: Rasterizer,
    camera: Camera,
    rays: RayMap,
    depth: NDArray[np.float32],
    *,
    diameter: float,
    delta: float = 0.015,
    taus: Sequence[float] = TAUS,
    cost: str = "step",
    visibility: str = "bop19",
) -> Array:
    """VSD of one frame in the order of the definition, over whole images: two renderings, then numpy.

    Args:
        pair: (2, 4, 4) the true pose, then the estimate.
        rasterizer: of the object's mesh.
        camera: the camera.
        rays: of that camera.
        depth: (H, W) metres, 0 where nothing was measured.
        diameter: metres; 1 for differences in metres.
        delta: metres.
        taus: thresholds.
        cost: ``"step"`` or ``"tlinear"``.
        visibility: ``"bop19"`` or ``"bop18"``.

    Returns:
        (len(taus),)
    """
    drawn = [_render(rasterizer, pose, camera) for pose in pair]
    seen = rays.distance(depth)
    true, guess = rays.distance(drawn[0]), rays.distance(drawn[1])
    true_visible = _visible(seen, true, delta, visibility)
    guess_visible = _visible(seen, guess, delta, visibility) | (true_visible & (guess > 0))
    both = np.logical_and(true_visible, guess_visible)
    union = np.logical_or(true_visible, guess_visible).sum()
    alone = union - both.sum()
    if union == 0:
        return np.ones(len(taus))
    differences = np.abs(true[both] - guess[both]) / diameter
    errors = []
    for tau in taus:
        costs = differences >= tau if cost == "step" else np.minimum(differences / tau, 1.0)
        errors.append((costs.sum() + alone) / union)
    return np.array(errors)


def _render(rasterizer: Rasterizer, pose: Array, camera: Camera) -> NDArray[np.float32]:
    depth = rasterizer.render(pose, camera.K, camera.width, camera.height, near=NEAR).depth
    assert depth is not None
    return depth[0]


def _visible(seen: Array, model: Array, delta: float, visibility: str) -> NDArray[np.bool_]:
    near = model - seen <= delta
    if visibility == "bop19":
        return np.logical_and(np.logical_or(near, seen == 0), model > 0)
    return np.logical_and(near, np.logical_and(seen > 0, model > 0))


def bench_vsd(frames: int = 200, repeats: int = 3) -> VsdTiming:
    """Score an ellipsoid that turns and slides before a wall, 640x480, estimates 5 mm and 3 degrees off.

    Args:
        frames: frames of our own runs; the definition is timed on at most 40 of them.
        repeats: counted runs of each.
    """
    ball = icosphere(4, 0.1)
    mesh = Mesh(ball.vertices * [1.0, 0.6, 0.4], ball.faces)
    camera = Camera.from_focal(600.0, 640, 480)
    rng = np.random.default_rng(0)
    steps = np.arange(frames)
    true = np.stack([se3(so3_exp([0.3, 0.01 * i, 0.1]), [0.1 * np.sin(0.02 * i), 0, 0.8]) for i in steps])
    estimated = true @ se3_exp(rng.normal(0, [0.003] * 3 + [0.03] * 3, (frames, 6)))
    rasterizer = Rasterizer(mesh)
    depth = _wall_behind(rasterizer, true, camera)
    few, rays = min(frames, 40), RayMap(camera)

    def definition() -> Array:
        pairs = zip(true[:few], estimated[:few])
        return np.stack(
            [
                vsd_by_definition(np.stack(pair), rasterizer, camera, rays, depth(i), diameter=0.2)
                for i, pair in enumerate(pairs)
            ]
        )

    def own() -> Array:
        return vsd(estimated, true, mesh, camera, depth, diameter=0.2)

    difference = float(np.abs(own()[:few] - definition()).max())
    covered = int(rasterizer.render(true[0], camera.K, 640, 480).mask.sum())
    size = f"640x480, {len(mesh.faces)} faces, {covered} pixels"
    return VsdTiming(
        frames, size, fastest(own, repeats) / frames, fastest(definition, repeats) / few, difference
    )


def _wall_behind(rasterizer: Rasterizer, true: Array, camera: Camera) -> Callable[[int], NDArray[np.float32]]:
    """Depth of a few frames of the object before a wall, reused for all frames so that reading is not timed."""
    kept = []
    for pose in true[:: max(1, len(true) // 50)]:
        drawn = _render(rasterizer, pose, camera)
        kept.append(np.where(drawn > 0, drawn, np.float32(1.2)))
    every = max(1, len(true) // 50)
    return lambda i: kept[i // every]
