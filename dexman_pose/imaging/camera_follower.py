"""The camera followed from frame to frame: against the first frame, a later one where that is lost, and across cuts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Gray, Mask
from dexman_pose.imaging.background_points import PointOptions, corners, evened, follow
from dexman_pose.imaging.camera_verdict import (
    MOVED,
    NOTHING,
    STILL,
    UNKNOWN,
    Verdict,
    VerdictOptions,
    alike_share,
    carried,
    judge,
    zone_count,
)


@dataclass(frozen=True)
class _View:
    """A frame to follow from: its picture, its corners, and where those lay in the first frame."""

    picture: Gray
    points: Array
    reference: Array
    beyond_cut: bool = False


class CameraFollower:
    """Decides frame after frame; keeps three small pictures.

    Attributes:
        cuts: frames at which the picture was replaced.
        restored: (start, stop) of frames called moved since a cut that proved to be a flash or a cover.
    """

    def __init__(self, points: PointOptions, verdict: VerdictOptions) -> None:
        self.cuts: list[int] = []
        self.restored: list[tuple[int, int]] = []
        self._points, self._options = points, verdict
        self._first: _View | None = None
        self._recent: _View | None = None
        self._before: tuple[Gray, Mask | None] | None = None
        self._motion = np.eye(3)
        self._code = UNKNOWN

    def peek(self, gray: Gray, background: Mask | None) -> float | None:
        """The displacement when the frame is still and all is as before; None when it has to be looked at."""
        if self._first is None or self._recent is not None or self._code != STILL:
            return None
        picture = evened(gray, self._points)
        seen = self._against(self._first, picture, background, self._first.points)
        if seen.code != STILL or self._faded(self._first, seen):
            return None
        self._before = (picture, background)
        return seen.displacement

    def step(self, index: int, gray: Gray, background: Mask | None) -> tuple[int, float]:
        """State and displacement (reduced pixels) of the next frame."""
        picture = evened(gray, self._points)
        if self._first is None:
            self._first = self._view(picture, background, np.eye(3))
            enough = zone_count(self._first.points, picture.shape, self._options) >= self._options.still_zones
            seen = Verdict(STILL, 0.0, np.eye(3), 0, 0) if enough else NOTHING
        else:
            seen = self._seen(index, picture, background)
        self._before, self._code = (picture, background), seen.code
        if seen.code != UNKNOWN:
            self._motion = seen.motion
        return seen.code, seen.displacement

    def _seen(self, index: int, picture: Gray, background: Mask | None) -> Verdict:
        assert self._first is not None
        seen = self._against_first(picture, background)
        if seen.code != UNKNOWN:
            if self._recent is not None and self._recent.beyond_cut:
                self._back_after_cut(index)
                self._recent = None
            if not self._faded(self._first, seen):
                self._recent = None
                return seen
        if self._recent is not None:
            view = self._recent
            again = self._against(view, picture, background, carried(self._motion, view.reference))
            if view.beyond_cut:
                return self._after_cut(view, picture, background, again)
            if again.support > seen.support:
                seen = again
        if seen.code == UNKNOWN and self._before is not None and self._code != UNKNOWN:
            before = self._view(*self._before, self._motion)
            seen = self._against(before, picture, background, before.points)
            if seen.code == UNKNOWN and self._replaced(before, picture, background, seen):
                self.cuts.append(index)
                self._recent = replace(self._view(picture, background, np.eye(3)), beyond_cut=True)
                return Verdict(MOVED, np.inf, np.eye(3), 0, 0)
        if seen.code != UNKNOWN and (self._recent is None or self._faded(self._recent, seen)):
            self._recent = self._view(picture, background, seen.motion)
        return seen

    def _against_first(self, picture: Gray, background: Mask | None) -> Verdict:
        """Look for the first frame's corners where they were expected, then where they were."""
        assert self._first is not None
        points = self._first.points
        seen = self._against(self._first, picture, background, carried(self._motion, points))
        if seen.code == UNKNOWN and not np.array_equal(self._motion, np.eye(3)):
            seen = self._against(self._first, picture, background, points)
        return seen

    def _against(self, view: _View, picture: Gray, background: Mask | None, guess: Array) -> Verdict:
        now, found = follow(view.picture, picture, view.points, guess, self._points)
        if background is not None:
            x, y = np.round(now).astype(int).clip(0, np.array(picture.shape[::-1]) - 1).T
            found &= background[y, x]
        return judge(view.reference[found], now[found], picture.shape, self._options)

    def _view(self, picture: Gray, background: Mask | None, motion: Array) -> _View:
        points = corners(picture, background, self._points)
        return _View(picture, points, carried(np.linalg.inv(motion).astype(np.float64), points))

    def _faded(self, view: _View, seen: Verdict) -> bool:
        """Whether so few of a view's corners are left that a later one should take over."""
        return seen.support < max(2 * self._options.points, self._options.kept * len(view.points))

    def _replaced(self, before: _View, picture: Gray, background: Mask | None, seen: Verdict) -> bool:
        """Whether one picture all over corners gave way to another one at once."""
        o = self._options
        if seen.found > o.lost * len(before.points):
            return False
        after = corners(picture, background, self._points)
        zones = min(zone_count(points, picture.shape, o) for points in (before.points, after))
        return zones >= o.cut_zones and alike_share(before.picture, picture, o) < o.alike_share

    def _after_cut(self, view: _View, picture: Gray, background: Mask | None, again: Verdict) -> Verdict:
        """Beyond a cut the camera is not where it was, however it moves there."""
        if again.code == UNKNOWN:
            return NOTHING
        if self._faded(view, again):
            self._recent = replace(self._view(picture, background, again.motion), beyond_cut=True)
        return Verdict(MOVED, np.inf, again.motion, again.support, again.found)

    def _back_after_cut(self, index: int) -> None:
        if index - self.cuts[-1] <= self._options.flash:
            self.restored.append((self.cuts.pop(), index))
