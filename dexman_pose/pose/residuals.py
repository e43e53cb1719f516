"""Residuals of a pose and their derivatives, summed into normal equations.

Every term is a function that adds itself: outline against mask and mask against outline, point matches, edges of the
picture, depth, motion prior. Robust weights after Geman and McClure (1987).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.geometry import so3_log
from dexman_pose.pose.evidence import Evidence, field_gradient, inner_edge, signed_distance

Array = NDArray[np.float64]

_OUTLINE_POINTS = 160


@dataclass(frozen=True)
class PointMatches:
    """Surface points seen at known pixels.

    Attributes:
        points: (N, 3) object frame, metres.
        pixels: (N, 2) image pixels.
        weight: (N,) 1 for a full-strength match.
    """

    points: Array
    pixels: Array
    weight: Array

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class EdgeMatches:
    """Points of the rendered outline and the line of the picture each should lie on.

    Attributes:
        points: (N, 3) object frame, metres.
        pixels: (N, 2) a pixel of the picture's edge.
        normal: (N, 2) unit direction across that edge.
    """

    points: Array
    pixels: Array
    normal: Array

    def __len__(self) -> int:
        return len(self.points)


def join_matches(parts: list[PointMatches]) -> PointMatches | None:
    """All matches in one, or None when there are none."""
    parts = [p for p in parts if len(p)]
    if not parts:
        return None
    return PointMatches(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.weight for p in parts]),
    )


@dataclass(frozen=True)
class RefineOptions:
    """Weights and limits of the refinement. Sigmas in pixels of the crop, metres, radians.

    Attributes:
        iterations: at most this many Levenberg-Marquardt steps.
        silhouette_sigma: standard deviation of an outline point.
        silhouette_weight: factor on the silhouette, below 1 because neighbouring points err together.
        point_sigma: standard deviation of a point track in image pixels.
        depth_sigma: standard deviation of a depth measurement in metres.
        prior_translation: standard deviation of the motion prior in metres, or None for no prior.
        prior_rotation: standard deviation of the motion prior in radians.
        reach: residuals of points and depth beyond this many sigmas lose influence (Geman-McClure).
        silhouette_reach: the same for the outline; small when points hold the pose and the mask may be wrong.
        use_silhouette: whether the mask's outline counts at all.
        edge_sigma: standard deviation of an edge of the picture across its direction, in image pixels.
        edge_weight: factor on edges, below 1 because neighbours err together.
    """

    iterations: int = 12
    silhouette_sigma: float = 1.0
    silhouette_weight: float = 0.3
    point_sigma: float = 1.0
    depth_sigma: float = 0.004
    depth_weight: float = 0.05
    prior_translation: float | None = None
    prior_rotation: float = 0.2
    reach: float = 4.0
    silhouette_reach: float = 6.0
    use_silhouette: bool = True
    edge_sigma: float = 1.0
    edge_weight: float = 0.4


def trusting_points(matches: PointMatches | None, base: RefineOptions) -> RefineOptions:
    """Options for when points hold the pose anyway: the more there are, the less the outline has to say.

    A mask may miss a whole face of an object and still look like a clean outline; matches with the mesh's own texture
    cannot err that way together.
    """
    count = 0.0 if matches is None else float(matches.weight.sum())
    if count < 12.0:
        return base
    share = float(np.clip(1.0 - (count - 12.0) / 40.0, 0.3, 1.0))
    return replace(base, silhouette_reach=2.5, silhouette_weight=base.silhouette_weight * share)


@dataclass
class NormalEquations:
    """Accumulated normal equations."""

    hessian: Array = field(default_factory=lambda: np.zeros((6, 6)))
    rhs: Array = field(default_factory=lambda: np.zeros(6))
    cost: float = 0.0
    rms: float = 0.0
    inliers: float = 0.0
    iou: float = 0.0
    area: int = 0

    def add(
        self, residual: Array, jacobian: Array, sigma: float, reach: float, weight: Array | float
    ) -> Array:
        """Add residuals (N,) with jacobian (N, 6), Geman-McClure beyond ``reach`` sigmas; returns robust weights."""
        r = residual / sigma
        c2 = reach * reach
        robust = (c2 / (c2 + r * r)) ** 2
        w = weight * robust / (sigma * sigma)
        jw = jacobian * w[:, None]
        self.hessian += jw.T @ jacobian
        self.rhs -= jw.T @ residual
        self.cost += float(np.sum(weight * c2 * r * r / (c2 + r * r)))
        return robust


def point_jacobian(points: Array, center: Array, fx: float, fy: float) -> Array:
    """(N, 2, 6) derivative of pixels by the twist about ``center``, for camera-frame points (N, 3)."""
    x, y, z = points.T
    iz = 1.0 / z
    a = np.zeros((len(points), 2, 3))
    a[:, 0, 0], a[:, 0, 2] = fx * iz, -fx * x * iz * iz
    a[:, 1, 1], a[:, 1, 2] = fy * iz, -fy * y * iz * iz
    d = points - center
    jac = np.empty((len(points), 2, 6))
    jac[:, :, :3] = a
    # d(point)/dw = w x d  ->  row a: a . (w x d) = w . (d x a)
    jac[:, :, 3] = d[:, None, 1] * a[:, :, 2] - d[:, None, 2] * a[:, :, 1]
    jac[:, :, 4] = d[:, None, 2] * a[:, :, 0] - d[:, None, 0] * a[:, :, 2]
    jac[:, :, 5] = d[:, None, 0] * a[:, :, 1] - d[:, None, 1] * a[:, :, 0]
    return jac


def add_silhouette(
    normal: NormalEquations,
    depth: NDArray[np.float32],
    rendered: NDArray[np.bool_],
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
) -> float:
    """Both directions of the silhouette term; returns the rms residual in pixels."""
    outline = inner_edge(rendered)
    if len(outline) == 0:
        normal.cost += 1e6
        return 1e3
    own_sdf = signed_distance(rendered)
    total = len(outline) + len(evidence.edge)
    # Neighbouring points say the same: a few hundred spread along the outline are enough.
    there = outline[:: 1 + len(outline) // _OUTLINE_POINTS]
    back = evidence.edge[:: 1 + len(evidence.edge) // _OUTLINE_POINTS]
    weight = options.silhouette_weight * min(total, 400) / max(len(there) + len(back), 1)
    squares = [_outline_on_mask(normal, there, depth, own_sdf, evidence, center, options, weight)]
    if len(back):
        _, nearest = cKDTree(outline).query(back)
        squares.append(
            _mask_on_outline(
                normal, back, outline[nearest], depth, own_sdf, evidence, center, options, weight
            )
        )
    every = np.concatenate(squares)
    return float(np.sqrt(np.mean(every * every))) if len(every) else 0.0


def _jacobian_at(
    pixels: NDArray[np.int64], depth: NDArray[np.float32], evidence: Evidence, center: Array
) -> Array:
    """(N, 2, 6) motion of crop pixels (N, 2) that show the surface, by the twist."""
    cam = evidence.camera
    points = cam.unproject(pixels, depth[pixels[:, 1], pixels[:, 0]])
    return point_jacobian(points, center, cam.fx, cam.fy)


def _outline_on_mask(
    normal: NormalEquations,
    outline: NDArray[np.int64],
    depth: NDArray[np.float32],
    own_sdf: NDArray[np.float32],
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
    weight: float,
) -> Array:
    """Each point of the rendered outline should be as deep in the mask as in the rendered shape; returns residuals."""
    ox, oy = outline[:, 0], outline[:, 1]
    known = ~evidence.near_unknown[oy, ox]
    known &= (ox > 0) & (oy > 0) & (ox < depth.shape[1] - 1) & (oy < depth.shape[0] - 1)
    if not known.any():
        return np.zeros(0)
    kept = outline[known]
    ox, oy = kept[:, 0], kept[:, 1]
    residual = (evidence.sdf[oy, ox] - own_sdf[oy, ox]).astype(np.float64)
    motion = _jacobian_at(kept, depth, evidence, center)
    jacobian = np.einsum("ni,nij->nj", evidence.gradient[oy, ox].astype(np.float64), motion)
    normal.add(residual, jacobian, options.silhouette_sigma, options.silhouette_reach, weight)
    return residual


def _mask_on_outline(
    normal: NormalEquations,
    edge: Array,
    nearest: NDArray[np.int64],
    depth: NDArray[np.float32],
    own_sdf: NDArray[np.float32],
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
    weight: float,
) -> Array:
    """Each edge point of the mask should have the rendered outline on it; returns residuals along its normal."""
    inward = field_gradient(own_sdf)[nearest[:, 1], nearest[:, 0]].astype(np.float64)
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-6)
    residual: Array = np.einsum("ni,ni->n", inward, nearest - edge)
    jacobian = np.einsum("ni,nij->nj", inward, _jacobian_at(nearest, depth, evidence, center))
    normal.add(residual, jacobian, options.silhouette_sigma, options.silhouette_reach, weight)
    return residual


def add_points(
    normal: NormalEquations,
    pose: Array,
    matches: PointMatches,
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
) -> float:
    """Reprojection of point matches, in image pixels; returns the share of inliers."""
    cam = evidence.camera
    sx, sy = evidence.factors
    points = matches.points @ pose[:3, :3].T + pose[:3, 3]
    front = points[:, 2] > 0.02
    if not front.any():
        return 0.0
    points = points[front]
    error = (cam.project(points) - evidence.to_crop(matches.pixels[front])) / evidence.factors
    jac = point_jacobian(points, center, cam.fx / sx, cam.fy / sy)
    # One robust weight per point, from the length of its error: both coordinates stand or fall together.
    length = np.linalg.norm(error, axis=1) / options.point_sigma
    c2 = options.reach**2
    robust = (c2 / (c2 + length * length)) ** 2
    weight = matches.weight[front] * min(1.0, 150.0 / max(float(matches.weight.sum()), 1.0))
    w = np.repeat(weight * robust, 2) / options.point_sigma**2
    flat, r = jac.reshape(-1, 6), error.reshape(-1)
    jw = flat * w[:, None]
    normal.hessian += jw.T @ flat
    normal.rhs -= jw.T @ r
    normal.cost += float(np.sum(weight * c2 * length**2 / (c2 + length**2)))
    return float(np.mean(length < 3.0))


def add_edges(
    normal: NormalEquations,
    pose: Array,
    edges: EdgeMatches,
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
) -> None:
    """Distance of outline points from the picture's edges, across those edges, in image pixels."""
    cam, (sx, sy) = evidence.camera, evidence.factors
    points = edges.points @ pose[:3, :3].T + pose[:3, 3]
    front = points[:, 2] > 0.02
    if not front.any():
        return
    points, across = points[front], edges.normal[front]
    error = (cam.project(points) - evidence.to_crop(edges.pixels[front])) / evidence.factors
    residual = np.einsum("ni,ni->n", across, error)
    motion = point_jacobian(points, center, cam.fx / sx, cam.fy / sy)
    weight = options.edge_weight * min(1.0, 120.0 / len(residual))
    normal.add(residual, np.einsum("ni,nij->nj", across, motion), options.edge_sigma, 3.0, weight)


