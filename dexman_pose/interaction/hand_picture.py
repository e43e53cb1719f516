"""What the picture says of one hand over a clip, ready for the fit: its evidence, its path, and where to begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import SIDES, HandObservations, HandTrack
from dexman_pose.data.world.table import TablePlane
from dexman_pose.hands.lifting.bones import bone_vectors
from dexman_pose.hands.lifting.observation import seen_hand
from dexman_pose.hands.model.evidence import (
    MARKS,
    MIRROR,
    BoneDirections,
    LikelyDistance,
    Mirrored,
    Reprojection,
    Together,
)
from dexman_pose.hands.model.fit import fit_evidence, fit_joints
from dexman_pose.hands.model.kinematics import hand_joints
from dexman_pose.hands.model.paths import JointPath
from dexman_pose.hands.model.system import HandState, JointEvidence
from dexman_pose.interaction.above_table import no_flesh_below
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.terms import steady

_SIZED = ("depth", "given")
PALM_BONES: tuple[int, ...] = (0, 4, 8, 12, 16)
"""Bones from the wrist to the first joints of the fingers, of the 20."""


class PlacedEvidence(JointEvidence, Protocol):
    """What measurements in space say of the joints of a hand."""

    @property
    def single(self) -> Array:
        """(T,) metres along an axis, by which a joint is off for itself."""
        ...

    @property
    def information(self) -> Array:
        """(T, 3, 3) of where the hand is as a whole, one over square metres."""
        ...

    def at(self, chosen: NDArray[np.intp]) -> PlacedEvidence:
        """In some of the frames, rising indices."""
        ...


@dataclass(frozen=True)
class HandPicture:
    """One hand in the T frames in which it is known.

    Attributes:
        side: of the hand.
        frames: (T,) their indices in the clip.
        joints: (T, 21, 3) as lifted, camera frame, metres.
        rays: (T, 21, 2) x/z and y/z of the landmarks.
        size: (T,) palm length as seen, in the same unit.
        trust: (T,) factor on the error of landmarks.
        directions: (T, 20, 3) of the bones as the detector guesses them.
        guess_sigma: (T,) metres, error of that across a bone.
        measured: whether the distance was measured.
        sized: whether the size of the hand is known.
        step: seconds between two frames.
        table: that hands are above of; None where it is not known.
        placed: evidence of joints that were measured in space, in place of the picture's; None where there is none.
    """

    side: str
    frames: NDArray[np.intp]
    joints: Array
    rays: Array
    size: Array
    trust: Array
    directions: Array
    guess_sigma: Array
    measured: bool
    sized: bool
    step: float
    table: TablePlane | None = None
    placed: PlacedEvidence | None = None

    @classmethod
    def of(
        cls, track: HandTrack, seen: HandObservations, camera: Camera, times: Array, options: GripOptions
    ) -> HandPicture:
        """Of a lifted hand and what it was lifted from."""
        o, frames, k = options.picture, np.flatnonzero(track.valid), SIDES.index(track.side)
        look = seen_hand(seen.joints_2d[frames, k], seen.joints_local[frames, k], camera)
        joints = track.joints[frames]
        off = np.median(np.linalg.norm(joints[..., :2] / joints[..., 2:] - look.rays, axis=-1), axis=1)
        unsure = 1.0 + (o.unsure - 1.0) * (1.0 - np.clip(seen.score[frames, k], 0.0, 1.0))
        return cls(
            track.side,
            frames,
            joints,
            look.rays,
            look.size,
            np.where(track.bridged[frames], o.bridged, unsure),
            look.directions,
            o.guess * np.maximum(1.0, off / look.size / o.usual_off),
            track.scale_source == "depth",
            track.scale_source in _SIZED,
            float(np.median(np.diff(times))) if len(times) > 1 else 1.0,
        )

    @property
    def following(self) -> NDArray[np.bool_]:
        """(T - 1,) whether a frame is followed by the next one of the clip."""
        out: NDArray[np.bool_] = np.diff(self.frames) == 1
        return out

    def at(self, chosen: NDArray[np.intp]) -> HandPicture:
        """In some of its frames, rising indices."""
        names = ("frames", "joints", "rays", "size", "trust", "directions", "guess_sigma")
        placed = None if self.placed is None else self.placed.at(chosen)
        return replace(self, **{name: getattr(self, name)[chosen] for name in names}, placed=placed)

    def evidence(
        self,
        joints: Array,
        hidden: NDArray[np.bool_],
        distance: LikelyDistance,
        number: int,
        options: GripOptions,
    ) -> tuple[JointEvidence, ...]:
        """What the picture says, and the table.

        The detector's own shape is turned as the hand is: it knows how fingers are bent better than where the whole
        hand points.

        Args:
            joints: (T, 21, 3) about where the hand is.
            hidden: (T, 21) joints that cannot be seen from there.
            distance: of the hand.
            number: of the round, from 0.
            options: how much each counts.
        """
        above = () if self.table is None else (no_flesh_below(joints, self.table, options.table),)
        if self.placed is not None:
            return (self.placed, *above)
        o = options.picture
        blind = np.where(hidden, o.hidden, 1.0)
        sigma = (o.landmark * self.size * self.trust)[:, None] * blind
        bones = bone_vectors(joints)
        guess = self.directions * np.linalg.norm(bones, axis=-1, keepdims=True)
        turned = guess @ np.swapaxes(turn_onto(guess, bones), 1, 2)
        spread = self.guess_sigma[:, None] * blind[:, 1:]
        palm = np.where(np.isin(np.arange(20), PALM_BONES), o.turn / o.guess, np.inf)
        return (
            Reprojection(self.rays, sigma, o.landmark_reach[min(number, len(o.landmark_reach) - 1)]),
            BoneDirections(turned, spread, o.guess_reach),
            BoneDirections(guess, self.guess_sigma[:, None] * palm, o.guess_reach),
            distance,
            *above,
        )

    def distance(
        self,
        options: GripOptions,
        change: Array | None = None,
        gripped: NDArray[np.bool_] | None = None,
        sigma: float = 0.0,
        *,
        sized: bool = False,
    ) -> LikelyDistance:
        """The distance as lifted; or changed by (T,) in its logarithm, as sure as ``sigma`` in the frames of a grip.

        Args:
            options: how sure distances are.
            change: (T,) of the logarithm, None for none.
            gripped: (T,) frames of a grip, None for none.
            sigma: of the logarithm in these.
            sized: whether the hand's size and shape are known, so that landmarks tell its distance themselves.
        """
        o, count = options.picture, len(self.frames)
        if self.placed is not None:  # says it itself
            return LikelyDistance(np.log(self.joints[:, 0, 2]), np.full(count, np.inf))
        lifted = o.sized_distance if sized else o.distance
        spread = np.full(count, o.measured_distance if self.measured else lifted)
        if gripped is not None and not self.measured:
            spread[gripped] = sigma
        log_depth = np.log(self.joints[:, 0, 2]) + (0.0 if change is None else change)
        return LikelyDistance(log_depth, spread)

    def information(self, options: GripOptions) -> Array:
        """(T, 3, 3) of where the hand is as a whole, one over square metres: less along the line of sight."""
        if self.placed is not None:
            return self.placed.information
        o, middle = options.picture, self.joints.mean(1)
        away = np.linalg.norm(middle, axis=1)
        ray = middle / away[:, None]
        relative = o.measured_distance if self.measured else options.distance.spread
        across = o.landmark * self.size * middle[:, 2] * self.trust
        along = np.hypot(relative * away, across)
        outer = ray[:, :, None] * ray[:, None, :]
        weak, strong = along[:, None, None] ** -2.0, across[:, None, None] ** -2.0
        out: Array = strong * (np.eye(3) - outer) + weak * outer
        return out

    def single(self, options: GripOptions) -> Array:
        """(T,) metres along an axis, by which a joint is off for itself."""
        if self.placed is not None:
            return self.placed.single
        out: Array = options.picture.landmark * self.size * self.joints[:, :, 2].mean(1) * self.trust
        return out

    def path(self, options: GripOptions) -> JointPath:
        """The hand moves steadily."""
        sigma = options.picture.acceleration if self.placed is None else options.placed.acceleration
        return steady(self.following, sigma * self.step**2)

    def begin(self, options: GripOptions) -> HandState:
        """The hand model laid on the lifted joints."""
        found = fit_joints(
            self.joints, self.side, sigma=options.first, options=replace(options.fit, iterations=20)
        )
        state = HandState(found.shape, found.angles, found.frame_from_hand)
        return replace(state, frame_from_hand=place_of_own(state.frame_from_hand, self.side))

    def fit(
        self,
        state: HandState,
        terms: tuple[JointEvidence, ...],
        paths: tuple[JointPath, ...],
        options: GripOptions,
    ) -> HandState:
        """The state after a fit to terms about the hand's own joints."""
        together: JointEvidence = Together(terms)
        if self.side == "left":
            together = Mirrored(together)
            paths = tuple(_mirrored_path(path) for path in paths)
        return fit_evidence(together, state, options.fit, paths)

    def joints_of(self, state: HandState) -> Array:
        """(T, 21, 3) joints of a state, camera frame."""
        found = hand_joints(state.shape, state.angles, state.frame_from_hand)
        return found * MIRROR if self.side == "left" else found

    def off(self, joints: Array) -> Array:
        """(T,) median distance of joints from where they were seen, palm lengths as seen."""
        marks = MARKS @ joints
        seen = marks[..., :2] / marks[..., 2:]
        return np.asarray(np.median(np.linalg.norm(seen - self.rays, axis=-1), axis=1) / self.size)


