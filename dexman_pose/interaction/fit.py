"""Hands and the objects they hold solved together over a clip: objects stay, hands move to where they touch them.

The pictures of objects with known shape tell their poses to about a millimetre; a hand's distance is known to a tenth.
So objects are the anchor, and of the hands the picture keeps what it tells: where joints are seen across the line of
sight. A result that disagrees with the picture is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.bridging import LEAST_CONFIDENCE, bridge_short_gaps
from dexman_pose.contact.phases import Handling, handling_phases
from dexman_pose.data.camera import Camera
from dexman_pose.data.doubt import Doubt
from dexman_pose.data.tracks import HandObservations, HandTrack, PoseTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.hands.lifting.filling import hold
from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.above_table import sure_table
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.steady.fingering import moved_on
from dexman_pose.interaction.hand_picture import HandPicture, bone_lengths, own_place
from dexman_pose.interaction.measures import agreement
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.placed import placed_hand
from dexman_pose.interaction.size import size_sigma, tell_size
from dexman_pose.interaction.solve import fit_to_distance, fit_to_grips
from dexman_pose.interaction.steady.steadied import Carrier, SteadiedObjects, slower
from dexman_pose.interaction.steady.trembling import Trembling
from dexman_pose.interaction.windows import grip_fit, picture_fit, shape_fit, table_fit
from dexman_pose.threads import cores

_SMALLEST_CLIP = 3  # frames: in fewer nothing moves


Solved = tuple[HandTrack, dict[str, Any]]


@dataclass(frozen=True)
class GripFit:
    """Hands as they were solved with what they hold.

    Attributes:
        objects: by name; as they were but for those whose tracks tremble.
        hands: by side.
        handled: who holds what, and when.
        report: per hand what was done, and its agreement with picture and objects before and after, as plain values.
    """

    objects: dict[str, RigidObject]
    hands: dict[str, HandTrack]
    handled: tuple[Handling, ...]
    report: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class PicturedHand:
    """A hand fitted to what is seen of it.

    Attributes:
        picture: what is seen.
        alone: the hand model that it says.
    """

    picture: HandPicture
    alone: HandState


def picture_hands(
    hands: Mapping[str, HandTrack],
    observations: HandObservations,
    camera: Camera,
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    beside: bool = True,
) -> dict[str, PicturedHand]:
    """Fit hands to their pictures, whatever they hold; those that are hardly seen are left out.

    Args:
        hands: by side, as lifted from ``observations``.
        observations: what a detector saw of them.
        camera: intrinsics, without a lens.
        frame_times: (T,) seconds.
        options: how.
        beside: each hand on a thread of its own, where there are cores for it.
    """
    o = options or GripOptions()
    times = np.asarray(frame_times, np.float64)
    seen = {side: track for side, track in hands.items() if track.valid.sum() >= _SMALLEST_CLIP}

    def pictured(track: HandTrack) -> PicturedHand:
        picture = HandPicture.of(track, observations, camera, times, o)
        return PicturedHand(picture, picture_fit(picture, o))

    with ThreadPoolExecutor(_workers(len(seen)) if beside else 1) as both:  # hands know nothing of each other
        return dict(zip(seen, both.map(pictured, seen.values())))


def fit_grips(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    observations: HandObservations,
    camera: Camera,
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    table: TablePlane | None = None,
    pictured: Mapping[str, PicturedHand] | None = None,
) -> GripFit:
    """Solve hands together with the objects they hold.

    Args:
        objects: by name; those stay as they are whose tracks do not tremble.
        hands: by side, as lifted from ``observations``.
        observations: what a detector saw of them.
        camera: intrinsics, without a lens.
        frame_times: (T,) seconds.
        options: how.
        table: that hands are above of; None where it is not known.
        pictured: the hands as :func:`picture_hands` makes them of the same; None to do that here.
    """
    o = options or GripOptions()
    times = np.asarray(frame_times, np.float64)
    alone = picture_hands(hands, observations, camera, times, o) if pictured is None else pictured
    return fit_pictured(objects, hands, alone, times, o, table=table)


def fit_pictured(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    pictured: Mapping[str, PicturedHand],
    times: Array,
    o: GripOptions,
    *,
    table: TablePlane | None = None,
) -> GripFit:
    """The same of hands that were fitted to what is seen of them; arguments as for :func:`fit_grips`."""
    known = {side: _on_table(hand, table, o) for side, hand in pictured.items()}
    steadied = SteadiedObjects(objects, times, table, o.steady)
    if not steadied.trembling:
        return _Clip(dict(objects), hands, known, times, o).fit()
    rough = replace(o, contact=replace(o.contact, skin_rounds=0))
    clip = _Clip(steadied.alone(), hands, known, times, rough, steadied.trembling)
    found = GripFit(clip.objects, dict(hands), tuple(clip.handled()), {})
    for number in range(o.steady.rounds):
        things = steadied.carried(clip.objects, found.handled, clip.carriers(found))
        clip = replace(clip, objects=things, options=rough if number + 1 < o.steady.rounds else o)
        found = clip.fit()
    return found


def fit_placed(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    table: TablePlane | None = None,
    sigma: float | None = None,
) -> GripFit:
    """Solve hands whose joints were measured in space together with the objects they hold; as :func:`fit_grips`.

    Args:
        objects: by name; those stay as they are whose tracks do not tremble.
        hands: by side; bridged frames count less.
        frame_times: (T,) seconds.
        options: how.
        table: that hands are above of; None where it is not known.
        sigma: metres, standard deviation of a joint along an axis; left out, it is told by how much joints tremble.
    """
    o, times = options or GripOptions(), np.asarray(frame_times, np.float64)
    seen = {side: track for side, track in hands.items() if track.valid.sum() >= _SMALLEST_CLIP}
    pictured = {}
    for side, track in seen.items():
        picture = placed_hand(track, times, o, sigma=sigma)
        pictured[side] = PicturedHand(picture, picture_fit(picture, o))
    return fit_pictured(objects, hands, pictured, times, o, table=table)


@dataclass(frozen=True)
class _Clip:
    """What is known of a clip before hands are fitted to what they hold.

    Attributes:
        objects: by name; they stay as they are.
        hands: by side, as lifted.
        known: what is seen of them.
        times: (T,) seconds.
        options: how.
        trembling: objects whose poses are solved in frames, too, in which they are not valid; by how much they trembled.
    """

    objects: dict[str, RigidObject]
    hands: Mapping[str, HandTrack]
    known: Mapping[str, PicturedHand]
    times: Array
    options: GripOptions
    trembling: Mapping[str, Trembling] = field(default_factory=dict)

    def handled(self) -> list[Handling]:
        """Who holds what, and when."""
        o = self.options
        roughly = {name: self._bridged(name, _followed(thing)) for name, thing in self.objects.items()}
        out = []
        for name, thing in roughly.items():
            noise = self.trembling.get(name)
            phases = o.phases if noise is None else slower(o.phases, noise, thing.mesh.radius, o.steady)
            out += handling_phases({name: thing}, self.hands, self.times, phases)
        return out

    def fit(self) -> GripFit:
        """The hands with what they hold."""
        o, hands, known = self.options, self.hands, self.known
        bridged = {name: self._bridged(name, thing) for name, thing in self.objects.items()}
        handled = self.handled()

        def solved(track: HandTrack) -> tuple[HandTrack, dict[str, Any]]:
            hand = known.get(track.side)
            if hand is None:
                return track, {"fit": "none"}
            grips = _grips(hand.picture, self.objects, bridged, handled, o)
            return _solved(track, hand, self._fingered(hand, grips), o)

        with ThreadPoolExecutor(_workers(len(hands))) as both:
            found = dict(zip(hands, both.map(solved, hands.values())))
        found |= {side: _as_other(found[side], hands[side], known[side], found, o) for side in known}
        made = {side: track for side, (track, _) in found.items()}
        report = {side: told for side, (_, told) in found.items()}
        for side in known:
            report[side] = {**report[side], "size": _size_told(made[side], report[side]["fit"], o)}
        return GripFit(self.objects, made, tuple(handled), report)

    def carriers(self, found: GripFit) -> list[Carrier]:
        """The hands as they were measured, and as they lie on what they hold."""
        out = []
        for side, hand in self.known.items():
            lifted = self.hands[side]
            information, single = np.zeros((len(lifted), 3, 3)), np.full(len(lifted), np.inf)
            information[hand.picture.frames] = hand.picture.information(self.options)
            single[hand.picture.frames] = hand.picture.single(self.options)
            out.append(Carrier(side, lifted.joints, found.hands[side].joints, information, single))
        return out

    def _fingered(self, hand: PicturedHand, grips: tuple[Grip, ...]) -> tuple[Grip, ...]:
        """Grips with how joints plainly move on what is gripped, where they were measured in space."""
        picture, still = hand.picture, Trembling(0.0, 0.0)
        if picture.placed is None:
            return grips
        joints, single = picture.joints_of(hand.alone), picture.single(self.options)
        moved = [
            moved_on(
                grip.thing,
                joints,
                picture.frames,
                single,
                self.trembling.get(grip.thing.name, still),
                picture.step,
                self.options.steady,
            )
            for grip in grips
        ]
        return tuple(replace(grip, moved=m) for grip, m in zip(grips, moved))

    def _bridged(self, name: str, thing: RigidObject) -> RigidObject:
        """The object with poses in short gaps of its track."""
        out = bridge_short_gaps(thing, self.times, self.options.bridged)
        if name not in self.trembling:
            return out
        return replace(out, track=replace(out.track, camera_from_object=thing.camera_from_object))


def _size_told(track: HandTrack, fit: str, o: GripOptions) -> dict[str, Any]:
    """What told the size of a hand, and its relative standard deviation where that is known."""
    if track.scale_source == "contact":
        by = "the other hand" if fit == "shape" else "what it holds"
        return {"by": by, "sigma": round(size_sigma(o.size), 3)}
    if track.scale_source == "hand":
        return {"by": "an average adult's", "sigma": o.size.person}
    return {"by": track.scale_source, "sigma": None}


def _on_table(hand: PicturedHand, table: TablePlane | None, o: GripOptions) -> PicturedHand:
    sure = sure_table(table, hand.picture.joints, o.table)
    return PicturedHand(replace(hand.picture, table=sure), hand.alone)


def _as_other(
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


def _followed(thing: RigidObject) -> RigidObject:
    """The object with doubted poses too: they tell where it is, if not how it is turned."""
    track = thing.track
    if track.doubt is None:
        return thing
    followed = (track.doubt & np.uint16(Doubt.NO_POSE)) == 0
    confidence = np.where(followed & ~track.valid, LEAST_CONFIDENCE, track.confidence)
    return replace(thing, track=PoseTrack(track.camera_from_object, followed, confidence))


def _workers(hands: int) -> int:
    return min(max(hands, 1), cores())


def _grips(
    picture: HandPicture,
    objects: Mapping[str, RigidObject],
    bridged: Mapping[str, RigidObject],
    handled: Sequence[Handling],
    o: GripOptions,
) -> tuple[Grip, ...]:
    """What the hand grips, in its own frames."""
    out = []
    for h in handled:
        thing, frames = bridged[h.name], picture.frames
        gripped = h.gripped[frames] & thing.valid[frames]
        if h.side == picture.side and gripped.any():
            made = 1.0 if thing.mesh.source == "file" else o.contact.made
            sure = objects[h.name].valid[frames]
            out.append(Grip(thing, gripped, made * np.where(sure, 1.0, o.contact.bridged)))
    return tuple(out)


def _solved(
    track: HandTrack, hand: PicturedHand, grips: tuple[Grip, ...], o: GripOptions
) -> tuple[HandTrack, dict[str, Any]]:
    """The first that agrees with the picture: with contact, with the distance of contact, alone; or as lifted."""
    picture, alone = hand.picture, hand.alone
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
