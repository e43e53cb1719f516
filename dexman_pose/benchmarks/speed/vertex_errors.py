"""How long ADD-S and the other vertex errors take, beside the usual loop over KD-trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.speed.fastest import fastest, fastest_in_turns
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.metrics.mesh_points.hull import hull_of, longest_distance
from dexman_pose.metrics.nearest import NearestVertices, nearest_vertices
from dexman_pose.metrics.points import add, add_s, mspd, mssd

Error = Callable[[Array, Array], Any]

AIM = 20.0
"""How many times as fast as the loop over KD-trees ADD-S should be on two cores."""

SINGLE_AIM = 2.0
"""How many times as fast as the definition in numpy the errors of a single pose should be."""

_SINGLE = 50  # poses that single calls are timed on
_SMALL = 500  # vertices of a small mesh, where a call costs more than what it computes
_LOOPED = 40  # poses the loop is timed on


@dataclass(frozen=True)
class MetricTiming:
    """One measurement: the fastest of the repeated runs.

    Attributes:
        work: what was done.
        size: on what.
        seconds: per pose, or in all.
        ratio: how many times as long the other way took in the same run, or None.
        difference: largest relative difference to its results, or None.
        whole: whether the time is not one of a pose.
        beside: what ``ratio`` is measured against.
        aim: ratio that is aimed at.
    """

    work: str
    size: str
    seconds: float
    ratio: float | None = None
    difference: float | None = None
    whole: bool = False
    beside: str = "a loop over KD-trees"
    aim: float = AIM


def kd_tree_loop(estimated: Array, true: Array, vertices: Array) -> Array:
    """ADD-S (P,) as usually computed: a tree of the estimated vertices for every pose, asked for the true ones."""
    out = np.zeros(len(estimated))
    for i, (est, ref) in enumerate(zip(estimated, true)):
        tree = cKDTree(transform_points(est, vertices))
        out[i] = tree.query(transform_points(ref, vertices))[0].mean()
    return out


def bench_poses(count: int, *, seed: int = 0) -> tuple[Array, Array]:
    """Estimates and truths (count, 4, 4): up to 0.1 m and 1 radian apart, evenly."""
    rng = np.random.default_rng(seed)
    shift, axis = (_directions(rng, count) for _ in range(2))
    true = se3(so3_exp(rng.normal(size=(count, 3))), np.tile([0.0, 0.0, 0.6], (count, 1)))
    turned = so3_exp(axis * rng.uniform(0.0, 1.0, (count, 1))) @ true[:, :3, :3]
    return se3(turned, true[:, :3, 3] + shift * rng.uniform(0.0, 0.1, (count, 1))), true


def bottle(count: int, *, seed: int = 0) -> Array:
    """(count, 3) points spread evenly over a closed cylinder 15 cm long and 8 cm wide, as a scan has them."""
    rng = np.random.default_rng(seed)
    radius, length = 0.04, 0.15
    on_side = rng.uniform(size=count) < length / (length + radius)
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    away = np.where(on_side, radius, radius * np.sqrt(rng.uniform(size=count)))
    along = np.where(on_side, rng.uniform(-0.5, 0.5, count), rng.choice([-0.5, 0.5], count)) * length
    return np.stack([away * np.cos(angle), away * np.sin(angle), along], -1)


def bench_metrics(poses: int = 1000, vertices: int = 5000, repeats: int = 3) -> Iterator[MetricTiming]:
    """Time the vertex errors, one line after the other; that ADD-S equals the loop's result is asserted.

    Args:
        poses: how many are scored; the loop is timed on at most 40 of them.
        vertices: of the object.
        repeats: counted runs of each.
    """
    points = bottle(vertices)
    estimated, true = bench_poses(poses)
    size = f"{vertices:,} vertices, {poses:,} poses"
    search = nearest_vertices(points)
    search.build()
    few = min(poses, _LOOPED)
    looped = fastest(lambda: kd_tree_loop(estimated[:few], true[:few], points), repeats) / few
    own = fastest(lambda: add_s(estimated, true, points), repeats) / poses
    expected = kd_tree_loop(estimated[:few], true[:few], points)
    difference = float(np.abs(add_s(estimated[:few], true[:few], points) / expected - 1.0).max())
    assert difference < 1e-9, f"ADD-S differs from the KD-tree loop by {difference}"
    yield MetricTiming("ADD-S", size, own, looped / own, difference)
    yield MetricTiming("ADD-S by a loop over KD-trees", size, looped)
    built = fastest(lambda: NearestVertices(points).build(), repeats)
    yield MetricTiming("build the search of nearest vertices", f"{vertices:,} vertices", built, whole=True)
    yield MetricTiming("ADD", size, fastest(lambda: add(estimated, true, points), repeats) / poses)
    camera = Camera.from_focal(600.0, 640, 480)
    group = generate_symmetry(axes=[((0, 0, 0), (0, 0, 1))])
    seconds = fastest(lambda: mssd(estimated, true, points, group), repeats) / poses
    yield MetricTiming("MSSD, axis of symmetry", size, seconds)
    seconds = fastest(lambda: mspd(estimated, true, points, camera, group), repeats) / poses
    yield MetricTiming("MSPD, axis of symmetry", size, seconds)
    yield from _single(points, repeats)
    yield from _single(bottle(min(_SMALL, vertices)), repeats)
    many = bottle(100_000)
    seconds = fastest(lambda: longest_distance(hull_of(many)), 1)  # ``diameter`` keeps what it found
    yield MetricTiming("diameter", "100,000 vertices", seconds, whole=True)


def add_by_definition(estimated: Array, true: Array, vertices: Array) -> float:
    """ADD of one pose as it is defined."""
    return float(np.linalg.norm(_posed(estimated, vertices) - _posed(true, vertices), axis=1).mean())


def mssd_by_definition(estimated: Array, true: Array, vertices: Array) -> float:
    """MSSD of one pose, without symmetries, as it is defined."""
    return float(np.linalg.norm(_posed(estimated, vertices) - _posed(true, vertices), axis=1).max())


def mspd_by_definition(estimated: Array, true: Array, vertices: Array, k: Array) -> float:
    """MSPD of one pose, without symmetries, as it is defined."""
    one, two = (k @ _posed(pose, vertices).T for pose in (estimated, true))
    return float(np.linalg.norm(one[:2] / one[2] - two[:2] / two[2], axis=0).max())


def _posed(pose: Array, vertices: Array) -> Array:
    """Vertices (V, 3) under a pose, in the fastest way that numpy has."""
    moved: Array = (pose[:3, :3] @ vertices.T + pose[:3, 3:]).T
    return moved


def _single(points: Array, repeats: int) -> Iterator[MetricTiming]:
    """The errors of one pose a call, beside their definitions in numpy; that they are equal is asserted."""
    estimated, true = bench_poses(_SINGLE)
    camera = Camera.from_focal(600.0, 640, 480)
    pairs: list[tuple[str, Error, Error]] = [
        ("ADD", lambda e, t: add(e, t, points), lambda e, t: add_by_definition(e, t, points)),
        (
            "ADD-S",
            lambda e, t: add_s(e, t, points),
            lambda e, t: kd_tree_loop(e[None], t[None], points)[0],
        ),
        ("MSSD", lambda e, t: mssd(e, t, points), lambda e, t: mssd_by_definition(e, t, points)),
        (
            "MSPD",
            lambda e, t: mspd(e, t, points, camera),
            lambda e, t: mspd_by_definition(e, t, points, camera.K),
        ),
    ]
    for name, own, definition in pairs:
        some = 5 if name == "ADD-S" else _SINGLE  # a tree for every pose takes long
        apart = [
            float(own(e, t)) / float(definition(e, t)) - 1.0 for e, t in zip(estimated[:some], true[:some])
        ]
        difference = float(np.abs(apart).max())
        assert difference < 1e-9, f"{name} differs from its definition by {difference}"
        works = [partial(_one_by_one, error, estimated[:some], true[:some]) for error in (own, definition)]
        seconds, other = fastest_in_turns(works, repeats)
        size = f"{len(points):,} vertices, one pose a call"
        yield MetricTiming(
            name,
            size,
            seconds / some,
            other / seconds,
            difference,
            beside="its definition in numpy",
            aim=SINGLE_AIM,
        )


def _one_by_one(error: Error, estimated: Array, true: Array) -> None:
    for one, other in zip(estimated, true):
        error(one, other)


def _directions(rng: np.random.Generator, count: int) -> Array:
    v = rng.normal(size=(count, 3))
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))
