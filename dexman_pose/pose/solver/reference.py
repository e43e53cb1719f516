"""The plain twin of the fused refinement's normal equations, in numpy: slow, and meant to be read.

Each term is a function that adds itself: outline against mask, mask against outline, depth, points with a place, a
line or a grey value. Robust weights after Geman and McClure (1987). Tests compare it with the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry import so3_log
from dexman_pose.imaging.masks import inner_edge
from dexman_pose.pose.observation.crop import DEPTH_GRID, CropObservation
from dexman_pose.pose.solver._layout import DEPTH_MARGIN, POSE, STEP_LIMIT
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints


@dataclass
class NormalEquations:
    """Accumulated normal equations in n unknowns: twist (v, w) about the centre, log-scales, log focal length.

    ``rhs`` is minus the gradient of half the cost.
    """

    hessian: Array
    rhs: Array
    cost: float = 0.0

    def add(self, residual: Array, jacobian: Array, sigma: float, reach: float, weight: float) -> None:
        """Add residuals (N,) with jacobian (N, n); they lose influence beyond ``reach`` sigmas."""
        q2 = (residual / sigma) ** 2
        share = reach**2 / (reach**2 + q2)
        w = weight * share * share / (sigma * sigma)
        self.hessian += (jacobian * w[:, None]).T @ jacobian
        self.rhs -= (jacobian * w[:, None]).T @ residual
        self.cost += float(np.sum(weight * q2 * share))


@dataclass(frozen=True)
class Frame:
    """A pose about to be linearised.

    Attributes:
        camera_from_object: (4, 4).
        center: (3,) of the object, object frame.
        camera: of the crop.
        scales: number of unknown scales: 0, 1 or 3.
        focal: whether the focal length is unknown.
    """

    camera_from_object: Array
    center: Array
    camera: Camera
    scales: int = 0
    focal: bool = False

    @property
    def unknowns(self) -> int:
        """Number of unknowns."""
        return POSE + self.scales + int(self.focal)

    def rows(self, points: Array, gradient: Array, by_focal: Array) -> Array:
        """(N, n) derivatives of residuals whose gradient by their camera points (N, 3) is given, (N, 3)."""
        rotation = self.camera_from_object[:3, :3]
        d = points - (rotation @ self.center + self.camera_from_object[:3, 3])
        columns = [gradient, np.cross(d, gradient)]
        if self.scales == 1:
            columns.append(np.sum(gradient * d, 1, keepdims=True))
        elif self.scales == 3:
            columns.append((gradient @ rotation) * (d @ rotation))
        if self.focal:
            columns.append(by_focal[:, None])
        return np.concatenate(columns, 1)

    def pixel_rows(self, points: Array, across: Array) -> Array:
        """(N, n) derivatives of the projections of camera points (N, 3) along image directions (N, 2)."""
        z = points[:, 2]
        a = across * [self.camera.fx, self.camera.fy] / z[:, None]
        gradient = np.concatenate([a, -np.sum(a * points[:, :2], 1, keepdims=True) / z[:, None]], 1)
        offset = self.camera.project(points) - [self.camera.cx, self.camera.cy]
        return self.rows(points, gradient, np.sum(across * offset, 1))


def start(frame: Frame) -> NormalEquations:
    """Empty normal equations."""
    n = frame.unknowns
    return NormalEquations(np.zeros((n, n)), np.zeros(n))


def add_silhouette(
    normal: NormalEquations, frame: Frame, depth: NDArray[np.float32], view: CropObservation, o: RefineOptions
) -> None:
    """Both directions of the silhouette term; ``depth`` (h, w) is the rendering at the frame's pose."""
    part = start(frame)
    outline = inner_edge(depth > 0)
    h, w = view.size
    x, y = outline.T
    outline = outline[(x > 0) & (y > 0) & (x < w - 1) & (y < h - 1)]
    count = len(outline) + len(view.edge)
    _outline_on_mask(part, frame, outline, depth, view, o)
    _mask_on_outline(part, frame, depth, view, o)
    share = o.silhouette_weight * min(count, o.silhouette_most) / max(count, 1)
    normal.hessian += share * part.hessian
    normal.rhs += share * part.rhs
    normal.cost += share * part.cost


