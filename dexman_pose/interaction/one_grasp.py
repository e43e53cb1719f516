"""The way a hand holds a thing, found once for a whole grip from all of its frames.

In each frame alone the picture leaves open how a hand is turned in depth: fingers that point to the camera look as
those that point away, and detectors guess that badly. A thing that is turned while it is held shows the hand on it from
many sides, and only some ways of lying on it hold it at all. So the hand is taken as fixed on the thing, fitted to
samples of the grip's frames together from several turns in depth, and the likeliest way is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import PoseTrack, RigidObject
from dexman_pose.geometry.se3 import inverse, se3, so3_exp, transform_points
from dexman_pose.hands.model.evidence import LikelyDistance
from dexman_pose.hands.model.fit import MeasuredJoints
from dexman_pose.hands.model.system import FitOptions, HandState, JointEvidence
from dexman_pose.interaction.along_sight import Grip, opposition
from dexman_pose.interaction.hand_picture import HandPicture, own_place, place_of_own
from dexman_pose.interaction.hidden import hidden_by_hand, hidden_by_objects
from dexman_pose.interaction.options import GripOptions, OneGraspOptions
from dexman_pose.interaction.probes import PALM, WEIGHTS, probes
from dexman_pose.interaction.seen_from import SeenFrom, carried
from dexman_pose.interaction.surface import tangents
from dexman_pose.interaction.terms import ClosedContacts, NoPenetration
from dexman_pose.interaction.touchers import chosen_touchers

Frames = NDArray[np.intp]
_FIRST = np.zeros(1, np.intp)


@dataclass(frozen=True)
class GraspedHand:
    """A hand laid on what it grips.

    Attributes:
        state: of all frames.
        like: joints as they lie in that way, as evidence in the frames whose picture allows it.
    """

    state: HandState
    like: MeasuredJoints


def with_one_grasp(
    picture: HandPicture, state: HandState, grips: Sequence[Grip], options: GripOptions
) -> GraspedHand:
    """Lay the hand on what it grips in the likeliest way, in those frames whose picture allows it.

    Args:
        picture: of the hand.
        state: of all frames, its distance about right.
        grips: what it grips.
        options: how.
    """
    count, o = len(picture.frames), options.one
    joints, sigma = np.zeros((count, 21, 3)), np.full((count, 21), np.inf)
    for grip in grips:
        for frames in grip.stretches(picture.frames):
            if len(frames) < o.fewest:
                continue
            tried = _laid(picture, state, grip, frames, options)
            before, after = (picture.off(picture.joints_of(s))[frames] for s in (state, tried))
            taken = frames[after <= np.maximum(o.worse * before, o.tolerated)]
            if len(taken) < o.agreeing * len(frames):
                continue
            joints[taken], sigma[taken] = picture.joints_of(tried)[taken], o.like
            angles, places = state.angles.copy(), state.frame_from_hand.copy()
            angles[taken], places[taken] = tried.angles[taken], tried.frame_from_hand[taken]
            state = HandState(tried.shape, angles, places)
    return GraspedHand(state, MeasuredJoints(joints, sigma))


def _laid(
    picture: HandPicture, state: HandState, grip: Grip, frames: Frames, options: GripOptions
) -> HandState:
    """The state with the likeliest way of holding in all of the given frames, which are one grip."""
    chosen = frames[np.unique(np.linspace(0, len(frames) - 1, options.one.sample).round().astype(int))]
    fit = _OneGrasp(picture, grip, chosen, state, options)
    found = min((fit.likeliest(start) for start in fit.starts()), key=lambda s: s.cost)
    poses = grip.thing.camera_from_object[picture.frames[frames]]
    angles, places = state.angles.copy(), state.frame_from_hand.copy()
    angles[frames] = found.angles
    places[frames] = place_of_own(poses @ own_place(found, picture.side), picture.side)
    return HandState(found.shape, angles, places)


class _OneGrasp:
    """Fits one hand at rest on a thing to several frames of a grip.

    States of it are of one frame, in the axes of the thing.

    Args:
        picture: of the hand.
        grip: what it holds.
        chosen: (K,) frames of the hand's own.
        state: where the hand is in all frames, about.
        options: how.
    """

    def __init__(
        self, picture: HandPicture, grip: Grip, chosen: Frames, state: HandState, options: GripOptions
    ) -> None:
        self._picture, self._options = picture.at(chosen), options
        self._about = replace(
            state, angles=state.angles[chosen], frame_from_hand=state.frame_from_hand[chosen]
        )
        self._joints = self._picture.joints_of(self._about)
        self._thing, self._sigma = grip.thing, np.full(1, float(np.median(grip.sigma[chosen])))
        self._poses = grip.thing.camera_from_object[picture.frames[chosen]]
        self._rest = _at_rest(grip.thing)

    def starts(self) -> list[HandState]:
        """The hand as in the frame that most others agree with, turned in depth about its palm in several ways."""
        side, about = self._picture.side, self._about
        k = _usual(transform_points(inverse(self._poses), self._joints))
        own, palm, pose = own_place(about, side)[k], WEIGHTS[PALM] @ self._joints[k], self._poses[k]
        out = []
        for x, y in self._options.one.turns:
            turn = so3_exp(np.radians([x, y, 0.0]))
            place = inverse(pose) @ se3(turn, palm - turn @ palm) @ own
            out.append(HandState(about.shape, about.angles[k][None], place_of_own(place[None], side)))
        return out

    def likeliest(self, state: HandState) -> HandState:
        """The hand from one start, its cost with that of lying on one side only."""
        o = self._options
        fitting = replace(o, fit=_firm(o.fit, o.one))
        for number in range(len(o.contact.gates)):
            state = self._picture.fit(state, self._terms(state, number), (), fitting)
        joints = self._picture.joints_of(state)
        terms = self._terms(state, len(o.contact.gates) - 1)
        cost = sum(0.5 * float((term.residuals(joints) ** 2).sum()) for term in terms)
        one_sided = opposition(joints, self._rest, _FIRST, o.distance)
        return replace(state, cost=cost + o.one.opposed * one_sided)

    def _terms(self, state: HandState, number: int) -> tuple[JointEvidence, ...]:
        o, c, picture = self._options, self._options.contact, self._picture
        joints = picture.joints_of(state)
        points, gripped = probes(joints), np.ones(1, np.bool_)
        near = tangents(self._rest, points, _FIRST)
        touching = chosen_touchers(near, points, gripped, c.gates[number], c.fewest)
        there = carried(joints, self._poses)
        hidden = hidden_by_hand(there, o.picture.hiding)
        hidden |= hidden_by_objects(there, [self._thing], picture.frames, o.picture.hiding)
        likely = np.log(self._joints[:, 0, 2])
        distance = LikelyDistance(likely, np.full(len(likely), o.picture.gripped_distance))
        seen = picture.evidence(there, hidden, distance, number, o)
        weight = min(o.one.alike / len(self._poses), 1.0)
        return (
            *(SeenFrom(self._poses, term, weight) for term in seen),
            NoPenetration(near, c.soft, c.inside * self._sigma),
            ClosedContacts(near, touching, c.touch * self._sigma, c.touch_reach),
        )


def _at_rest(thing: RigidObject) -> RigidObject:
    """The thing in one frame, in which its axes are those of the camera."""
    return replace(thing, track=PoseTrack(np.eye(4)[None], np.ones(1, np.bool_), np.ones(1)))


def _usual(joints: Array) -> int:
    """Index of the frame of joints (K, 21, 3) that most others are nearest to."""
    apart = np.linalg.norm(joints[:, None] - joints[None], axis=-1).mean(-1)
    return int(np.median(apart, axis=1).argmin())


def _firm(fit: FitOptions, one: OneGraspOptions) -> FitOptions:
    """Options of a fit to a sample that tells as much of the shape as ``alike`` frames."""
    share = 1.0 / np.sqrt(one.alike)
    return replace(
        fit,
        iterations=one.iterations,
        scale_sigma=share * fit.scale_sigma,
        length_sigma=share * fit.length_sigma,
        base_sigma=share * fit.base_sigma,
    )
