"""A pose refined in one picture by region, by corners of the last one, and by the mesh's own texture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.imaging.options import PointFlowOptions
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.refinement.refiner import PoseRefiner, has_color
from dexman_pose.pose.region._layout import LineReport
from dexman_pose.pose.region.followed import CornerFollower
from dexman_pose.pose.region.model_view import ModelView, view_of_model
from dexman_pose.pose.region.options import RegionOptions
from dexman_pose.pose.region.points import projected
from dexman_pose.pose.region.solver import RegionSolver
from dexman_pose.pose.region.window import GrayPart, Window, window_around
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render.rasterizer import Rasterizer


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


@dataclass(frozen=True, eq=False)
class _Look:
    """What is looked at: a picture (H, W, 3), what may hide the object and what a mask shows of it, (H, W) or None."""

    image: NDArray[np.uint8]
    hidden: NDArray[np.bool_] | None
    mask: NDArray[np.bool_] | None
    part: GrayPart


class RegionRefiner:
    """Refines poses of one mesh in the pictures of a clip. Not to be shared between threads.

    Args:
        refiner: of the mesh.
        camera: of the pictures, an ideal pinhole.
        extremes: (N, 3) outermost points of the mesh, which span its box from every side.
        options: settings.
        outline: rasteriser of a mesh with the same outline and creases and fewer faces; that of the mesh when None.
    """

    def __init__(
        self,
        refiner: PoseRefiner,
        camera: Camera,
        extremes: Array,
        options: RegionOptions | None = None,
        outline: Rasterizer | None = None,
    ) -> None:
        camera.require_pinhole("the region refiner")
        self.options = options or RegionOptions()
        self.camera, self.rasterizer = camera, refiner.rasterizer
        self.center = refiner.center
        self.solver = RegionSolver(outline or refiner.rasterizer, refiner.center, self.options)
        self.colored = has_color(refiner)
        self._extremes = extremes
        self._radius = refiner.rasterizer.mesh.radius
        self._follower = CornerFollower(self.options.points)
        self._view: ModelView | None = None
        self._window: Window | None = None
        self._look: _Look | None = None
        self._refined: RegionPose | None = None

    def learn_at(
        self,
        pose: Array,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> None:
        """Learn colours anew from a pose (4, 4) that is roughly right in a picture (H, W, 3)."""
        self._look_at(pose, image, hidden, mask)
        self.solver.examine(pose)
        self.solver.learn(1.0)
        self.forget()

    def refine(
        self,
        start: Array,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None = None,
        mask: NDArray[np.bool_] | None = None,
        *,
        held: bool = True,
        textured: bool = True,
    ) -> RegionPose:
        """The pose in a picture.

        Args:
            start: (4, 4) the pose expected.
            image: (H, W, 3) RGB.
            hidden: (H, W) pixels in which something may be before the object.
            mask: (H, W) pixels that a mask gives to the object; one voice beside the colours.
            held: whether the motion prior holds the pose to ``start``.
            textured: whether the mesh's own texture is looked for, where it has one.

        Returns:
            The pose; ``start`` with nothing that speaks for it where that lies behind the camera.
        """
        if not self._is_before_camera(start):
            return _unseen(start)
        o, solver = self.options, self.solver
        window, part = self._look_at(start, image, hidden, mask)
        flow = self._follower.follow(window, window.seen(part), start) if o.flow else None
        predicted, first = start if held else None, self._first_round(flow, start)
        solver.solve(start, predicted, flow, o.rounds[first : o.late], radius=self._radius)
        textured_mesh = self.colored and textured
        matches, colors = None, np.nan
        for again in range(o.texture_rounds if textured_mesh and o.texture else 0):
            found, colors = self._textured(
                part, window, o.points.model_flow if first else o.points.texture_flow
            )
            if found is None or len(found) < o.points.least:
                break
            matches = found
            solver.resume(matches, o.rounds[o.late + again :])
        if matches is None:
            solver.resume(lighter(flow, o.points.late_flow), o.rounds[o.late :])
        share = solver.inlier_share if matches is not None else 0.0
        pose, hessian = solver.pose, solver.hessian
        if not self._is_before_camera(pose):
            return _unseen(start)
        said = solver.examine(pose)
        self._refined = _reported(
            pose,
            hessian,
            said,
            0 if matches is None else round(share * len(matches)),
            colors,
            0 if flow is None else len(flow),
        )
        return self._refined

    def keep(self, found: RegionPose, image: NDArray[np.uint8]) -> None:
        """Learn from a picture and a pose refined in it, and follow corners from there on."""
        look, solver, pose = self._look, self.solver, found.camera_from_object
        assert look is not None
        part = look.part
        if found is not self._refined and self._is_before_camera(pose):  # another one was tried since
            _, part = self._look_at(pose, image, look.hidden, look.mask)
            solver.examine(pose)
        solver.learn(self.options.colors.rate)
        if self.options.flow:
            window, inverse = solver.window, solver.inverse_depth
            if look.hidden is not None:  # its corners are not the object's
                inverse = inverse.copy()
                inverse[window.covered(look.hidden, self.options.points.flow.window)] = 0.0
            self._follower.keep(image, window, window.seen(part), inverse, pose)

    def forget(self) -> None:
        """Follow no corners from the last picture, and keep no drawing of the texture."""
        self._follower.forget()
        self._view = None

    def _is_before_camera(self, pose: Array) -> bool:
        """Whether a pose (4, 4) is one, and the object's centre at it lies before the camera."""
        return bool(np.isfinite(pose).all() and pose[2, :3] @ self.center + pose[2, 3] > 0)

    def _look_at(
        self,
        pose: Array,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None,
        mask: NDArray[np.bool_] | None,
    ) -> tuple[Window, GrayPart]:
        """Look at a picture around a pose (4, 4)."""
        window = window_around(self._extremes, pose, self.camera, self.options.window, self._window)
        part = GrayPart.around(window, image)
        self._window, self._look, self._refined = window, _Look(image, hidden, mask, part), None
        self.solver.look_at(window, image, hidden, mask)
        return window, part

    def _first_round(self, flow: PointMatches | None, start: Array) -> int:
        """Index of the first round: the nearer corners of the last picture say that ``start`` (4, 4) is, the later."""
        o = self.options
        if flow is None or len(flow) < o.points.least:
            return 0
        off = flow.pixels - projected(flow.points, start, self.camera.K)
        middle = float(np.sort(np.einsum("ij,ij->i", off, off))[len(off) // 2]) ** 0.5
        near = [i for i, r in enumerate(o.rounds[: o.late + 1]) if middle < r.foreseen]
        return max(near, default=0)

    def _textured(
        self, part: GrayPart, window: Window, flow: PointFlowOptions
    ) -> tuple[PointMatches | None, float]:
        """Corners of the mesh's texture at the pose so far, where they are in the picture; and the correlation."""
        pose, o, k = self.solver.candidate, self.options, self.camera.K
        if not self._is_before_camera(pose):
            return None, np.nan
        there = None if self._view is None else self._view.seen_at(pose, k, self.center, o.model_view)
        if there is None:
            self._view = view_of_model(self.rasterizer, pose, window, self._extremes, self.center, o.points)
            if self._view is None:
                return None, np.nan
            there = self._view.image_from_view
        assert self._view is not None
        hidden = None if self._look is None else self._look.hidden
        return self._view.find(part, there, pose, k, o.points, flow, hidden)


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
