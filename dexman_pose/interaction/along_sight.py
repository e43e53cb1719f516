"""Where along the line of sight a hand fits what it grips: the search that a fit from one start cannot do.

A hand that is made larger and moved away by one factor looks the same. Of all factors in a range, those are likely at
which flesh lies on the surface and not within it, and at which thumb or palm and the fingers lie on opposite sides: a
hand before an object touches it too, but holds nothing. The likeliest course of factors over the clip is found by
dynamic programming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import RigidObject
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.interaction.options import DistanceOptions
from dexman_pose.interaction.probes import PALM, RADII, TIPS, TOUCHERS, probes

_THUMB, _PALM = 0, TOUCHERS.index(PALM)
_FINGERS = slice(1, len(TIPS))
_NEAR = 1e-6  # metres, and shares: less is none


@dataclass(frozen=True)
class Grip:
    """An object and the frames in which a hand grips it.

    Attributes:
        thing: the object.
        gripped: (T,) of the hand's frames.
        sigma: (T,) factor on what contact is off by.
        moved: (T, 21) metres a frame by which joints plainly move on the object; None where that is not known.
    """

    thing: RigidObject
    gripped: NDArray[np.bool_]
    sigma: Array
    moved: Array | None = None

    def stretches(self, frames: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Gripped frames, grip by grip; frames in which nothing is known of the object are no break.

        Args:
            frames: (T,) of the clip that the hand's frames are.
        """
        known = self.thing.valid[frames]
        spans = [np.arange(first, stop) for first, stop in runs(self.gripped | ~known)]
        found = [span[(self.gripped & known)[span]] for span in spans]
        return [span for span in found if len(span)]

    def at(self, frames: NDArray[np.intp]) -> Grip:
        """In some of the frames."""
        moved = None if self.moved is None else self.moved[frames]
        return Grip(self.thing, self.gripped[frames], self.sigma[frames], moved)


def likely_change(
    joints: Array, grips: Sequence[Grip], frames: NDArray[np.intp], o: DistanceOptions
) -> Array:
    """(T,) logarithm of the factor by which hands (T, 21, 3), camera frame, are likely larger and farther away.

    Args:
        joints: of one hand.
        grips: what it grips.
        frames: (T,) their indices in the clip.
        o: how it is searched.
    """
    return likely_course(grip_misfit(joints, grips, frames, o), frames, o)


def grip_misfit(joints: Array, grips: Sequence[Grip], frames: NDArray[np.intp], o: DistanceOptions) -> Array:
    """(T, S) how badly hands fit what they grip at every factor tried, 0 where they grip nothing.

    Arguments as for :func:`likely_change`.
    """
    tried = tried_changes(o)
    cost = np.zeros((len(joints), len(tried)))
    for grip in grips:
        at = np.flatnonzero(grip.gripped & grip.thing.valid[frames])
        if len(at):
            cost[at] += _misfit(joints[at], grip.thing, frames[at], tried, o)
    return cost


def likely_course(misfit: Array, frames: NDArray[np.intp], o: DistanceOptions, usual: float = 0.0) -> Array:
    """(T,) the likeliest logarithms of factors, of a misfit (T, S); without one they are about ``usual``."""
    tried = tried_changes(o)
    cost = misfit + 0.5 * ((tried - usual) / o.spread) ** 2 * o.prior
    return _smoothed_course(tried, cost, np.diff(frames), o.drift)


def tried_changes(o: DistanceOptions) -> Array:
    """(S,) logarithms of the factors that are tried."""
    out: Array = np.linspace(-o.reach, o.reach, o.steps)
    return out


def _misfit(
    joints: Array, thing: RigidObject, frames: NDArray[np.intp], tried: Array, o: DistanceOptions
) -> Array:
    """(T, S) how badly hands fit an object at every factor tried."""
    gap, outwards = _gaps(probes(joints)[:, None] * np.exp(tried)[:, None, None], thing, frames)
    touching = gap[..., list(TOUCHERS)]
    open_ = _half_at(touching, o.touch)
    facing = np.minimum(open_[..., _THUMB], open_[..., _PALM])
    inside = np.sum(np.minimum(gap, 0.0) ** 2, -1) / o.inside**2
    apart = o.opposed * same_side(outwards, 1.0 - open_)
    out: Array = facing + open_[..., _FINGERS].sum(-1) + inside + apart
    return out


def opposition(joints: Array, thing: RigidObject, frames: NDArray[np.intp], o: DistanceOptions) -> float:
    """Mean over frames of :func:`same_side` for joints (T, 21, 3), camera frame."""
    gap, outwards = _gaps(probes(joints)[:, None], thing, frames)
    return float(same_side(outwards, 1.0 - _half_at(gap[..., list(TOUCHERS)], o.touch)).mean())


def same_side(outwards: Array, closed: Array) -> Array:
    """(...) 0 where thumb or palm presses against the fingers, 1 where both press from one side.

    Args:
        outwards: (..., 6, 3) directions out of the surface where it is nearest to ``TOUCHERS``.
        closed: (..., 6) how much these count.
    """
    fingers = np.sum(outwards[..., _FINGERS, :] * (closed[..., _FINGERS, None] + _NEAR), -2)
    fingers = fingers / np.maximum(np.linalg.norm(fingers, axis=-1, keepdims=True), _NEAR)
    along = np.einsum("...ki,...i->...k", outwards[..., [_THUMB, _PALM], :], fingers)
    out: Array = 0.5 * (1.0 + along.min(-1))
    return out


def _gaps(points: Array, thing: RigidObject, frames: NDArray[np.intp]) -> tuple[Array, Array]:
    """What is between skin at probes (T, S, 42, 3) and an object.

    Returns:
        (T, S, 42) metres; infinite where nothing rests on it: that is so for flesh that cannot be within the object, at
        probes that hold nothing. (T, S, 6, 3) directions out of the surface at ``TOUCHERS``, the object's axes.
    """
    poses = inverse(thing.camera_from_object[frames])
    inside = transform_points(poses, points.reshape(len(points), -1, 3)).reshape(points.shape)
    corners = thing.mesh.vertices
    reach = RADII[:, None]
    asked = ((inside > corners.min(0) - reach) & (inside < corners.max(0) + reach)).all(-1)
    asked[..., list(TOUCHERS)] = True
    found = signed_distance(thing.mesh, inside[asked])
    out, nearest = np.full(asked.shape, np.inf), inside.copy()
    out[asked], nearest[asked] = found.distance, found.nearest
    away = (inside - nearest)[..., list(TOUCHERS), :] * np.sign(out[..., list(TOUCHERS)])[..., None]
    length = np.linalg.norm(away, axis=-1, keepdims=True)
    return out - RADII, away / np.maximum(length, _NEAR)


def _half_at(gap: Array, width: float) -> Array:
    """0 for closed gaps, 1 for wide ones, a half at a width."""
    square = (gap / width) ** 2
    return square / (1.0 + square)


def _smoothed_course(tried: Array, cost: Array, apart: NDArray[np.intp], drift: float) -> Array:
    """(T,) the cheapest course of states (S,) with costs (T, S), and the least square around it."""
    change = 0.5 * ((tried[:, None] - tried[None]) / drift) ** 2
    total, back = cost[0], np.zeros(cost.shape, np.intp)
    for t in range(1, len(cost)):
        ways = total[:, None] + change / apart[t - 1]
        back[t] = ways.argmin(0)
        total = ways.min(0) + cost[t]
    path = np.zeros(len(cost), np.intp)
    path[-1] = int(total.argmin())
    for t in range(len(cost) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    out: Array = tried[path]
    return out
