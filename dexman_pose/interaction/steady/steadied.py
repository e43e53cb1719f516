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
from dexman_pose.data.tracks import RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import so3_log, transform_points
from dexman_pose.hands.model.quadratic import FINGERS
from dexman_pose.interaction.options import ContactOptions, SteadyOptions
from dexman_pose.interaction.steady.carried import CarriedJoints, Several, lying_on, standing
from dexman_pose.interaction.steady.fingering import moved_on
from dexman_pose.interaction.steady.touched import TouchedObject
from dexman_pose.interaction.steady.trembling import Trembling, trembling_object
from dexman_pose.optimize.pose_costs import PoseMeasurements
from dexman_pose.optimize.problem import move_poses
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import FrameCosts
from dexman_pose.scene.stillness import mean_pose

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Carrier:
    """A hand as it was measured, and as it lies on what it holds.

    Attributes:
        side: of the hand.
        measured: (T, 21, 3) joints, camera frame, metres.
        fitted: (T, 21, 3) joints by which it lies on what it holds; those measured where nothing better is known.
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
        self._shifts = {name: np.zeros((len(thing.track), 3)) for name, thing in objects.items()}
        found = {name: trembling_object(thing) for name, thing in objects.items() if name not in fixed}
        self.trembling: dict[str, Trembling] = {
            name: t for name, t in found.items() if t.shift > options.shift or t.turn > options.turn
        }

    def alone(self) -> dict[str, RigidObject]:
        """All objects, those that tremble smoothed."""
        return {**self._tracked, **{name: self._solved(name, ()) for name in self.trembling}}

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
            thing = out[name]
            more: list[FrameCosts] = []
            for h in handled:
                if h.name == name:
                    more += [self._riding(thing, h, c) for c in carriers if c.side == h.side]
            held = np.zeros(len(thing.track), np.bool_)
            for h in handled:
                held |= h.gripped & (h.name == name)
            self._drawn(name, thing, handled, carriers)
            bias = self._persisting(name, thing, held)
            out[name] = self._solved(name, (*more, self._resting(name, held, bias)), thing, bias)
        return out

    def _persisting(self, name: str, thing: RigidObject, held: Flags) -> Array:
        """(6,) the twist by which measured poses are likely off throughout, of what they are off by as far as is known.

        How an object at rest stands, the table tells; the rest the hand, while it carries it.
        """
        tracked = self._tracked[name]
        center, resting = tracked.mesh.center, self._rests(name, held)
        known = np.flatnonzero(held & tracked.valid)
        carried = [_apart(thing.camera_from_object[t], tracked.camera_from_object[t], center) for t in known]
        out = self._share(len(known)) * np.mean(carried, axis=0) if carried else np.zeros(6)
        if resting and self._table is not None:
            means = [mean_pose(tracked.camera_from_object[frames], center) for frames in resting]
            off = [_apart(self._stood(name, mean), mean, center) for mean in means]
            counts = [len(frames) for frames in resting]
            stood = self._share(sum(counts)) * np.average(off, axis=0, weights=counts)
            up = np.outer(self._table.normal, self._table.normal)
            out[:3] += up @ (stood[:3] - out[:3])
            out[3:] += (np.eye(3) - up) @ (stood[3:] - out[3:])
        return out

    def _share(self, frames: int) -> float:
        """Share of an error that is seen over so many frames that it does not change at all."""
        o = self._options
        seconds = frames * float(np.median(np.diff(self._times)))
        return o.persists / (o.persists + (1.0 - o.persists) * min(o.drift / seconds, 1.0))

    def _riding(self, thing: RigidObject, h: Handling, carrier: Carrier) -> CarriedJoints:
        """A hand that carries the object."""
        o = self._options
        on, whole = np.zeros(carrier.fitted.shape), np.zeros(carrier.information.shape)
        single = np.full(carrier.fitted.shape[:2], np.inf)
        step = float(np.median(np.diff(self._times)))
        for first, stop in runs(h.gripped):
            frames = np.arange(first, stop)
            frames = frames[np.isfinite(carrier.single[frames])]
            if len(frames) < o.alike:
                continue
            joints, noise = carrier.fitted[frames], self.trembling[thing.name]
            moved = np.median(moved_on(thing, joints, frames, carrier.single[frames], noise, step, o), axis=1)
            lying = lying_on(thing, joints, frames, moved + o.creep * step, o.slip)
            kept = lying.shared >= o.alike
            at = frames[kept]
            on[frames] = lying.places
            whole[at] = np.linalg.inv(np.linalg.inv(carrier.information[at]) + np.eye(3) * o.slip**2)
            # A hand that turns on what it holds takes all its joints along: they do not make up for each other.
            twist = FINGERS * (o.twist * lying.levers[kept]) ** 2
            single[at] = np.sqrt(carrier.single[at, None] ** 2 + lying.strays[kept] ** 2 + twist)
        return CarriedJoints(on, carrier.measured, whole, single, thing.mesh.center, o.carried_reach)

    def _drawn(
        self, name: str, thing: RigidObject, handled: Sequence[Handling], carriers: Sequence[Carrier]
    ) -> None:
        """Draw measured places of an object to the hands that touch it, by one shift for each of these.

        Hand and object are each off by what does not change; where the hand seems to lie beside what it holds, or
        within, both are. The object's share of that is taken off where it is held. What gaps say is wrong in the same
        way in all frames of a hold, so that together they count as a few.
        """
        o, noise = self._options, self.trembling[name]
        slow = np.sqrt(o.slow**2 - 1.0) * max(noise.shift, o.shift)
        for h in handled:
            for carrier in carriers:
                known = h.gripped & np.isfinite(carrier.single)
                if h.name != name or carrier.side != h.side or not carrier.touches or not known.any():
                    continue
                off = np.zeros(len(known))
                off[known] = np.sqrt(3.0 / np.trace(carrier.information[known], axis1=1, axis2=2))
                touched = TouchedObject.of(thing, carrier.fitted, known, off, self._contact)
                found = touched.linearise(thing.camera_from_object, np.zeros(0))
                few = min(o.few / int(known.sum()), 1.0)
                apart = slow**2 + float(np.median(off[known])) ** 2
                share, before = slow**2 / apart, self._shifts[name][known].mean(0)
                hessian = few * found.hessian[:, :3, :3].sum(0) + np.eye(3) / apart
                gradient = few * found.gradient[:, :3].sum(0) + before / share / apart
                self._shifts[name][known] = before - share * np.linalg.solve(hessian, gradient)

    def _rests(self, name: str, held: Flags) -> list[NDArray[np.intp]]:
        """Valid frames of every stretch in which nobody holds an object, and it is not above the table."""
        out, tracked = [], self._tracked[name]
        for first, stop in runs(~held):
            seen = np.flatnonzero(tracked.valid[first:stop]) + first
            if len(seen) < self._options.fewest:
                continue
            if not self._lifted(mean_pose(tracked.camera_from_object[seen], tracked.mesh.center), tracked):
                out.append(seen)
        return out

    def _stood(self, name: str, pose: Array) -> Array:
        """A pose of an object at rest that stands on the table, as near as may be."""
        o = self._options
        reach = o.leaning * max(self.trembling[name].turn * o.slow, o.turn)
        return standing(pose, self._tracked[name].mesh, self._table, reach)

    def _resting(self, name: str, held: Flags, bias: Array) -> FrameCosts:
        """What nobody holds rests: one pose for each stretch, on the table where that is known."""
        o, tracked = self._options, self._tracked[name]
        center = tracked.mesh.center
        poses, firm = tracked.camera_from_object.copy(), np.zeros(len(held))
        for frames in self._rests(name, held):
            mean = mean_pose(tracked.camera_from_object[frames], center)
            every = slice(frames[0], frames[-1] + 1)
            poses[every] = self._stood(name, move_poses(mean[None], bias[None], center)[0])
            firm[every] = 1.0
        information = np.diag(np.repeat([o.rest_shift**-2.0, o.rest_turn**-2.0], 3))
        return PoseMeasurements(poses, firm[:, None, None] * information, center, o.rest_reach)

    def _lifted(self, pose: Array, thing: RigidObject) -> bool:
        """Whether an object is plainly above the table: a hand that was not seen holds it, or something else does."""
        if self._table is None:
            return False
        o, noise = self._options, self.trembling[thing.name]
        low = float(self._table.heights(transform_points(pose, thing.mesh.vertices)).min())
        return low > o.leaning * o.slow * (
            max(noise.shift, o.shift) + max(noise.turn, o.turn) * thing.mesh.radius
        )

    def _solved(
        self,
        name: str,
        more: tuple[FrameCosts, ...],
        start: RigidObject | None = None,
        bias: Array | None = None,
    ) -> RigidObject:
        """The object with all its poses solved at once; frames without a pose are bridged, and stay not valid."""
        o, tracked = self._options, self._tracked[name]
        noise = self.trembling[name]
        sigma = np.repeat([max(noise.shift, o.shift) * o.slow, max(noise.turn, o.turn) * o.slow], 3)
        information = np.where(tracked.valid[:, None, None], np.diag(sigma**-2.0), 0.0)
        center, poses = tracked.mesh.center, tracked.camera_from_object
        if bias is not None:
            twists = np.tile(bias, (len(poses), 1))
            shifts = self._shifts[name]
            drawn = shifts.any(1)  # where the hand tells more than what persists
            twists[drawn, :3] = shifts[drawn]
            poses = move_poses(poses, twists, center)
        measured = PoseMeasurements(poses, information, center, o.reach)
        track = tracked.track if start is None else start.track
        found = solve_clip(
            Several((measured, *more)),
            track.camera_from_object,
            tracked.valid if start is None else _between(tracked.valid),
            center,
            frame_times=self._times,
            options=replace(o.solver, max_gap=len(track)),
        )
        return replace(tracked, track=replace(tracked.track, camera_from_object=found.poses))


def _apart(pose: Array, other: Array, center: Array) -> Array:
    """(6,) the twist (v, w) about a centre that moves the other pose to a pose."""
    change = pose - other
    return np.concatenate([change[:3, :3] @ center + change[:3, 3], so3_log(pose[:3, :3] @ other[:3, :3].T)])


def _between(valid: Flags) -> Flags:
    """(T,) frames from the first valid one to the last."""
    out: Flags = np.maximum.accumulate(valid) & np.maximum.accumulate(valid[::-1])[::-1]
    return out


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
