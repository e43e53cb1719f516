"""The symmetries of an object, found from its mesh: shape first, then which of them its colours keep.

Candidate axes come from functions of direction (:mod:`dexman_pose.symmetry.axes`). Each is aligned with the
surface and kept when it moves the surface onto itself; those kept are closed into an exact group. Colours, brought
to the resolution of print, then leave a subgroup of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from logging import getLogger
from math import pi

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.numbers import flag, instance, number
from dexman_pose.errors import InputError
from dexman_pose.geometry import Axis, SymmetryGroup, inverse, rotation_angle, se3, so3_exp, so3_log
from dexman_pose.geometry.finite_group import fixed_point
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.geometry.symmetry_samples import rotations_everywhere
from dexman_pose.symmetry.axes import (
    ORDERS,
    across,
    candidate_axes,
    color_functions,
    principal_axes,
    shape_functions,
)
from dexman_pose.symmetry.options import DETECTION
from dexman_pose.symmetry.surface import Surface, sample_surface

log = getLogger(__name__)
Passes = Callable[[Array], bool]

_ANY_ANGLES = (
    2 * pi * (np.arange(1, 8) * 0.6180339887498949 % 1.0)
)  # fall between the multiples of every order
_ROUGH = (
    0.1  # radians by which two measured versions of one element may differ; elements are 0.5 or more apart
)


@dataclass(frozen=True)
class _Test:
    """Whether a motion brings the surface onto itself, and its colours."""

    surface: Surface
    tolerance: float
    outliers: float
    color_tolerance: float
    color_outliers: float

    def shape(self, motion: Array) -> bool:
        few = self.surface.probes[:: DETECTION.first_probes]
        # Most motions fail by far: a few probes tell.
        missed = np.quantile(self.surface.distance(motion, few), DETECTION.first_share)
        if missed > DETECTION.first_slack * self.tolerance:
            return False
        most, all_but_few = np.quantile(self.surface.distance(motion), [DETECTION.most, 1.0 - self.outliers])
        return bool(most <= self.tolerance and all_but_few <= 2 * self.tolerance)

    def color_misfit(self, motion: Array, step: int = 1) -> float:
        """Fraction of the surface that changes its colour."""
        difference = self.surface.color_difference(motion, self.surface.probes[::step])
        return float(np.mean(difference > self.color_tolerance))

    def color(self, motion: Array) -> bool:
        return self.color_misfit(motion) <= self.color_outliers


def detect_symmetry(
    mesh: Mesh,
    *,
    use_color: bool = True,
    tolerance: float = DETECTION.tolerance,
    outliers: float = DETECTION.outliers,
    color_tolerance: float = DETECTION.color_tolerance,
    color_outliers: float = DETECTION.color_outliers,
) -> SymmetryGroup:
    """The rotations that leave a mesh as it is: its shape and, with ``use_color``, what is printed on it.

    The mesh may be open, finely and coarsely triangulated in places, and noisy well below ``tolerance``. Rotation
    axes of order 2 to 12 and of any angle are found; a prism of very many sides counts as round. A part smaller than
    ``outliers`` of the surface, or lower than twice ``tolerance``, does not break a symmetry. Scans of real objects
    want ``tolerance=0.02, outliers=0.01``.

    Args:
        mesh: its unit and frame do not matter; the group is in the mesh's frame.
        use_color: texture or vertex colours, where the mesh has them, must fit too.
        tolerance: fraction of the diameter by which 90 % of the surface may miss itself.
        outliers: fraction of the surface that may miss itself by more than twice ``tolerance``. Raise it for scans
            with holes or spikes, at the price of overlooking small parts.
        color_tolerance: difference of colours (channels 0..1, brightness counted half) that is no change.
        color_outliers: fraction of the surface that may change its colour by more than that.

    Raises:
        InputError: a tolerance that is not between 0 and 0.2.
        MeshError: the surface has no area.
    """
    instance(mesh, Mesh, "mesh", "load one with dexman_pose.load_mesh(path)")
    tolerance = number(tolerance, "tolerance")
    outliers, color_outliers = (
        number(outliers, "outliers", least=0.0),
        number(color_outliers, "color_outliers", least=0.0),
    )
    color_tolerance, use_color = number(color_tolerance, "color_tolerance"), flag(use_color, "use_color")
    if outliers > 1.0:
        raise InputError(f"outliers must be a share of the surface, at most 1, but got {outliers:g}")
    if not 0 < tolerance < DETECTION.most_tolerance:
        raise InputError(
            f"tolerance must be a fraction of the diameter between 0 and {DETECTION.most_tolerance}, "
            f"but got {tolerance}"
        )
    surface = sample_surface(mesh, use_color=use_color)
    return _both_groups(_Test(surface, tolerance, outliers, color_tolerance, color_outliers))[1]


def detect_symmetries(mesh: Mesh) -> tuple[SymmetryGroup, SymmetryGroup]:
    """The symmetry of a mesh's shape, and that of shape and colours, as :func:`detect_symmetry` finds each.

    Both together cost as much as the second alone.

    Args:
        mesh: as for :func:`detect_symmetry`.

    Raises:
        MeshError: the surface has no area.
    """
    o = DETECTION
    test = _Test(sample_surface(mesh), o.tolerance, o.outliers, o.color_tolerance, o.color_outliers)
    return _both_groups(test)


def _both_groups(test: _Test) -> tuple[SymmetryGroup, SymmetryGroup]:
    """The group of the shape and the subgroup that keeps the colours, in the mesh's frame and unit."""
    surface, shape = test.surface, _shape_group(test)
    group = shape if surface.color is None or shape.is_trivial else _color_group(test, shape)
    log.info("symmetry of the mesh: shape %s, with colour %s", shape.name, group.name)
    place = se3(np.eye(3), surface.center)
    of_shape = shape.scaled(surface.diameter).moved(place)
    return of_shape, of_shape if group is shape else group.scaled(surface.diameter).moved(place)