def _outline_on_mask(
    part: NormalEquations,
    frame: Frame,
    outline: NDArray[np.int64],
    depth: NDArray[np.float32],
    view: CropObservation,
    o: RefineOptions,
) -> None:
    """Each point of the rendered outline should be half a pixel deep in the mask, as it is in the rendering."""
    x, y = outline[~view.near_unknown[outline[:, 1], outline[:, 0]]].T
    smooth = view.smooth.astype(np.float64)
    gradient = 0.5 * np.stack([smooth[y, x + 1] - smooth[y, x - 1], smooth[y + 1, x] - smooth[y - 1, x]], 1)
    points = frame.camera.unproject(np.stack([x, y], 1).astype(np.float64), depth[y, x].astype(np.float64))
    residual = view.sdf[y, x].astype(np.float64) - 0.5
    part.add(residual, frame.pixel_rows(points, gradient), o.silhouette_sigma, o.silhouette_reach, 1.0)


def _mask_on_outline(
    part: NormalEquations, frame: Frame, depth: NDArray[np.float32], view: CropObservation, o: RefineOptions
) -> None:
    """Each edge point of the mask should have the rendered outline on it, looked for along its normal."""
    for edge, inward in zip(view.edge.astype(np.float32), view.edge_normal.astype(np.float32)):
        found = _march(depth > 0, edge, inward)
        if found is None:
            part.cost += o.silhouette_reach**2
            continue
        (x, y), distance = found
        point = frame.camera.unproject(np.array([[x, y]], np.float64), np.array([depth[y, x]], np.float64))
        row = frame.pixel_rows(point, inward[None].astype(np.float64))
        part.add(np.array([distance]), row, o.silhouette_sigma, o.silhouette_reach, 1.0)


def _march(
    drawn: NDArray[np.bool_], edge: NDArray[np.float32], inward: NDArray[np.float32]
) -> tuple[tuple[int, int], float] | None:
    """The outline pixel on the line through an edge point, and its distance along the inward direction."""
    x, y = int(edge[0]), int(edge[1])
    covered = bool(drawn[y, x])
    last = (x, y)
    for s in range(1, STEP_LIMIT):
        at = edge + np.float32(-s if covered else s) * inward + np.float32(0.5)
        x, y = int(at[0]), int(at[1])
        if at.min() <= -1 or x >= drawn.shape[1] or y >= drawn.shape[0]:
            return None
        if drawn[y, x] != covered:
            return (last, -float(s - 1)) if covered else ((x, y), float(s))
        if covered:
            last = (x, y)
    return None


def add_depth(
    normal: NormalEquations, frame: Frame, depth: NDArray[np.float32], view: CropObservation, o: RefineOptions
) -> None:
    """Point-to-plane distance between measured and rendered surface, along the rendered normal."""
    assert view.depth is not None
    wanted = view.depth_count
    share = o.depth_weight * min(1.0, o.depth_most / max(wanted, 1))
    part, met = start(frame), 0
    rows: list[tuple[Array, Array, float]] = []
    for y in range(DEPTH_GRID, depth.shape[0] - 1, DEPTH_GRID):
        for x in range(DEPTH_GRID, depth.shape[1] - 1, DEPTH_GRID):
            cross = [depth[y, x - 1], depth[y, x + 1], depth[y - 1, x], depth[y + 1, x]]
            if min(cross) == 0 or depth[y, x] == 0 or view.depth[y, x] == 0 or view.sdf[y, x] <= DEPTH_MARGIN:
                continue
            met += 1
            pixels = np.array([[x, y], [x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]], np.float64)
            p = frame.camera.unproject(pixels, np.array([depth[y, x], *cross], np.float64))
            plane = np.cross(p[4] - p[3], p[2] - p[1])
            plane /= np.linalg.norm(plane)
            if abs(plane[2]) > o.depth_facing:
                q = p[0] * (o.depth_scale * float(view.depth[y, x]) + o.depth_shift) / p[0, 2]
                rows.append((p[0], plane, float(plane @ (p[0] - q))))
                bend = plane[:2] @ q[:2]
                part.add(
                    np.array([rows[-1][2]]),
                    frame.rows(p[:1], plane[None], np.array([bend])),
                    o.depth_sigma,
                    o.reach,
                    1.0,
                )
    normal.hessian += share * part.hessian
    normal.rhs += share * part.rhs
    normal.cost += share * (part.cost + o.reach**2 * max(wanted - met, 0))


