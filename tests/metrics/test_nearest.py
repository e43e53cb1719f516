"""The nearest-vertex search is exact, for every kind of vertex set and every distance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, se3, so3_exp
from dexman_pose.metrics import nearest
from dexman_pose.metrics.nearest import NearestVertices, nearest_vertices

Array = NDArray[np.float64]


def _brute(vertices: Array, points: Array) -> Array:
    out = [np.sqrt(((vertices - p) ** 2).sum(1).min()) for p in points]
    return np.array(out)


def _sets() -> Iterator[tuple[str, Array]]:
    rng = np.random.default_rng(0)
    yield "one vertex", np.array([[0.1, -0.2, 0.3]])
    yield "one vertex, many times", np.repeat([[0.1, -0.2, 0.3]], 50, axis=0)
    yield "two vertices", np.array([[0.0, 0, 0], [0.1, 0, 0]])
    yield "cube", np.array([[x, y, z] for x in (0, 0.1) for y in (0, 0.1) for z in (0, 0.1)])
    directions = rng.normal(size=(1500, 3))
    sphere = 0.07 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    yield "sphere", sphere
    yield "sphere with its centre and doubles", np.concatenate([sphere, np.zeros((3, 3)), sphere[:700]])
    yield "cloud", rng.normal(size=(900, 3)) * [0.1, 0.03, 0.02] + [5.0, -3.0, 1.0]
    yield "line", np.linspace(0, 1, 300)[:, None] * [0.1, 0.05, -0.02]
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0), np.arange(8.0)), -1).reshape(-1, 3)
    yield "grid, full of ties", 0.01 * grid
    yield "plane", 0.01 * grid[::8] * [1, 1, 0]
    yield "a tight clump and a far one", np.concatenate([1e-6 * directions, 1e-6 * directions[:200] + 0.2])


SETS = dict(_sets())


@pytest.mark.parametrize("name", SETS)
def test_distances_are_those_of_trying_every_vertex(name: str) -> None:
    v = SETS[name]
    rng = np.random.default_rng(1)
    size = max(float(np.ptp(v, axis=0).max()), 0.01)
    near = v[rng.integers(len(v), size=150)] + rng.normal(size=(150, 3)) * size * 0.03
    between = (v[rng.integers(len(v), size=100)] + v[rng.integers(len(v), size=100)]) / 2
    around = v.mean(0) + rng.normal(size=(150, 3)) * size * np.array([[0.5], [3.0], [20.0]]).repeat(
        50, axis=0
    )
    far = v.mean(0) + rng.normal(size=(20, 3)) * size * 1e4
    points = np.concatenate([v[:50], near, between, around, far])
    search = NearestVertices(v)
    search.build()
    assert search.entries > 0
    expected = _brute(v, points)
    np.testing.assert_allclose(
        search.distances(points), expected, rtol=1e-9, atol=1e-15 * (1 + np.abs(v).max())
    )
    few = NearestVertices(v)
    np.testing.assert_allclose(few.distances(points[:1]), expected[:1], rtol=1e-9, atol=1e-15)


def test_points_on_the_sides_of_cells_and_cubes() -> None:
    v = SETS["sphere"]
    search = NearestVertices(v)
    search.build()
    steps = np.concatenate(
        [np.linspace(-1, 1, 17), [-4.0, 4.0, 1 + 1e-16, -1 - 1e-15, 1 - 1e-16, -16.0, 15.999]]
    )
    units = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)[::5]
    points = search._center + units * search._unit
    np.testing.assert_allclose(search.distances(points), _brute(v, points), rtol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.3, 3.0, 200.0])
def test_means_over_moved_vertices(shift: float) -> None:
    v = SETS["cloud"] - [5.0, -3.0, 1.0]
    rng = np.random.default_rng(2)
    moves = se3(so3_exp(rng.normal(size=(12, 3))), shift * rng.normal(size=(12, 3)))
    search = NearestVertices(v)
    search.build()
    expected = [_brute(v, v @ m[:3, :3].T + m[:3, 3]).mean() for m in moves]
    np.testing.assert_allclose(search.mean_distances(moves), expected, rtol=1e-10)
    shaped = search.mean_distances(moves.reshape(3, 4, 4, 4))
    np.testing.assert_allclose(shaped.reshape(-1), expected, rtol=1e-10)


def test_some_transforms_leave_the_cube_and_others_do_not() -> None:
    v = SETS["sphere"]
    moves = np.tile(np.eye(4), (5, 1, 1))
    moves[:, 0, 3] = [0.01, 0.5, 0.0, 40.0, 1e5]
    search = NearestVertices(v)
    search.build()
    expected = [_brute(v, v + m[:3, 3]).mean() for m in moves]
    np.testing.assert_allclose(search.mean_distances(moves), expected, rtol=1e-10, atol=1e-16)


def test_few_questions_build_nothing_and_answer_the_same() -> None:
    v = SETS["sphere"]
    move = inverse(se3(so3_exp([0.3, 0.1, 0.0]), [0.02, 0.0, 0.01]))[None]
    search = NearestVertices(v)
    first = search.mean_distances(move)
    assert search.entries == 0
    for _ in range(12):
        later = search.mean_distances(move)
    assert search.entries > 0
    np.testing.assert_allclose(later, first, rtol=1e-12)


def test_the_search_of_the_same_values_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "_MOST_KEPT", 2)
    v = SETS["cube"] + 0.123
    kept = nearest_vertices(v)
    assert nearest_vertices(v.copy()) is kept
    assert nearest_vertices(v + 1.0) is not kept
    assert nearest_vertices(v) is kept
    nearest_vertices(v + 2.0)
    nearest_vertices(v + 3.0)
    assert nearest_vertices(v) is not kept


def test_nothing_asked_and_bad_questions() -> None:
    search = NearestVertices(SETS["cube"])
    search.build()
    assert search.distances(np.zeros((0, 3))).shape == (0,)
    assert search.mean_distances(np.zeros((0, 4, 4))).shape == (0,)
    assert search.distances([0.0, 0.0, -0.1]).shape == ()
    with pytest.raises(InputError, match=r"shape \(..., 3\)"):
        search.distances(np.zeros((4, 2)))
    with pytest.raises(InputError, match="finite"):
        search.distances([np.nan, 0, 0])
    with pytest.raises(InputError, match="V at least 1"):
        NearestVertices(np.zeros((0, 3)))
