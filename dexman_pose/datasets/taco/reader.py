"""TACO: bimanual tool use seen by fixed cameras and one on the head, with poses of tool, target and both hands.

Liu et al., "TACO: Benchmarking Generalizable Bimanual Tool-ACtion-Object Understanding", CVPR 2024; data CC BY 4.0.
Version 1 and the pre-release, whole or in part: what is there is used, what is not is named in
``Recording.missing``. What the files do not say is an option here, with its default explained at :func:`read_taco`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack, RigidObject
from dexman_pose.data.mano import ManoParameters
from dexman_pose.datasets.mano_joints import ManoModels
from dexman_pose.datasets.plausible import with_suspicions
from dexman_pose.datasets.reading import reported
from dexman_pose.datasets.recording import DepthOf, MaskOf, Problem, Recording
from dexman_pose.datasets.taco.cameras import EGOCENTRIC, View, fixed_view, head_view, serials, video_header
from dexman_pose.datasets.taco.files import (
    SPLITS,
    OnProblem,
    TacoRoot,
    TacoSequence,
    list_sequences,
    open_root,
    plain_name,
    report,
)
from dexman_pose.datasets.taco.hands import JOINT_ORDERS, TacoHands, hand_track, read_hands
from dexman_pose.datasets.taco.media import FRAMES_PER_MASK, DepthVideo, MaskFile, check_aspect, check_labels
from dexman_pose.datasets.taco.models import WorldObject, read_objects
from dexman_pose.errors import InputError

__all__ = [
    "EGOCENTRIC",
    "FPS",
    "SPLITS",
    "TacoRoot",
    "TacoSequence",
    "list_sequences",
    "open_root",
    "read_taco",
]


FPS = 30.0
"""Frames a second of every camera; headers of videos are not used."""


@dataclass(frozen=True)
class _Options:
    view: str | None
    joint_order: str
    mask_labels: Mapping[int, str] | None
    marker_removed: bool
    distortion: bool
    lost_frames: str
    models: ManoModels | None


@dataclass(frozen=True)
class _Truth:
    """What all cameras of a sequence share."""

    objects: dict[str, WorldObject]
    hands: TacoHands
    count: int
    notes: tuple[str, ...]


def read_taco(
    root: str | Path | TacoRoot,
    *,
    sequences: Iterable[str] | None = None,
    view: str | None = None,
    split: str | None = None,
    on_problem: OnProblem = None,
    joint_order: str = "manopth",
    mask_labels: Mapping[int, str] | None = None,
    marker_removed: bool = False,
    distortion: bool = True,
    lost_frames: str = "skip",
    mano: ManoModels | str | Path | None = None,
) -> Iterator[Recording]:
    """The recordings of a download, one per sequence and camera, read one after the other.

    A sequence or camera that cannot be used is reported and left out; the rest goes on. Object poses are given in the
    frame of each camera, and are not valid in frames where pose or camera is not known.

    Args:
        root: the folder the zips were unpacked in, any part of them; or what :func:`open_root` found there, which
            saves looking through the folders again.
        sequences: names such as ``"20231105_019"``; all when left out.
        view: a camera's serial number, or ``"egocentric"``; every one when left out, by serial, the head last.
        split: ``"train"``, ``"test_1"`` ... ``"test_4"``; needs the dataset's list beside the folders.
        on_problem: called with each :class:`Problem`, or a list they are put in; the log when left out.
        joint_order: order of ``hand_joints.npy``, see :data:`dexman_pose.datasets.taco.hands.JOINT_ORDERS`. Joints
            whose bones are no hand's in that order are left out, with the order that fits named.
        mask_labels: what numbers in the masks mean, e.g. ``{1: "tool", 2: "target", 3: "hand"}``; the dataset does
            not say, so without it masks are left out.
        marker_removed: pictures with the markers painted out, for the fixed cameras.
        distortion: keep the coefficients of the fixed cameras. Whether the pictures are distorted is not documented;
            the dataset's own code draws as if they were not.
        lost_frames: the head camera lost frames in some sequences, and which ones is not recorded: with ``"skip"`` a
            camera or depth video whose number of frames is not that of the poses is left out; ``"common"`` takes the
            first frames of both, knowing that they may not belong together.
        mano: the folder of the user's MANO files, or these with what the dataset does not say: they make joints of the
            parameters where ``hand_joints.npy`` is missing, as in the pre-release.

    Raises:
        InputError: no dataset at ``root``, no such sequence or split, an unknown option.
    """
    if joint_order not in JOINT_ORDERS:
        raise InputError(f"joint_order must be one of {', '.join(JOINT_ORDERS)}, but got {joint_order!r}")
    if lost_frames not in ("skip", "common"):
        raise InputError(f"lost_frames must be 'skip' or 'common', but got {lost_frames!r}")
    check_labels(mask_labels)
    if view is not None:
        plain_name(view, "a camera")
    found = root if isinstance(root, TacoRoot) else open_root(root)
    chosen = _chosen(found, sequences, split)
    options = _Options(
        view, joint_order, mask_labels, marker_removed, distortion, lost_frames, ManoModels.of(mano)
    )
    return _read(found, chosen, options, on_problem)


def _chosen(root: TacoRoot, names: Iterable[str] | None, split: str | None) -> list[TacoSequence]:
    wanted = [names] if isinstance(names, str) else list(root.sequences) if names is None else list(names)
    unknown = [name for name in wanted if name not in root.sequences]
    if unknown:
        raise InputError(f"{root.path} has no sequence {unknown[0]!r}; it has {len(root.sequences)} others")
    if split is None:
        return [root.sequences[name] for name in wanted]
    splits = {s.split for s in root.sequences.values()} - {""}
    if split not in splits:
        known = f"its sequences are in {', '.join(sorted(splits))}" if splits else "it has no list of splits"
        raise InputError(f"no sequence of {root.path} is in the split {split!r}; {known}")
    return [root.sequences[name] for name in wanted if root.sequences[name].split == split]


def _read(
    root: TacoRoot, chosen: list[TacoSequence], options: _Options, on_problem: OnProblem
) -> Iterator[Recording]:
    names = {s.name for s in chosen}
    for problem in root.problems:
        if problem.sequence in names:
            report(problem, on_problem)
    for sequence in chosen:
        truth: _Truth | None = None
        with reported(
            _told(on_problem), sequence.name, _place(root, sequence, "objects"), "a sequence of TACO"
        ):
            truth = _truth(root, sequence, options)
        if truth is None:
            continue
        for name in _views(root, sequence, options, on_problem):
            kind = "head_camera" if name == EGOCENTRIC else "cameras"
            made: Recording | None = None
            told = _told(on_problem, f"camera {name}: ")
            with reported(told, sequence.name, _place(root, sequence, kind), "a camera's files"):
                made = with_suspicions(_recording(sequence, truth, _view(sequence, name, options), options))
            if made is not None:
                yield made


def _told(on_problem: OnProblem, prefix: str = "") -> Callable[[Problem], None]:
    return lambda problem: report(replace(problem, what=prefix + problem.what), on_problem)


def _place(root: TacoRoot, sequence: TacoSequence, kind: str) -> Path:
    """The folder a problem is about."""
    return next(iter(sequence.folders.get(kind, ())), root.path)


def _truth(root: TacoRoot, sequence: TacoSequence, options: _Options) -> _Truth:
    notes: list[str] = []
    objects = read_objects(root, sequence, notes)
    count = min((len(o.valid) for o in objects.values()), default=0)
    if count == 0:
        raise InputError("; ".join(notes) or "it has no frames")
    expect = root.layout == "v1"
    hands = read_hands(
        sequence, count, joint_order=options.joint_order, expect_joints=expect, models=options.models
    )
    return _Truth(objects, hands, count, (*notes, *hands.notes))


def _views(root: TacoRoot, sequence: TacoSequence, options: _Options, on_problem: OnProblem) -> list[str]:
    if options.view is not None:
        return [options.view]
    names: list[str] = []
    try:
        names = serials(sequence)
    except InputError as error:
        report(Problem(sequence.name, _place(root, sequence, "cameras"), str(error)), on_problem)
    return [*names, EGOCENTRIC] if sequence.folders.get("head_camera") else names


def _view(sequence: TacoSequence, name: str, options: _Options) -> View:
    if name == EGOCENTRIC:
        return head_view(sequence)
    return fixed_view(sequence, name, marker_removed=options.marker_removed, distortion=options.distortion)


def _recording(sequence: TacoSequence, truth: _Truth, view: View, options: _Options) -> Recording:
    notes = [*truth.notes, *view.notes]
    count = _common(truth, view, options, notes)
    poses, seen = _camera_path(view, count)
    objects = {name: _rigid(name, o, poses, seen) for name, o in truth.objects.items()}
    hands = {
        side: hand_track(side, joints[:count], truth.hands.valid[side][:count] & seen, view.camera, poses)
        for side, joints in truth.hands.joints.items()
    }
    head = view.name == EGOCENTRIC
    return Recording(
        dataset="taco",
        name=sequence.name,
        view=view.name,
        camera=view.camera,
        camera_from_world=poses,
        frame_times=np.arange(count) / FPS,
        objects=objects,
        object_ids={name: o.object_id for name, o in truth.objects.items()},
        hands=hands,
        mano={side: _cut(parameters, count) for side, parameters in truth.hands.mano.items()},
        video=view.video,
        depth=_depth(sequence, truth, view, options, notes) if head else None,
        masks=None if head else _masks(sequence, view, tuple(objects), count, options, notes),
        group=sequence.triplet,
        split=sequence.split,
        missing=tuple(notes),
    )


def _common(truth: _Truth, view: View, options: _Options, notes: list[str]) -> int:
    """How many frames truth, camera path and pictures have in common."""
    counts = {"poses": truth.count}
    if view.valid is not None:
        counts["camera path"] = len(view.valid)
    if view.frames:
        counts["video"] = view.frames
    if len(set(counts.values())) == 1:
        return truth.count
    said = ", ".join(f"{name} {n}" for name, n in counts.items())
    if view.name == EGOCENTRIC and options.lost_frames == "skip" and view.frames not in (0, truth.count):
        raise InputError(
            f"frames were lost, and which is not recorded ({said}); lost_frames='common' uses the first"
        )
    notes.append(f"numbers of frames differ ({said}); the first {min(counts.values())} are used")
    return min(counts.values())


def _camera_path(view: View, count: int) -> tuple[Array, NDArray[np.bool_]]:
    if view.valid is None:
        return np.tile(view.camera_from_world, (count, 1, 1)), np.ones(count, dtype=bool)
    return view.camera_from_world[:count], view.valid[:count]


def _rigid(name: str, found: WorldObject, camera_from_world: Array, seen: NDArray[np.bool_]) -> RigidObject:
    count = len(seen)
    valid = found.valid[:count] & seen
    track = PoseTrack(camera_from_world @ found.world_from_object[:count], valid, valid.astype(np.float64))
    return RigidObject(name, found.mesh, track, scale_source="given")


def _cut(parameters: ManoParameters, count: int) -> ManoParameters:
    return replace(
        parameters,
        pose=parameters.pose[:count],
        translation=parameters.translation[:count],
        valid=parameters.valid[:count],
    )


def _depth(
    sequence: TacoSequence, truth: _Truth, view: View, options: _Options, notes: list[str]
) -> DepthOf | None:
    path = sequence.find("head_depth", "egocentric_depth.avi")
    if path is None:
        notes.append("egocentric_depth.avi is missing")
        return None
    size = (view.camera.width, view.camera.height)
    try:
        header = video_header(path)
        check_aspect(path, header.size, size)
    except InputError as error:
        notes.append(str(error))
        return None
    if header.frames != truth.count and options.lost_frames == "skip":
        notes.append(
            f"{path.name} has {header.frames} frames, but there are {truth.count} poses; it is left out"
        )
        return None
    if header.size != size:
        notes.append(f"{path.name} is {header.size[0]}x{header.size[1]}: resampled to {size[0]}x{size[1]}")
    return DepthVideo(path, size, header.frames)


def _masks(
    sequence: TacoSequence,
    view: View,
    objects: tuple[str, ...],
    count: int,
    options: _Options,
    notes: list[str],
) -> MaskOf | None:
    path = sequence.find("masks", f"{view.name}_masks.npy")
    if path is None:
        return None
    if options.mask_labels is None:
        notes.append(f"{path.name} is left out: what its numbers mean is not documented; give mask_labels")
        return None
    try:
        masks = MaskFile(path, (view.camera.width, view.camera.height), options.mask_labels, objects)
    except InputError as error:
        notes.append(str(error))
        return None
    expected = -(-count // FRAMES_PER_MASK)
    if len(masks) != expected:
        notes.append(f"{path.name} has {len(masks)} masks; {expected} were expected, one every 5 frames")
    return masks
