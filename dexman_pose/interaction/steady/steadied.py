"""Objects whose tracks tremble, solved over the whole clip with what holds them: steady motion, the table, the hand.

Where a track is steady, its picture told its poses better than anything here, and it stays as it is. Where poses
tremble by millimetres and degrees, each is a measurement with that much noise, and as much again that changes slowly
and does not show. What carries an object, and what it stands on, tell of both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.contact.phases import Handling, PhaseOptions
from dexman_pose.data.tracks import PoseTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.hands.model.quadratic import FINGERS
from dexman_pose.interaction.options import ContactOptions, SteadyOptions
from dexman_pose.interaction.steady.at_once import Known, solve_at_once
from dexman_pose.interaction.steady.fingering import moved_on
from dexman_pose.interaction.steady.resting import Resting, known_standing, standing
from dexman_pose.interaction.steady.riding import Measured, Ride, ride
from dexman_pose.interaction.steady.touched import Touch, TouchedObject
from dexman_pose.interaction.steady.trembling import Trembling, trembling_object
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.scene.stillness import mean_pose

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Carrier:
    """A hand as it was measured, and as it lies on what it holds.

    Attributes:
        side: of the hand.
        measured: (T, 21, 3) joints, camera frame, metres.
        fitted: (T, 21, 3) joints, smooth: without regard to what it holds where they were measured in space,
            otherwise as it lies on that.
        information: (T, 3, 3) of a frame's measurement as a whole, one over square metres; 0 where there is none.
        single: (T,) metres along an axis, by which a joint is off for itself.
        touches: whether it is known how its skin lies on what it holds.
    """

    side: str
    measured: Array
    fitted: Array
    information: Array
    single: Array
    touches: bool = False

    def within(self, every: slice) -> Carrier:
        """In some of the frames."""
        return replace(
            self,
            measured=self.measured[every],
            fitted=self.fitted[every],
            information=self.information[every],
            single=self.single[every],
        )


class SteadiedObjects:
    """The objects of a clip whose tracks tremble.

    Args:
        objects: by name, as tracked.
        times: (T,) seconds.
        table: that objects stand on; None where it is not known.
        options: how.
        contact: what touches are worth.
        fixed: names of objects that stay as they are.

    Attributes:
        trembling: by how much, of each of those that do.
    """

    def __init__(
        self,
        objects: Mapping[str, RigidObject],
        times: Array,
        table: TablePlane | None,
        options: SteadyOptions,
        contact: ContactOptions,
        fixed: Collection[str] = (),
    ) -> None:
        self._tracked, self._times, self._table, self._options = dict(objects), times, table, options
        self._contact = contact
        found = {name: trembling_object(thing) for name, thing in objects.items() if name not in fixed}
        self.trembling: dict[str, Trembling] = {
            name: t for name, t in found.items() if t.shift > options.shift or t.turn > options.turn
        }

    def alone(self) -> dict[str, RigidObject]:
        """All objects, those that tremble smoothed."""
        return {**self._tracked, **{name: self._smoothed(name) for name in self.trembling}}

    def carried(
        self, objects: Mapping[str, RigidObject], handled: Sequence[Handling], carriers: Sequence[Carrier]
    ) -> dict[str, RigidObject]:
        """All objects, those that tremble solved with the hands that carry them and the table they stand on.

        Args:
            objects: as they are known so far.
            handled: who holds what.
            carriers: the hands.
        """
        out = dict(objects)
        for name in self.trembling:
            holds = [
                (np.flatnonzero(h.gripped & np.isfinite(c.single)), c)
                for h in handled
                for c in carriers
                if h.name == name and c.side == h.side
            ]
            held = np.zeros(len(self._times), np.bool_)
            for h in handled:
                held |= h.gripped & (h.name == name)
            out[name] = self._carried(name, out[name], holds, held)
        return out

    def _carried(
        self, name: str, thing: RigidObject, holds: Sequence[tuple[NDArray[np.intp], Carrier]], held: Flags
    ) -> RigidObject:
        """One object solved; frames before its first pose and after the last stay."""
        o, tracked = self._options, self._tracked[name]
        seen = np.flatnonzero(tracked.valid)
        first, every = int(seen[0]), slice(int(seen[0]), int(seen[-1]) + 1)
        within = replace(tracked, track=_cut(tracked.track, every))
        around = replace(thing, track=_cut(thing.track, every))
        cut = [
            (frames[(frames >= every.start) & (frames < every.stop)] - first, c.within(every))
            for frames, c in holds
        ]
        cut = [(frames, c) for frames, c in cut if len(frames) >= o.fewest]
        noise = self.trembling[name]
        known = Known(
            within.camera_from_object,
            within.valid,
            np.repeat([max(noise.shift, o.shift), max(noise.turn, o.turn)], 3),
            within.mesh.center,
            self._times[every],
            tuple(self._rests(name, within, held[every])),
            tuple(ride for frames, c in cut for ride in self._rides(around, frames, c, noise)),
            tuple(self._touch(around, frames, c) for frames, c in cut if c.touches),
        )
        poses = thing.camera_from_object.copy()
        poses[every] = solve_at_once(around.camera_from_object, known, o)
        return replace(tracked, track=replace(tracked.track, camera_from_object=poses))

    def _rides(
        self, thing: RigidObject, frames: NDArray[np.intp], carrier: Carrier, noise: Trembling
    ) -> list[Ride]:
        """A hand that carries the object, over each stretch of its grip."""
        o, out = self._options, []
        step = float(np.median(np.diff(self._times)))
        for part in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1):
            if len(part) < o.fewest:
                continue
            single = carrier.single[part]
            moved = moved_on(thing, carrier.fitted[part], part, single, noise, step, o)
            whole = np.asarray(np.linalg.inv(carrier.information[part]), np.float64)
            hand = Measured(part, carrier.measured[part], whole, single, np.median(moved, axis=1))
            out.append(ride(thing, hand, step, o))
        return out

    def _touch(self, thing: RigidObject, frames: NDArray[np.intp], carrier: Carrier) -> Touch:
        """What touches of a hold tell: each joint is off for itself, and the hand as a whole."""
        gripped = np.zeros(len(thing.track), np.bool_)
        gripped[frames] = True
        own = np.where(gripped, carrier.single / np.sqrt(FINGERS), 0.0)
        whole = np.sqrt(np.trace(np.linalg.inv(carrier.information[frames]), axis1=1, axis2=2) / 3.0)
        cost = TouchedObject.of(thing, carrier.fitted, gripped, own, self._contact)
        return Touch(cost, frames, self._options.few, float(np.median(whole)))

    def _rests(self, name: str, tracked: RigidObject, held: Flags) -> list[Resting]:
        """Every stretch in which nobody holds an object, and it is not above the table."""
        o, out, center = self._options, [], tracked.mesh.center
        reach = o.leaning * max(self.trembling[name].turn * o.slow, o.turn)
        for first, stop in runs(~held):
            seen = np.flatnonzero(tracked.valid[first:stop]) + first
            if len(seen) < o.fewest:
                continue
            mean = mean_pose(tracked.camera_from_object[seen], center)
            if self._lifted(mean, tracked):
                continue
            stands, known = None, np.zeros((POSE_SIZE, POSE_SIZE))
            if self._table is not None:
                stood = standing(mean, tracked.mesh, self._table, reach)
                if stood is not mean:
                    stands = stood
                    point = stood[:3, :3] @ center + stood[:3, 3]
                    known = known_standing(self._table, point, o.rest_shift, o.rest_turn)
            out.append(Resting(int(seen[0]), int(seen[-1]) + 1, stands, known))
        return out

    def _lifted(self, pose: Array, thing: RigidObject) -> bool:
        """Whether an object is plainly above the table: a hand that was not seen holds it, or something else does."""
        if self._table is None:
            return False
        o, noise = self._options, self.trembling[thing.name]
        low = float(self._table.heights(transform_points(pose, thing.mesh.vertices)).min())
        return low > o.leaning * o.slow * (
            max(noise.shift, o.shift) + max(noise.turn, o.turn) * thing.mesh.radius
        )

    def _smoothed(self, name: str) -> RigidObject:
        """The object alone, with all its poses solved at once; frames without one are bridged, and stay not valid."""
        o, tracked = self._options, self._tracked[name]
        noise = self.trembling[name]
        sigma = np.repeat([max(noise.shift, o.shift) * o.slow, max(noise.turn, o.turn) * o.slow], 3)
        information = np.where(tracked.valid[:, None, None], np.diag(sigma**-2.0), 0.0)
        center, track = tracked.mesh.center, tracked.track
        measured = PoseMeasurements(track.camera_from_object, information, center, o.reach)
        found = solve_clip(
            measured,
            track.camera_from_object,
            tracked.valid,
            center,
            frame_times=self._times,
            options=replace(o.solver, max_gap=len(track)),
        )
        return replace(tracked, track=replace(track, camera_from_object=found.poses))


def _cut(track: PoseTrack, every: slice) -> PoseTrack:
    """The track in some of its frames, with nothing but poses."""
    return PoseTrack(track.camera_from_object[every], track.valid[every], track.confidence[every])


def slower(phases: PhaseOptions, noise: Trembling, radius: float, o: SteadyOptions) -> PhaseOptions:
    """How it is told who holds an object whose track trembled and was smoothed: what may be noise is no motion.

    Args:
        phases: how it is told of steady tracks.
        noise: of the object's track.
        radius: metres, of the object.
        o: what is noise.
    """
    length = np.sqrt(2.0) * o.smoothed * np.sqrt(3.0 * noise.shift**2 + 2.0 * (noise.turn * radius) ** 2)
    moving = o.moving * float(length)
    return replace(
        phases,
        moving=max(phases.moving, moving),
        still=max(phases.still, 0.5 * moving),
        against=max(phases.against, 0.5 * moving),
    )
