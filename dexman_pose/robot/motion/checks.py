"""What makes a motion doubtful before any planning: found in a second, where planning would take minutes to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import runs
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.motion.touch import Touches
from dexman_pose.robot.motion.types import RATE, Motion
from dexman_pose.robot.objects.placement import Placement


@dataclass(frozen=True)
class CheckOptions:
    """From where on something is said.

    Attributes:
        drift: metres that held points of the hand move over the object.
        below: metres of a hand's joint under the table.
        turned: radians between an object at rest and the pose in which it stands.
        moved: metres between them.
        bridged: share of frames that were interpolated.
        held: share of the frames in which an object moves that a hand touches it.
        taken: seconds for which an object is not seen while it leaves its place.
    """

    drift: float = 0.015
    below: float = 0.02
    turned: float = 0.3
    moved: float = 0.02
    bridged: float = 0.3
    held: float = 0.5
    taken: float = 0.2


def doubts(
    motion: Motion,
    touches: Sequence[Touches],
    placements: Mapping[str, Placement],
    moving: Mapping[str, np.ndarray],
    options: CheckOptions | None = None,
) -> tuple[str, ...]:
    """Say what speaks against a motion, one line each; none where nothing does.

    Args:
        motion: before it is shifted.
        touches: of its hands.
        placements: where each object stands.
        moving: (T,) frames in which each object has left its place.
        options: thresholds.
    """
    o = options or CheckOptions()
    return (
        *_hands(motion, o),
        *_drifts(motion, touches, moving, o),
        *_holds(touches, moving, o),
        *_taken(motion, moving, o),
        *_placed(placements, o),
    )


def _hands(motion: Motion, o: CheckOptions) -> list[str]:
    said = []
    for side, hand in motion.hands.items():
        low = float(hand.joints[..., 2].min())
        if low < -o.below:
            said.append(
                f"the {side} hand is {-1e3 * low:.0f} mm under the table: gravity, scale or the hand is wrong"
            )
        if hand.bridged.mean() > o.bridged:
            said.append(f"the {side} hand was not seen in {100 * hand.bridged.mean():.0f} % of the frames")
    return said


def _drifts(
    motion: Motion, touches: Sequence[Touches], moving: Mapping[str, np.ndarray], o: CheckOptions
) -> list[str]:
    """Tips that move over what they hold: a rotation that is read wrongly shows here."""
    said = []
    for t in touches:
        frames = moving[t.name]
        held = frames & (t.touching.sum(1) >= 2)
        if held.sum() < 2:
            continue
        tips = [
            k for k, name in enumerate(t.joints) if name.endswith("_tip") and t.touching[held, k].mean() > 0.5
        ]
        if not tips:
            continue
        joints = motion.hands[t.side].joints[:, [JOINT_NAMES.index(t.joints[k]) for k in tips]]
        local = transform_points(inverse(motion.objects[t.name].world_from_object), joints)[held]
        drift = np.linalg.norm(local - np.median(local, axis=0), axis=2)
        middle = float(np.median(drift))
        if middle > o.drift:
            said.append(
                f"the {t.side} hand moves over {t.name} by {1e3 * middle:.0f} mm while it holds it: it slips, or poses "
                "and hand disagree"
            )
    return said


def _holds(touches: Sequence[Touches], moving: Mapping[str, np.ndarray], o: CheckOptions) -> list[str]:
    said = []
    for name, frames in moving.items():
        if not frames.any():
            continue
        near = np.zeros(len(frames), np.bool_)
        for t in touches:
            near |= t.touching.any(1) & (t.name == name)
        share = float(near[frames].mean())
        if share < o.held:
            said.append(f"{name} moves, but is touched in {100 * share:.0f} % of that time only")
    return said


def _taken(motion: Motion, moving: Mapping[str, np.ndarray], o: CheckOptions) -> list[str]:
    """Objects whose way off the table lies in a gap: a straight bridge lifts them too early, where no hand is."""
    said = []
    for name, frames in moving.items():
        if not frames.any():
            continue
        leaves = int(np.argmax(frames))
        for start, stop in runs(motion.objects[name].bridged):
            if start <= leaves <= stop and stop - start > o.taken * RATE:
                said.append(
                    f"{name} is not seen for {(stop - start) / RATE:.1f} s while it leaves its place: when and how "
                    "it is taken is not known"
                )
    return said


def _placed(placements: Mapping[str, Placement], o: CheckOptions) -> list[str]:
    said = []
    for name, p in placements.items():
        if not p.stands:
            said.append(
                f"{name} comes to rest from no start near its pose: its rotation, or gravity, is wrong"
            )
        elif p.turned > o.turned or p.moved > o.moved:
            said.append(
                f"{name} stands {1e3 * p.moved:.0f} mm and {p.turned:.2f} rad from where it was seen at rest: its "
                "rotation, or gravity, may be wrong"
            )
    return said
