"""Whether a pose may be used, told as its picture comes: by the past alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.doubt import DOUBT_TEXT, Doubt
from dexman_pose.geometry import so3_log
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.region_options import RegionTrackOptions
from dexman_pose.pose.tracking.verdict import TrackVerdictOptions

Words = tuple[str, ...]


@dataclass(frozen=True)
class LiveOptions:
    """Settings of live tracking.

    Attributes:
        track: evidence, solver, loss and recovery, and the reach of an object in a frame: ``track.verdict.shift`` and
            ``turn``.
        settled: pictures in a row that must confirm a pose after a jump or a start in doubt. Set by hand: a tenth of
            a second of a usual camera.
    """

    track: RegionTrackOptions = field(default_factory=RegionTrackOptions)
    settled: int = 3
    hands_behind: int | None = 2


class LiveVerdict:
    """Judges the poses of one object, one picture after the other.

    Beside what the tracker itself does not believe, a pose is doubted that lies farther from the last good one than
    an object can move in the frames that passed, until the tracker has held on to it for a few pictures; and all poses
    after a start in doubt, until colours of the mesh have confirmed a few.

    Args:
        symmetry: of the mesh; what looks the same is no jump.
        center: (3,) the object's centre in its own frame, metres.
        options: levels.
    """

    def __init__(self, symmetry: SymmetryGroup, center: Array, options: LiveOptions) -> None:
        self._symmetry, self._center, self._options = symmetry, center, options
        self._good: Array | None = None
        self._before: Array | None = None
        self._unseen = 0
        self._held = 0
        self._start_doubted, self._confirmed = False, 0

    def start(self, found: FramePose, given: Array | None, *, doubted: bool) -> Words:
        """Words against the first pose.

        Args:
            found: what the tracker makes of it.
            given: (4, 4) the pose as someone gave it, or None where it was searched for.
            doubted: whether the search doubts it.
        """
        o, pose = self._options.track.verdict, found.camera_from_object
        if given is not None:
            turn, shift = self._symmetry.pose_error(pose, given, self._center)
            doubted |= bool(shift > o.start_shift or turn > np.radians(o.start_turn))
        self._good, self._before, self._unseen, self._held = pose, pose, 0, 0
        self._start_doubted, self._confirmed = doubted, 0
        return self._start_words(found)

    def step(self, found: FramePose, passed: int = 1) -> Words:
        """Words against the next pose; ``passed`` frames after the last one."""
        if not found.valid:
            self._unseen += passed
            self._before, self._held, self._confirmed = None, 0, 0
            return (DOUBT_TEXT[Doubt.NO_POSE],)
        words = self._start_words(found)
        if self._jumped(found.camera_from_object, passed):
            return (*words, DOUBT_TEXT[Doubt.JUMP])
        self._good, self._unseen = found.camera_from_object, 0
        return words

    def _jumped(self, pose: Array, passed: int) -> bool:
        """Whether a pose is out of reach and was not held on to for long enough."""
        near = self._before is not None and self._in_reach(pose, self._before, passed)
        followed = near and self._before is self._good
        self._before, self._held = pose, self._held + 1 if near else 0
        if followed or self._held >= self._options.settled:
            return False
        assert self._good is not None
        # Frames in which it was seen at a doubted pose do not widen the reach: it is not there, or it is confirmed.
        return not self._in_reach(pose, self._good, passed + self._unseen)

    def _in_reach(self, pose: Array, other: Array, frames: int) -> bool:
        o = self._options.track.verdict
        most_shift, most_turn = frames * o.shift, np.radians(frames * o.turn)
        # What is in reach as it is needs no symmetry, and nearly all poses are.
        apart = (pose[:3, :3] - other[:3, :3]) @ self._center + pose[:3, 3] - other[:3, 3]
        turned = np.linalg.norm(so3_log(pose[:3, :3] @ other[:3, :3].T))
        if np.linalg.norm(apart) <= most_shift and turned <= most_turn:
            return True
        turn, shift = self._symmetry.pose_error(pose, other, self._center)
        return bool(shift <= most_shift and turn <= most_turn)

    def _start_words(self, found: FramePose) -> Words:
        if self._start_doubted:
            self._confirmed = self._confirmed + 1 if colors_confirm(found, self._options.track.verdict) else 0
            self._start_doubted = self._confirmed < self._options.settled
        return (DOUBT_TEXT[Doubt.START],) if self._start_doubted else ()


def colors_confirm(found: FramePose, options: TrackVerdictOptions) -> bool:
    """Whether the mesh's own colours speak for a pose."""
    s = found.signals
    return bool(s.colors >= options.colors_confirm or s.points >= options.points_confirm)
