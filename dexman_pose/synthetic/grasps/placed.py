"""A measured grasp on a table: the object stands on it, the hand is ours and touches it, the person sits at -y."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import interpolate, se3, so3_exp, transform_points
from dexman_pose.hands.model.fit import HandFit, fit_joints
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp
from dexman_pose.synthetic.grasps.standing import resting_frames, world_from_camera
from dexman_pose.synthetic.grasps.touch import TouchOptions, brought_to_touch, holding

FPS = 30.0
"""Frames a second of the recordings."""
_STILL = 1e-4


@dataclass(frozen=True)
class PlacedOptions:
    """How a grasp comes onto the table.

    Attributes:
        settle: frames over which the object leaves the pose that it is given while it rests.
        approach: metres per second, least and greatest speed of a hand that comes in before it was seen.
        approach_frames: frames by which its speed is told where it first is seen.
        approach_above: metres above the table that its joints keep meanwhile; where the way on which it went on would
            lead lower, it comes from above instead.
        most_points: of the mesh that are looked at to keep it above the table.
        touch: how skin is brought to the surface.
    """

    settle: int = 5
    approach: tuple[float, float] = (0.15, 0.35)
    approach_frames: int = 4
    approach_above: float = 0.02
    most_points: int = 1500
    touch: TouchOptions = field(default_factory=TouchOptions)


@dataclass(frozen=True)
class PlacedGrasp:
    """A grasp in the world: z up, the table is z = 0, the object at rest stands above the origin.

    Attributes:
        object_name: what is grasped.
        mesh: of the object, metres.
        hand: fitted, in the world.
        world_from_object: (T, 4, 4).
        held: (T,) the object has left its place.
        measured_error: metres, mean distance of the hand's joints from the measured ones before it is brought to touch.
    """

    object_name: str
    mesh: Mesh
    hand: HandFit
    world_from_object: Array
    held: NDArray[np.bool_]
    measured_error: float

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.held)


def place_grasp(grasp: RecordedGrasp, options: PlacedOptions | None = None) -> PlacedGrasp:
    """Put a measured grasp on a table, with our hand."""
    o = options or PlacedOptions()
    world = world_from_camera(grasp)
    objects = _settled(world @ grasp.camera_from_object, resting_frames(grasp), o)
    fit = fit_joints(transform_points(world, grasp.joints), grasp.side, grasp.valid)
    error = float(fit.errors(transform_points(world, grasp.joints)).mean())
    fit = brought_to_touch(fit, grasp.mesh, objects, o.touch)
    places = _approaching(fit.frame_from_hand, fit.joints[..., 2].min(1), grasp.valid, o)
    lift = _above_table(objects, grasp.mesh, o)
    turn = _facing(places[holding(objects, o.touch)] if holding(objects, o.touch).any() else places)
    moved = turn @ lift
    hand = replace(
        fit,
        frame_from_hand=moved @ places,
        joints=transform_points(moved, fit.joints),
        valid=np.ones(len(objects), np.bool_),
    )
    return PlacedGrasp(grasp.object_name, grasp.mesh, hand, moved @ objects, holding(objects, o.touch), error)


def _settled(poses: Array, rest: int, o: PlacedOptions) -> Array:
    """Poses (T, 4, 4) that do not move at all while the object is at rest."""
    out = poses.copy()
    still = poses[rest // 2]
    for t in range(min(rest + 1, len(poses))):
        share = np.clip((t - rest + o.settle) / o.settle, 0.0, 1.0)
        out[t] = interpolate(still, poses[t], np.asarray(share))
    return out


def _approaching(places: Array, low: Array, seen: NDArray[np.bool_], o: PlacedOptions) -> Array:
    """Poses of the hand (T, 4, 4): before it was seen it comes in the way it went on, on a straight line.

    ``low`` (T,) are the heights of its lowest joints: a hand that rises when it is first seen did not come through the
    table.
    """
    out = places.copy()
    first = int(np.argmax(seen))
    last = min(first + o.approach_frames, len(places) - 1)
    if first in (0, last):
        return out
    step = (places[last, :3, 3] - places[first, :3, 3]) / (last - first)
    speed = float(np.linalg.norm(step))
    if speed < _STILL:
        step, speed = places[first, :3, 0], 1.0  # along the forearm
    step = step / speed * np.clip(speed, o.approach[0] / FPS, o.approach[1] / FPS)
    if low[first] - first * step[2] < o.approach_above:
        step[2] = -abs(step[2])
    for t in range(first):
        out[t, :3, 3] = places[first, :3, 3] - (first - t) * step
    return out


def _above_table(objects: Array, mesh: Mesh, o: PlacedOptions) -> Array:
    """Shifts (T, 4, 4) upwards by as much as the object is under the table."""
    step = max(1, len(mesh.vertices) // o.most_points)
    low = transform_points(objects, mesh.vertices[::step])[..., 2].min(1)
    shift = np.zeros((len(objects), 3))
    shift[:, 2] = np.maximum(-low, 0.0)
    return se3(np.tile(np.eye(3), (len(objects), 1, 1)), shift)


def _facing(places: Array) -> Array:
    """The turn (4, 4) about z that brings the forearm to -y."""
    back = -places[:, :2, 0].mean(0)
    angle = -np.pi / 2 - np.arctan2(back[1], back[0])
    return se3(so3_exp(np.array([0.0, 0.0, angle])), np.zeros(3))
