"""The story of the demonstration clip: reach, grasp, lift, turn, put down, let go, withdraw.

World frame: the table is z = 0, +z up, +y away from the camera, +x to the right; metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import interpolate, inverse, se3, so3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES
from dexman_pose.synthetic.demo.grasp import Grasp

# Shares of the clip at which each act begins.
REACH, CLOSE, LIFT, TURN, BACK, DOWN, OPEN, AWAY, END = 0.0, 0.20, 0.28, 0.40, 0.56, 0.68, 0.82, 0.88, 1.0

# Where the hand comes from and goes to: shift (metres, world) and turn (rotation vector, world) from the grasp.
_FROM, _FROM_TURN = np.array([0.070, -0.045, 0.045]), np.array([0.0, -0.6, 0.0])
_TO, _TO_TURN = np.array([0.090, -0.050, 0.050]), np.array([0.0, -0.6, 0.0])


@dataclass(frozen=True)
class Motion:
    """What moves, frame by frame.

    Attributes:
        world_from_object: (T, 4, 4).
        world_from_hand: (T, 4, 4).
        angles: (T, 21) of the hand, radians.
        held: (T,) bool, the hand carries the object.
    """

    world_from_object: Array
    world_from_hand: Array
    angles: Array
    held: NDArray[np.bool_]


def pick_and_place(grasp: Grasp, hand_model: HandModel, rest_height: float, num_frames: int) -> Motion:
    """The whole motion for a grasp.

    Args:
        grasp: how the object is held.
        hand_model: keeps the free hand above the table; a coarse mesh will do.
        rest_height: height of the object's origin when it stands on the table, metres.
        num_frames: length.
    """
    share = np.arange(num_frames) / max(num_frames - 1, 1)
    objects = _through(_object_keys(rest_height), share)
    hand = np.empty_like(objects)
    angles = np.empty((num_frames, len(ANGLE_NAMES)))
    held = (share >= LIFT) & (share <= OPEN)
    opened = open_hand(grasp.angles)
    for t, s in enumerate(share):
        hand[t] = objects[t] @ grasp.object_from_hand
        if s < LIFT:
            hand[t] = _arriving(hand[t], 1 - _ease(s / CLOSE), _FROM, _FROM_TURN)
        elif s > OPEN:
            hand[t] = _arriving(hand[t], _ease((s - AWAY) / (END - AWAY)), _TO, _TO_TURN)
        closed = _ease((s - CLOSE) / (LIFT - CLOSE)) * (1 - _ease((s - OPEN) / (AWAY - OPEN)))
        angles[t] = opened + closed * (grasp.angles - opened)
        if not held[t]:
            hand[t] = _above_table(hand_model, angles[t], hand[t])
    return Motion(objects, hand, angles, held)


def _above_table(model: HandModel, angles: Array, world_from_hand: Array) -> Array:
    """The hand lifted by as much as its skin is under the table."""
    skin = model.vertices(model.pose_from_angles(angles), world_from_hand)[model.rest_vertices[:, 0] > 0]
    out = world_from_hand.copy()
    out[2, 3] += max(0.0, 0.001 - float(skin[:, 2].min()))
    return out


def open_hand(angles: Array) -> Array:
    """The same hand with its fingers and thumb opened clear of what it held."""
    out = angles.copy()
    for i, name in enumerate(ANGLE_NAMES):
        if name.startswith("thumb"):
            out[i] += np.radians(
                {"thumb_cmc_flexion": -8, "thumb_mcp_flexion": -20, "thumb_ip_flexion": -20}.get(name, 0)
            )
        elif name.endswith("flexion"):
            out[i] = min(out[i], np.radians(50)) * 0.55
    clipped: Array = np.clip(out, ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    return clipped


def _object_keys(z: float) -> list[tuple[float, Array]]:
    """Key poses of the object: (share of the clip, world_from_object)."""
    start = _stand(-0.005, 0.03, z, 14.0)
    lifted = _stand(-0.02, 0.015, z + 0.085, 10.0, tilt=(6.0, -4.0))
    turned = _stand(-0.045, 0.005, z + 0.105, -24.0, tilt=(22.0, -14.0))
    back = _stand(-0.055, 0.02, z + 0.075, 12.0, tilt=(4.0, 5.0))
    end = _stand(-0.065, 0.03, z, 4.0)
    keys = [(REACH, start), (LIFT, start), (TURN, lifted), (BACK, turned), (DOWN, back)]
    return [*keys, (OPEN - 0.02, end), (END, end)]


def _stand(x: float, y: float, z: float, yaw: float, tilt: tuple[float, float] = (0.0, 0.0)) -> Array:
    """A pose from a position (metres) and angles (degrees): yaw about z, then tilt about x and y of the world."""
    turn = so3_exp(np.radians([tilt[0], tilt[1], 0.0])) @ so3_exp(np.radians([0.0, 0.0, yaw]))
    return se3(turn, np.array([x, y, z]))


def _through(keys: list[tuple[float, Array]], share: Array) -> Array:
    """Poses (T, 4, 4) that ease from key to key."""
    times = np.array([k for k, _ in keys])
    out = np.empty((len(share), 4, 4))
    for t, s in enumerate(share):
        i = int(np.clip(np.searchsorted(times, s, side="right") - 1, 0, len(keys) - 2))
        f = _ease((s - times[i]) / (times[i + 1] - times[i]))
        out[t] = interpolate(keys[i][1], keys[i + 1][1], np.asarray(f))
    return out


def _arriving(at_object: Array, away: float, offset: Array, turn: Array) -> Array:
    """The hand's pose while still ``away`` (1 far, 0 there): shifted by ``offset`` and turned by ``turn``.

    On the last part of the way it comes in along the opening of the hand, so that the fingers pass the object.
    """
    out = at_object.copy()
    out[:3, :3] = so3_exp(turn * away) @ at_object[:3, :3]
    out[:3, 3] = at_object[:3, 3] + offset * away + at_object[:3, 2] * 0.05 * min(1.0, 3 * away)
    return out


def forearm_bend(world_from_hand: Array, elbow: Array) -> Array:
    """Rotation vector (3,) in the hand frame that turns the forearm (hand -x) to an elbow at ``elbow`` (world)."""
    to_elbow = (inverse(world_from_hand) @ np.append(elbow, 1.0))[:3]
    to_elbow = to_elbow / np.linalg.norm(to_elbow)
    axis = np.cross([-1.0, 0.0, 0.0], to_elbow)
    sine = float(np.linalg.norm(axis))
    angle = float(np.arctan2(sine, -to_elbow[0]))
    out: Array = axis / max(sine, 1e-9) * min(angle, np.radians(65))
    return out


def _ease(x: float | Array) -> float:
    """Minimum-jerk step from 0 to 1 (Flash and Hogan 1985)."""
    t = float(np.clip(x, 0.0, 1.0))
    return t * t * t * (10 + t * (6 * t - 15))
