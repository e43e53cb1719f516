"""Objects of known shape and size followed by region, before there are masks: their masks come of their poses."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Bools
from dexman_pose.data import (
    BACKGROUND,
    OCCLUDER,
    Camera,
    Clip,
    DepthSequence,
    HandObservations,
    HandTrack,
    MaskSequence,
    PoseTrack,
)
from dexman_pose.errors import EstimationError
from dexman_pose.pose.clip.options import FollowOptions, RoadOptions
from dexman_pose.pose.clip.start import begin_object
from dexman_pose.pose.clip.types import ObjectRequest, ObjectStart
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.hand_cover import hands_over, seen_joints
from dexman_pose.pose.tracking.region_clip import masks_of_tracks, track_by_region
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.tracked_object import TrackedObject

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """Objects that were followed without masks.

    Attributes:
        tracks: by name.
        starts: where each track began, by name.
        masks: of these objects, less what hands cover.
    """

    tracks: dict[str, PoseTrack]
    starts: dict[str, ObjectStart]
    masks: MaskSequence


def follow_known(
    clip: Clip,
    first: MaskSequence,
    camera: Camera,
    requests: Sequence[ObjectRequest],
    *,
    hands: Mapping[str, HandTrack] | HandObservations | None = None,
    depth: DepthSequence | None = None,
    options: FollowOptions | None = None,
    road: RoadOptions | None = None,
) -> Followed | None:
    """Follow objects whose meshes are known from one picture of each on.

    Args:
        clip: the frames.
        first: label images of the same frames, of which those that the requests name are there.
        camera: intrinsics, an ideal pinhole; it may move.
        requests: objects with meshes of known size.
        hands: what they cover is not looked at.
        depth: depth images, metres.
        options: when a track is good enough to make masks of.
        road: settings of the search.

    Returns:
        Those that could be found without a doubt and followed well; None where there are none.
    """
    options, road = options or FollowOptions(), road or RoadOptions()
    starts = {r.name: _begun(r, ObjectClip(clip, first, r.name, camera, depth), road) for r in requests}
    sure = {name: start for name, start in starts.items() if start is not None and not start.doubt}
    if not sure:
        return None
    begins = {name: _begin(start, first, name) for name, start in sure.items()}
    tracks = track_by_region(clip, camera, begins, hands=hands, depth=depth)
    for name, track in list(tracks.items()):
        share = float(track.valid.mean())
        if share < options.valid:
            _log.info(
                "%s: followed in %.0f %% of the frames alone; masks are made instead", name, 100 * share
            )
            del tracks[name]
    if not tracks:
        return None
    objects = {
        name: TrackedObject(begins[name].refiner, camera, number) for number, name in enumerate(tracks, 1)
    }
    covered = (_covered(hands, index, camera) for index in range(clip.num_frames))
    masks = masks_of_tracks(tracks, objects, covered)
    return Followed(tracks, {name: sure[name] for name in tracks}, masks)


def _begun(request: ObjectRequest, object_clip: ObjectClip, road: RoadOptions) -> ObjectStart | None:
    """Where a track begins; None where the object was not found."""
    try:
        return begin_object(replace(request, elsewhere=False), object_clip, {}, road)
    except EstimationError as error:
        _log.info("%s: %s", request.name, error)
        return None


def _begin(start: ObjectStart, first: MaskSequence, name: str) -> TrackStart:
    return TrackStart(
        refiner_for(start.mesh, first.mask(start.frame, name)),
        start.frame,
        start.camera_from_object,
        symmetry=start.symmetry,
        given=start.given,
    )


def _covered(
    hands: Mapping[str, HandTrack] | HandObservations | None, index: int, camera: Camera
) -> Bools | None:
    return hands_over(seen_joints(hands, index), camera)


def joined_masks(
    names: Sequence[str], followed: MaskSequence, segmented: MaskSequence | None
) -> MaskSequence:
    """One label image per frame, of objects that were followed and of those that were segmented.

    Args:
        names: of all objects, in the order of their labels.
        followed: of some of them; they count where both claim a pixel.
        segmented: of the others; None where there are none.
    """
    parts = [m for m in (segmented, followed) if m is not None]
    confidence = np.zeros((followed.num_frames, len(names)), np.float32)
    for part in parts:
        for column, name in enumerate(part.names):
            confidence[:, names.index(name)] = part.confidence[:, column]
    out = MaskSequence(tuple(names), followed.height, followed.width, followed.num_frames, confidence)
    for index in range(followed.num_frames):
        labels = np.zeros((followed.height, followed.width), np.uint8)
        for part in parts:
            seen = part.labels(index)
            table = np.arange(256, dtype=np.uint8)
            for name in part.names:
                table[part.label_of(name)] = out.label_of(name)
            # What covers objects that were followed may be another object.
            over = (seen > 0) & ((seen != OCCLUDER) | (labels == BACKGROUND))
            labels = np.where(over, table[seen], labels)
        out.set(index, labels)
    return out
