"""One object followed by what its outline separates, without a mask."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.evidence import Evidence
from dexman_pose.geometry import so3_exp
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.region.refiner import RegionPose, RegionRefiner
from dexman_pose.pose.search.coarse_mesh import stand_in_refiner
from dexman_pose.pose.tracking.motion_model import predict
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.recovery.from_all_sides import far_search, merit
from dexman_pose.pose.tracking.region_options import RegionTrackOptions
from dexman_pose.pose.tracking.signals import FrameSignals
from dexman_pose.pose.tracking.tracked_object import TrackedObject

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RegionFrame:
    """One frame, as objects are looked for in it by region.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        hidden: (H, W) pixels in which something may be before the object, or None.
        mask: (H, W) pixels that a mask gives to the object, or None.
        depth: (H, W) float32 metres, 0 where not measured, or None.
        guesses: poses (4, 4) where else the object may be, should it not be found where it is expected.
    """

    image: NDArray[np.uint8]
    hidden: Bools | None = None
    mask: Bools | None = None
    depth: NDArray[np.float32] | None = None
    guesses: tuple[Array, ...] = ()


@dataclass
class _Good:
    """Levels of the frames in which the pose was believed."""

    agree: float = 0.0
    odds: float = 0.0
    edge: float = 0.0

    def follow(self, found: RegionPose, kept: float) -> None:
        self.agree = max(kept * self.agree, found.agree)
        self.odds = max(kept * self.odds, found.odds)
        self.edge = max(kept * self.edge, found.edge)


@dataclass
class RegionTracker:
    """Follows one object through consecutive frames, forwards or backwards.

    Attributes:
        tracked: the object, its mesh, its camera.
        options: settings.
        pose: (4, 4) camera_from_object, the last one believed.
        lost_for: frames since the object was lost, 0 while it is not.
    """

    tracked: TrackedObject
    options: RegionTrackOptions = field(default_factory=RegionTrackOptions)
    pose: Array = field(init=False, default_factory=lambda: np.eye(4))
    lost_for: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        tracked = self.tracked
        outline = stand_in_refiner(tracked.refiner, self.options.outline).rasterizer
        self._refiner = RegionRefiner(
            tracked.refiner, tracked.camera, tracked.extremes, self.options.region, outline
        )
        self._previous: Array | None = None
        self._good = _Good()

    @property
    def is_tracking(self) -> bool:
        """Whether the last frame's pose is believed."""
        return self.lost_for == 0

    def start(self, pose: Array, frame: RegionFrame) -> FramePose:
        """Begin at a known pose (4, 4) in this frame; it is refined once more."""
        self.pose, self._previous, self.lost_for, self._good = pose, None, 0, _Good()
        found = self._begun(pose, frame)
        if not (self._refiner.colored and self._is_explained(found)):
            for (
                start
            ) in self._starts():  # a plain mesh a little beside the object finds colours to agree with, too
                found = self._better(found, self._begun(start, frame))
            found = self._begun(found.camera_from_object, frame)
        settled = self._settled(found, frame, believed=True)
        self._previous = None  # the way from the start to the object is no motion
        return settled

    def _begun(self, pose: Array, frame: RegionFrame) -> RegionPose:
        """The pose (4, 4) refined with the colours at it, and again with those of where it led."""
        found = self._learnt(pose, frame)
        for _ in range(self.options.start_again):
            found = self._learnt(found.camera_from_object, frame)
        return found

    def _learnt(self, pose: Array, frame: RegionFrame) -> RegionPose:
        self._refiner.learn_at(pose, frame.image, frame.hidden, frame.mask)
        return self._refined(pose, frame)

    def _is_explained(self, found: RegionPose) -> bool:
        """Whether colours tell the object at a pose from what is around it, or its texture is there."""
        o = self.options.loss
        return found.odds >= o.least_odds or found.colors >= o.colors_confirm

    def step(self, frame: RegionFrame) -> FramePose:
        """The pose in the next frame."""
        found = self._refined(self._predicted(), frame)
        if not self._is_good(found) and self._previous is not None:
            found = self._better(found, self._refined(self.pose, frame))
        if not self._is_good(found):
            found = self._guessed(found, frame)
        if not self._is_good(found) and self.lost_for % self.options.recovery.every == 0:
            found = self._searched(found, frame)
        if not self._is_good(found) and frame.guesses and self.lost_for in self.options.far.after:
            found = self._far(found, frame)
        return self._settled(found, frame, believed=self._is_good(found))

    def _predicted(self) -> Array:
        """(4, 4) the pose expected in the next frame; the last one where nothing is known of the motion."""
        if self._previous is None or self.lost_for:
            return self.pose
        return predict(self.pose, self._previous, self.tracked.refiner.center, self.options.motion)

    def _refined(self, start: Array, frame: RegionFrame) -> RegionPose:
        return self._refiner.refine(start, frame.image, frame.hidden, frame.mask)

    def _is_good(self, found: RegionPose) -> bool:
        o, good = self.options.loss, self._good
        if found.seen < o.seen or not np.isfinite(found.camera_from_object).all():
            return False
        if found.colors < o.colors and found.texture < o.texture:
            return False
        return (
            found.agree >= o.agree * good.agree
            and found.odds >= o.odds * good.odds
            and found.edge >= o.edge * good.edge
        )

    def _better(self, first: RegionPose, second: RegionPose) -> RegionPose:
        return second if merit(second) > merit(first) else first

    def _searched(self, found: RegionPose, frame: RegionFrame) -> RegionPose:
        """The best pose from starts around the last one, a few in every search."""
        self._refiner.forget()  # points of a frame some time ago are not where they were
        starts, o = self._starts(), self.options.recovery
        first = self.lost_for // o.every * o.tries % len(starts) if starts else 0
        for start in (starts[first:] + starts[:first])[: o.tries]:
            found = self._better(found, self._refined(start, frame))
            if self._is_good(found):
                break
        return found

    def _far(self, found: RegionPose, frame: RegionFrame) -> RegionPose:
        """What a search from all sides finds, where it is as good as what is asked of it."""
        o, good = self.options.far, self._good
        other = far_search(self._refiner, self.tracked, [*frame.guesses, self.pose], frame, o)
        if other is None or other.agree < o.agree * good.agree or other.odds < o.odds * good.odds:
            return found
        return other if self._is_good(other) else found

    def _guessed(self, found: RegionPose, frame: RegionFrame) -> RegionPose:
        """The best pose from the guesses of others, and from turns of them: nearer ones first, then farther ones."""
        for turn in (0.0, *self.options.recovery.guess_turns):
            for guess in frame.guesses:
                for start in [guess] if not turn else self._turned(guess, turn):
                    found = self._better(found, self._refined(start, frame))
            if self._is_good(found):
                break
        return found

    def _turned(self, pose: Array, angle: float) -> list[Array]:
        """(4, 4) poses turned about the object's centre by an angle, both ways about three axes."""
        center, out = self.tracked.refiner.center, []
        for axis in np.concatenate([np.eye(3), -np.eye(3)]):
            turned = pose.copy()
            turned[:3, :3] = so3_exp(angle * axis) @ pose[:3, :3]
            turned[:3, 3] += (pose[:3, :3] - turned[:3, :3]) @ center
            out.append(turned)
        return out

    def _starts(self) -> list[Array]:
        """(4, 4) poses around the last one: moved to eight sides, turned about three axes."""
        o, radius = self.options.recovery, self.tracked.refiner.rasterizer.mesh.radius
        out = []
        for shift in o.shifts:
            for angle in np.arange(8) * (np.pi / 4):
                moved = self.pose.copy()
                moved[:2, 3] += shift * radius * np.array([np.cos(angle), np.sin(angle)])
                out.append(moved)
        for turn in o.turns:
            out += self._turned(self.pose, turn)
        return out

    def _settled(self, found: RegionPose, frame: RegionFrame, *, believed: bool) -> FramePose:
        """Believe a pose or not, and remember what the next frame needs."""
        if not believed:
            if not self.lost_for:
                _log.debug("label %d lost: %.2f of its outline agrees", self.tracked.label, found.agree)
            self.lost_for += 1
            self._previous = None
            self._refiner.forget()
            return FramePose(self.pose, False, 0.0, 0.0, 0.0, np.eye(POSE_SIZE))
        self._previous = None if self.lost_for else self.pose
        self.pose, self.lost_for = found.camera_from_object, 0
        signals = self._signals(found, frame)
        self._good.follow(found, self.options.loss.kept)
        self._refiner.keep(found, frame.image)
        colors = 0.0 if np.isnan(found.colors) else found.colors
        sure = float(np.clip(found.agree * min(1.0, 2.0 * found.seen), 0.0, 1.0))
        valid = self._is_explained(found)
        return FramePose(
            self.pose, valid, sure if valid else 0.0, found.agree, colors, found.hessian, signals
        )

    def _signals(self, found: RegionPose, frame: RegionFrame) -> FrameSignals:
        agrees, behind = self._depth_shares(frame)
        return FrameSignals(
            overlap=found.agree,
            colors=found.colors,
            edges=found.edge,
            depth_agrees=agrees,
            depth_behind=behind,
            known=found.seen,
            points=float(found.texture) if np.isfinite(found.colors) else np.nan,
            evidence=self._carried(found, frame),
        )

    def _carried(self, found: RegionPose, frame: RegionFrame) -> int:
        """Sum of the kinds of evidence that carry a pose."""
        o, least = self.options.loss, self.options.region.points.least
        kinds = {
            Evidence.REGION: found.odds >= o.least_odds,
            Evidence.EDGES: found.edge >= o.carrying_edge,
            Evidence.TEXTURE: found.texture >= least,
            Evidence.CORNERS: found.flow >= least,
            Evidence.MASK: frame.mask is not None,
        }
        return sum(int(kind) for kind, there in kinds.items() if there)

    def _depth_shares(self, frame: RegionFrame) -> tuple[float, float]:
        """Shares of measured depth that agree with the pose, and that lie farther; NaN of too few."""
        if frame.depth is None:
            return np.nan, np.nan
        o, solver = self.options.signals, self._refiner.solver
        window, inverse = solver.window, solver.inverse_depth
        y, x = np.nonzero(inverse)
        pixels = np.round(window.to_image(np.stack([x, y], 1))).astype(np.int64)
        height, width = frame.depth.shape
        inside = (pixels >= 0).all(1) & (pixels[:, 0] < width) & (pixels[:, 1] < height)
        if frame.hidden is not None:  # there it is the depth of what hides the object
            inside[inside] = ~frame.hidden[pixels[inside, 1], pixels[inside, 0]]
        drawn = 1.0 / inverse[y[inside], x[inside]]
        measured = frame.depth[pixels[inside, 1], pixels[inside, 0]]
        drawn, measured = drawn[measured > 0], measured[measured > 0]
        if len(drawn) < o.least_pixels:
            return np.nan, np.nan
        floor = max(o.depth_radius * self.tracked.refiner.rasterizer.mesh.radius, o.depth_floor)
        tolerance = np.maximum(o.depth_share * drawn, floor)
        off = measured - drawn
        return float((np.abs(off) < tolerance).mean()), float((off >= tolerance).mean())
