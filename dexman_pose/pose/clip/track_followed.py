"""Objects that were followed by region tracked again by their colours: not in every frame, and by two threads.

Where an object was followed surely its colours change its pose by a millimetre or two, and by much the same from one
frame to the next. So they are asked in every fourth frame, and what they changed there is taken for the frames between.
Poses that are known in the middle of a clip also let its second half be tracked beside the first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, PoseTrack
from dexman_pose.geometry.se3 import inverse, rotation_angle, se3_exp, se3_log
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.clip_tracker import Sweep, TrackStart
from dexman_pose.pose.tracking.options import TrackOptions
from dexman_pose.pose.tracking.track_record import TrackRecord
from dexman_pose.progress import progress
from dexman_pose.threads import cores

_log = logging.getLogger(__name__)

Frame = tuple[int, NDArray[np.uint8]]


@dataclass(frozen=True)
class AgainOptions:
    """How followed objects are tracked again.

    Attributes:
        every: of the frames in which all objects were followed surely one in so many is looked at.
        around: frames before and after those in doubt that are looked at too.
        shared: frames that both halves of the clip look at; they meet where they come to the same pose in one of them.
        shift: difference of two poses that are the same, of the object's centre in radii of the object ...
        turn: ... and in radians.
        uneven: radians by which colours may change the turns of two neighbouring frames differently.
    """

    every: int = 4
    around: int = 2
    shared: int = 10
    shift: float = 0.1
    turn: float = 0.05
    uneven: float = 0.3


def track_followed(
    clip: Clip,
    masks: MaskSequence,
    camera: Camera,
    starts: dict[str, TrackStart],
    followed: Mapping[str, PoseTrack],
    *,
    depth: DepthSequence | None = None,
    options: TrackOptions | None = None,
    again: AgainOptions | None = None,
) -> dict[str, PoseTrack]:
    """Follow objects through a clip again, as :func:`~dexman_pose.pose.tracking.clip_tracker.track_objects` does.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        camera: intrinsics.
        starts: by object name.
        followed: tracks of all of them that were made without the masks.
        depth: depth images of the same frames, metres.
        options: settings of the tracker.
        again: which frames are looked at.
    """
    o = again or AgainOptions()
    tracks = {name: followed[name] for name in starts}
    sweep = Sweep(masks, camera, starts, depth, options or TrackOptions(), clip.num_frames)
    sweep.expected = {
        name: np.where(t.valid[:, None, None], t.camera_from_object, np.nan) for name, t in tracks.items()
    }
    first, last = min(s.frame for s in starts.values()), max(s.frame for s in starts.values())
    looked = frames_to_look_at(tracks, first, last, o)
    middle = _middle(tracks, looked, last)
    _log.info("tracked again: %d of %d frames are looked at", int(looked.sum()), len(looked))
    if middle is None or cores() < 2:
        sweep.run(_chosen(clip, looked, first, clip.num_frames))
    else:
        _in_two_parts(clip, sweep, looked, (first, middle), {n: s.refiner for n, s in starts.items()}, o)
    for name, record in sweep.records.items():
        fill_between(record, tracks[name], looked, first, o)
    return sweep.completed(clip)


def frames_to_look_at(tracks: Mapping[str, PoseTrack], first: int, last: int, o: AgainOptions) -> Bools:
    """(T,) which frames are looked at: some of those where all objects are sure, all where one is in doubt.

    Args:
        tracks: as followed.
        first: frame in which the first object begins.
        last: frame in which the last one begins.
        o: how many.
    """
    sure = np.all([track.valid for track in tracks.values()], axis=0)
    out: Bools = ~sure | ((np.arange(len(sure)) - last) % o.every == 0)
    for away in range(1, o.around + 1):
        out[away:] |= ~sure[:-away]
        out[:-away] |= ~sure[away:]
    out[first : last + 1], out[-1] = True, True  # objects that begin are there from their first frame on
    return out


def fill_between(record: TrackRecord, track: PoseTrack, looked: Bools, first: int, o: AgainOptions) -> None:
    """Note poses of frames that were not looked at: as followed, changed as those before and after are.

    Nothing is noted beside a frame in which the object was lost, nor where the two changed by different amounts.

    Args:
        record: of the object.
        track: as followed.
        looked: (T,) frames that were looked at.
        first: frame in which the track begins.
        o: what may differ.
    """
    seen = np.flatnonzero(looked)
    rest = np.flatnonzero(~looked)
    rest = rest[rest > first]
    at = np.searchsorted(seen, rest)
    before, after = seen[at - 1], seen[at]
    sure = record.valid[before] & record.valid[after]
    rest, before, after = rest[sure], before[sure], after[sure]
    off = inverse(track.camera_from_object) @ record.poses
    step = se3_log(inverse(off[before]) @ off[after])
    even = np.linalg.norm(step[:, 3:], axis=1) < o.uneven
    rest, before, after, step = rest[even], before[even], after[even], step[even]
    share = (rest - before) / (after - before)
    changed = off[before] @ se3_exp(share[:, None] * step)
    record.poses[rest], record.valid[rest] = track.camera_from_object[rest] @ changed, True
    record.confidence[rest] = np.minimum(record.confidence[before], record.confidence[after])
    record.iou[rest] = 0.5 * (record.iou[before] + record.iou[after])
    record.hessian[rest] = 0.5 * (record.hessian[before] + record.hessian[after])
    for frame, nearest in zip(rest.tolist(), before.tolist()):
        record.signals[frame] = record.signals[nearest]


def _chosen(clip: Clip, looked: Bools, first: int, stop: int) -> Iterator[Frame]:
    for index, image in progress(clip.frames(first, stop), "tracking", total=stop - first):
        if looked[index]:
            yield index, image


def _middle(tracks: Mapping[str, PoseTrack], looked: Bools, last: int) -> int | None:
    """The frame nearest to the middle of those after ``last`` in which all objects were followed as surely as usual."""
    sure = [t.valid & (t.confidence >= np.median(t.confidence[t.valid])) for t in tracks.values()]
    frames = np.flatnonzero(np.all(sure, axis=0) & looked)
    frames = frames[frames > last]
    return int(frames[np.abs(frames - (last + len(looked)) // 2).argmin()]) if len(frames) else None


def _in_two_parts(
    clip: Clip,
    sweep: Sweep,
    looked: Bools,
    parts: tuple[int, int],
    refiners: Mapping[str, PoseRefiner],
    o: AgainOptions,
) -> None:
    """Track up to a frame and some more, and from it on by another thread; all by the first where they do not meet."""
    first, middle = parts
    stop = min(middle + o.shared, clip.num_frames)
    later = sweep.another(middle, {name: poses[middle] for name, poses in sweep.expected.items()})
    with ThreadPoolExecutor(1, "later") as pool:
        rest = pool.submit(later.run, _chosen(clip, looked, middle, clip.num_frames))
        sweep.run(_chosen(clip, looked, first, stop))
        rest.result()
    shared = [frame for frame in range(middle, stop) if looked[frame]]
    meeting = next((f for f in shared if _meet(sweep, later, refiners, f, o)), None)
    if meeting is not None:
        for name, record in sweep.records.items():
            record.take(later.records[name], meeting)
    else:
        _log.info("the halves of the clip do not meet in frames %d to %d", middle, stop - 1)
        sweep.run(_chosen(clip, looked, stop, clip.num_frames))


def _meet(one: Sweep, other: Sweep, refiners: Mapping[str, PoseRefiner], frame: int, o: AgainOptions) -> bool:
    """Whether two sweeps come to the same poses of all objects in a frame."""
    for name, refiner in refiners.items():
        here, there = one.records[name], other.records[name]
        if not (here.valid[frame] and there.valid[frame]):
            return False
        if not _is_same(here.poses[frame], there.poses[frame], refiner, o):
            return False
    return True


def _is_same(one: Array, other: Array, refiner: PoseRefiner, o: AgainOptions) -> bool:
    off = float(np.linalg.norm(refiner.camera_center(one) - refiner.camera_center(other)))
    turn = float(rotation_angle(one[:3, :3].T @ other[:3, :3]))
    return off <= o.shift * refiner.rasterizer.mesh.radius and turn <= o.turn
