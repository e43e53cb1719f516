"""The order in which 21 hand joints come, and the unit they are in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.errors import InputError
from dexman_pose.hands.mano.layout import MANO_ORDER

ORDERS: Mapping[str, tuple[int, ...]] = {
    "openpose": tuple(range(21)),
    "mano": MANO_ORDER,
    "interhand": (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16),
}
"""Where the joints of ``JOINT_NAMES`` are in each order. OpenPose, MediaPipe, HaMeR, WiLoR and FreiHAND have our order;
MANO's own puts the little finger before the ring finger, the thumb last, and tips at the end; InterHand2.6M runs from
the tips to the wrist."""

SAME = {
    "mediapipe": "openpose",
    "hamer": "openpose",
    "wilor": "openpose",
    "freihand": "openpose",
    "ho3d": "mano",
}

_CLEAR = 0.85
"""How much shorter the bones of the right order must be than those of another before the order is told by them."""
_HAND = (0.06, 0.35)
"""Metres from the wrist to the farthest joint."""
_BONES = np.arange(1, 21)
_PARENTS = np.array(JOINT_PARENTS)[_BONES]


def order_of(name: str, joints: Array) -> NDArray[np.int64]:
    """(21,) where the joints of ``JOINT_NAMES`` are in given ones.

    Args:
        name: of the order, or ``auto`` to tell it by the lengths of bones: in a wrong order they cross the hand.
        joints: (N, 21, D) in the order asked about.

    Raises:
        InputError: no such order, or joints that are a hand in none.
    """
    asked = SAME.get(name.lower(), name.lower())
    if asked in ORDERS:
        return np.array(ORDERS[asked])
    if asked != "auto":
        raise InputError(
            f"no order of hand joints is named {name!r}; there is: auto, {', '.join([*ORDERS, *SAME])}"
        )
    lengths = {order: bone_total(joints[:, list(at)]) for order, at in ORDERS.items()}
    best, second, *_ = sorted(lengths, key=lambda order: lengths[order])
    if best != "openpose" and lengths[best] > _CLEAR * lengths["openpose"]:
        best = "openpose"
    elif lengths[best] > _CLEAR * lengths[second]:
        raise InputError(
            "the order of the hand joints cannot be told by the lengths of the bones; name it: hands order "
            f"{', '.join(ORDERS)}"
        )
    return np.array(ORDERS[best])


def bone_total(joints: Array) -> float:
    """Median over hands (N, 21, D) of the sum of the lengths of the 20 bones."""
    return float(np.median(np.linalg.norm(joints[:, _BONES] - joints[:, _PARENTS], axis=-1).sum(1)))


def unit_of(joints: Array) -> float:
    """Metres of one unit of joints (N, 21, 3): they are in metres or millimetres by the size of the hand.

    Raises:
        InputError: neither.
    """
    reach = float(np.median(np.linalg.norm(joints - joints[:, :1], axis=-1).max(1)))
    for unit in (1.0, 0.001):
        if _HAND[0] <= reach * unit <= _HAND[1]:
            return unit
    raise InputError(
        f"the hands are {reach:.4g} large from the wrist to the fingertips: is the unit right? give metres"
    )
