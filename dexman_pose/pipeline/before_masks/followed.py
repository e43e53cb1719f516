"""Objects of known shape, followed before masks are made: what a run asks of them and keeps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.clip import Clip
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.data.masks import BACKGROUND, OCCLUDER, MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations, PoseTrack
from dexman_pose.errors import EstimationError
from dexman_pose.pipeline.before_masks.followable import SEGMENTATION
from dexman_pose.pipeline.inputs import Inputs
from dexman_pose.pipeline.prompts_from_mesh import hands_at
from dexman_pose.pose.clip.followed import follow_known, joined_masks
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.segmentation import segment_clip

_log = logging.getLogger(__name__)

_TRACK = ("camera_from_object", "valid", "confidence", "mask_iou", "covariance", "doubt", "evidence")
"""What is kept of a track; its factor on the mesh is 1."""


@dataclass(frozen=True)
class FollowedObjects:
    """Objects that were followed without masks.

    Attributes:
        tracks: by name; empty when none was.
        frames: where each track began, by name.
        masks: of them, None when there are none.
        segmented: masks of objects that were not found without a doubt in the frame of their prompt; they are those of
            the run for objects that could not be followed. None where none were made.
    """

    tracks: dict[str, PoseTrack]
    frames: dict[str, int]
    masks: MaskSequence | None = None
    segmented: MaskSequence | None = None

    @property
    def makes_masks(self) -> bool:
        """Whether there are masks already."""
        return bool(self.tracks) or self.segmented is not None

    def starts(self) -> dict[str, tuple[int, NDArray[np.float64]]]:
        """Frame and pose (4, 4) from which each object may be tracked again: the valid one nearest to its start."""
        out = {}
        for name, frame in self.frames.items():
            track = self.tracks[name]
            there = np.nonzero(track.valid)[0]
            nearest = int(there[np.abs(there - frame).argmin()]) if len(there) else frame
            out[name] = nearest, track.camera_from_object[nearest]
        return out

    def notices(self) -> list[str]:
        """What a user has to know of the masks of such objects."""
        if not self.tracks:
            return []
        names = ", ".join(self.tracks)
        return [f"Masks of {names} are the outlines of the poses that were followed, less what hands cover."]


def follow(
    inputs: Inputs, prompts: Mapping[str, ObjectPrompt], observations: HandObservations | None
) -> FollowedObjects:
    """Segment each object in the frame of its prompt, find its pose there, and follow it through the clip.

    Args:
        inputs: of the run.
        prompts: of the objects to follow.
        observations: hands, which hide objects.
    """
    assert inputs.camera is not None
    clip = inputs.clip
    first = first_masks(inputs, prompts, observations)
    made: list[MaskSequence] = []

    def segmented(names: Sequence[str]) -> MaskSequence | None:
        there = {name: prompts[name] for name in names if first.mask(prompts[name].frame, name).any()}
        if not there:
            return None
        made.append(segment_clip(clip, there, observations, backend=SEGMENTATION))
        return made[0]

    followed = follow_known(
        clip,
        first,
        inputs.camera,
        requests_of(inputs, prompts),
        hands=observations,
        depth=inputs.depth,
        segmented=segmented,
    )
    others = made[0] if made else None
    if followed is None:
        return FollowedObjects({}, {}, segmented=others)
    frames = {name: start.frame for name, start in followed.starts.items()}
    return FollowedObjects(followed.tracks, frames, followed.masks, others)


def expected_masks(
    inputs: Inputs,
    prompts: Mapping[str, ObjectPrompt],
    observations: HandObservations | None,
    segmentation: str,
) -> MaskSequence | None:
    """Outlines of objects that are followed from the frames of their prompts, for a network that makes the masks.

    Args:
        inputs: of the run.
        prompts: of the objects of known shape.
        observations: hands, which hide objects.
        segmentation: the network's backend, which segments those frames.

    Returns:
        Outlines, with confidence 0 where a pose is not valid; None where nothing was followed.
    """
    assert inputs.camera is not None
    first = first_masks(inputs, prompts, observations, segmentation)
    followed = follow_known(
        inputs.clip,
        first,
        inputs.camera,
        requests_of(inputs, prompts),
        hands=observations,
        depth=inputs.depth,
    )
    return None if followed is None else followed.masks


def requests_of(inputs: Inputs, prompts: Mapping[str, ObjectPrompt]) -> list[ObjectRequest]:
    """Objects as they are looked for: in the frame of their prompt alone."""
    return [
        ObjectRequest(name, inputs.meshes[name], frame=prompt.frame, elsewhere=False, box=prompt.box)
        for name, prompt in prompts.items()
    ]


def first_masks(
    inputs: Inputs,
    prompts: Mapping[str, ObjectPrompt],
    observations: HandObservations | None,
    segmentation: str = SEGMENTATION,
) -> MaskSequence:
    """Label images of the clip, of which those of the prompts' frames are made."""
    clip = inputs.clip
    first = MaskSequence(tuple(prompts), clip.height, clip.width, clip.num_frames)
    for frame in sorted({prompt.frame for prompt in prompts.values()}):
        there = {name: replace(p, frame=0) for name, p in prompts.items() if p.frame == frame}
        picture = Clip.from_frames([clip.frame(frame)])
        try:
            found = segment_clip(picture, there, hands_at(observations, frame), backend=segmentation)
        except EstimationError:  # told where masks are made, with the number of the frame in the whole clip
            _log.info("not followed: %s, nothing stands out in frame %d", ", ".join(there), frame)
            continue
        labels, seen = first.labels(frame).copy(), found.labels(0)
        for name in there:
            labels[seen == found.label_of(name)] = first.label_of(name)
        # A hand over an object is not the picture's background: colours are not asked there.
        labels[(seen == OCCLUDER) & (labels == BACKGROUND)] = OCCLUDER
        first.set(frame, labels)
    return first