def _shape_group(test: _Test) -> SymmetryGroup:
    surface, limit = test.surface, min(2 * test.tolerance, DETECTION.most_misfit)
    if all(test.shape(se3(r, np.zeros(3))) for r in rotations_everywhere(DETECTION.sphere_rotations)[1:]):
        return SymmetryGroup(sphere=np.zeros(3))
    found = candidate_axes(shape_functions(surface), limit, starts=principal_axes(surface))
    round_first = np.argsort(found.misfit[:, -1], kind="stable")
    maybe_round = [i for i in round_first if found.misfit[i, -1] < limit][: DETECTION.round_axes]
    for i in maybe_round:
        group = _round_about(test, found.directions[i])
        if group is not None:
            return group
    elements = []
    for direction, misfit in zip(found.directions, found.misfit):
        elements.extend(_highest_order(test, direction, np.array(ORDERS)[misfit[:-1] < limit]))
    for (
        i
    ) in maybe_round:  # a round hull about something that is not: the functions see no order, the surface may
        elements.extend(_flips(test, found.directions[i]))
    return _largest(elements, test.shape)


def _round_about(test: _Test, direction: Array) -> SymmetryGroup | None:
    """The group of a surface of revolution about an axis near ``direction``, or None."""
    axis = _aligned_axis(test.surface, direction)
    spins = [_spin(axis, angle) for angle in _ANY_ANGLES]
    if not all(test.shape(spin) for spin in spins):
        return None
    flip = test.surface.aligned(_half_turn(axis, 0.0))
    group = SymmetryGroup(axes=(axis,))
    if test.shape(flip):
        group = _extended(group, flip)
    return group if all(test.shape(m) for m in group.discrete[1:]) else SymmetryGroup(axes=(axis,))


def _aligned_axis(surface: Surface, direction: Array) -> Axis:
    """The axis of the motions that bring the surface onto itself when it is turned about ``direction``."""
    start = Axis(np.zeros(3), direction)
    motions = np.stack([surface.aligned(_spin(start, angle)) for angle in DETECTION.alignment_angles])
    turns = so3_log(motions[:, :3, :3])
    turns *= np.sign(turns @ direction)[:, None]
    mean = turns.sum(0) / np.linalg.norm(turns.sum(0))
    point = fixed_point(motions, _ROUGH)[0]
    return Axis(point - point @ mean * mean, mean)


def _highest_order(test: _Test, direction: Array, orders: NDArray[np.int64]) -> list[Array]:
    """The motion of the highest order about an axis that the surface has, as a list of one or none."""
    axis = Axis(np.zeros(3), direction)
    found: dict[int, Array] = {}
    for order in sorted(orders.tolist()):
        # A rotation by 1/12 needs those by 1/4 and 1/6: most orders need no look.
        if any(order % part == 0 and part not in found for part in range(2, order)):
            continue
        start = _spin(axis, 2 * pi / order)
        motion = test.surface.aligned(start)
        if rotation_angle(inverse(start) @ motion) < _ROUGH and test.shape(motion):
            found[order] = motion
    return [found[max(found)]] if found else []


