"""One hand fitted to its picture and to what it grips, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.model.fit import MeasuredJoints
from dexman_pose.hands.model.system import HandState, JointEvidence
from dexman_pose.interaction.above_table import table_misfit
from dexman_pose.interaction.along_sight import (
    Grip,
    grip_misfit,
    likely_change,
    likely_course,
    tried_changes,
)
from dexman_pose.interaction.hand_picture import HandPicture, own_place
from dexman_pose.interaction.hidden import hidden_by_hand, hidden_by_objects
from dexman_pose.interaction.one_grasp import with_one_grasp
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.probes import probes
from dexman_pose.interaction.same_grasp import with_same_grasp
from dexman_pose.interaction.size import size_change, tell_size
from dexman_pose.interaction.skin import Skin
from dexman_pose.interaction.surface import tangents
from dexman_pose.interaction.terms import ClosedContacts, NoPenetration, no_slip
from dexman_pose.interaction.touchers import chosen_touchers


@dataclass(frozen=True)
class _Grasp:
    """What a hand grips, and by how much that has changed its distance.

    Attributes:
        grips: by object.
        change: (T,) of the logarithm of the distance.
    """

    grips: tuple[Grip, ...]
    change: Array

    @property
    def gripped(self) -> NDArray[np.bool_]:
        """(T,) frames in which it grips anything."""
        out: NDArray[np.bool_] = np.any([grip.gripped for grip in self.grips], axis=0)
        return out


def fit_to_picture(picture: HandPicture, options: GripOptions) -> HandState:
    """The hand model that the picture alone says."""
    state = picture.begin(options)
    for number in range(options.rounds):
        joints = picture.joints_of(state)
        hidden = hidden_by_hand(joints, options.picture.hiding)
        terms = picture.evidence(joints, hidden, picture.distance(options), number + 1, options)
        state = picture.fit(state, terms, (picture.path(options),), options)
    return state


def fit_to_grips(
    picture: HandPicture, alone: HandState, grips: Sequence[Grip], options: GripOptions
) -> HandState:
    """The hand model that the picture and what the hand grips say together.

    Args:
        picture: of the hand.
        alone: what the picture alone says.
        grips: at least one.
        options: how.
    """
    if picture.placed is not None:
        return _fit_placed(picture, alone, grips, options)
    misfit = grip_misfit(picture.joints_of(alone), grips, picture.frames, options.distance)
    misfit += _below(picture, alone, options)
    grasp = _Grasp(tuple(grips), likely_course(misfit, picture.frames, options.distance))
    laid = with_one_grasp(picture, _moved(alone, grasp, options), grips, options)
    grasp, state = _sized(picture, laid.state, grasp, misfit, options)
    for number in range(len(options.contact.gates)):
        state = _round(picture, state, grasp, laid.like, number, options)
        if number == 0:
            state = with_same_grasp(picture, state, grips, options.grasp)
    return _skin_outside(picture, state, grasp, laid.like, options)


def _fit_placed(
    picture: HandPicture, alone: HandState, grips: Sequence[Grip], options: GripOptions
) -> HandState:
    """The same of a hand whose joints were measured in space: its distance and turn are known well enough."""
    count = len(picture.frames)
    nothing = MeasuredJoints(np.zeros((count, 21, 3)), np.full((count, 21), np.inf))
    grasp, state = _Grasp(tuple(grips), np.zeros(count)), alone
    for number in range(len(options.contact.gates)):
        state = _round(picture, state, grasp, nothing, number, options)
    return _skin_outside(picture, state, grasp, nothing, options)


def fit_to_distance(
    picture: HandPicture, alone: HandState, grips: Sequence[Grip], options: GripOptions
) -> HandState:
    """The hand model that the picture says at the distance at which the hand fits what it grips, see fit_to_grips."""
    change = likely_change(picture.joints_of(alone), grips, picture.frames, options.distance)
    grasp = _Grasp(tuple(grips), change)
    state = _moved(alone, grasp, options)
    joints = picture.joints_of(state)
    hidden = hidden_by_hand(joints, options.picture.hiding)
    distance = picture.distance(options, change, grasp.gripped, options.picture.found_distance)
    last = len(options.picture.landmark_reach)
    terms = picture.evidence(joints, hidden, distance, last, options)
    return picture.fit(state, terms, (picture.path(options),), options)


def fit_above_table(picture: HandPicture, alone: HandState, options: GripOptions) -> HandState:
    """The hand model that the picture and the table say, the same as the picture alone where that is above it."""
    below = _below(picture, alone, options)
    change = likely_course(below, picture.frames, options.distance)
    return _shifted(picture, alone, change, options) if change.any() else alone


def fit_to_shape(picture: HandPicture, alone: HandState, shape: Array, options: GripOptions) -> HandState:
    """The hand model that the picture says of a hand whose shape is known, by what the person's other hand holds.

    Args:
        picture: of the hand.
        alone: what the picture says of it, its shape unknown.
        shape: (S,) in the order of ``SHAPE_NAMES``.
        options: how.
    """
    known = replace(options, fit=replace(options.fit, shape=tuple(shape.tolist())))
    shaped = replace(alone, shape=shape)
    usual = size_change(picture, shaped, options.size)
    below = _below(picture, alone, options)
    change = likely_course(below, picture.frames, options.distance, usual)
    return _shifted(picture, shaped, change, known, sized=True)


def _shifted(
    picture: HandPicture, state: HandState, change: Array, options: GripOptions, *, sized: bool = False
) -> HandState:
    """The hand model that the picture says at distances changed by (T,) in their logarithm."""
    places = state.frame_from_hand.copy()
    places[:, :3, 3] *= np.exp(change)[:, None]
    moved = replace(state, frame_from_hand=places)
    joints = picture.joints_of(moved)
    hidden = hidden_by_hand(joints, options.picture.hiding)
    distance = picture.distance(options, change, sized=sized)
    last = len(options.picture.landmark_reach)
    terms = picture.evidence(joints, hidden, distance, last, options)
    return picture.fit(moved, terms, (picture.path(options),), options)


def _below(picture: HandPicture, state: HandState, o: GripOptions) -> Array:
    """(T, S) how badly the hand lies above the table at every factor tried; 0 where there is none."""
    tried = tried_changes(o.distance)
    if picture.table is None:
        return np.zeros((len(picture.frames), len(tried)))
    return table_misfit(picture.joints_of(state), picture.table, tried, o.table)


def _sized(
    picture: HandPicture, state: HandState, grasp: _Grasp, misfit: Array, o: GripOptions
) -> tuple[_Grasp, HandState]:
    """What it grips tells the hand's size, which tells its distance in the frames in which it grips nothing."""
    if picture.sized or not tell_size(grasp.grips):
        return grasp, state
    usual = size_change(picture, state, o.size)
    change = likely_course(misfit, picture.frames, o.distance, usual)
    free, places = ~grasp.gripped, state.frame_from_hand.copy()
    places[free, :3, 3] *= np.exp(change - grasp.change)[free, None]
    return replace(grasp, change=change), replace(state, frame_from_hand=places)


