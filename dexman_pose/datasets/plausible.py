"""Does a recording look like hands that hold things? Finds data that were converted wrongly, and names how.

A thing that is held does not move in the hand: its fingertips stay where they are in its frame, and near its surface.
In seven real grasps they drift by 3 to 16 mm in a third of a second and lie 4 to 17 mm from the surface; where
rotations were misread both figures are two to ten times that. No threshold parts one from the other for every object
(scissors are moved within the hand, cans hide their turning), but undoing the right mistake does: it must take a third
off the two figures together, where undoing what was not done adds to them, by 7 % in the least of the seven.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from logging import getLogger

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.contact import signed_distance
from dexman_pose.data import HandTrack, Mesh, RigidObject
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.datasets.misreadings import MISREADINGS, UNITS
from dexman_pose.datasets.recording import Recording
from dexman_pose.datasets.resting import table_suspicion
from dexman_pose.geometry import inverse, transform_points

log = getLogger(__name__)
_TIPS = [i for i, name in enumerate(JOINT_NAMES) if name.endswith("tip")]
_WRIST, _INDEX, _MIDDLE, _PINKY = (
    JOINT_NAMES.index(n) for n in ("wrist", "index_mcp", "middle_mcp", "pinky_mcp")
)


@dataclass(frozen=True)
class PlausibilityOptions:
    """Thresholds of :func:`suspicions`.

    Attributes:
        palm: metres from the wrist to the middle finger's knuckle of an adult.
        unit_slack: factor within which a ratio is that of a unit.
        speed: metres per second of the object's origin from which on it is carried.
        lag: seconds over which drift is looked at.
        fewest: pairs of frames, that far apart, in which it is carried.
        most: frames whose distances are measured; more are thinned out.
        least: metres of drift and distance together that need an explanation.
        explained: metres of the two that a right explanation may leave.
        share: of the two that a right explanation may leave.
        clear: share of the next best explanation; between it and 1 both are named.
        curled: how far fingertips must lie to the palm's side, in lengths of the palm, for the side to be told.
    """

    palm: float = 0.092
    unit_slack: float = 2.5
    speed: float = 0.05
    lag: float = 1 / 3
    fewest: int = 8
    most: int = 40
    least: float = 0.015
    explained: float = 0.06
    share: float = 0.7
    clear: float = 0.8
    curled: float = 0.15


def with_suspicions(recording: Recording) -> Recording:
    """The recording with what looks converted wrongly in it, which is logged too."""
    found = tuple(suspicions(recording))
    for text in found:
        log.warning("%s: %s", recording.key, text)
    return replace(recording, suspicions=found) if found else recording


def suspicions(recording: Recording, options: PlausibilityOptions | None = None) -> list[str]:
    """What looks converted wrongly, one sentence each: unit, hand side, quaternion order, transposed, axes.

    Nothing is said of recordings in which nothing is carried, and no two things rest.
    """
    o = options or PlausibilityOptions()
    out = [text for hand in recording.hands.values() for text in _of_hand(hand, o)]
    for name, thing in recording.objects.items():
        text = _wrong_unit(name, thing, recording, o) or _misread(name, thing, recording, o)
        if text:
            out.append(text)
    table = "" if out else table_suspicion(recording)
    return [*out, table] if table else out


def _of_hand(hand: HandTrack, o: PlausibilityOptions) -> list[str]:
    """Size and side of a hand, by its joints alone."""
    joints = hand.joints[hand.valid]
    if not len(joints):
        return []
    palm = float(np.median(np.linalg.norm(joints[:, _MIDDLE] - joints[:, _WRIST], axis=-1)))
    unit = _unit_of(palm / o.palm, o)
    if unit:
        return [f"the {hand.side} hand's palm is {palm:.3g} m long: its joints look like {unit}, not metres"]
    curl = _curl(joints)
    if abs(curl) < o.curled or (curl > 0) == (hand.side == "right"):
        return []
    return [
        f"the {hand.side} hand's fingers bend to the back of a {hand.side} hand: it looks like the other hand, "
        "or like joints that were mirrored"
    ]


def _curl(joints: Array) -> float:
    """How far fingertips of joints (N, 21, 3) lie to the palm's side of a right hand, in lengths of the palm."""
    wrist = joints[:, _WRIST]
    index, middle, pinky = (joints[:, k] - wrist for k in (_INDEX, _MIDDLE, _PINKY))
    palmward = np.cross(pinky, index)
    palmward = palmward / np.maximum(np.linalg.norm(palmward, axis=-1, keepdims=True), 1e-12)
    fingers = joints[:, _TIPS[1:]] - wrist[:, None]
    depth = np.einsum("nkj,nj->nk", fingers, palmward).mean(-1)
    return float(np.median(depth / np.maximum(np.linalg.norm(middle, axis=-1), 1e-12)))