def masks_beside(
    inputs: Inputs,
    prompts: Mapping[str, ObjectPrompt],
    observations: HandObservations | None,
    followed: FollowedObjects,
) -> MaskSequence:
    """Masks of all objects: of those that were followed their poses' outlines, of the others by segmentation."""
    made = [] if followed.segmented is None else [followed.segmented]
    known = {*followed.tracks, *(name for masks in made for name in masks.names)}
    rest = {name: prompt for name, prompt in prompts.items() if name not in known}
    if rest:
        made.append(segment_clip(inputs.clip, rest, observations, backend=SEGMENTATION))
    return joined_masks(list(inputs.prompts), made, followed.masks)


def save_followed(followed: FollowedObjects, path: Path) -> None:
    """Write tracks and masks."""
    arrays: dict[str, NDArray[Any]] = {
        "tracks": np.array(list(followed.tracks), dtype=str),
        "frames": np.array([followed.frames[name] for name in followed.tracks], np.int64),
    }
    for i, track in enumerate(followed.tracks.values()):
        for part in _TRACK:
            value = getattr(track, part)
            if value is not None:
                arrays[f"{i}/{part}"] = value
    for kind, masks in (("masks", followed.masks), ("segmented", followed.segmented)):
        if masks is not None:
            arrays |= {f"{kind}/{name}": value for name, value in masks.to_arrays().items()}
    write_npz(path, arrays)


def load_followed(path: Path) -> FollowedObjects:
    """Read what :func:`save_followed` wrote."""
    stored = read_arrays(path)
    names = [str(name) for name in stored["tracks"]]
    tracks = {name: _track({p: stored.get(f"{i}/{p}") for p in _TRACK}) for i, name in enumerate(names)}
    frames = {name: int(frame) for name, frame in zip(names, stored["frames"])}
    return FollowedObjects(tracks, frames, _masks(stored, "masks/"), _masks(stored, "segmented/"))


def _masks(stored: Mapping[str, NDArray[Any]], kind: str) -> MaskSequence | None:
    parts = {key.removeprefix(kind): value for key, value in stored.items() if key.startswith(kind)}
    return MaskSequence.from_arrays(parts) if parts else None


def _track(parts: Mapping[str, Any]) -> PoseTrack:
    return PoseTrack(**{name: value for name, value in parts.items() if value is not None})
