"""Shapes whose outlines are known exactly, the contours drawn of them, and lines read in pictures made by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.region import _line_kernels as line_kernels
from dexman_pose.pose.region._layout import COLORS, LINE_ROOM, SECTORS, Line, LineReport, Picture
from dexman_pose.pose.region.options import LineRound, RegionOptions
from dexman_pose.pose.region.refiner import RegionRefiner
from dexman_pose.pose.region.solver import RegionSolver
from dexman_pose.pose.region.window import window_around
from dexman_pose.pose.search.viewpoints import extreme_points
from dexman_pose.pose.solver._layout import Target
from dexman_pose.pose.solver.problem import state_row
from dexman_pose.render import Rasterizer

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

CAMERA = Camera.from_focal(300.0, 200, 160)
GROUND, OBJECT = (40, 60, 90), (210, 150, 60)


def cube(side: float = 0.05) -> Mesh:
    box = trimesh.creation.box((side, side, side))
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces))


def ball(radius: float = 0.03) -> Mesh:
    sphere = trimesh.creation.icosphere(4, radius)
    return Mesh(np.asarray(sphere.vertices), np.asarray(sphere.faces))


def pose_at(rotation: tuple[float, float, float], translation: tuple[float, float, float]) -> Floats:
    return se3(so3_exp(np.array(rotation)), np.array(translation))


def solver_of(mesh: Mesh, options: RegionOptions | None = None) -> RegionSolver:
    return RegionSolver(Rasterizer(mesh), mesh.center, options or RegionOptions())


def region_refiner(
    mesh: Mesh, camera: Camera = CAMERA, options: RegionOptions | None = None
) -> RegionRefiner:
    refiner = PoseRefiner(Rasterizer(mesh), mesh.center)
    return RegionRefiner(refiner, camera, extreme_points(mesh.vertices), options)


def picture_of(
    mesh: Mesh, pose: Floats, camera: Camera = CAMERA, color: Any = OBJECT, ground: Any = GROUND
) -> Bytes:
    """(H, W, 3) a mesh in one colour on a ground of another; no noise."""
    drawn = Rasterizer(mesh).render(pose[None], camera.K, camera.width, camera.height).mask[0]
    return np.where(drawn[..., None], np.uint8(color), np.uint8(ground))


@dataclass(frozen=True)
class Contours:
    """Contours of a drawn pose: image pixels (N, 2), unit directions across (N, 2), and which are the outline's."""

    pixels: Floats
    normals: Floats
    outline: NDArray[np.bool_]


def contours(solver: RegionSolver, mesh: Mesh, pose: Floats, camera: Camera = CAMERA) -> Contours:
    """Contours found by the kernel in a drawing of a mesh at a pose, full resolution, all there are."""
    window = window_around(mesh.vertices, pose, camera, solver.options.window)
    solver.look_at(window, np.zeros((camera.height, camera.width, 3), np.uint8))
    solver.set_pose(pose)
    solver.draw(LineRound(1, 1.0, outline=LINE_ROOM))
    lines = solver._host["lines"].reshape(-1, Line.SIZE)
    there = lines[:, Line.KIND] > -0.5
    points = solver._host["points"].reshape(-1, 3)[:LINE_ROOM][there]
    pixels = camera.project(points @ pose[:3, :3].T + pose[:3, 3])
    normals = lines[there][:, [Line.NORMAL_X, Line.NORMAL_Y]].astype(np.float64)
    return Contours(pixels, normals, lines[there, Line.KIND] > 0.5)


@dataclass(frozen=True)
class Reading:
    """What lines say: pixels the contour is off along each (NaN of those not read), their weights, the report."""

    off: Floats
    weight: Floats
    report: NDArray[np.float32]


_FINE = LineRound(1, 1.0)