def _wrong_unit(name: str, thing: RigidObject, recording: Recording, o: PlausibilityOptions) -> str:
    """An object whose translations, or whose mesh, is off by a power of ten against the hands."""
    sizes = [hand for hand in recording.hands.values() if (hand.valid & thing.valid).any()]
    if not sizes:
        return ""
    hand = max(sizes, key=lambda h: int((h.valid & thing.valid).sum()))
    both = hand.valid & thing.valid
    away = np.linalg.norm(thing.camera_from_object[both, :3, 3], axis=-1)
    ratio = float(
        np.median(away) / max(float(np.median(np.linalg.norm(hand.joints[both, 0], axis=-1))), 1e-9)
    )
    unit = _unit_of(ratio, o)
    if unit:
        far = f"{name} is {ratio:.3g} times as far as the {hand.side} hand"
        return f"{far}: its translations look like {unit}, not metres"
    unit = _unit_of(2 * thing.mesh.radius / 0.15, o, widest=True)
    return (
        f"the mesh of {name} is {2 * thing.mesh.radius:.3g} m wide: it looks like {unit}, not metres"
        if unit
        else ""
    )


def _unit_of(ratio: float, o: PlausibilityOptions, *, widest: bool = False) -> str:
    """The unit that explains a ratio to what is usual; of things, which vary, only the larger factors are told."""
    for metres, unit in UNITS.items():
        usual = ratio * metres
        if widest and not 1e-2 < metres < 1e2 and 0.1 < usual < 10.0:
            return unit
        if not widest and 1 / o.unit_slack < usual < o.unit_slack:
            return unit
    return ""


def _misread(name: str, thing: RigidObject, recording: Recording, o: PlausibilityOptions) -> str:
    """An object that would stay put in the hand if its poses were read otherwise."""
    held = _held(thing, recording, o)
    if held is None:
        return ""
    hand, first, later = held
    readings = {"": thing.camera_from_object}
    readings |= {said: undo(thing.camera_from_object) for said, undo in MISREADINGS.items()}
    costs = dict(zip(readings, _costs(list(readings.values()), thing.mesh, hand, first, later)))
    given = costs.pop("")
    if sum(given) < o.least:
        return ""
    best = min(costs, key=lambda said: sum(costs[said]))
    left = sum(costs[best])
    if left > o.explained or left > o.share * sum(given):
        return ""
    likely = [
        said for said, cost in sorted(costs.items(), key=lambda c: sum(c[1])) if o.clear * sum(cost) <= left
    ]
    drift, gap = costs[best]
    return (
        f"while {name} is carried, the {hand.side} fingertips drift by {1e3 * given[0]:.0f} mm in its frame and lie "
        f"{1e3 * given[1]:.0f} mm from it; {1e3 * drift:.0f} and {1e3 * gap:.0f} mm if {', or '.join(likely)}"
    )


def _held(
    thing: RigidObject, recording: Recording, o: PlausibilityOptions
) -> tuple[HandTrack, Array, Array] | None:
    """The hand that carries an object, and pairs of frames in which it does; by translations, mostly right."""
    times = recording.frame_times
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if step <= 0:
        return None
    lag = max(1, round(o.lag / step))
    origin = transform_points(inverse(recording.camera_from_world), thing.camera_from_object[:, None, :3, 3])[
        :, 0
    ]
    speed = np.linalg.norm(np.gradient(origin, axis=0), axis=-1) / step
    best: tuple[float, HandTrack, Array, Array] | None = None
    for hand in recording.hands.values():
        carried: Bools = thing.valid & hand.valid & (speed > o.speed)
        first = np.flatnonzero(carried[:-lag] & carried[lag:])
        if len(first) < o.fewest:
            continue
        first = first[np.linspace(0, len(first) - 1, min(len(first), o.most)).astype(int)]
        tips = hand.joints[first][:, _TIPS] - thing.camera_from_object[first, None, :3, 3]
        near = float(np.median(np.linalg.norm(tips, axis=-1).min(-1)))
        if best is None or near < best[0]:
            best = near, hand, first, first + lag
    return None if best is None else best[1:]


def _costs(
    readings: list[Array], mesh: Mesh, hand: HandTrack, first: Array, later: Array
) -> list[tuple[float, float]]:
    """For each of several poses (T, 4, 4): metres by which fingertips drift in the object's frame between frames, and
    metres from its surface."""
    at, then = (
        np.stack([transform_points(inverse(poses[f]), hand.joints[f][:, _TIPS]) for poses in readings])
        for f in (first, later)
    )
    drift = np.median(np.linalg.norm(then - at, axis=-1).reshape(len(readings), -1), axis=1)
    away = np.abs(signed_distance(mesh, at.reshape(-1, 3)).distance).reshape(at.shape[:-1])
    gap = np.median(np.sort(away, -1)[..., :3].reshape(len(readings), -1), axis=1)
    return list(zip(drift.tolist(), gap.tolist()))
