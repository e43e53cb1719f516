"""A track of a small coloured object made exact by drawing it in the light of its clip.

Some frames are looked at, with one light for all of them; what they change is taken for the frames between. Frames in
which the object was lost or doubted are looked at again from there, and are believed where its colours then agree.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.data.doubt import pose_doubted
from dexman_pose.geometry.se3 import inverse, se3_exp, se3_log
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.color_agreement import color_agreement
from dexman_pose.pose.matching.lit_drawing import LitWindow, fitted_light
from dexman_pose.pose.observation.view import ObjectClip, ObjectView
from dexman_pose.pose.refinement.lit import LitRefineOptions, LitRefiner
from dexman_pose.pose.refinement.settled import frames_to_ask, moved_along
from dexman_pose.render import Rasterizer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LitTrackOptions:
    """Which tracks are changed, and when a change is believed.

    Attributes:
        frames: that are looked at, at most, spread over those that are valid ...
        doubted: ... and of those that are not, the nearest to them.
        small: pixels of the longer side of the drawn outline's box beyond which nothing is done in a frame ...
        most: ... and share of the frames in which it must be as small.
        contrast: grey levels of contrast of the mesh's colours below which nothing is done.
        nearer: logarithms of the factors by which an object may be nearer than it is taken for, in each round: so much
            around it is not taken for ground.
        ground: share of the noise of the guessed ground that counts.
        noise: least and most grey levels of what the light does not explain.
        unexplained: grey levels of spread that the light leaves in the object's colours, in each round, beyond which it
            says nothing: a mesh's colours may be others than a camera's. On a real cube 40 are left, on rendered things
            4 to 13 at right poses, up to 20 at wrong ones.
        gain: share of the cost of a frame by which its new pose must be better.
        worse: agreement of colours, mean over the frames, that a change may cost: where an object is drawn too small,
            what is left of it agrees a little better.
        far: logarithm of a factor on the distance, and radians of a turn, beyond which a change is not believed.
        share: of the usual agreement of colours below which a frame is looked at again from its neighbours ...
        vouched: ... and agreement from which colours vouch for a pose that was in doubt, at ...
        full_contrast: ... so many grey levels of contrast; with less, it falls in proportion.
        seen: share of the object that nothing covers, least where they do.
        refine: how poses are moved.
    """

    frames: int = 8
    doubted: int = 12
    small: float = 120.0
    most: float = 0.5
    contrast: float = 12.0
    nearer: tuple[float, ...] = (0.12, 0.08, 0.05)
    ground: float = 0.5
    noise: tuple[float, float] = (4.0, 12.0)
    unexplained: tuple[float, ...] = (30.0, 25.0, 20.0)
    gain: float = 0.03
    worse: float = 0.04
    far: tuple[float, float] = (0.4, 1.0)
    share: float = 0.8
    vouched: float = 0.55
    full_contrast: float = 22.0
    seen: float = 0.25
    refine: LitRefineOptions = field(default_factory=LitRefineOptions)


_DEFAULT = LitTrackOptions()


@dataclass(frozen=True)
class LitPose:
    """A pose (4, 4) in a frame, and how well the mesh's colours agree there."""

    pose: Array
    colors: float
    vouched: bool


