"""The rotations that leave an object as it is, and poses modulo them.

The symmetries of a bounded object all keep one point in place, so they are a closed group of rotations about it:
finite (cyclic, dihedral, of the tetrahedron, cube or icosahedron), all rotations about one axis (with or without
turning it over), or all rotations. Reflections are no rigid motions and do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.finite_group import fixed_point
from dexman_pose.geometry.given import floats
from dexman_pose.geometry.se3 import hat, inverse, rotation_angle, se3, so3_exp, transform_points
from dexman_pose.geometry.symmetry_samples import rotations_everywhere

_TIE = 1e-9  # of a trace: representatives that close to the reference alike


class Axis(NamedTuple):
    """An axis of continuous symmetry: a point (3,) on it, metres, and its unit direction (3,)."""

    point: Array
    direction: Array


@dataclass(frozen=True, eq=False)
class SymmetryGroup:
    """All symmetries of one object, as transforms ``object_from_object``.

    :func:`~dexman_pose.geometry.symmetry_generation.generate_symmetry` makes one of any generators.

    Its elements are the members of ``discrete``, each followed by any rotation about the axis (or any rotation at
    all about ``sphere``).

    Attributes:
        discrete: (S, 4, 4), identity first: a whole finite group, or with an axis just the identity and possibly
            one half turn that turns the axis over.
        axes: the axis of continuous symmetry; empty or one (two different axes generate all rotations).
        sphere: (3,) the centre when all rotations are symmetries, else None.

    Raises:
        InputError: arrays that are no such group.
            :func:`~dexman_pose.geometry.symmetry_generation.generate_symmetry` makes one of any generators.
    """

    discrete: Array = field(default_factory=lambda: np.eye(4)[None])
    axes: tuple[Axis, ...] = ()
    sphere: Array | None = None

    def __post_init__(self) -> None:
        discrete = floats(self.discrete, "discrete symmetries").copy()
        if (
            discrete.ndim != 3
            or discrete.shape[1:] != (4, 4)
            or len(discrete) == 0
            or not np.allclose(discrete[:1], np.eye(4))
        ):
            raise InputError(
                f"discrete symmetries must be (S, 4, 4), identity first, but got {discrete.shape}"
            )
        most = 1 if self.sphere is not None else 2 if self.axes else len(discrete)
        if len(self.axes) > (self.sphere is None) or len(discrete) > most:
            raise InputError(
                "a symmetry group has a sphere alone, or one axis and at most one half turn across it, or "
                f"finitely many elements, but got {len(discrete)} and {len(self.axes)} axes; generate it instead"
            )
        discrete[0] = np.eye(4)
        object.__setattr__(self, "discrete", discrete)
        object.__setattr__(self, "axes", tuple(_checked_axis(*axis) for axis in self.axes))
        if self.sphere is not None:
            object.__setattr__(self, "sphere", _vector(self.sphere, "the centre of a sphere"))

    @classmethod
    def trivial(cls) -> SymmetryGroup:
        """The identity alone."""
        return cls()

    def to_bop(self, *, unit: float = 0.001) -> dict[str, Any]:
        """``symmetries_discrete`` and ``symmetries_continuous`` as BOP writes them; empty fields are left out.

        A sphere, for which BOP has no word, becomes three axes through its centre.
        """
        axes = self.axes
        if self.sphere is not None:
            axes = tuple(Axis(self.sphere, direction) for direction in np.eye(3))
        matrices = self.discrete[1:] / unit_of_translation(unit)
        out: dict[str, Any] = {}
        if len(matrices):
            out["symmetries_discrete"] = [m.reshape(-1).tolist() for m in matrices]
        if axes:
            out["symmetries_continuous"] = [
                {"axis": a.direction.tolist(), "offset": (a.point / unit).tolist()} for a in axes
            ]
        return out

    @property
    def is_trivial(self) -> bool:
        """Nothing but the identity."""
        return self.order == 1

    @property
    def is_continuous(self) -> bool:
        """An axis or a sphere: infinitely many elements."""
        return bool(self.axes) or self.sphere is not None

    @property
    def order(self) -> float:
        """Number of elements; infinite with an axis or a sphere."""
        return inf if self.is_continuous else len(self.discrete)

    @property
    def name(self) -> str:
        """Schoenflies symbol of the rotation group: C1, C4, D2, T, O, I, Cinf, Dinf, or K for the sphere."""
        if self.sphere is not None:
            return "K"
        count = len(self.discrete)
        if self.axes:
            return "Cinf" if count == 1 else "Dinf"
        if count == 1:
            return "C1"
        fold = round(2 * pi / float(rotation_angle(self.discrete[1:, :3, :3]).min()))
        named = {fold: f"C{fold}", 2 * fold: f"D{fold}"}
        return named.get(count) or {12: "T", 24: "O", 60: "I"}.get(count, f"{count} elements")

    @property
    def center(self) -> Array:
        """(3,) a point that all elements keep in place, metres; the origin for the trivial group."""
        if self.sphere is not None:
            return self.sphere
        return self.axes[0].point if self.axes else fixed_point(self.discrete)[0]

    def moved(self, new_from_old: ArrayLike) -> SymmetryGroup:
        """The symmetries of the object after its frame has been changed by a rigid (4, 4)."""
        m = np.asarray(new_from_old, dtype=np.float64)
        axes = tuple(Axis(m[:3, :3] @ a.point + m[:3, 3], m[:3, :3] @ a.direction) for a in self.axes)
        sphere = None if self.sphere is None else m[:3, :3] @ self.sphere + m[:3, 3]
        return SymmetryGroup(m @ self.discrete @ inverse(m), axes, sphere)

    def scaled(self, factor: float) -> SymmetryGroup:
        """The symmetries of the object with every vertex multiplied by ``factor``."""
        axes = tuple(Axis(a.point * factor, a.direction) for a in self.axes)
        sphere = None if self.sphere is None else self.sphere * factor
        return SymmetryGroup(self.discrete * unit_of_translation(factor), axes, sphere)

    def sampled(self, step: float = pi / 36, max_count: int = 720) -> Array:
        """Elements (S, 4, 4), identity first: all of a finite group, else at most ``max_count`` spread evenly.

        Args:
            step: radians between neighbours of a continuous symmetry, or less.
            max_count: takes larger steps where there would be more than this.
        """
        if not (step > 0 and max_count >= 2):
            raise InputError(f"step must be positive and max_count 2 or more, but got {step}, {max_count}")
        if self.sphere is not None:
            return _about(
                rotations_everywhere(min(max_count, int(np.ceil(8 * pi**2 / step**3)))), self.sphere
            )
        if not self.axes:
            return self.discrete.copy()
        count = max(1, min(int(np.ceil(2 * pi / step - 1e-9)), max_count // len(self.discrete)))
        spins = self._spins(2 * pi * np.arange(count) / count)
        out: Array = (spins[None] @ self.discrete[:, None]).reshape(-1, 4, 4)
        return out

    def contains(self, transform: ArrayLike, angle: float = 1e-6, distance: float = 1e-6) -> bool:
        """Whether a transform (4, 4) is an element, within radians and metres at :attr:`center`."""
        return bool(self.is_equivalent(np.eye(4), transform, angle, distance))

    def closest_element(self, camera_from_object: ArrayLike, reference: ArrayLike) -> Array:
        """The elements (..., 4, 4) that bring poses nearest to reference poses; see :meth:`closest`."""
        pose, ref = np.asarray(camera_from_object, np.float64), np.asarray(reference, np.float64)
        between = np.swapaxes(ref[..., :3, :3], -1, -2) @ pose[..., :3, :3]
        if self.sphere is not None:
            return _about(np.swapaxes(between, -1, -2), self.sphere)
        # trace(ref' pose spin d) = trace((d ref' pose) spin): what is left to choose is the spin.
        remaining = self.discrete[:, :3, :3] @ between[..., None, :, :]
        spin = self._best_spin(remaining)
        agreement = np.einsum("...ij,...ji->...", remaining, spin[..., :3, :3])
        # The first of those equally near: every element keeps the centre, so translation cannot tell them apart.
        best = np.argmax(agreement >= agreement.max(-1, keepdims=True) - _TIE, axis=-1)
        spin = np.take_along_axis(spin, best[..., None, None, None], axis=-3)[..., 0, :, :]
        out: Array = spin @ self.discrete[best]
        return out

    def closest(self, camera_from_object: ArrayLike, reference: ArrayLike) -> Array:
        """Poses (..., 4, 4) replaced by their symmetric equivalents with the smallest rotation to reference poses.

        A continuous symmetry is solved in closed form. Among equally near ones the first element of ``discrete``
        wins, the pose itself before all others.

        Args:
            camera_from_object: (..., 4, 4).
            reference: (..., 4, 4), shapes are broadcast.
        """
        pose = np.asarray(camera_from_object, dtype=np.float64)
        return pose @ self.closest_element(pose, reference)

    def rotation_error(self, estimated: ArrayLike, true: ArrayLike) -> Array:
        """Radians (...) between poses (..., 4, 4), up to symmetry."""
        return self.pose_error(estimated, true)[0]

    def pose_error(
        self, estimated: ArrayLike, true: ArrayLike, center: ArrayLike | None = None
    ) -> tuple[Array, Array]:
        """Radians (...) and metres (...) between poses (..., 4, 4), up to symmetry.

        Args:
            estimated: poses.
            true: poses; shapes are broadcast.
            center: (3,) the point of the object whose distance is measured, its centre; :attr:`center` if None.
        """
        est = np.asarray(estimated, dtype=np.float64)
        nearest = self.closest(true, est)
        point = (self.center if center is None else _vector(center, "center"))[None]
        turned = np.swapaxes(nearest[..., :3, :3], -1, -2) @ est[..., :3, :3]
        apart = transform_points(est, point) - transform_points(nearest, point)
        return rotation_angle(turned), np.linalg.norm(apart[..., 0, :], axis=-1)

    def is_equivalent(
        self, a: ArrayLike, b: ArrayLike, angle: float, distance: float, *, center: ArrayLike | None = None
    ) -> NDArray[np.bool_]:
        """Whether poses (..., 4, 4) are the same up to symmetry, within radians and metres at the centre."""
        turned, moved = self.pose_error(a, b, center)
        return np.asarray((turned <= angle) & (moved <= distance))

    def continuous_track(self, poses: ArrayLike, valid: ArrayLike | None = None) -> Array:
        """Poses (T, 4, 4) replaced by the symmetric equivalents that follow each other with the least rotation.

        Every frame takes the one nearest to the one chosen for the last valid frame before it, so the track never
        jumps within the symmetry and does not spin about a continuous axis. The first valid frame is kept, the
        frames before it follow it. With the trivial group the poses come back as they are.

        Args:
            poses: (T, 4, 4) camera_from_object.
            valid: (T,) bool; frames that are not valid are turned too, but no frame follows them.
        """
        out = np.array(poses, dtype=np.float64)
        good = np.ones(len(out), np.bool_) if valid is None else np.asarray(valid, dtype=np.bool_)
        if out.shape != (len(good), 4, 4):
            raise InputError(f"poses must be (T, 4, 4) and valid (T,), but got {out.shape} and {good.shape}")
        if self.is_trivial or not good.any():
            return out
        first = int(np.argmax(good))
        out[:first] = self.closest(out[:first], out[first])
        last = first
        for i in range(first + 1, len(out)):
            out[i] = self.closest(out[i], out[last])
            last = i if good[i] else last
        return out

    def _spins(self, angles: Array) -> Array:
        """Transforms (..., 4, 4) by angles (...) about the axis; the identity where there is none."""
        if not self.axes:
            return np.broadcast_to(np.eye(4), (*angles.shape, 4, 4))
        point, direction = self.axes[0]
        return _about(so3_exp(angles[..., None] * direction), point)

    def _best_spin(self, remaining: Array) -> Array:
        """The spin (..., 4, 4) of largest ``trace(remaining @ spin)``: a sinusoid in its angle."""
        if not self.axes:
            return self._spins(np.zeros(remaining.shape[:-2]))
        a = self.axes[0].direction
        cosine = np.trace(remaining, axis1=-2, axis2=-1) - np.einsum("i,...ij,j->...", a, remaining, a)
        sine = np.einsum("...ij,ji->...", remaining, hat(a))
        # Turned over exactly, every spin is as far: keep the one it has.
        flat = np.hypot(cosine, sine) < _TIE
        return self._spins(np.where(flat, 0.0, np.arctan2(sine, cosine)))


def _about(rotation: Array, point: Array) -> Array:
    """Rotations (..., 3, 3) about a point."""
    return se3(rotation, point - rotation @ point)


def unit_of_translation(factor: float) -> Array:
    """(4, 4) factors that change the unit of a transform's translation."""
    out = np.ones((4, 4))
    out[:3, 3] = factor
    return out


def _vector(value: ArrayLike, name: str) -> Array:
    v = floats(value, name).copy()
    if v.shape != (3,) or not np.isfinite(v).all():
        raise InputError(
            f"{name} must be three finite numbers, but got {v.tolist() if v.size == 3 else v.shape}"
        )
    return v


def _checked_axis(point: ArrayLike, direction: ArrayLike) -> Axis:
    d = _vector(direction, "the direction of a symmetry axis")
    length = float(np.linalg.norm(d))
    if length < 1e-9:
        raise InputError("the direction of a symmetry axis must not be zero")
    return Axis(_vector(point, "the point of a symmetry axis"), d / length)
