"""One hand solved with what it grips: the first way that agrees with its picture, with contact before without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import HandTrack
from dexman_pose.hands.lifting.filling import hold
from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture, bone_lengths, own_place
from dexman_pose.interaction.measures import agreement
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.size import size_sigma, tell_size
from dexman_pose.interaction.solve import fit_to_distance, fit_to_grips
from dexman_pose.interaction.windows import grip_fit, shape_fit, table_fit

Solved = tuple[HandTrack, dict[str, Any]]


@dataclass(frozen=True)
class PicturedHand:
    """A hand fitted to what is seen of it.

    Attributes:
        picture: what is seen.
        alone: the hand model that it says.
    """

    picture: HandPicture
    alone: HandState


def size_told(track: HandTrack, fit: str, o: GripOptions) -> dict[str, Any]:
    """What told the size of a hand, and its relative standard deviation where that is known."""
    if track.scale_source == "contact":
        by = "the other hand" if fit == "shape" else "what it holds"
        return {"by": by, "sigma": round(size_sigma(o.size), 3)}
    if track.scale_source == "hand":
        return {"by": "an average adult's", "sigma": o.size.person}
    return {"by": track.scale_source, "sigma": None}


def as_other(
    own: Solved, lifted: HandTrack, hand: PicturedHand, found: Mapping[str, Solved], o: GripOptions
) -> Solved:
    """A hand that nothing told the size of, with that of the person's other hand, if something told that one's."""
    track, told = own
    sizes = [other.shape for other, _ in found.values() if other.scale_source == "contact"]
    shape = sizes[0] if sizes else None
    if told["fit"] != "picture" or track.scale_source != "hand" or shape is None:
        return own
    state = shape_fit(hand.picture, hand.alone, shape, o)
    after = agreement(hand.picture, hand.picture.joints_of(state), ())
    refused = told["refused"]
    if after.reprojection > max(o.worse * picture_error(hand.picture, hand.alone), o.tolerated):
        return track, {**told, "refused": [*refused, {"fit": "shape", **after.as_dict()}]}
    sized = _track(lifted, hand.picture, state, contact=True)
    return sized, {**told, "fit": "shape", "after": after.as_dict()}


def solved_hand(
    track: HandTrack, hand: PicturedHand, grips: tuple[Grip, ...], o: GripOptions
) -> tuple[HandTrack, dict[str, Any]]:
    """The first that agrees with the picture: with contact, with the distance of contact, alone; or as lifted.

    A thing whose pose is known in hardly any frame of its grip tells nothing: one wrong pose would place the hand and
    tell its size.
    """
    picture, alone = hand.picture, hand.alone
    grips = tuple(grip for grip in grips if grip.gripped.sum() >= o.contact.known)
    before = agreement(picture, picture.joints, grips)
    allowed = max(o.worse * picture_error(picture, alone), o.tolerated)
    refused: list[dict[str, Any]] = []
    for fit, make in _ways(picture, alone, grips, o):
        state = make()
        after = agreement(picture, picture.joints_of(state), grips)
        told: dict[str, Any] = {"before": before.as_dict(), "after": after.as_dict(), "refused": refused}
        if after.reprojection <= allowed:
            measured = fit in {"contact", "distance"} and tell_size(grips)
            return _track(track, picture, state, contact=measured), {"fit": fit, **told}
        refused.append({"fit": fit, **after.as_dict()})
    return track, {"fit": "none", "before": before.as_dict(), "after": before.as_dict(), "refused": refused}


def _ways(
    picture: HandPicture, alone: HandState, grips: tuple[Grip, ...], o: GripOptions
) -> list[tuple[str, Callable[[], HandState]]]:
    """How a hand may be fitted, the best way first."""
    held: list[tuple[str, Callable[[], HandState]]] = []
    if grips:
        held.append(("contact", lambda: grip_fit(fit_to_grips, picture, alone, grips, o)))
    if grips and picture.placed is None:  # a distance that was measured is not looked for
        held.append(("distance", lambda: grip_fit(fit_to_distance, picture, alone, grips, o)))
    return [*held, ("picture", lambda: table_fit(picture, alone, o))]


def picture_error(picture: HandPicture, state: HandState) -> float:
    """Palm lengths as seen, median distance of a state's joints from their landmarks."""
    return float(np.median(picture.off(picture.joints_of(state))))


def _track(track: HandTrack, picture: HandPicture, state: HandState, *, contact: bool) -> HandTrack:
    """The lifted track with the joints of a state."""
    joints = picture.joints_of(state)
    return replace(
        track,
        joints=_spread(joints, track.valid),
        bone_lengths=np.concatenate([[0.0], bone_lengths(joints)]),
        scale_source="contact" if contact and track.scale_source == "hand" else track.scale_source,
        camera_from_wrist=_spread(own_place(state, track.side), track.valid),
        angles=_spread(state.angles, track.valid),
        shape=state.shape,
    )


def _spread(values: Array, valid: NDArray[np.bool_]) -> Array:
    """(T, ...) of values (V, ...) in the valid frames; the others hold the nearest."""
    out = np.zeros((len(valid), *values.shape[1:]))
    out[valid] = values
    return hold(out, valid)
