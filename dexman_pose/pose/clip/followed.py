"""Objects of known shape and size followed by region, before there are masks: their masks come of their poses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
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
    segmented: Callable[[Sequence[str]], MaskSequence | None] | None = None,
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
        segmented: gives label images of all frames of the objects with these names, or None. It is asked for those
            that are not found without a doubt in ``first``: another frame may show them better.
        options: when a track is good enough to make masks of.
        road: settings of the search.

    Returns:
        Those that could be found without a doubt and followed well; None where there are none.
    """
    options, road = options or FollowOptions(), road or RoadOptions()
    sure = _sure_starts(requests, ObjectClips(clip, first, camera, depth), road, elsewhere=False)
    begins = {name: _begin(start, first, name) for name, start in sure.items()}
    doubtful = [r for r in requests if r.name not in sure]
    masks = segmented([r.name for r in doubtful]) if segmented is not None and doubtful else None
    if masks is not None:
        later = _sure_starts(doubtful, ObjectClips(clip, masks, camera, depth), road, elsewhere=True)
        begins |= {name: _begin(start, masks, name) for name, start in later.items()}
        sure |= later
    if not sure:
        return None
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
    drawn = masks_of_tracks(tracks, objects, covered)
    return Followed(tracks, {name: sure[name] for name in tracks}, drawn)


@dataclass(frozen=True)
class ObjectClips:
    """What is known of a clip in which objects are looked for."""

    clip: Clip
    masks: MaskSequence
    camera: Camera
    depth: DepthSequence | None

    def of(self, name: str) -> ObjectClip:
        """One object in it."""
        return ObjectClip(self.clip, self.masks, name, self.camera, self.depth)


def _sure_starts(
    requests: Sequence[ObjectRequest], clips: ObjectClips, road: RoadOptions, *, elsewhere: bool
) -> dict[str, ObjectStart]:
    """Where tracks begin, of objects that are found without a doubt."""
    out = {}
    for request in requests:
        try:
            start = begin_object(replace(request, elsewhere=elsewhere), clips.of(request.name), {}, road)
        except EstimationError as error:
            _log.info("%s: %s", request.name, error)
            continue
        if not start.doubt:
            out[request.name] = start
    return out


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
    names: Sequence[str], segmented: Sequence[MaskSequence], followed: MaskSequence | None
) -> MaskSequence:
    """One label image per frame, of objects that were followed and of those that were segmented.

    Args:
        names: of all objects, in the order of their labels.
        segmented: of those that were segmented; of several that claim a pixel the last one counts.
        followed: of those that were followed, which count before all others; None where there are none.
    """
    parts = [*segmented, *([] if followed is None else [followed])]
    one = parts[-1]
    if len(parts) == 1 and one.names == tuple(names):
        return one
    confidence = np.zeros((one.num_frames, len(names)), np.float32)
    for part in parts:
        for column, name in enumerate(part.names):
            confidence[:, names.index(name)] = part.confidence[:, column]
    out = MaskSequence(tuple(names), one.height, one.width, one.num_frames, confidence)
    for index in range(one.num_frames):
        labels = np.zeros((one.height, one.width), np.uint8)
        for part in parts:
            seen = part.labels(index)
            table = np.arange(256, dtype=np.uint8)
            for name in part.names:
                beaten = followed is not None and part is not followed and name in followed.names
                table[part.label_of(name)] = BACKGROUND if beaten else out.label_of(name)
            # What covers objects that were followed may be another object.
            over = (seen > 0) & ((seen != OCCLUDER) | (labels == BACKGROUND))
            labels = np.where(over, table[seen], labels)
        out.set(index, labels)
    return out
