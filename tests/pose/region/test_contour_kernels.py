"""Contours lie where the shape's outline and creases are, and look out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from dexman_pose.pose.region._layout import FAR, LINE_ROOM, Line, LineReport
from dexman_pose.pose.region.options import LineRound


def hull_distance(pixels: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels outside (positive) or inside of the convex hull of projected corners, of points near its sides."""
    hull = ConvexHull(corners)
    distance: NDArray[np.float64] = (pixels @ hull.equations[:, :2].T + hull.equations[:, 2]).max(1)
    return distance


def segment_distance(pixels: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels (N,) to the nearest of segments (M, 2, 2)."""
    start, along = ends[:, 0], ends[:, 1] - ends[:, 0]
    t = ((pixels[:, None] - start) * along).sum(-1) / (along**2).sum(-1)
    nearest = start + np.clip(t, 0, 1)[..., None] * along
    out: NDArray[np.float64] = np.linalg.norm(pixels[:, None] - nearest, axis=-1).min(1)
    return out


@pytest.mark.parametrize("turn", [(0.4, 0.5, 0.1), (0.0, 0.0, 0.3), (-0.7, 0.2, 1.0), (1.1, -0.6, 0.4)])
def test_the_outline_of_a_cube_is_where_its_corners_put_it(
    shapes: Any, turn: tuple[float, float, float]
) -> None:
    mesh = shapes.cube()
    solver = shapes.solver_of(mesh)
    off, across = [], []
    for shift in np.linspace(0.0, 0.002, 6):  # other fractions of a pixel
        pose = shapes.pose_at(turn, (0.01 + shift, 0.5 * shift, 0.3))
        found = shapes.contours(solver, mesh, pose)
        corners = shapes.camera.project(mesh.vertices @ pose[:3, :3].T + pose[:3, 3])
        assert found.outline.sum() > 100
        pixels = found.pixels[found.outline]
        off.append(hull_distance(pixels, corners))
        beyond = hull_distance(pixels + 3.0 * found.normals[found.outline], corners)
        across.append(beyond - off[-1])
    distance = np.concatenate(off)
    assert abs(distance.mean()) < 0.1
    assert np.sqrt((distance**2).mean()) < 0.45
    rise = np.concatenate(across)
    assert (rise > 0).all()  # every direction looks out of the cube
    assert np.median(rise) > 2.8  # across its side: three pixels along it lead three pixels away


def test_the_outline_of_a_ball_is_a_circle(shapes: Any) -> None:
    radius = 0.03
    mesh = shapes.ball(radius)
    solver = shapes.solver_of(mesh)
    for distance in (0.25, 0.31):
        pose = shapes.pose_at((0.1, 0.2, 0.3), (0.0, 0.0, distance))
        found = shapes.contours(solver, mesh, pose)
        middle = shapes.camera.K[:2, 2]
        expected = shapes.camera.K[0, 0] * radius / np.sqrt(distance**2 - radius**2)
        out = found.pixels - middle
        length = np.linalg.norm(out, axis=1)
        assert abs((length[found.outline] - expected).mean()) < 0.1
        cosine = (out / length[:, None] * found.normals).sum(1)[found.outline]
        assert cosine.min() > 0.9
        assert cosine.mean() > 0.99
        # In all directions alike: none is left out.
        sectors = np.histogram(np.arctan2(*out[found.outline].T), 8, (-np.pi, np.pi))[0]
        assert sectors.min() > 0.5 * sectors.max()


def test_inner_edges_lie_on_a_cubes_creases_and_across_them(shapes: Any) -> None:
    mesh = shapes.cube()
    solver = shapes.solver_of(mesh)
    pose = shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25))
    found = shapes.contours(solver, mesh, pose)
    inner = found.pixels[~found.outline]
    assert len(inner) > 30
    assert solver.said[LineReport.INNER] == len(inner)
    # Edges of the cube are pairs of corners that differ along one axis.
    corners = mesh.vertices
    pairs = [
        (a, b)
        for a in range(8)
        for b in range(a)
        if np.count_nonzero(np.abs(corners[a] - corners[b]) > 1e-6) == 1
    ]
    seen = shapes.camera.project(corners @ pose[:3, :3].T + pose[:3, 3])
    ends = np.array([[seen[a], seen[b]] for a, b in pairs])
    assert len(ends) == 12
    distance = segment_distance(inner, ends)
    assert np.median(distance) < 0.6
    assert distance.max() < 1.6
    beyond = segment_distance(inner + 4.0 * found.normals[~found.outline], ends)
    assert np.median(beyond) > 3.0


def test_a_ball_bends_at_its_limb_alone_and_inner_edges_can_be_left_out(shapes: Any) -> None:
    ball = shapes.ball()
    found = shapes.contours(shapes.solver_of(ball), ball, shapes.pose_at((0, 0, 0), (0, 0, 0.3)))
    length = np.linalg.norm(found.pixels - shapes.camera.K[:2, 2], axis=1)
    assert length[~found.outline].min() > 0.85 * length[found.outline].mean()
    cube = shapes.cube()
    solver = shapes.solver_of(cube)
    pose = shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25))
    shapes.contours(solver, cube, pose)
    solver.draw(LineRound(8, 8.0, outline=120))  # a coarse round looks at the outline alone
    assert not (solver._host["lines"].reshape(-1, Line.SIZE)[:, Line.KIND] == 0.0).any()


def test_lines_know_how_far_the_object_goes_on(shapes: Any) -> None:
    cube = shapes.cube()
    solver = shapes.solver_of(cube)
    shapes.contours(solver, cube, shapes.pose_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.5)))  # a square of some pixels
    lines = solver._host["lines"].reshape(-1, Line.SIZE)
    rim = lines[lines[:, Line.KIND] > 0.5]
    straight = np.abs(rim[:, [Line.NORMAL_X, Line.NORMAL_Y]]).max(1) > 0.999
    seen = solver.inverse_depth > 0
    side = int(seen.any(0).sum())
    found = rim[straight, Line.INSIDE]
    assert straight.sum() > 20
    np.testing.assert_allclose(found[found > 0], side, atol=1.5)
    assert ((found > 0) == (side < FAR)).all()
    assert not rim[:, Line.OUTSIDE].any()  # nothing of a square lies beside it


def test_as_many_lines_as_wanted_are_spread_evenly(shapes: Any) -> None:
    mesh = shapes.ball()
    solver = shapes.solver_of(mesh)
    pose = shapes.pose_at((0, 0, 0), (0, 0, 0.22))
    everything = shapes.contours(solver, mesh, pose).outline.sum()
    solver.draw(LineRound(1, 1.0, outline=40))
    lines = solver._host["lines"].reshape(-1, Line.SIZE)
    chosen = lines[lines[:, Line.KIND] > 0.5]
    assert everything > 80
    assert 36 <= len(chosen) <= 44
    turn = np.arctan2(chosen[:, Line.NORMAL_Y], chosen[:, Line.NORMAL_X])
    sectors = np.histogram(turn, 4, (-np.pi, np.pi))[0]
    assert sectors.min() >= 6
    assert len(lines) == LINE_ROOM
