"""A known object followed past masks that do not show it: what its outline separates says where it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, Camera, Clip, DepthSequence, MaskSequence, PoseTrack
from dexman_pose.pose.tracking.region_clip import track_by_region
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.verdict import judged_again

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastMasksOptions:
    """When an object is followed again without its masks. Set by hand.

    Attributes:
        enough: share of valid frames from which on a track is left as it is.
        gain: share of the frames by which more must be valid without the masks.
        explained: overlap from which on a valid pose explains its mask; the one that does best is begun from.
        exactly: overlap from which on a pose explains its mask so well that both must be right ...
        apart: ... and radii of the object by which the two tracks may be apart there, in the middle.
    """

    enough: float = 0.8
    gain: float = 0.1
    explained: float = 0.9
    exactly: float = 0.96
    apart: float = 0.1


_DEFAULTS = PastMasksOptions()


def past_masks(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    name: str,
    begin: TrackStart,
    track: PoseTrack,
    *,
    depth: DepthSequence | None = None,
    options: PastMasksOptions = _DEFAULTS,
) -> PoseTrack:
    """The track of a known mesh, made again without its masks where these do not show it.

    A segmentation from a box may take paper below a thing for a part of it, or one part of many colours for the whole.
    Poses that follow such masks are doubted in most frames; then colours on both sides of the outline are asked alone.

    Args:
        clip: the frames.
        masks: label images of the same frames; other labels than the object's still say what hides it.
        camera: intrinsics, an ideal pinhole.
        name: of the object in the masks.
        begin: where its track begins; from a start in doubt nothing else than masks can tell.
        track: as its masks led it, judged.
        depth: depth images, metres.
        options: when it is followed again.

    Returns:
        The better of the two; of the one without masks ``mask_iou`` is None.
    """
    before = float(track.valid.mean())
    if before >= options.enough or begin.doubt:
        return track
    begin = best_begin(begin, track, options)
    found = track_by_region(clip, camera, {name: begin}, masks=without_own(masks, name), depth=depth)[name]
    found = judged_again(found, resized=False)
    after = float(found.valid.mean())
    _log.info("%s: %.0f %% of the frames valid by masks, %.0f %% without", name, 100 * before, 100 * after)
    center, radius = begin.refiner.center, begin.refiner.rasterizer.mesh.radius
    if after < before + options.gain or apart(track, found, center, options) > options.apart * radius:
        return track
    return PoseTrack(
        found.camera_from_object,
        found.valid,
        found.confidence,
        covariance=found.covariance,
        doubt=found.doubt,
        evidence=found.evidence,
    )


def best_begin(begin: TrackStart, track: PoseTrack, options: PastMasksOptions = _DEFAULTS) -> TrackStart:
    """Where the track begins that leaves its masks: at the valid pose that explains its mask best, else as before.

    A start that was given may be off by centimetres, and colours are learnt on both sides of its outline.
    """
    if track.mask_iou is None or not track.valid.any():
        return begin
    explained = np.where(track.valid, track.mask_iou, 0.0)
    frame = int(explained.argmax())
    if explained[frame] < options.explained:
        return begin
    return replace(begin, frame=frame, camera_from_object=track.camera_from_object[frame])


def apart(track: PoseTrack, other: PoseTrack, center: Array, options: PastMasksOptions = _DEFAULTS) -> float:
    """Metres, in the middle, between the object's centre (3,) in two tracks where the first explains its masks exactly.

    There masks are right, and so must the other track be; 0 where no mask is explained so.
    """
    if track.mask_iou is None:
        return 0.0
    well = track.valid & other.valid & (track.mask_iou >= options.exactly)
    if not well.any():
        return 0.0
    one, two = (
        t.camera_from_object[well, :3, :3] @ center + t.camera_from_object[well, :3, 3]
        for t in (track, other)
    )
    return float(np.median(np.linalg.norm(one - two, axis=1)))


def without_own(masks: MaskSequence, name: str) -> MaskSequence:
    """Label images in which an object is background, and all else as it was."""
    out = MaskSequence(masks.names, masks.height, masks.width, masks.num_frames, masks.confidence.copy())
    own = masks.label_of(name)
    for index in range(masks.num_frames):
        labels = masks.labels(index)
        out.set(index, np.where(labels == own, np.uint8(BACKGROUND), labels))
    return out
