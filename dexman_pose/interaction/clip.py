"""The hands of a clip solved with what they hold, objects as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.contact.bridging import LEAST_CONFIDENCE, bridge_short_gaps
from dexman_pose.contact.phases import Handling, handling_phases
from dexman_pose.data.doubt import Doubt
from dexman_pose.data.tracks import HandTrack, PoseTrack, RigidObject
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.one_hand import PicturedHand, Solved, as_other, size_told, solved_hand
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.steady.fingering import moved_on
from dexman_pose.interaction.steady.steadied import Carrier, slower
from dexman_pose.interaction.steady.trembling import Trembling
from dexman_pose.threads import cores


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
class Clip:
    """What is known of a clip before hands are fitted to what they hold.

    Attributes:
        objects: by name; they stay as they are.
        hands: by side, as lifted.
        known: what is seen of them.
        times: (T,) seconds.
        options: how.
        trembling: objects whose poses are solved in frames, too, in which they are not valid, and by how much they
            trembled.
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
        each = {
            name: slower(o.phases, noise, roughly[name].mesh.radius, o.steady)
            for name, noise in self.trembling.items()
        }
        return handling_phases(roughly, self.hands, self.times, o.phases, each=each)

    def fit(self) -> GripFit:
        """The hands with what they hold."""
        o, hands, known = self.options, self.hands, self.known
        bridged = {name: self._bridged(name, thing) for name, thing in self.objects.items()}
        handled = self.handled()

        def solved(track: HandTrack) -> Solved:
            hand = known.get(track.side)
            if hand is None:
                return track, {"fit": "none"}
            grips = _grips(hand.picture, self.objects, bridged, handled, o)
            return solved_hand(track, hand, self._fingered(hand, grips), o)

        with ThreadPoolExecutor(workers(len(hands))) as both:
            found = dict(zip(hands, both.map(solved, hands.values())))
        found |= {side: as_other(found[side], hands[side], known[side], found, o) for side in known}
        made = {side: track for side, (track, _) in found.items()}
        report = {side: told for side, (_, told) in found.items()}
        for side in known:
            report[side] = {**report[side], "size": size_told(made[side], report[side]["fit"], o)}
        return GripFit(self.objects, made, tuple(handled), report)

    def carriers(self, found: GripFit) -> list[Carrier]:
        """The hands as they were measured, and as they lie on what they hold."""
        out = []
        for side, hand in self.known.items():
            lifted = self.hands[side]
            information, single = np.zeros((len(lifted), 3, 3)), np.full(len(lifted), np.inf)
            information[hand.picture.frames] = hand.picture.information(self.options)
            single[hand.picture.frames] = hand.picture.single(self.options)
            fitted, known = found.hands[side].joints, bool(found.report)
            if (
                hand.picture.placed is not None
            ):  # joints measured in space lie where they were, whatever they hold
                fitted, known = fitted.copy(), True
                fitted[hand.picture.frames] = hand.picture.joints_of(hand.alone)
            out.append(Carrier(side, lifted.joints, fitted, information, single, known))
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


def _followed(thing: RigidObject) -> RigidObject:
    """The object with doubted poses too: they tell where it is, if not how it is turned."""
    track = thing.track
    if track.doubt is None:
        return thing
    followed = (track.doubt & np.uint16(Doubt.NO_POSE)) == 0
    confidence = np.where(followed & ~track.valid, LEAST_CONFIDENCE, track.confidence)
    return replace(thing, track=PoseTrack(track.camera_from_object, followed, confidence))


def workers(hands: int) -> int:
    """Threads for so many hands."""
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