def add_points(
    normal: NormalEquations, frame: Frame, matches: PointMatches, view: CropObservation, o: RefineOptions
) -> None:
    """Reprojection of point matches, in image pixels; one robust weight per point, from the length of its error."""
    points = _posed(frame, matches.points)
    error = (frame.camera.project(points) - view.to_crop(matches.pixels)) / view.factors
    q2 = np.sum(error**2, 1) / o.point_sigma**2
    share = o.reach**2 / (o.reach**2 + q2)
    weight = matches.weight * min(1.0, o.point_most / max(float(matches.weight.sum()), 1.0))
    w = weight * share * share / o.point_sigma**2
    for axis in range(2):
        across = np.zeros((len(points), 2))
        across[:, axis] = 1.0 / view.factors[axis]
        rows = frame.pixel_rows(points, across)
        normal.hessian += (rows * w[:, None]).T @ rows
        normal.rhs -= (rows * w[:, None]).T @ error[:, axis]
    normal.cost += float(np.sum(weight * q2 * share))


def add_edges(
    normal: NormalEquations, frame: Frame, edges: EdgeMatches, view: CropObservation, o: RefineOptions
) -> None:
    """Distance of outline points from the picture's edges, across those edges, in image pixels."""
    points = _posed(frame, edges.points)
    error = (frame.camera.project(points) - view.to_crop(edges.pixels)) / view.factors
    rows = frame.pixel_rows(points, edges.normal / view.factors)
    weight = o.edge_weight * min(1.0, o.edge_most / len(edges))
    normal.add(np.sum(edges.normal * error, 1), rows, o.edge_sigma, o.edge_reach, weight)


def add_shaded(
    normal: NormalEquations, frame: Frame, shaded: ShadedPoints, view: CropObservation, o: RefineOptions
) -> None:
    """Grey value of surface points against the picture, where the picture is known."""
    assert view.gray is not None
    weight = o.color_weight * min(1.0, o.color_most / len(shaded))
    h, w = view.size
    points = _posed(frame, shaded.points)
    pixels = frame.camera.project(points)
    u, v = pixels.T
    inside = (u >= 1) & (v >= 1) & (u < w - 2) & (v < h - 2)
    normal.cost += float(weight * o.color_reach**2 * shaded.weight[~inside].sum())
    inside[inside] &= ~view.unknown[(v[inside] + 0.5).astype(int), (u[inside] + 0.5).astype(int)]
    for i in np.nonzero(inside)[0]:
        x, y = int(u[i]), int(v[i])
        fx, fy = u[i] - x, v[i] - y
        a, b, c, d = (float(view.gray[y + j, x + k]) for j in (0, 1) for k in (0, 1))
        top, bottom = a + (b - a) * fx, c + (d - c) * fx
        gradient = np.array([[(b - a) * (1 - fy) + (d - c) * fy, bottom - top]])
        residual = top + (bottom - top) * fy - shaded.gray[i]
        rows = frame.pixel_rows(points[i : i + 1], gradient)
        normal.add(np.array([residual]), rows, o.color_sigma, o.color_reach, weight * float(shaded.weight[i]))


def add_prior(
    normal: NormalEquations, frame: Frame, predicted: Array | None, log_scales: Array, o: RefineOptions
) -> None:
    """The motion prior about ``predicted`` (4, 4), if any, and those of log-scales (3,) and focal length."""
    pose, information, off = frame.camera_from_object, np.zeros(frame.unknowns), np.zeros(frame.unknowns)
    if predicted is not None and o.prior_translation is not None:
        information[:3], information[3:POSE] = o.prior_translation**-2, o.prior_rotation**-2
        off[:3] = (pose[:3, :3] - predicted[:3, :3]) @ frame.center + pose[:3, 3] - predicted[:3, 3]
        off[3:POSE] = so3_log(pose[:3, :3] @ predicted[:3, :3].T)
    sizes = slice(POSE, POSE + frame.scales)
    information[sizes], off[sizes] = o.prior_scale**-2, log_scales[: frame.scales]
    if frame.focal:
        information[-1] = o.prior_focal**-2
    normal.hessian += np.diag(information)
    normal.rhs -= information * off
    normal.cost += float(np.sum(information * off**2))


def _posed(frame: Frame, points: Array) -> Array:
    moved: Array = points @ frame.camera_from_object[:3, :3].T + frame.camera_from_object[:3, 3]
    return moved