def _moved(state: HandState, grasp: _Grasp, o: GripOptions) -> HandState:
    """The hand larger by a share of the middle of the change of distance, and moved by the change itself.

    Where its shape is known, it has that.
    """
    places = state.frame_from_hand.copy()
    places[:, :3, 3] *= np.exp(grasp.change)[:, None]
    shape = state.shape.copy()
    shape[0] += o.distance.size * float(np.median(grasp.change[grasp.gripped]))
    shape = shape if o.fit.shape is None else np.array(o.fit.shape)
    return replace(state, shape=shape, frame_from_hand=places)


def _skin_outside(
    picture: HandPicture, state: HandState, grasp: _Grasp, like: MeasuredJoints, options: GripOptions
) -> HandState:
    """The state with its skin outside of what it grips, where it lies deep inside by what balls about its bones say."""
    c, last = options.contact, len(options.contact.gates) - 1
    for _ in range(c.skin_rounds):
        skin = Skin.of(picture.side, state.shape, c.skin)
        places = own_place(state, picture.side)
        gaps = [skin.gaps(state.angles, places, grip.thing, picture.frames) for grip in grasp.grips]
        deep = [
            -gap.min(1)[grip.gripped & grip.thing.valid[picture.frames]]
            for gap, grip in zip(gaps, grasp.grips)
        ]
        known = np.concatenate(deep)
        if not len(known) or known.max() < c.deep:
            break
        state = _round(picture, state, grasp, like, last, options, gaps)
    return state


def _round(
    picture: HandPicture,
    state: HandState,
    grasp: _Grasp,
    like: MeasuredJoints,
    number: int,
    options: GripOptions,
    skin: Sequence[Array] | None = None,
) -> HandState:
    """The surface is measured, fingers are chosen that touch, and the hand is fitted.

    ``skin``: for each grip (T, 42), the least distance of the skin around each probe; None where balls do.
    """
    c = options.contact
    joints = picture.joints_of(state)
    points = probes(joints)
    sigma, sized = options.picture.gripped_distance, tell_size(grasp.grips)
    distance = picture.distance(options, grasp.change, grasp.gripped, sigma, sized=sized)
    hiding = options.picture.hiding
    hidden = hidden_by_hand(joints, hiding)
    hidden |= hidden_by_objects(joints, [grip.thing for grip in grasp.grips], picture.frames, hiding)
    terms: list[JointEvidence] = [*picture.evidence(joints, hidden, distance, number, options), like]
    paths = [picture.path(options)]
    for k, grip in enumerate(grasp.grips):
        near = tangents(grip.thing, points, picture.frames)
        touching = chosen_touchers(near, points, grip.gripped, c.gates[number], c.fewest)
        terms.append(NoPenetration(near, c.soft, c.inside * grip.sigma))
        if skin is not None:  # where it is known, the skin lies this far from a probe
            radii = np.where(np.isfinite(skin[k]), near.distance - skin[k], -np.inf)
            terms.append(NoPenetration(near, c.skin_soft, c.skin_inside * grip.sigma, radii))
        terms.append(ClosedContacts(near, touching, c.touch * grip.sigma, c.touch_reach))
        both = grip.gripped[1:] & grip.gripped[:-1] & picture.following
        poses = grip.thing.camera_from_object[picture.frames]
        slip, bend = c.slip * grip.sigma, c.bend * grip.sigma
        paths.append(no_slip(poses, both, touching, slip, bend, grip.moved))
    return picture.fit(state, tuple(terms), tuple(paths), options)
