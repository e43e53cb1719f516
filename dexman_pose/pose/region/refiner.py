"""A pose refined in one picture by region, by corners of the last one, and by the mesh's own texture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.data import Camera
from dexman_pose.imaging.correlation import correlation, local_contrast
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.region._layout import LineReport
from dexman_pose.pose.region.options import RegionOptions
from dexman_pose.pose.region.points import found_corners
from dexman_pose.pose.region.solver import RegionSolver
from dexman_pose.pose.region.window import Window, window_around
from dexman_pose.pose.solver.residuals import PointMatches

_LEVELS = np.float32(255.0)


@dataclass(frozen=True)
class RegionPose:
    """A pose with what speaks for it.

    Attributes:
        camera_from_object: (4, 4).
        hessian: (6, 6) normal matrix of the twist about the object's centre, camera axes.
        agree: share of the outline's lines that find the contour within two pixels, in [0, 1].
        offset: image pixels the contour is off on its lines, on average.
        odds: log-odds of a step of a line to be on its side, on average; 0 where the colours say nothing.
        edge: strength of the picture's edge along the outline, in [0, 1].
        seen: share of the outline that nothing hides.
        texture: corners of the mesh's texture found where the pose has them.
        colors: correlation of the mesh's texture with the picture, in [-1, 1]; NaN where it was not looked at.
        flow: corners of the last frame found again.
    """

    camera_from_object: Array
    hessian: Array
    agree: float = 0.0
    offset: float = 0.0
    odds: float = 0.0
    edge: float = 0.0
    seen: float = 0.0
    texture: int = 0
    colors: float = np.nan
    flow: int = 0


@dataclass
class _Last:
    """The last picture, as corners are followed from it."""

    gray: Gray
    window: Window
    inverse_depth: NDArray[np.float32]
    pose: Array
    image: NDArray[np.uint8]


class RegionRefiner:
    """Refines poses of one mesh in the pictures of a clip. Not to be shared between threads.

    Args:
        refiner: of the mesh.
        camera: of the pictures, an ideal pinhole.
        extremes: (N, 3) outermost points of the mesh, which span its box from every side.
        options: settings.
    """

    def __init__(
        self, refiner: PoseRefiner, camera: Camera, extremes: Array, options: RegionOptions | None = None
    ) -> None:
        camera.require_pinhole("the region refiner")
        self.options = options or RegionOptions()
        self.camera, self.rasterizer = camera, refiner.rasterizer
        self.center = refiner.center
        self.solver = RegionSolver(refiner.rasterizer, refiner.center, self.options)
        self._texture_points = replace(self.options.points, flow=self.options.points.texture_flow)
        self.colored = has_color(refiner)
        self._extremes = extremes
        self._radius = refiner.rasterizer.mesh.radius
        self._last: _Last | None = None
        self._said = np.zeros(LineReport.SIZE, np.float32)

    def learn_at(
        self,
        pose: Array,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> None:
        """Learn colours anew from a pose (4, 4) that is roughly right in a picture (H, W, 3)."""
        self.solver.look_at(self._window(pose), image, hidden, mask)
        self.solver.examine(pose)
        self.solver.learn(1.0)
        self._last = None

    def refine(
        self,
        start: Array,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None = None,
        mask: NDArray[np.bool_] | None = None,
        *,
        held: bool = True,
    ) -> RegionPose:
        """The pose in a picture.

        Args:
            start: (4, 4) the pose expected.
            image: (H, W, 3) RGB.
            hidden: (H, W) pixels in which something may be before the object.
            mask: (H, W) pixels that a mask gives to the object; one voice beside the colours.
            held: whether the motion prior holds the pose to ``start``.

        Returns:
            The pose; ``start`` with nothing that speaks for it where that lies behind the camera.
        """
        if not self._is_before_camera(start):
            return _unseen(start)
        o, solver, window = self.options, self.solver, self._window(start)
        flow = self._followed(image) if o.flow else None
        solver.look_at(window, image, hidden, mask)
        predicted = start if held else None
        solver.solve(start, predicted, flow, o.rounds[: o.late], radius=self._radius)
        textured, colors = None, np.nan
        for again in range(o.texture_rounds if self.colored and o.texture else 0):
            found, colors = self._textured(image, window, hidden)
            if found is None or len(found) < o.points.least:
                break
            textured = found
            solver.resume(textured, o.rounds[o.late + again :])
        if textured is None:
            solver.resume(lighter(flow, o.points.late_flow), o.rounds[o.late :])
        share = solver.inlier_share if textured is not None else 0.0
        pose, hessian = solver.pose, solver.hessian
        if not self._is_before_camera(pose):
            return _unseen(start)
        said = solver.examine(pose)
        return _reported(
            pose,
            hessian,
            said,
            0 if textured is None else round(share * len(textured)),
            colors,
            0 if flow is None else len(flow),
        )

    def keep(
        self, found: RegionPose, image: NDArray[np.uint8], hidden: NDArray[np.bool_] | None = None
    ) -> None:
        """Learn from a picture and the pose last refined in it, and follow corners from there on.

        Args:
            found: the pose.
            image: (H, W, 3) RGB.
            hidden: (H, W) pixels in which something may be before the object; its corners are not the object's.
        """
        self.solver.learn(self.options.colors.rate)
        window = self.solver.window
        inverse = self.solver.inverse_depth.copy()
        if hidden is not None:
            inverse[window.covered(hidden, self.options.points.flow.window)] = 0.0
        self._last = _Last(window.gray(image), window, inverse, found.camera_from_object, image)

    def forget(self) -> None:
        """Follow no corners from the last picture."""
        self._last = None

    def _is_before_camera(self, pose: Array) -> bool:
        """Whether a pose (4, 4) is one, and the object's centre at it lies before the camera."""
        return bool(np.isfinite(pose).all() and pose[2, :3] @ self.center + pose[2, 3] > 0)

    def _window(self, pose: Array) -> Window:
        return window_around(self._extremes, pose, self.camera, self.options.window)

    def _followed(self, image: NDArray[np.uint8]) -> PointMatches | None:
        """Corners of the last picture on the object, where they are in this one."""
        if self._last is None:
            return None
        last, o = self._last, self.options.points
        return found_corners(
            last.gray, last.window.gray(image), last.inverse_depth, last.window, last.pose, o, o.flow_weight
        )

    def _textured(
        self, image: NDArray[np.uint8], window: Window, hidden: NDArray[np.bool_] | None
    ) -> tuple[PointMatches | None, float]:
        """Corners of the mesh's texture at the pose so far, where they are in the picture; and the correlation."""
        pose, o = self.solver.candidate, self._texture_points
        if not self._is_before_camera(pose):
            return None, np.nan
        drawn = self.rasterizer.render(
            pose[None], window.K, window.width, window.height, attributes=("depth", "color")
        )
        assert drawn.depth is not None and drawn.color is not None
        mask = drawn.mask[0] if hidden is None else drawn.mask[0] & ~window.covered(hidden)
        if np.count_nonzero(mask) < o.inside**2:
            return None, np.nan
        model = cv2.cvtColor(drawn.color[0] * _LEVELS, cv2.COLOR_RGB2GRAY)
        seen = window.gray(image).astype(np.float32)
        first, second = local_contrast(np.asarray(model, np.float32), mask), local_contrast(seen, mask)
        inverse = np.zeros_like(drawn.depth[0])
        np.divide(1.0, drawn.depth[0], out=inverse, where=mask)
        found = found_corners(first, second, inverse, window, pose, o, o.texture_weight)
        return found, correlation(first, second, mask)


def _reported(
    pose: Array, hessian: Array, said: NDArray[np.float32], texture: int, colors: float, flow: int
) -> RegionPose:
    lines, hidden = float(said[LineReport.OUTLINE]), float(said[LineReport.HIDDEN])
    count = max(lines, 1.0)
    return RegionPose(
        pose,
        hessian,
        agree=float(said[LineReport.AGREE]) / count,
        offset=float(said[LineReport.OFFSET]) / count,
        odds=float(said[LineReport.ODDS]) / count,
        edge=float(said[LineReport.EDGE]) / count,
        seen=lines / max(lines + hidden, 1.0),
        texture=texture,
        colors=colors,
        flow=flow,
    )


def _unseen(pose: Array) -> RegionPose:
    return RegionPose(pose, np.zeros((POSE_SIZE, POSE_SIZE)))


def lighter(points: PointMatches | None, share: float) -> PointMatches | None:
    """The points with a share of their weight; None for none of it."""
    if points is None or not share:
        return None
    return replace(points, weight=share * points.weight)
