"""Hands that rest: wrist and finger tips of a hand that keeps still lie near one plane, which may be the table's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_NAMES, HandTrack
from dexman_pose.scene.evidence import PlaneVote, place_sigma
from dexman_pose.scene.options import PriorOptions, SceneOptions

_FEET = [k for k, name in enumerate(JOINT_NAMES) if name == "wrist" or name.endswith("_tip")]


def hand_rests(
    hands: Mapping[str, HandTrack], times: Array, options: SceneOptions | None = None
) -> list[PlaneVote]:
    """Find planes under hands that keep still with wrist and finger tips near one plane: weak, no table by themselves.

    Args:
        hands: by side.
        times: (T,) seconds.
        options: what is still and flat.
    """
    o = options or SceneOptions()
    out = []
    for side, hand in hands.items():
        for frames in _still(hand, times, o):
            joints = np.median(hand.joints[frames], axis=0)
            feet = joints[_FEET]
            middle = feet.mean(0)
            normal = np.linalg.svd(feet - middle)[2][2]
            flat = float(np.sqrt((((feet - middle) @ normal) ** 2).mean()))
            normal = normal if normal @ middle < 0 else -normal
            if flat > o.hands.flat or normal[1] > o.priors.upright:
                continue
            out.append(_vote(f"{side} hand at rest, {_span(frames)}", normal, middle, o))
    return out


def _vote(name: str, normal: Array, middle: Array, o: SceneOptions) -> PlaneVote:
    along = o.sigmas.hand_along * float(np.linalg.norm(middle))
    place = place_sigma(middle, normal, o.sigmas.hand_place, along)
    on = middle - o.priors.skin * normal
    return PlaneVote(name, normal, o.sigmas.hand_turn, on, place, _wrong(o.priors), False)


def _wrong(o: PriorOptions) -> float:
    return 0.5 + 0.5 * o.unknown


def _still(hand: HandTrack, times: Array, o: SceneOptions) -> list[NDArray[np.intp]]:
    """The longest stretches in which the joints of a hand keep still."""
    frames = np.flatnonzero(hand.valid & ~hand.bridged)
    out: list[NDArray[np.intp]] = []
    start = 0
    while start < len(frames):
        shift = np.linalg.norm(hand.joints[frames[start:]] - hand.joints[frames[start]], axis=-1)
        away = np.median(shift, axis=1) > o.hands.still
        stop = start + (int(np.argmax(away)) if away.any() else len(away))
        last = frames[stop - 1]
        if times[last] - times[frames[start]] >= o.hands.seconds:
            out.append(frames[start:stop])
            start = stop
        else:
            start += 1
    return out


def _span(frames: NDArray[np.intp]) -> str:
    return f"frames {frames[0]} to {frames[-1]}"
