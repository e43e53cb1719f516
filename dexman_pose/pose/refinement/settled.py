"""How far away a coloured object is that was followed by its outline and tracked again by its colours.

A small object in a compressed picture has soft edges, and often a rim: its outline is found a pixel too far inside, in
every frame, so that it comes out some percent too far away, and matches of its texture hardly mind. Colours compared
over all of its area do. Several frames are asked, and one answer is taken for all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.boxed_agreement import BoxedPicture
from dexman_pose.pose.matching.color_agreement import color_agreement
from dexman_pose.pose.observation.view import ObjectClip, ObjectView
from dexman_pose.render import Rasterizer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SettleOptions:
    """When a distance is changed.

    Attributes:
        frames: that are looked at, at most, spread over those that are valid.
        margin: share of the longer side of the drawn outline's box by which what is looked at is wider on every side.
        small: pixels of the longer side of the drawn outline's box beyond which nothing is asked: soft edges are a
            small part of a larger object.
        contrast: grey levels of contrast of the mesh's colours below which they are not asked.
        worse: agreement of colours and around the outline, mean over the frames, that the nearer distance of two may
            cost.
        farther, nearer: logarithms of the factors by which the distance may change: outlines are found too far inside,
            not too far outside, so that farther ones are looked at for comparison alone.
        step: of these.
        agreed: agreement of colours, mean over the frames, below which no distance is changed.
        least: logarithm of the factor below which none is changed: there the tracker knows better.
        gain: agreement of colours that is won at least, mean over the frames.
    """

    frames: int = 6
    margin: float = 0.08
    small: float = 120.0
    contrast: float = 12.0
    worse: float = 0.01
    farther: float = 0.02
    nearer: float = 0.06
    step: float = 0.01
    agreed: float = 0.5
    least: float = 0.015
    gain: float = 0.005


_DEFAULT = SettleOptions()


def settled_track(
    rasterizer: Rasterizer,
    followed: PoseTrack,
    again: PoseTrack,
    object_clip: ObjectClip,
    options: SettleOptions = _DEFAULT,
) -> PoseTrack:
    """A track by colours, nearer where it then agrees as well with the pictures, or better.

    Args:
        rasterizer: of the coloured mesh, metres.
        followed: as the object was followed by its outline.
        again: as it was tracked again, by its colours: its turns are believed, and its flags.
        object_clip: the clip it was tracked in.
        options: settings.
    """
    track = _at_nearer(rasterizer, followed, again, object_clip, options)
    factor = distance_factor(rasterizer, track, object_clip, options)
    if factor == 1.0:
        return track
    _log.info("%s: %.1f %% nearer, as its colours say", object_clip.name, 100 * (1 - factor))
    return _scaled(rasterizer, track, np.full(len(track), factor))


def _at_nearer(
    rasterizer: Rasterizer,
    followed: PoseTrack,
    again: PoseTrack,
    object_clip: ObjectClip,
    options: SettleOptions,
) -> PoseTrack:
    """The second track at the distances of the first, where these are nearer and agree as well with the pictures."""
    ratio = _distances(rasterizer, followed) / _distances(rasterizer, again)
    both = followed.valid & again.valid
    if not both.any() or np.log(np.median(ratio[both])) > -options.least:
        return again
    nearer = _scaled(rasterizer, again, np.where(both, ratio, 1.0))
    told = [
        _compared(rasterizer, [t.camera_from_object[i] for t in (nearer, again)], object_clip, i, options)
        for i in frames_to_ask(np.flatnonzero(both), options.frames)
    ]
    totals = np.array([one.sum(0) for one in told if one is not None])
    if not len(totals) or totals[:, 0].mean() < totals[:, 1].mean() - options.worse:
        return again
    _log.info(
        "%s: its colours agree as well where its outline was followed, which is nearer", object_clip.name
    )
    return nearer


def _distances(rasterizer: Rasterizer, track: PoseTrack) -> Array:
    """(T,) metres from the camera to the object's centre."""
    poses = track.camera_from_object
    return np.asarray(np.linalg.norm(poses[:, :3, :3] @ rasterizer.mesh.center + poses[:, :3, 3], axis=1))


def _scaled(rasterizer: Rasterizer, track: PoseTrack, factors: Array) -> PoseTrack:
    """A track with the object's centre at other distances along its lines of sight, by factors (T,)."""
    poses = [moved_along(p, f, rasterizer) for p, f in zip(track.camera_from_object, factors.tolist())]
    return replace(track, camera_from_object=np.stack(poses))


def distance_factor(
    rasterizer: Rasterizer, track: PoseTrack, object_clip: ObjectClip, options: SettleOptions = _DEFAULT
) -> float:
    """The factor on the distance of an object that its colours ask for in all frames of a track; 1 for none."""
    logs = np.arange(-options.nearer, options.farther + 0.5 * options.step, options.step)
    factors, now = np.exp(logs), int(np.abs(logs).argmin())
    found = []
    for frame in frames_to_ask(np.flatnonzero(track.valid), options.frames):
        pose = track.camera_from_object[frame]
        poses = [moved_along(pose, factor, rasterizer) for factor in factors.tolist()]
        found.append(_compared(rasterizer, poses, object_clip, frame, options, around=False))
    told = np.array([one[0] for one in found if one is not None])
    if not len(told):
        return 1.0
    total = told.mean(0)
    best = int(total.argmax())
    if total[now] < options.agreed or total[best] < total[now] + options.gain:
        return 1.0
    if best in (0, len(total) - 1):
        return 1.0
    before, here, after = total[best - 1 : best + 2]
    change = logs[best] + 0.5 * options.step * (before - after) / (before - 2 * here + after)
    return float(np.exp(change)) if change <= -options.least else 1.0


def frames_to_ask(there: NDArray[np.intp], most: int) -> list[int]:
    """Some frames, so many at most, of those that may be looked at (N,), spread over them."""
    if not len(there):
        return []
    at = np.linspace(0, len(there) - 1, min(most, len(there))).round().astype(int)
    return [int(frame) for frame in there[at]]


def _compared(
    rasterizer: Rasterizer,
    poses: Sequence[Array],
    object_clip: ObjectClip,
    frame: int,
    options: SettleOptions,
    *,
    around: bool = True,
) -> Array | None:
    """(2, P) agreement of colours, and around the outline, of poses (4, 4) in a frame; None of too few colours."""
    camera, masks = object_clip.camera, object_clip.masks
    drawn = np.asarray(rasterizer.render(np.stack(poses), camera.K, camera.width, camera.height).mask.any(0))
    box = mask_box(drawn)
    if box is None or (box[2:] - box[:2]).max() > options.small:
        return None
    reach = options.margin * float((box[2:] - box[:2]).max())
    box = box + np.array([-reach, -reach, reach, reach])
    label = masks.label_of(object_clip.name)
    look = ObjectView(object_clip.clip.frame(frame), masks.labels(frame), label, camera, asked=box)
    colors = [color_agreement(rasterizer, pose, look) for pose in poses]
    if colors[-1].contrast < options.contrast:
        return None
    picture = BoxedPicture(look) if around else None
    beyond = [0.0 if picture is None else picture.agreement(rasterizer, pose) for pose in poses]
    return np.array([[one.value for one in colors], beyond])


def moved_along(pose: Array, factor: float, rasterizer: Rasterizer) -> Array:
    """A pose (4, 4) whose object's centre is farther along its line of sight."""
    out = pose.copy()
    out[:3, 3] += (factor - 1.0) * (pose[:3, :3] @ rasterizer.mesh.center + pose[:3, 3])
    return out