def lit_track(
    rasterizer: Rasterizer, track: PoseTrack, object_clip: ObjectClip, options: LitTrackOptions = _DEFAULT
) -> PoseTrack:
    """A track whose poses explain the pictures better, drawn in the clip's light; itself where that says nothing.

    Args:
        rasterizer: of the coloured mesh, metres.
        track: poses that are roughly right. Frames that are valid stay so; others become valid where colours vouch
            for them afterwards.
        object_clip: the clip it was tracked in.
        options: settings.
    """
    work = _LitClip(rasterizer, track, object_clip, options)
    frames = frames_to_ask(np.flatnonzero(track.valid), options.frames)
    asked = [frame for frame in frames if work.is_asked(frame)]
    if len(asked) < options.most * len(frames):
        return track
    found = work.refined({frame: track.camera_from_object[frame] for frame in asked})
    if not found:
        return track
    before = np.mean([work.at(frame, track.camera_from_object[frame]).colors for frame in found])
    after = np.mean([one.colors for one in found.values()])
    if after < before - options.worse:
        _log.info("%s: its light says other than its colours; it stays", object_clip.name)
        return track
    found |= work.again(found, [f for f in asked if f not in found])
    _log.info(
        "%s: drawn in its light; its colours agree to %.2f, before to %.2f", object_clip.name, after, before
    )
    stay = {frame: track.camera_from_object[frame] for frame in frames}
    return _changed(track, stay | {frame: one.pose for frame, one in found.items()})


