"""Skin against surface: where each finger of a fitted hand lies to an object, and the hand moved so that it touches.

Measured joints lie a few millimetres off, and our hand is not the measured one: its skin would float above what it
holds, or reach into it. Each part of the hand (five fingers, the palm) is shifted along the surface's normal: out of
the object wherever it is inside, and onto it while it holds; then the hand is fitted anew to the shifted joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import inverse
from dexman_pose.hands.model.fit import HandFit, fit_joints
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import BASES

PARTS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "pinky", "palm")
_LAST_BONES = 2


@dataclass(frozen=True)
class TouchOptions:
    """How the skin is brought to the surface.

    Attributes:
        resolution: metres, step of the skin that is looked at.
        near: metres between skin and object within which a finger that holds is taken to touch.
        press: metres that skin which touches lies inside the surface: the flesh gives as much.
        smooth: frames, standard deviation by which shifts are smoothed over time.
        fade: frames over which a touch sets in.
        rounds: how often hand and shifts are found anew.
        most: metres, largest shift of a round.
        tight: metres, standard deviation of the last two joints of a shifted finger.
        touching: metres between skin and surface that count as touching in the truth.
        moved: metres an object has moved once it is held.
    """

    resolution: float = 0.004
    near: float = 0.012
    press: float = 0.0008
    smooth: float = 1.5
    fade: int = 5
    rounds: int = 4
    most: float = 0.012
    tight: float = 0.0015
    touching: float = 0.002
    moved: float = 0.008


@dataclass(frozen=True)
class SkinGaps:
    """Each part of a hand and an object, frame by frame.

    Attributes:
        distance: (T, 6) metres, least signed distance of the part's skin, in the order of :data:`PARTS`.
        away: (T, 6, 3) unit, from the surface outwards there, frame of the tracks.
    """

    distance: Array
    away: Array


def skin_gaps(
    hand: HandModel, angles: Array, frame_from_hand: Array, mesh: Mesh, frame_from_object: Array
) -> SkinGaps:
    """Gaps between the skin of a posed hand's parts and an object.

    Args:
        hand: the model.
        angles: (T, 21) radians.
        frame_from_hand: (T, 4, 4).
        mesh: of the object, metres.
        frame_from_object: (T, 4, 4).
    """
    rows, owner = _rows(hand)
    object_from_hand = inverse(frame_from_object) @ frame_from_hand
    poses = hand.pose_from_angles(angles)
    skin = np.stack([hand.vertices(p, f)[rows] for p, f in zip(poses, object_from_hand)])
    found = signed_distance(mesh, skin.reshape(-1, 3))
    distance = found.distance.reshape(skin.shape[:2])
    out = skin - found.nearest.reshape(skin.shape)
    out *= np.sign(distance)[..., None] / np.maximum(np.abs(distance), 1e-9)[..., None]
    least, away = np.zeros((len(skin), len(PARTS))), np.zeros((len(skin), len(PARTS), 3))
    for part in range(len(PARTS)):
        mine = np.flatnonzero(owner == part)
        at = mine[np.argmin(distance[:, mine], axis=1)]
        every = np.arange(len(skin))
        least[:, part], away[:, part] = distance[every, at], out[every, at]
    return SkinGaps(least, np.einsum("tij,tpj->tpi", frame_from_object[:, :3, :3], away))


def _rows(hand: HandModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertices that can touch, and the part each belongs to: last two bones of each finger, or the palm."""
    owner = np.full(len(hand.weights), -1)
    owner[hand.weights[:, 0] > 0.5] = PARTS.index("palm")
    for finger in range(len(BASES)):
        last = 1 + 3 * finger + 3
        owner[hand.weights[:, last - _LAST_BONES : last].sum(1) > 0.5] = finger
    rows = np.flatnonzero(owner >= 0)
    return rows, owner[rows]


def holding(frame_from_object: Array, options: TouchOptions | None = None) -> NDArray[np.bool_]:
    """(T,) frames from the first in which the object has left its place."""
    o = options or TouchOptions()
    places = frame_from_object[:, :3, 3]
    moved = np.linalg.norm(places - places[0], axis=1) > o.moved
    return np.maximum.accumulate(moved)


def brought_to_touch(
    fit: HandFit, mesh: Mesh, frame_from_object: Array, options: TouchOptions | None = None
) -> HandFit:
    """The fit with its skin on the object where it holds it, and outside of it everywhere.

    Args:
        fit: of the hand, in some frame.
        mesh: of the object, metres.
        frame_from_object: (T, 4, 4) in the same frame.
        options: how.
    """
    o = options or TouchOptions()
    held = holding(frame_from_object, o)
    coarse = fit.model(resolution=o.resolution)
    targets, touches = fit.joints.copy(), None
    sigma = np.full(targets.shape[:2], 2 * o.tight)
    sigma[:, [first + k for first in BASES for k in (2, 3)]] = o.tight
    for _ in range(o.rounds):
        gaps = skin_gaps(coarse, fit.angles, fit.frame_from_hand, mesh, frame_from_object)
        if touches is None:
            touches = _touches(gaps.distance, held, o)
        missing = -o.press - gaps.distance  # along the surface's normal: out of the object is positive
        shift = np.clip(np.where(missing > 0, missing, touches * missing), -o.most, o.most)
        moved = gaussian_filter1d(shift[..., None] * gaps.away, o.smooth, axis=0, mode="nearest")
        targets = targets + _on_joints(moved)
        fit = fit_joints(targets, fit.side, fit.valid, sigma=sigma)
        coarse = fit.model(resolution=o.resolution)
    return fit


def _touches(distance: Array, held: NDArray[np.bool_], o: TouchOptions) -> Array:
    """(T, 6) from 0 to 1: how much a part is to lie on the surface."""
    out = np.zeros(distance.shape)
    if held.any():
        usual = np.median(distance[held], axis=0) < o.near
        out = ((distance < o.near) & held[:, None] & usual).astype(np.float64)
        out[:, PARTS.index("palm")] = 0.0  # it is pushed out where it is inside, and follows the fingers
    smooth: Array = uniform_filter1d(out, o.fade, axis=0, mode="nearest")
    return smooth


def _on_joints(shift: Array) -> Array:
    """Shifts (T, 21, 3) of the joints for shifts (T, 6, 3) of the parts: along a finger they grow to the tip."""
    out = np.zeros((len(shift), 21, 3))
    out[:] = shift[:, PARTS.index("palm"), None]
    for finger, first in enumerate(BASES):
        for k, share in ((1, 0.5), (2, 1.0), (3, 1.0)):
            out[:, first + k] += share * shift[:, finger]
    return out
