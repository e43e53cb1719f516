"""The pose of one object by search lines and points, everything of a frame in a few kernels.

A round draws the contours at the pose so far, reads the picture along lines across them, and takes a few steps of the
fused solver on what the lines say. Runs on the CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array, FloatImage
from dexman_pose.pose.region import _color_kernels as color_kernels
from dexman_pose.pose.region import _line_kernels as line_kernels
from dexman_pose.pose.region import _round_kernels as round_kernels
from dexman_pose.pose.region._layout import (
    BINS,
    COLORS,
    LINE_ROOM,
    SECTORS,
    STEPS,
    LineSettings,
    Picture,
)
from dexman_pose.pose.region._room import POINT_ROOM, ROWS, solver_room
from dexman_pose.pose.region.drawing import ContourDrawing
from dexman_pose.pose.region.options import LineRound, RegionOptions
from dexman_pose.pose.region.window import Window
from dexman_pose.pose.solver._launches import SolverLaunches
from dexman_pose.pose.solver._layout import (
    PointSet,
    Prior,
    Report,
    State,
    Target,
    Term,
    TermWeights,
)
from dexman_pose.pose.solver.options import RefineOptions, SolverOptions
from dexman_pose.pose.solver.problem import state_row, step_limits, term_weights, unpack
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render.commands import Command
from dexman_pose.render.rasterizer import Rasterizer

_CODES = 256  # of a channel of a picture
_NO_SHIFT = np.ones(3)
_REACH = STEPS // 2 + 6  # steps of a line beyond its middle that may be looked at, and some

_WEIGHTS = RefineOptions(edge_sigma=1.0, small_gain=1e-4)
_FIELDS: tuple[str, ...] = np.dtype(TermWeights.numpy_dtype()).names or ()  # type: ignore[attr-defined]
_EDGE_REACH = _FIELDS.index("edge_reach")


class RegionSolver:
    """Poses of one mesh by search lines. Not to be shared between threads.

    Args:
        rasterizer: of the mesh.
        center: (3,) object point that rotations are about, metres.
        options: settings.
    """

    def __init__(self, rasterizer: Rasterizer, center: Array, options: RegionOptions) -> None:
        self.options, self.center = options, np.asarray(center, np.float64)
        self._middle = wp.vec3d(*(float(x) for x in self.center))
        self._limits = step_limits(SolverOptions())
        self._first_damping = SolverOptions().first_damping
        self._kernels = SolverLaunches("cpu")
        self._read = Command(line_kernels.read_lines, "cpu")
        self._steps = Command(round_kernels.take_steps, "cpu")
        self._count = Command(color_kernels.count_colors, "cpu")
        self._blend = Command(color_kernels.blend_colors, "cpu")
        self._buffers, self._host = solver_room()
        self._buffers.get("weights", TermWeights, 1)
        row = term_weights(_WEIGHTS, False)
        self._weights = self._buffers.host("weights", 1).view(np.float64)
        self._weights[:] = row.view(np.float64)
        self._settings: dict[LineRound, LineSettings] = {}
        self._window = Window(0.0, 0.0, 1.0, options.window.least, options.window.least, np.eye(3))
        self._picture = Picture()
        self._drawing = ContourDrawing(rasterizer, self._middle, self._buffers, self._kernels, ROWS)
        self._read_step, self._read_at = 0, np.zeros(State.SIZE)

    def look_at(
        self,
        window: Window,
        image: NDArray[np.uint8],
        hidden: NDArray[np.bool_] | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> None:
        """Take a picture.

        Args:
            window: in which poses will be drawn.
            image: (H, W, 3) RGB.
            hidden: (H, W) pixels in which something may be before the object.
            mask: (H, W) pixels that a mask gives to the object: one voice beside the colours.
        """
        self._window, self._read_step = window, 0
        self._host["views"][:] = window.view
        reach = _REACH * max(r.step for r in self.options.rounds)
        height, width = image.shape[:2]
        x0, y0 = max(int(window.x0) - reach, 0), max(int(window.y0) - reach, 0)
        x1 = min(int(window.x0 + window.width / window.scale) + reach, width)
        y1 = min(int(window.y0 + window.height / window.scale) + reach, height)
        x1, y1 = max(x1, x0), max(y1, y0)
        picture = Picture()
        picture.rgb = self._copied("rgb", image[y0:y1, x0:x1])
        picture.hidden = self._buffers.kept("hidden")
        if hidden is not None and hidden[y0:y1, x0:x1].any():
            picture.hidden = self._copied("covered", hidden[y0:y1, x0:x1])
        picture.mask = self._buffers.kept("hidden")
        if mask is not None:
            picture.mask = self._copied("mask", mask[y0:y1, x0:x1])
        picture.height, picture.width = y1 - y0, x1 - x0
        picture.x0, picture.y0, picture.scale = window.x0 - x0, window.y0 - y0, window.scale
        self._picture = picture

    def _copied(self, name: str, part: NDArray[Any]) -> Any:
        """Pixels as a flat array of the device."""
        array = self._buffers.get(name, wp.uint8, max(part.size, 1))
        self._buffers.host(name, part.size).reshape(part.shape)[...] = part
        return array

    def solve(
        self,
        start: Array,
        predicted: Array | None,
        points: PointMatches | None = None,
        rounds: tuple[LineRound, ...] | None = None,
        *,
        radius: float = 1.0,
    ) -> Array:
        """The pose (4, 4) from ``start`` (4, 4) on, held to ``predicted`` (4, 4) where there is one.

        Args:
            start: to begin at.
            predicted: centre of the motion prior, or None for none.
            points: surface points with their image pixels.
            rounds: which are made; those of the options when None.
            radius: of the object, metres, which the motion prior is measured in.
        """
        self._hold_to(predicted, radius)
        self.set_pose(start)
        self._host["report"][:] = 0.0
        return self.resume(points, self.options.rounds if rounds is None else rounds)

    def resume(self, points: PointMatches | None, rounds: tuple[LineRound, ...]) -> Array:
        """Go on from the pose so far with other points and rounds; the pose (4, 4)."""
        report = self._host["report"]
        self.put_points(points)
        if not rounds:
            return self.pose
        for number, round_ in enumerate(rounds):
            if report[Report.AT_REST]:
                self._host["candidate"][:] = self._host["best"]
            if number and self._is_read(round_):
                continue
            report[:] = 0.0
            report[Report.DAMPING] = self._first_damping
            self._weights[_EDGE_REACH] = round_.reach
            if round_.draw or not number:
                self._show(round_)
            self._read_lines(round_)
            self._take_steps(round_.steps, first=1)
        if not report[Report.AT_REST]:
            self._take_steps(1, first=0)
        return self.pose

    @property
    def window(self) -> Window:
        """Where poses are drawn now."""
        return self._window

    @property
    def pose(self) -> Array:
        """(4, 4) the best pose so far."""
        return self._pose_of("best")

    @property
    def candidate(self) -> Array:
        """(4, 4) the pose that is about to be tried."""
        return self._pose_of("best" if self._host["report"][Report.AT_REST] else "candidate")

    @property
    def hessian(self) -> Array:
        """(6, 6) normal matrix of the twist about the object's centre at the best pose, priors included."""
        full, _ = unpack(self._host["best_system"], 1, 6)
        out: Array = full[0]
        return out

    @property
    def inlier_share(self) -> float:
        """Share of the points that agree with the best pose."""
        return float(self._host["report"][Report.AGREEING])

    @property
    def said(self) -> NDArray[np.float32]:
        """(LineReport.SIZE,) what the lines said when they were read last."""
        return self._host["said"].copy()

    @property
    def inverse_depth(self) -> FloatImage:
        """(h, w) 1 / metres of what was drawn last, 0 beside it; a view that the next drawing overwrites."""
        return self._drawing.inverse_depth()

    def set_pose(self, pose: Array) -> None:
        """Begin anew at a pose (4, 4)."""
        row = state_row(pose, _NO_SHIFT, self.center)
        self._host["candidate"][:], self._host["best"][:] = row, row

    def put_points(self, points: PointMatches | None) -> None:
        """Take other points beside the lines."""
        count = 0 if points is None else min(len(points), POINT_ROOM)
        self._host["sets"][PointSet.END] = LINE_ROOM + count
        if points is None or not count:
            return
        part = slice(LINE_ROOM, LINE_ROOM + count)
        self._host["kinds"][part] = Term.POINTS
        self._host["points"].reshape(-1, 3)[part] = points.points[:count]
        rows = self._host["targets"].reshape(-1, Target.SIZE)[part]
        rows[:] = 0.0
        rows[:, : Target.NORMAL_X] = self._window.to_window(points.pixels[:count])
        rows[:, Target.WEIGHT] = points.weight[:count]

    def examine(self, pose: Array) -> NDArray[np.float32]:
        """Draw a pose (4, 4) and read its lines once at full resolution; (LineReport.SIZE,) what they say."""
        self.set_pose(pose)
        last = self.options.rounds[-1]
        self._show(last)
        if not self._is_read(last):
            self._read_lines(last)
        return self.said

    def learn(self, rate: float) -> None:
        """Learn the colours on both sides of the outline that was examined last; a rate of 1 forgets the rest."""
        k, c, w = self._buffers.kept, self.options.colors, self._window
        self._count(
            (1,),
            k("lines"),
            k("nearest"),
            w.width,
            w.height,
            self._picture,
            c.inwards,
            c.outwards,
            c.gap,
            k("counts"),
            k("totals"),
        )
        self._blend((1,), k("counts"), k("totals"), rate, c.local, c.floor, k("shares"), k("table"))

    def likeliness(self, image: NDArray[np.uint8]) -> FloatImage:
        """(h, w) log-odds of the colours of a picture (h, w, 3) to be the object's, on whatever side of it."""
        levels = image.astype(np.int64) * BINS // _CODES
        own, ground = self._host["shares"].reshape(2, SECTORS + 1, COLORS)[:, SECTORS]
        floor = np.float32(self.options.colors.floor)
        table = np.log((own + floor) / (ground + floor))
        found: FloatImage = table[(levels[..., 0] * BINS + levels[..., 1]) * BINS + levels[..., 2]]
        return found

    def draw(self, round_: LineRound) -> None:
        """Draw the candidate and find its contours."""
        self._drawing.draw(self._host["candidate"], self._window)
        self._find_contours(round_)

    def _find_contours(self, round_: LineRound) -> None:
        if self._drawing.find_contours(self._settings_of(round_)):
            self._read_step = 0

    def _show(self, round_: LineRound) -> None:
        """Contours of the candidate, drawn anew where it has moved."""
        if self._drawing.shows(self._host["candidate"], self._window, self.options.redraw):
            self._find_contours(round_)
        else:
            self.draw(round_)

    def _is_read(self, round_: LineRound) -> bool:
        """Whether the lines were read like this where the candidate is."""
        if self._read_step != round_.step:
            return False
        return (
            self._drawing.motion(self._host["candidate"], self._read_at, self._window) <= self.options.still
        )

    def _read_lines(self, round_: LineRound) -> None:
        k = self._buffers.kept
        self._read_step = round_.step
        self._read_at[:] = self._host["candidate"]
        self._read(
            (1,),
            k("candidate"),
            self._middle,
            k("view_of"),
            k("views"),
            self._picture,
            k("table"),
            0,
            self._settings_of(round_),
            ROWS,
            k("kinds"),
            k("points"),
            k("targets"),
            k("lines"),
            k("said"),
        )

    def _take_steps(self, count: int, first: int) -> None:
        """Weigh the candidate and take the next step, so many times; the first of a round is taken as it comes."""
        k = self._buffers.kept
        self._steps(
            (1,),
            count,
            first,
            self._middle,
            k("view_of"),
            k("views"),
            k("set_of"),
            k("sets"),
            k("kinds"),
            k("points"),
            k("targets"),
            k("code"),
            k("gray"),
            k("wanted"),
            k("weights"),
            k("slots"),
            k("system"),
            k("trial"),
            k("prior"),
            self._limits,
            k("candidate"),
            k("best"),
            k("best_system"),
            k("evidence_system"),
            k("report"),
            k("factor"),
            k("step"),
            k("projection"),
        )

    def _hold_to(self, predicted: Array | None, radius: float) -> None:
        prior, o = self._host["prior"], self.options
        prior[:] = 0.0
        prior[Prior.SCALE_INFORMATION] = prior[Prior.FOCAL_INFORMATION] = 1.0
        row = state_row(np.eye(4) if predicted is None else predicted, _NO_SHIFT, self.center)
        prior[Prior.ROTATION : Prior.TRANSLATION_INFORMATION] = row[State.ROTATION : State.LOG_SCALE]
        if predicted is not None:
            prior[Prior.TRANSLATION_INFORMATION] = (o.prior_shift * radius) ** -2
            prior[Prior.ROTATION_INFORMATION] = o.prior_turn**-2

    def _pose_of(self, name: str) -> Array:
        state, out = self._host[name], np.eye(4)
        out[:3, :3] = state[State.ROTATION : State.CENTER].reshape(3, 3)
        out[:3, 3] = state[State.CENTER : State.LOG_SCALE] - out[:3, :3] @ self.center
        return out

    def _settings_of(self, r: LineRound) -> LineSettings:
        """The round's settings as the kernels read them, made once: a struct costs more than its round."""
        found = self._settings.get(r)
        if found is not None:
            return found
        o, s = self.options.lines, LineSettings()
        s.step, s.stride, s.share = r.step, r.stride, 1.0 / -(-r.step // r.stride)
        s.outline, s.inner = r.outline, o.inner if r.step <= o.inner_from else 0
        s.limit, s.temper, s.mask, s.edge, s.edge_half = o.limit, o.temper, o.mask, o.edge, o.edge_half
        s.contrast = o.contrast
        s.least_sigma, s.weight, s.inner_weight = r.least_sigma, o.weight, o.inner_weight
        s.crease, s.kind = o.crease, Term.EDGES
        self._settings[r] = s
        return s
