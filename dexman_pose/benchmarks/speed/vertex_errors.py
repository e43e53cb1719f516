"""How long ADD-S and the other vertex errors take, beside the usual loop over KD-trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.speed.fastest import fastest
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.metrics.nearest import NearestVertices, nearest_vertices
from dexman_pose.metrics.points import add, add_s, mspd, mssd
from dexman_pose.metrics.poses import diameter

AIM = 20.0
"""How many times as fast as the loop over KD-trees ADD-S should be on two cores."""

_LOOPED = 40  # poses the loop is timed on


@dataclass(frozen=True)
class MetricTiming:
    """One measurement: the fastest of the repeated runs.

    Attributes:
        work: what was done.
        size: on what.
        seconds: per pose, or in all.
        ratio: how many times as long the KD-tree loop took in the same run, or None.
        difference: largest relative difference to its results, or None.
        whole: whether the time is not one of a pose.
    """

    work: str
    size: str
    seconds: float
    ratio: float | None = None
    difference: float | None = None
    whole: bool = False


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
    many = bottle(100_000)
    yield MetricTiming("diameter", "100,000 vertices", fastest(lambda: diameter(many), 1), whole=True)


def _directions(rng: np.random.Generator, count: int) -> Array:
    v = rng.normal(size=(count, 3))
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))
