"""A track of a small coloured object made exact by drawing it in the light of its clip.

Some frames are looked at, with one light for all of them; what they change is taken for the frames between.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.geometry.se3 import inverse, se3_exp, se3_log
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.color_agreement import ColorAgreement, color_agreement
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
        frames: that are looked at, at most, spread over those that are valid.
        small: pixels of the longer side of the drawn outline's box beyond which nothing is done.
        contrast: grey levels of contrast of the mesh's colours below which nothing is done.
        nearer: logarithms of the factors by which an object may be nearer than it is taken for, in each round: so much
            around it is not taken for ground.
        ground: share of the noise of the guessed ground that counts.
        noise: least and most grey levels of what the light does not explain.
        gain: share of the cost of a frame by which its new pose must be better.
        worse: agreement of colours, mean over the frames, that a change may cost.
        far: logarithm of a factor on the distance, and radians of a turn, beyond which a change is not believed.
        refine: how poses are moved.
    """

    frames: int = 8
    small: float = 120.0
    contrast: float = 12.0
    nearer: tuple[float, ...] = (0.12, 0.08, 0.05)
    ground: float = 0.5
    noise: tuple[float, float] = (4.0, 12.0)
    gain: float = 0.01
    worse: float = 0.04
    far: tuple[float, float] = (0.4, 0.6)
    refine: LitRefineOptions = field(default_factory=LitRefineOptions)


_DEFAULT = LitTrackOptions()


def lit_track(
    rasterizer: Rasterizer, track: PoseTrack, object_clip: ObjectClip, options: LitTrackOptions = _DEFAULT
) -> PoseTrack:
    """A track whose poses explain the pictures better, drawn in the clip's light; itself where that says nothing.

    Args:
        rasterizer: of the coloured mesh, metres.
        track: poses that are roughly right; its flags stay.
        object_clip: the clip it was tracked in.
        options: settings.
    """
    views = {}
    for frame in frames_to_ask(np.flatnonzero(track.valid), options.frames):
        view = _view(object_clip, frame)
        if _is_asked(rasterizer, track.camera_from_object[frame], view, options):
            views[frame] = view
    if not views:
        return track
    start = {frame: track.camera_from_object[frame] for frame in views}
    found = _refined(rasterizer, start, views, options)
    if not found:
        return track
    before = [color_agreement(rasterizer, start[frame], views[frame]).value for frame in found]
    after = [color_agreement(rasterizer, found[frame], views[frame]).value for frame in found]
    if np.mean(after) < np.mean(before) - options.worse:
        _log.info("%s: its light says other than its colours (%.3f, %.3f); it stays", object_clip.name, np.mean(before), np.mean(after))
        return track
    _log.info("%s: drawn in its light in %d frames (%.3f, %.3f)", object_clip.name, len(found), np.mean(before), np.mean(after))
    return _changed(track, found)


def _view(object_clip: ObjectClip, frame: int) -> ObjectView:
    masks = object_clip.masks
    label = masks.label_of(object_clip.name)
    return ObjectView(object_clip.clip.frame(frame), masks.labels(frame), label, object_clip.camera)


def _outline(
    rasterizer: Rasterizer, pose: Array, view: ObjectView, nearer: float
) -> NDArray[np.bool_]:
    """(H, W) what a pose covers, there and nearer."""
    c = view.camera
    poses = np.stack([pose, moved_along(pose, float(np.exp(-nearer)), rasterizer)])
    return np.asarray(rasterizer.render(poses, c.K, c.width, c.height).mask.any(0))


def _is_asked(rasterizer: Rasterizer, pose: Array, view: ObjectView, options: LitTrackOptions) -> bool:
    """Whether an object is small, and has colours."""
    box = mask_box(_outline(rasterizer, pose, view, 0.0))
    if box is None or (box[2:] - box[:2]).max() > options.small:
        return False
    colors: ColorAgreement = color_agreement(rasterizer, pose, view)
    return colors.contrast >= options.contrast


def _refined(
    rasterizer: Rasterizer,
    start: Mapping[int, Array],
    views: Mapping[int, ObjectView],
    options: LitTrackOptions,
) -> dict[int, Array]:
    """Better poses (4, 4) by frame, of those frames that have one."""
    o, poses = options.refine, dict(start)
    windows: dict[int, LitWindow] = {}
    refiners: dict[int, LitRefiner] = {}
    for blur, steps, nearer in zip(o.blurs, o.steps, options.nearer):
        windows = {}
        for frame, view in views.items():
            outline = _outline(rasterizer, poses[frame], view, nearer)
            if outline.any():
                windows[frame] = LitWindow(view, outline, o.drawing)
        light = fitted_light(list(windows.values()), rasterizer, [poses[frame] for frame in windows])
        if light is None:
            return {}
        least, most = options.noise
        for frame, window in windows.items():
            noise = max(np.hypot(min(light[1], most), options.ground * window.unknown_ground), least)
            refiners[frame] = LitRefiner(rasterizer, window, light[0], float(noise), o)
            poses[frame] = refiners[frame].refined(poses[frame], blur, steps)
    out = {}
    for frame in windows:
        before, after = (refiners[frame].cost(pose) for pose in (start[frame], poses[frame]))
        change = se3_log(inverse(start[frame]) @ poses[frame])
        growth = abs(np.log(poses[frame][2, 3] / start[frame][2, 3]))
        near = growth <= options.far[0] and np.linalg.norm(change[3:]) <= options.far[1]
        if near and after <= (1.0 - options.gain) * before:
            out[frame] = poses[frame]
    return out


def _changed(track: PoseTrack, found: Mapping[int, Array]) -> PoseTrack:
    """A track with other poses in some frames, and what these change in the frames between and beyond."""
    frames = np.array(sorted(found))
    old = track.camera_from_object
    changes = se3_log(np.stack([inverse(old[frame]) @ found[frame] for frame in frames]))
    at = np.arange(len(track))
    between = np.stack([np.interp(at, frames, changes[:, way]) for way in range(changes.shape[1])], 1)
    return replace(track, camera_from_object=old @ se3_exp(between))