def _flips(test: _Test, direction: Array, step: float = DETECTION.flip_step) -> list[Array]:
    """Half turns across an axis that the surface has, found by trying them all round."""
    axis = Axis(np.zeros(3), direction)
    probes = test.surface.probes[:: DETECTION.first_probes]
    angles = np.arange(0.0, pi, step)
    score = np.array([test.surface.distance(_half_turn(axis, a), probes).mean() for a in angles])
    motions = [test.surface.aligned(_half_turn(axis, angles[i])) for i in _valleys(score, DETECTION.flips)]
    return [motion for motion in motions if test.shape(motion)]


def _color_group(test: _Test, shape: SymmetryGroup) -> SymmetryGroup:
    """The subgroup that keeps the colours."""
    if shape.sphere is not None:
        return _color_of_sphere(test, shape)
    if shape.axes:
        return _color_of_round(test, shape.axes[0], len(shape.discrete) > 1)
    return _largest(sorted(shape.discrete[1:], key=test.color_misfit), test.color)


def _color_of_round(test: _Test, axis: Axis, turns_over: bool) -> SymmetryGroup:
    """The colours of a surface of revolution: any angle, else some order; and half turns across."""
    if all(test.color(_spin(axis, angle)) for angle in _ANY_ANGLES):
        flip = _half_turn(axis, 0.0)
        keeps = turns_over and test.color(flip)
        return _extended(SymmetryGroup(axes=(axis,)), flip) if keeps else SymmetryGroup(axes=(axis,))
    orders = (_spin(axis, 2 * pi / n) for n in reversed(ORDERS))
    elements = [spin for spin in orders if test.color(spin)]
    if turns_over:
        angles = np.arange(0.0, pi, DETECTION.color_flip_step)
        score = np.array([test.color_misfit(_half_turn(axis, a), 4) for a in angles])
        elements.extend(_half_turn(axis, angles[i]) for i in _valleys(score, DETECTION.flips))
    return _largest(elements, test.color)


def _color_of_sphere(test: _Test, shape: SymmetryGroup) -> SymmetryGroup:
    """The colours of a ball: all rotations, else axes looked for as for a shape."""
    if all(
        test.color(se3(r, np.zeros(3))) for r in rotations_everywhere(DETECTION.colored_sphere_rotations)[1:]
    ):
        return shape
    found = candidate_axes(color_functions(test.surface), test.color_tolerance, slack=DETECTION.color_slack)
    elements = []
    for i in np.argsort(found.misfit.min(1), kind="stable"):
        axis = Axis(np.zeros(3), found.directions[i])
        if all(test.color(_spin(axis, angle)) for angle in _ANY_ANGLES):
            return _color_of_round(test, axis, turns_over=True)
        orders = (_spin(axis, 2 * pi / n) for n in reversed(ORDERS))
        elements.extend([spin for spin in orders if test.color(spin)][:1])
    return _largest(elements, test.color)


def _largest(elements: Iterable[Array], passes: Passes) -> SymmetryGroup:
    """The group grown from ``elements`` one by one, as long as everything they generate passes."""
    group = SymmetryGroup.trivial()
    for element in elements:
        if group.contains(element, _ROUGH, _ROUGH):
            continue
        try:
            grown = _extended(group, element)
        except InputError:  # it fits the surface, but not together with the others
            continue
        if all(passes(m) for m in grown.discrete[1:] if not group.contains(m, _ROUGH, _ROUGH)):
            group = grown
    return group


def _extended(group: SymmetryGroup, element: Array) -> SymmetryGroup:
    """The group and one measured element, closed."""
    elements = [*group.discrete[1:], element]
    return generate_symmetry(elements, group.axes, angle=_ROUGH, distance=_ROUGH)


def _valleys(score: Array, most: int) -> list[int]:
    """Indices of the lowest local minima of values round a circle."""
    low = np.flatnonzero((score <= np.roll(score, 1)) & (score <= np.roll(score, -1)))
    return [int(i) for i in low[np.argsort(score[low], kind="stable")][:most]]


def _spin(axis: Axis, angle: float) -> Array:
    rotation = so3_exp(angle * axis.direction)
    return se3(rotation, axis.point - rotation @ axis.point)


def _half_turn(axis: Axis, angle: float) -> Array:
    """A half turn (4, 4) about a line that crosses the axis at its point, at an angle round it."""
    u, v = across(axis.direction)
    return _spin(Axis(axis.point, np.cos(angle) * u + np.sin(angle) * v), pi)
