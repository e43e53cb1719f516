"""Handing over: what one hand holds is taken by the other, which grasps it as in a mirror.

An object that is its own mirror image in a plane can be held by the other hand in the mirrored way. Of the planes
through its middle along its axes, that one is taken in which object and image agree and the two hands do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry.se3 import inverse, se3, transform_points
from dexman_pose.hands.model.fit import HandFit
from dexman_pose.metrics.shape import surface_points
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.scene import Scene, SceneObject
from dexman_pose.synthetic.grasps.stories import StoryOptions, ease, scene_hand

_HAND_MIRROR = np.diag([1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class HandOverOptions:
    """When and how things are handed over.

    Attributes:
        alike: metres, mean distance between the surfaces of an object and its image.
        apart: metres between the joints of the two hands.
        both: frames in which both hold.
        carry: frames in which the second hand takes it away.
        away: metres by which it does.
        points: of the surfaces that are compared.
    """

    alike: float = 0.003
    apart: float = 0.02
    both: int = 8
    carry: int = 24
    away: float = 0.14
    points: int = 1500


def hand_over(
    grasp: PlacedGrasp,
    rng: np.random.Generator,
    story: StoryOptions | None = None,
    options: HandOverOptions | None = None,
) -> Scene | None:
    """An object is lifted by one hand, taken by the other, and carried on by that; None where no mirror allows it.

    Args:
        grasp: of the first hand. What the second one does is its approach in a mirror, and its leave is its approach in
            reverse.
        rng: of skin and sleeves.
        story: numbers of all stories.
        options: numbers of this one.
    """
    o = options or HandOverOptions()
    mirror = _mirror(grasp, o)
    if mirror is None or not grasp.held.any():
        return None
    first = max(
        int(np.argmax(grasp.held)) - 1, 1
    )  # the last frame before the object moves: the hand is closed
    end = grasp.world_from_object[-1]
    near = inverse(grasp.world_from_object[: first + 1]) @ grasp.hand.frame_from_hand[: first + 1]
    near_end = inverse(end) @ grasp.hand.frame_from_hand[-1]
    own = np.concatenate([near[:-1], near_end[None]])
    bent = np.concatenate([grasp.hand.angles[:first], grasp.hand.angles[-1:]])
    taken = mirror @ own @ _HAND_MIRROR
    count, n = grasp.num_frames, len(own)
    # Lifting, the second hand comes, both hold, the first one leaves while the second carries on.
    last = max(n, o.carry)
    object_after = _carried(end, taken[-1], last, o)
    objects = np.concatenate([grasp.world_from_object, np.tile(end, (n + o.both, 1, 1)), object_after])
    still, leaving = np.tile(own[-1:], (n + o.both, 1, 1)), own[::-1]
    holder = [grasp.hand.frame_from_hand, end @ still, end @ _padded(leaving, last)]
    bends = [grasp.hand.angles, np.tile(bent[-1:], (n + o.both, 1)), _padded(bent[::-1], last)]
    taker = [np.tile(end @ taken[:1], (count, 1, 1)), end @ taken]
    taker += [np.tile(end @ taken[-1:], (o.both, 1, 1)), object_after @ taken[-1]]
    taker_bends = [np.tile(bent[:1], (count, 1)), bent, np.tile(bent[-1:], (o.both + last, 1))]
    hands = [
        _hand(grasp.hand, np.concatenate(bends), np.concatenate(holder)),
        _hand(_other(grasp.hand), np.concatenate(taker_bends), np.concatenate(taker)),
    ]
    held = np.zeros((2, 1, len(objects)), np.bool_)
    held[0, 0, :count], held[0, 0, count : count + n + o.both] = grasp.held, True
    held[1, 0, count + n :] = True
    one = scene_hand(hands[0], rng, story)
    other = replace(scene_hand(hands[1], rng, story), look=one.look)
    thing = SceneObject(grasp.object_name, grasp.mesh, objects)
    return Scene("hand_over", (thing,), (one, other), held)


def _mirror(grasp: PlacedGrasp, o: HandOverOptions) -> Array | None:
    """The reflection (4, 4), in the object's frame, in which it is alike and the hands are farthest apart."""
    inside = inverse(grasp.world_from_object[-1])
    joints = transform_points(inside, grasp.hand.joints[-1])
    best, most = None, o.apart
    for axis in range(3):
        plane = _reflection(grasp.mesh, axis)
        if _unlike(grasp.mesh, plane, o) > o.alike:
            continue
        apart = float(cKDTree(joints).query(transform_points(plane, joints))[0].min())
        if apart > most:
            best, most = plane, apart
    return best


def _reflection(mesh: Mesh, axis: int) -> Array:
    """In the plane through the middle of a mesh across one of its axes."""
    out = np.eye(4)
    out[axis, axis], out[axis, 3] = -1.0, 2 * mesh.center[axis]
    return out


def _unlike(mesh: Mesh, plane: Array, o: HandOverOptions) -> float:
    """Mean distance in metres between a surface and its image."""
    points = surface_points(mesh, o.points, 0)
    image = transform_points(plane, surface_points(mesh, o.points, 1))
    chance = cKDTree(points).query(surface_points(mesh, o.points, 1))[0].mean()
    return float(cKDTree(points).query(image)[0].mean() - chance)


def _carried(end: Array, near: Array, count: int, o: HandOverOptions) -> Array:
    """World poses (count, 4, 4) of the object that goes the way the forearm of the hand that holds it comes from."""
    back = -(end @ near)[:3, 0] * [1.0, 1.0, 0.0]
    way = back / max(float(np.linalg.norm(back)), 1e-9)
    share = ease(np.arange(1.0, count + 1.0) / count)
    return se3(np.tile(np.eye(3), (count, 1, 1)), o.away * share[:, None] * way) @ end


def _padded(values: Array, count: int) -> Array:
    """The first ``count`` of some rows, the last one repeated where there are fewer."""
    return values[np.minimum(np.arange(count), len(values) - 1)]


def _other(fit: HandFit) -> HandFit:
    return replace(fit, side=SIDES[1 - SIDES.index(fit.side)])


def _hand(fit: HandFit, angles: Array, places: Array) -> HandFit:
    return replace(fit, angles=angles, frame_from_hand=places, valid=np.ones(len(angles), np.bool_))
