"""What changes of a tracked object from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.evidence import Evidence
from dexman_pose.pose.matching.keyframes import Keyframes
from dexman_pose.pose.matching.point_tracks import (
    SurfaceTracks,
    follow_surface,
    refresh_surface,
)
from dexman_pose.pose.refinement.refiner import Refined
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.pose.tracking.motion_model import predict
from dexman_pose.pose.tracking.tracked_frame import TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject


class Phase(Enum):
    """Where a tracker stands."""

    TRACKING = "tracking"
    """The last frame's pose is believed."""

    LOST = "lost"
    """The object was not in the last frame, or no pose explained it."""

    RELOCALISING = "relocalising"
    """The object is being looked for in the present frame."""


@dataclass(frozen=True)
class Candidate:
    """A pose proposed for a frame.

    Attributes:
        refined: the refinement that gave it.
        ncc: correlation of the mesh's colours with the picture, in [-1, 1]; 0 without colours.
        by_texture: whether colours and edges alone carry it.
        points: of the drawn texture that were found where the pose has them; NaN where texture did not lead.
        evidence: sum of :class:`~dexman_pose.data.evidence.Evidence`, what carries it.
    """

    refined: Refined
    ncc: float
    by_texture: bool = False
    points: float = np.nan
    evidence: int = int(Evidence.MASK)


@dataclass
class TrackState:
    """What is remembered from one frame to the next.

    Attributes:
        keyframes: earlier views of the object.
        phase: where the tracker stands.
        pose: (4, 4) camera_from_object, the last one believed.
        previous: (4, 4) the one before, or None where the frames are not neighbours.
        first: (4, 4) the pose the track started from.
        tracks: surface points being followed.
        lost_for: frames since the object was lost, 0 while it is not.
        good_ncc: correlation of the mesh's colours in good frames.
        first_ncc: in the first frame.
        frame: the last frame, or None before the first one.
        believed: whether the last frame's pose was believed, so that points can be taken from it.
        recognised: whether earlier views said enough in this frame, so that no points had to be followed.
        tick: frames since the start.
    """

    keyframes: Keyframes
    phase: Phase = Phase.TRACKING
    pose: Array = field(default_factory=lambda: np.eye(4))
    previous: Array | None = None
    first: Array = field(default_factory=lambda: np.eye(4))
    tracks: SurfaceTracks = field(default_factory=SurfaceTracks)
    lost_for: int = 0
    good_ncc: float = 0.0
    first_ncc: float = 0.0
    frame: TrackedFrame | None = None
    believed: bool = False
    recognised: bool = False
    tick: int = 0

    def predicted(self, tracked: TrackedObject) -> Array:
        """(4, 4) the pose expected in the next frame; the last one where nothing is known of the motion."""
        if self.previous is None or self.lost_for > 0:
            return self.pose
        return predict(self.pose, self.previous, tracked.refiner.center, tracked.options.motion)

    def follow(self, tracked: TrackedObject, frame: TrackedFrame, predicted: Array) -> PointMatches | None:
        """Surface points followed from the last frame into this one."""
        if self.frame is None:
            return None
        guided = tracked.is_texture_guided(self.good_ncc)
        if (guided or len(self.tracks) == 0) and self.believed:
            self.tracks = SurfaceTracks()
            self.refresh(tracked, self.frame)
        own = frame.own(beyond_mask=guided)
        frames = (self.frame.gray, frame.gray)
        return follow_surface(self.tracks, frames, (self.pose, predicted), tracked.camera, own)

    def refresh(self, tracked: TrackedObject, frame: TrackedFrame) -> None:
        """Drop surface points that disagree with the pose in a frame, add new ones."""
        guided = tracked.is_texture_guided(self.good_ncc)
        refresh_surface(
            self.tracks,
            frame.gray,
            self.pose,
            tracked.image_box(self.pose) if guided else frame.box,
            frame.own(beyond_mask=guided),
            tracked.refiner.rasterizer,
            tracked.camera,
            tracked.options.points,
        )
