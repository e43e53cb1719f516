"""How well objects followed their reference: strictly, at every step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.planning.cost import apart
from dexman_pose.robot.planning.options import Limits


@dataclass(frozen=True)
class Score:
    """Of one episode of T frames; over all objects, the worst counts.

    Attributes:
        success: every frame within the limits.
        tracked: frames before the first that is not.
        frames: T.
        position: metres, E_t: the mean over frames.
        rotation: radians, E_r.
        most_position: metres, the worst frame.
        most_rotation: radians.
        lifted: share of the reference's greatest height above its start that the object reached; 1 where that is none.
    """

    success: bool
    tracked: int
    frames: int
    position: float
    rotation: float
    most_position: float
    most_rotation: float
    lifted: float

    @property
    def share(self) -> float:
        """Share of the frames that were tracked."""
        return self.tracked / self.frames


def score(places: Array, reference: Array, limits: Limits | None = None) -> Score:
    """Score objects at (T, O, 7) places and quaternions wxyz against a reference."""
    o = limits or Limits()
    metres, radians = apart(places, reference)
    metres, radians = np.nan_to_num(metres, nan=np.inf).max(1), np.nan_to_num(radians, nan=np.inf).max(1)
    good = (metres < o.position) & (radians < o.rotation)
    bad = np.flatnonzero(~good)
    return Score(
        success=bool(good.all()),
        tracked=int(bad[0]) if len(bad) else len(good),
        frames=len(good),
        position=float(metres.mean()),
        rotation=float(radians.mean()),
        most_position=float(metres.max()),
        most_rotation=float(radians.max()),
        lifted=_lifted(places, reference),
    )


def _lifted(places: Array, reference: Array) -> float:
    rise = reference[..., 2] - reference[:1, :, 2]
    which = int(np.argmax(rise.max(0)))
    frame = int(np.argmax(rise[:, which]))
    wanted = float(rise[frame, which])
    if wanted <= 0:
        return 1.0
    return float(np.nan_to_num(places[frame, which, 2] - places[0, which, 2], nan=0.0) / wanted)
