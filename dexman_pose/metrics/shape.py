"""Shape: distance between two surfaces, and the alignment of a generated mesh to the true one, once per sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError, MeshError
from dexman_pose.geometry import orthonormalize, rotation_angle
from dexman_pose.metrics import _given
from dexman_pose.metrics._signed import Surface, is_closed, signed_volume
from dexman_pose.metrics._starts import Fit, Samples, search

F_THRESHOLDS = (0.005, 0.01)
"""Metres, at which the F-score of a shape is taken unless told otherwise."""


@dataclass(frozen=True)
class ShapeError:
    """How much the surface of mesh a (the estimate) differs from that of mesh b (the truth).

    Attributes:
        a_to_b: metres, mean distance from points of a's surface to b's.
        b_to_a: metres, the other way.
        chamfer: metres, the mean of both (not their sum, and not squared).
        farthest: metres, the largest distance of any sampled point, either way (Hausdorff, from below).
        thresholds: metres.
        precision: per threshold, share of a's surface nearer to b than that.
        recall: per threshold, share of b's surface nearer to a than that.
        f_score: per threshold, harmonic mean; 0 where both are 0.
        volume_ratio: a's volume over b's, or None where one of them is not closed.
    """

    a_to_b: float
    b_to_a: float
    chamfer: float
    farthest: float
    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f_score: tuple[float, ...]
    volume_ratio: float | None


def chamfer(
    mesh_a: Mesh,
    mesh_b: Mesh,
    *,
    samples: int = 10_000,
    seed: int = 0,
    thresholds: tuple[float, ...] = F_THRESHOLDS,
    device: str = "cpu",
) -> ShapeError:
    """Mean nearest distances between two surfaces that lie in one frame.

    Points are drawn evenly over each surface and measured to the other surface itself, not to points drawn on it:
    equal surfaces have distance 0, and the figure does not depend on how densely they are sampled.

    Args:
        mesh_a: the estimate, metres.
        mesh_b: the truth, metres, same frame.
        samples: points on each surface.
        seed: of the points; the same seed gives the same figures.
        thresholds: metres, of the F-scores; strictly nearer counts.
        device: Warp device.

    Raises:
        InputError: samples or a threshold not positive.
        MeshError: a mesh without any area.
    """
    if samples < 1 or not thresholds or min(thresholds) <= 0:
        raise InputError(f"samples and thresholds must be positive, but got {samples} and {thresholds}")
    to_b = _distances(mesh_a, mesh_b, samples, seed, device)
    to_a = _distances(mesh_b, mesh_a, samples, seed, device)
    precision = tuple(float((to_b < limit).mean()) for limit in thresholds)
    recall = tuple(float((to_a < limit).mean()) for limit in thresholds)
    return ShapeError(
        a_to_b=float(to_b.mean()),
        b_to_a=float(to_a.mean()),
        chamfer=float(0.5 * (to_b.mean() + to_a.mean())),
        farthest=float(max(to_b.max(), to_a.max())),
        thresholds=tuple(thresholds),
        precision=precision,
        recall=recall,
        f_score=tuple(2 * p * r / (p + r) if p + r > 0 else 0.0 for p, r in zip(precision, recall)),
        volume_ratio=volume_ratio(mesh_a, mesh_b),
    )


def volume_ratio(mesh_a: Mesh, mesh_b: Mesh) -> float | None:
    """Volume of a over that of b; None where one of them is not closed or encloses nothing."""
    a, b = volume(mesh_a), volume(mesh_b)
    return None if a is None or b is None or b <= 0 else a / b


def volume(mesh: Mesh) -> float | None:
    """Cubic metres that a closed mesh encloses, whichever way its faces point; None for an open one."""
    vertices, index = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces].astype(np.int64)
    return abs(signed_volume(vertices - mesh.center, faces)) if is_closed(faces) else None


def surface_points(mesh: Mesh, count: int, seed: int) -> Array:
    """(count, 3) points drawn evenly over a mesh's surface, metres, in its frame.

    Raises:
        MeshError: the mesh has no area.
    """
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not area.sum() > 0:
        raise MeshError(f"none of the {len(area)} faces of the mesh has an area; a surface is needed")
    rng = np.random.default_rng(seed)
    face = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    # Points of the far half of the parallelogram are folded back into the triangle.
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    points: Array = a[face] + u * (b - a)[face] + v * (c - a)[face]
    return points


@dataclass(frozen=True)
class MeshAlignment:
    """Where a generated mesh lies on the true one.

    Attributes:
        true_from_generated: (4, 4) maps points of the generated mesh to the true one, its size included: the upper
            left 3x3 is ``scale`` times a rotation.
        scale: factor on the generated mesh; 1 where it was not to change.
        residual: metres, mean distance between the aligned surfaces (chamfer).
        residual_start: metres, the same before anything was moved: the frames as they are.
        alternatives: (A, 4, 4) other alignments, further than 15 degrees away, with a residual at most 10 % and 0.1 mm
            larger, best first: the shape alone does not tell them apart.
    """

    true_from_generated: Array
    scale: float
    residual: float
    residual_start: float
    alternatives: Array

    @property
    def generated_from_true(self) -> Array:
        """(4, 4) rigid: places the true mesh, in its own size, where the generated one is.

        Poses ``camera_from_generated @ generated_from_true`` are those of the true mesh. Where the sizes differ the
        place of the true mesh's origin is kept.
        """
        return orthonormalize(np.linalg.inv(self.true_from_generated))


def align_generated_mesh(
    generated: Mesh,
    true: Mesh,
    *,
    scale: bool,
    prefer: ArrayLike | None = None,
    samples: int = 2000,
    seed: int = 0,
    device: str = "cpu",
) -> MeshAlignment:
    """The one transform of a sequence that lays a generated mesh onto the true one, by shape alone.

    A generated mesh's frame is arbitrary, so its poses can be scored only after this; it looks at no pose and no
    picture. 48 starts (the 24 rotations of a cube, between the meshes' own axes and between their principal axes)
    are each moved by iterative closest points in both directions (Besl and McKay, TPAMI 14(2), 1992), the best of
    them until they rest, against the surfaces themselves. Reflections are excluded. A surface with symmetries has
    several answers: they are in ``alternatives``.

    Args:
        generated: metres.
        true: metres.
        scale: whether the size may change.
        prefer: (4, 4) a guess of ``true_from_generated``, such as the one the first frame's poses give; it is one
            more start, and among equally good alignments the one turned least from it is taken.
        samples: points on each surface.
        seed: of the points.
        device: Warp device.

    Raises:
        InputError: too few samples, a guess that is not (4, 4) and finite.
        MeshError: a mesh without any area.
    """
    if samples < 10:
        raise InputError(f"an alignment needs at least 10 samples, but got {samples}")
    guess = None if prefer is None else _checked_guess(prefer)
    shapes = tuple(
        Samples(surface_points(mesh, samples, seed + k), Surface(mesh.vertices, mesh.faces, device=device))
        for k, mesh in enumerate((generated, true))
    )
    fits = search(shapes[0], shapes[1], scale, guess)
    start = Fit(np.eye(3), np.zeros(3), 1.0).residual(shapes[0], shapes[1])
    best = fits[0]
    rivals = [f for f in fits if f.error <= 1.1 * best.error + 1e-4]
    if guess is not None:
        best = min(rivals, key=lambda f: float(rotation_angle(f.rotation @ _rotation(guess).T)))
    others = _distinct(best, rivals)
    matrices = np.array([f.matrix for f in others]).reshape(-1, 4, 4)
    return MeshAlignment(best.matrix, best.scale, best.error, start, matrices)


def _distinct(best: Fit, rivals: list[Fit]) -> list[Fit]:
    """Those further than 15 degrees from the best and from each other."""
    kept = [best]
    for fit in rivals:
        angles = [float(rotation_angle(fit.rotation @ k.rotation.T)) for k in kept]
        if min(angles) > np.radians(15.0):
            kept.append(fit)
    return kept[1:]


def _rotation(similarity: Array) -> Array:
    return orthonormalize(similarity)[:3, :3]


def _checked_guess(prefer: ArrayLike) -> Array:
    guess = _given.real(prefer, "prefer")
    if guess.shape != (4, 4) or not np.isfinite(guess).all() or not np.linalg.det(guess[:3, :3]) > 0:
        raise InputError(
            f"prefer must be a finite (4, 4) transform without reflection, but got {guess.shape}"
        )
    return guess


def _distances(source: Mesh, target: Mesh, samples: int, seed: int, device: str) -> Array:
    points = surface_points(source, samples, seed)
    return Surface(target.vertices, target.faces, device=device).nearest(points)[0]
