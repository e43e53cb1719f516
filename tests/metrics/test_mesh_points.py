"""Vertices are found again by their values, all of them, and what is prepared of them is made once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.metrics import add, add_s, diameter, mspd, mssd
from dexman_pose.metrics.mesh_points import kept
from dexman_pose.metrics.mesh_points.kept import mesh_points

RNG = np.random.default_rng(4)
EST = se3(so3_exp([0.1, 0.2, 0.3]), [0.0, 0.01, 0.6])
TRUE = se3(so3_exp([0.1, 0.25, 0.28]), [0.004, 0.01, 0.61])


def cloud(count: int = 400) -> np.ndarray:
    return RNG.normal(size=(count, 3)) * 0.05


def test_the_same_values_are_the_same_points_however_they_are_held() -> None:
    v = cloud()
    points = mesh_points(v)
    assert mesh_points(v) is points and mesh_points(v.copy()) is points
    assert mesh_points(np.asfortranarray(v)) is points and mesh_points(v.tolist()) is points
    assert points.hull is points.hull and points.columns.shape == (4, 400)


@pytest.mark.parametrize("at", [(0, 0), (57, 1), (200, 2), (399, 2)])
def test_an_array_that_was_written_into_is_another_one(at: tuple[int, int]) -> None:
    """The far vertex decides the largest distance and the diameter; every place in the array must be noticed."""
    v = cloud()
    before = [float(f(EST, TRUE, v)) for f in (add, add_s, mssd)] + [diameter(v)]
    v[at] += 0.7
    after = [float(f(EST, TRUE, v)) for f in (add, add_s, mssd)] + [diameter(v)]
    assert all(a != b for a, b in zip(after, before))
    d = (EST - TRUE)[:3] @ np.vstack([v.T, np.ones(len(v))])
    distances = np.linalg.norm(d, axis=0)
    assert after[0] == pytest.approx(distances.mean(), rel=1e-12)
    assert after[2] == pytest.approx(distances.max(), rel=1e-12)


def test_a_caller_cannot_change_what_is_kept() -> None:
    v = cloud()
    points = mesh_points(v)
    first = points.vertices.copy()
    v += 1.0
    assert np.array_equal(points.vertices, first)
    with pytest.raises(ValueError):
        points.vertices[0, 0] = 1.0


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_KEPT", 3)
    v = cloud()
    points = mesh_points(v)
    for _ in range(3):
        mesh_points(cloud())
    assert len(kept._kept) == 3 and mesh_points(v) is not points
    monkeypatch.setattr(kept, "_MOST_NUMBERS", 2000)
    mesh_points(cloud(600))
    assert len(kept._kept) == 1


def test_vertices_with_nan_are_refused_every_time() -> None:
    v = cloud()
    v[13] = np.nan
    for _ in range(2):
        with pytest.raises(InputError, match="finite"):
            mesh_points(v)


def test_one_pose_equals_the_same_pose_among_many() -> None:
    from dexman_pose.data import Camera

    v, camera = cloud(3000), Camera.from_focal(600.0, 640, 480)
    symmetry = np.stack([np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0])])
    many = np.stack([EST, TRUE @ symmetry[1]]), np.stack([TRUE, EST])
    metrics: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [
        lambda e, t: add(e, t, v),
        lambda e, t: mssd(e, t, v),
        lambda e, t: mssd(e, t, v, symmetry),
        lambda e, t: mspd(e, t, v, camera),
        lambda e, t: mspd(e, t, v, camera, symmetry),
    ]
    for metric in metrics:
        together = metric(*many)
        for i in range(2):
            one = metric(many[0][i], many[1][i])
            assert one.shape == ()
            assert float(one) == pytest.approx(together[i], rel=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.__setitem__((0, 0), np.nan),
        lambda p: p.__setitem__((1, 3), np.inf),
        lambda p: p.__setitem__((slice(3), 0), -p[:3, 0]),
        lambda p: p.__setitem__((3, 3), 2.0),
        lambda p: p.__imul__(1.01),
        lambda p: p.__setitem__((0, 1), p[0, 1] + 0.01),
    ],
    ids=["nan", "infinite", "mirror", "last row", "scaled", "sheared"],
)
def test_a_single_pose_is_checked_as_many_are(change) -> None:  # type: ignore[no-untyped-def]
    bad = EST.copy()
    change(bad)
    for poses in (bad, bad[None]):
        with pytest.raises(InputError, match="estimated poses"):
            add(poses, TRUE, cloud(20))


def test_symmetries_written_into_are_noticed() -> None:
    v = cloud()
    turn = np.stack([np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0])])
    turned = TRUE @ turn[1]
    assert float(mssd(turned, TRUE, v, turn)) < 1e-12
    turn[1] = np.diag([1.0, -1.0, -1.0, 1.0])
    assert float(mssd(turned, TRUE, v, turn)) > 0.01


def test_prepared_points_stand_for_their_vertices() -> None:
    v = cloud()
    points = mesh_points(v)
    assert mesh_points(points) is points
    for metric in (add, add_s, mssd):
        assert float(metric(EST, TRUE, points)) == float(metric(EST, TRUE, v))
    v += 0.1
    assert float(add(EST, TRUE, points)) != float(add(EST, TRUE, v))