class _LitClip:
    """The frames of a clip in which an object is drawn, and the light that falls on it."""

    def __init__(
        self, rasterizer: Rasterizer, track: PoseTrack, object_clip: ObjectClip, options: LitTrackOptions
    ) -> None:
        self._rasterizer, self._track, self._options = rasterizer, track, options
        self._object_clip = object_clip
        self._views: dict[int, ObjectView] = {}
        self._light: tuple[Array, float] | None = None

    def view(self, frame: int) -> ObjectView:
        """A frame with the object in it."""
        if frame not in self._views:
            clip, masks = self._object_clip, self._object_clip.masks
            label = masks.label_of(clip.name)
            self._views[frame] = ObjectView(clip.clip.frame(frame), masks.labels(frame), label, clip.camera)
        return self._views[frame]

    def is_asked(self, frame: int) -> bool:
        """Whether the object is small there, and has colours."""
        pose = self._track.camera_from_object[frame]
        box = mask_box(self._outline(frame, pose, 0.0))
        if box is None or (box[2:] - box[:2]).max() > self._options.small:
            return False
        return color_agreement(self._rasterizer, pose, self.view(frame)).contrast >= self._options.contrast

    def at(self, frame: int, pose: Array) -> LitPose:
        """A pose (4, 4) in a frame as it is."""
        found, o = color_agreement(self._rasterizer, pose, self.view(frame)), self._options
        needed = o.vouched * min(1.0, found.contrast / o.full_contrast)
        sure = found.contrast >= o.contrast and found.seen >= o.seen and found.value >= needed
        return LitPose(pose, found.value, sure)

    def refined(self, start: Mapping[int, Array], *, better: bool = True) -> dict[int, LitPose]:
        """Poses by frame that explain the picture; the light is that of these frames, if none is known.

        Args:
            start: poses (4, 4) by frame.
            better: leave out those that are not clearly better than where they came from, or far from it.
        """
        o, poses, own = self._options.refine, dict(start), self._light is None
        refiners: dict[int, LitRefiner] = {}
        rounds = zip(o.blurs, o.steps, self._options.nearer, self._options.unexplained)
        for blur, steps, nearer, unexplained in rounds:
            windows = {}
            for frame, pose in poses.items():
                outline = self._outline(frame, pose, nearer)
                if outline.any():
                    windows[frame] = LitWindow(self.view(frame), outline, o.drawing)
            if own:
                at = [poses[frame] for frame in windows]
                self._light = fitted_light(list(windows.values()), self._rasterizer, at)
            if self._light is None or self._light[1] > unexplained:
                return {}
            refiners = {frame: self._refiner(window, self._light) for frame, window in windows.items()}
            for frame, refiner in refiners.items():
                poses[frame] = refiner.refined(poses[frame], blur, steps)
        kept = [f for f, one in refiners.items() if not better or self._is_better(one, start[f], poses[f])]
        return {frame: self.at(frame, poses[frame]) for frame in kept}

    def again(self, found: Mapping[int, LitPose], missed: Sequence[int]) -> dict[int, LitPose]:
        """Poses of frames that agree less than usual, were missed or are in doubt, from where their neighbours led."""
        o, level = self._options, float(np.median([one.colors for one in found.values()]))
        good = {frame: one for frame, one in found.items() if one.colors >= o.share * level}
        doubted = np.flatnonzero(~self._track.valid)
        nearest = np.abs(doubted[:, None] - np.array(sorted(found))).min(1)
        weak = [*missed, *(frame for frame in found if frame not in good)]
        waiting = {*weak, *doubted[np.argsort(nearest, kind="stable")][: o.doubted].tolist()}
        out = {}
        while waiting and good:
            frame, guide = min(
                ((w, g) for w in waiting for g in good), key=lambda pair: abs(pair[0] - pair[1])
            )
            waiting.remove(frame)
            own = self._track.camera_from_object
            led = own[frame] @ inverse(own[guide]) @ good[guide].pose
            best = self._best(frame, [good[guide].pose, led, own[frame]], o.share * level)
            if best is None or (frame in found and best.colors <= found[frame].colors):
                continue
            if best.colors >= o.share * level:
                good[frame] = best
            if self._track.valid[frame] or (best.vouched and frame in good):
                out[frame] = best
        return out

    def _best(self, frame: int, starts: Sequence[Array], enough: float) -> LitPose | None:
        """The pose of several starts (4, 4) in a frame with which colours agree most, or the first that is enough."""
        best: LitPose | None = None
        for pose in starts:
            found = self.refined({frame: pose}, better=False).get(frame)
            if found is not None and (best is None or found.colors > best.colors):
                best = found
            if best is not None and best.colors >= enough:
                break
        return best

    def _outline(self, frame: int, pose: Array, nearer: float) -> NDArray[np.bool_]:
        """(H, W) what a pose covers, there and nearer."""
        c = self._object_clip.camera
        poses = np.stack([pose, moved_along(pose, float(np.exp(-nearer)), self._rasterizer)])
        return np.asarray(self._rasterizer.render(poses, c.K, c.width, c.height).mask.any(0))

    def _refiner(self, window: LitWindow, light: tuple[Array, float]) -> LitRefiner:
        o = self._options
        least, most = o.noise
        noise = max(float(np.hypot(min(light[1], most), o.ground * window.unknown_ground)), least)
        return LitRefiner(self._rasterizer, window, light[0], noise, o.refine)

    def _is_better(self, refiner: LitRefiner, before: Array, after: Array) -> bool:
        """Whether a pose explains the picture clearly better than the one it came from, and is near to it."""
        o = self._options
        turn = float(np.linalg.norm(se3_log(inverse(before) @ after)[3:]))
        growth = abs(float(np.log(after[2, 3] / before[2, 3])))
        if growth > o.far[0] or turn > o.far[1]:
            return False
        return refiner.cost(after) <= (1.0 - o.gain) * refiner.cost(before)


def _changed(track: PoseTrack, poses: Mapping[int, Array]) -> PoseTrack:
    """A track with other poses (4, 4) in some frames, and what these change in the frames between and beyond."""
    frames = np.array(sorted(poses))
    old = track.camera_from_object
    changes = se3_log(np.stack([inverse(old[frame]) @ poses[frame] for frame in frames]))
    at = np.arange(len(track))
    between = np.stack([np.interp(at, frames, changes[:, way]) for way in range(changes.shape[1])], 1)
    track = replace(track, camera_from_object=old @ se3_exp(between))
    regained = np.array([frame for frame in frames if not track.valid[frame]], int)
    if not len(regained):
        return track
    valid, confidence = track.valid.copy(), track.confidence.copy()
    confidence[regained] = np.median(confidence[valid])
    valid[regained] = True
    doubt = None if track.doubt is None else track.doubt.copy()
    if doubt is not None:
        doubt[regained[pose_doubted(doubt[regained])]] = 0
    return replace(track, valid=valid, confidence=confidence, doubt=doubt)
