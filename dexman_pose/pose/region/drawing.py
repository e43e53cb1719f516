"""The drawing of one pose and the contours found in it, made anew only where the pose has moved."""

from __future__ import annotations

from math import hypot, inf

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array, FloatImage
from dexman_pose.pose.region import _contour_kernels as contour_kernels
from dexman_pose.pose.region._layout import LineSettings
from dexman_pose.pose.region.window import Window
from dexman_pose.pose.solver._launches import SolverLaunches
from dexman_pose.pose.solver._layout import State
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render._buffers import Buffers
from dexman_pose.render.commands import Command
from dexman_pose.render.rasterizer import Rasterizer

_NEAR_PLANE = 0.01  # metres
_DEPTH = State.CENTER + 2


class ContourDrawing:
    """Draws the candidate of a solver, whose buffers it shares, and finds its contours.

    Args:
        rasterizer: of the mesh.
        middle: the object point that rotations are about, on the device.
        buffers: of the solver.
        launches: of the solver.
        rows: of the solver's points.
    """

    def __init__(
        self, rasterizer: Rasterizer, middle: wp.vec3d, buffers: Buffers, launches: SolverLaunches, rows: int
    ) -> None:
        self._mesh, self._radius = rasterizer.device_mesh, rasterizer.mesh.radius
        self._middle, self._rows = middle, rows
        self._buffers, self._kernels = buffers, launches
        self._find = Command(contour_kernels.find_contours, "cpu")
        buffers.get("drawn", wp.float64, State.SIZE)
        self._state: Array = buffers.host("drawn", State.SIZE)
        self._state[:] = 0.0
        self._window: Window | None = None
        self._found_by: LineSettings | None = None

    def motion(self, state: Array, other: Array, window: Window) -> float:
        """Image pixels that a point of the object moves at most between two states, to first order.

        Infinite where the object may reach to the camera.
        """
        z = float(state[_DEPTH]) - self._radius
        if not z > 0.0:
            return inf
        d = (state - other).tolist()
        turn = float(np.linalg.norm(d[: State.CENTER])) * np.sqrt(0.5)
        across, along = hypot(d[State.CENTER], d[State.CENTER + 1]), abs(d[_DEPTH])
        focal = float(window.K[0, 0]) / window.scale
        return float(focal / z * (across + along * self._radius / z + turn * self._radius))

    def shows(self, state: Array, window: Window, within: float) -> bool:
        """Whether what was drawn last is a state in a window, up to so many image pixels."""
        return self._window is window and self.motion(state, self._state, window) <= within

    def inverse_depth(self) -> FloatImage:
        """(h, w) 1 / metres of what was drawn last, 0 beside it; a view that the next drawing overwrites."""
        w = self._window
        assert w is not None
        seen: NDArray[np.float32] = self._buffers.host("nearest", w.width * w.height)
        return seen.reshape(w.height, w.width)

    def draw(self, state: Array, window: Window) -> None:
        """Draw a state in a window."""
        self._window, self._found_by = window, None
        self._state[:] = state
        b, (vertices, faces, hull) = self._buffers, self._mesh
        size = window.width * window.height
        nearest = b.get("nearest", wp.float32, size + raster.LANES - 1)
        b.clear("nearest", size)
        screen = b.get("screen", wp.vec3d, vertices.shape[0])
        keys = b.get("keys", wp.uint64, 0)
        projection = b.kept("projection")
        self._kernels.project_states(
            (1,), b.kept("drawn"), self._middle, b.kept("view_of"), b.kept("views"), projection
        )
        self._kernels.project_vertices((1, 1), vertices, projection, _NEAR_PLANE, 1, screen)
        self._kernels.rasterize(
            (1, 1, 1),
            vertices,
            faces,
            hull,
            projection,
            screen,
            _NEAR_PLANE,
            window.width,
            window.height,
            1,
            1,
            False,
            nearest,
            keys,
        )

    def find_contours(self, settings: LineSettings) -> bool:
        """Lay lines across the contours of what is drawn; False where they lie there already."""
        w, b = self._window, self._buffers
        assert w is not None
        before = self._found_by
        if before is not None and (before.outline, before.inner) == (settings.outline, settings.inner):
            return False
        self._found_by = settings
        self._find(
            (1,),
            b.kept("screen"),
            self._mesh[0].shape[0],
            b.kept("nearest"),
            b.kept("drawn"),
            self._middle,
            b.kept("view_of"),
            b.kept("views"),
            w.width,
            w.height,
            settings,
            b.get("pixels", wp.int32, w.width * w.height),
            self._rows,
            b.kept("points"),
            b.kept("lines"),
            b.kept("said"),
        )
        return True