def add_depth(
    normal: NormalEquations,
    depth: NDArray[np.float32],
    evidence: Evidence,
    center: Array,
    options: RefineOptions,
) -> None:
    """Point-to-plane distance between measured and rendered surface, along the rendered normal."""
    assert evidence.depth is not None
    step = 2
    measured_inside = (evidence.depth > 0) & evidence.mask & (evidence.sdf > 1.5)
    both = (depth > 0) & measured_inside
    # The weight rests on what was measured, not on what happens to be covered: covering less must not look cheaper.
    wanted = max(int(np.count_nonzero(measured_inside[::step, ::step])), 1)
    weight = options.depth_weight * min(1.0, 2000.0 / wanted)
    missed = wanted - int(np.count_nonzero(both[::step, ::step]))
    normal.cost += weight * options.reach**2 * missed
    y, x = np.nonzero(both[::step, ::step])
    if len(x) < 8:
        return
    x, y = x * step, y * step
    inside = (x > 0) & (y > 0) & (x < depth.shape[1] - 1) & (y < depth.shape[0] - 1)
    x, y = x[inside], y[inside]
    cam = evidence.camera
    points = cam.unproject(np.stack([x, y], 1), depth[y, x])
    right = cam.unproject(np.stack([x + 1, y], 1), depth[y, x + 1]) - cam.unproject(
        np.stack([x - 1, y], 1), depth[y, x - 1]
    )
    down = cam.unproject(np.stack([x, y + 1], 1), depth[y + 1, x]) - cam.unproject(
        np.stack([x, y - 1], 1), depth[y - 1, x]
    )
    plane = np.cross(down, right)
    length = np.linalg.norm(plane, axis=1)
    corner = (depth[y, x + 1] > 0) & (depth[y, x - 1] > 0) & (depth[y + 1, x] > 0) & (depth[y - 1, x] > 0)
    facing = np.abs(plane[:, 2]) > 0.2 * length  # grazing surfaces and depth steps give no usable plane
    keep = corner & facing & (length > 0)
    if keep.sum() < 8:
        return
    points, plane = points[keep], plane[keep] / length[keep, None]
    measured = cam.unproject(np.stack([x, y], 1)[keep], evidence.depth[y, x][keep])
    residual = np.einsum("ni,ni->n", plane, points - measured)
    jac = np.concatenate([plane, np.cross(points - center, plane)], 1)
    normal.add(residual, jac, options.depth_sigma, options.reach, weight)


def add_prior(
    normal: NormalEquations, pose: Array, predicted: Array, center: Array, options: RefineOptions
) -> None:
    """Gaussian prior on the pose around the predicted one."""
    assert options.prior_translation is not None
    shift = (pose[:3, :3] @ center + pose[:3, 3]) - (predicted[:3, :3] @ center + predicted[:3, 3])
    turn = so3_log(pose[:3, :3] @ predicted[:3, :3].T)
    residual = np.concatenate([shift, turn])
    inverse_variance = np.repeat([options.prior_translation**-2, options.prior_rotation**-2], 3)
    normal.hessian += np.diag(inverse_variance)
    normal.rhs -= inverse_variance * residual
    normal.cost += float(np.sum(inverse_variance * residual * residual))