def read(
    image: Bytes,
    at: Floats,
    normal: Floats,
    *,
    table: NDArray[np.float32] | None = None,
    round_: LineRound = _FINE,
    options: RegionOptions | None = None,
    outline: bool = True,
    hidden: Any = None,
    mask: Any = None,
    inside: float = 0.0,
    outside: float = 0.0,
) -> Reading:
    """Read a picture along lines through image pixels ``at`` (N, 2), along unit directions ``normal`` (N, 2)."""
    count = len(at)
    assert count <= LINE_ROOM
    solver = solver_of(cube(), options)
    picture = Picture()
    picture.rgb = _bytes(image)
    picture.hidden = _bytes(np.zeros(0) if hidden is None else hidden)
    picture.mask = _bytes(np.zeros(0) if mask is None else mask)
    picture.height, picture.width = image.shape[:2]
    picture.x0 = picture.y0 = 0.0
    picture.scale = 1.0
    lines = np.full((LINE_ROOM, Line.SIZE), -1.0, np.float32)
    lines[:count, Line.NORMAL_X : Line.NORMAL_Y + 1] = normal
    lines[:count, Line.KIND] = float(outline)
    lines[:count, Line.INSIDE], lines[:count, Line.OUTSIDE] = inside, outside
    points = np.zeros((LINE_ROOM, 3))
    points[:count, :2] = at  # a camera of focal length 1 before a plane 1 m away: metres are pixels
    points[:, 2] = 1.0
    state = state_row(np.eye(4), np.ones(3), np.zeros(3))
    rows = np.zeros((SECTORS, COLORS), np.float32) if table is None else table
    targets = wp.zeros(LINE_ROOM * Target.SIZE, dtype=wp.float64, device="cpu")
    report = wp.zeros(LineReport.SIZE, dtype=wp.float32, device="cpu")
    wp.launch(
        line_kernels.read_lines,
        dim=1,
        inputs=[
            wp.array(state, dtype=wp.float64, device="cpu"),
            wp.vec3d(0.0, 0.0, 0.0),
            wp.zeros(1, dtype=wp.int32, device="cpu"),
            wp.array(np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0]), dtype=wp.float64, device="cpu"),
            picture,
            wp.array(np.ascontiguousarray(rows).reshape(-1), dtype=wp.float32, device="cpu"),
            0,
            solver._settings_of(round_),
            LINE_ROOM,
            wp.zeros(LINE_ROOM, dtype=wp.int32, device="cpu"),
            wp.array(points.reshape(-1), dtype=wp.float64, device="cpu"),
            targets,
            wp.array(lines.reshape(-1), dtype=wp.float32, device="cpu"),
            report,
        ],
        device="cpu",
    )
    found = targets.numpy().reshape(-1, Target.SIZE)[:count]
    weight = found[:, Target.WEIGHT]
    off = ((found[:, [Target.PIXEL_X, Target.PIXEL_Y]] - at) * normal).sum(1)
    return Reading(np.where(weight > 0, off, np.nan), weight.copy(), report.numpy().copy())


def _bytes(pixels: Any) -> Any:
    return wp.array(np.ascontiguousarray(pixels, np.uint8).reshape(-1), dtype=wp.uint8, device="cpu")


def bin_of(color: Any) -> int:
    """Index of a colour in a table of log-odds."""
    r, g, b = (int(c) // 16 for c in color)
    return (r * 16 + g) * 16 + b


def table_of(odds: float = 2.0) -> NDArray[np.float32]:
    """Log-odds (SECTORS, COLORS) under which the object's colour is the object's, and the ground's is the ground's."""
    table = np.zeros((SECTORS, COLORS), np.float32)
    table[:, bin_of(OBJECT)], table[:, bin_of(GROUND)] = odds, -odds
    return table


class Shapes:
    """What the tests of this room share."""

    camera = CAMERA
    object_color, ground_color = OBJECT, GROUND
    cube, ball = staticmethod(cube), staticmethod(ball)
    pose_at = staticmethod(pose_at)
    picture_of = staticmethod(picture_of)
    solver_of, refiner_of = staticmethod(solver_of), staticmethod(region_refiner)
    contours = staticmethod(contours)
    read = staticmethod(read)
    bin_of, table_of = staticmethod(bin_of), staticmethod(table_of)


@pytest.fixture(scope="session")
def shapes() -> Shapes:
    return Shapes()