def turn_onto(guess: Array, bones: Array) -> Array:
    """(T, 3, 3) rotations that lay the palm of guessed bones (T, 20, 3) on that of others."""
    chosen = list(PALM_BONES)
    u, _, vt = np.linalg.svd(np.swapaxes(bones[:, chosen], 1, 2) @ guess[:, chosen])
    sign = np.linalg.det(u @ vt)
    u[..., -1] *= sign[:, None]
    out: Array = u @ vt
    return out


def bone_lengths(joints: Array) -> Array:
    """(20,) metres, of joints (T, 21, 3) of one hand."""
    out: Array = np.linalg.norm(bone_vectors(joints[0]), axis=-1)
    return out


def place_of_own(places: Array, side: str) -> Array:
    """(T, 4, 4) places of the right hand that stands for one of a side, and the other way round."""
    if side == "right":
        return places
    out: Array = np.diag([*MIRROR, 1.0]) @ places @ np.diag([1.0, -1.0, 1.0, 1.0])
    return out


def own_place(state: HandState, side: str) -> Array:
    """(T, 4, 4) camera_from_wrist of a state: the frame of the hand model of this side."""
    return place_of_own(state.frame_from_hand, side)


def _mirrored_path(path: JointPath) -> JointPath:
    """The same differences, asked about the mirror image."""
    return replace(path, frame_from_joints=path.frame_from_joints @ np.diag([*MIRROR, 1.0]))
