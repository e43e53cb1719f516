"""A case of the flag benchmark, and the run of the pose engine on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.flags.scores import FlagRow
from dexman_pose.benchmarks.flags.signals import signals_of
from dexman_pose.benchmarks.stress.score import pose_errors
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.errors import DexmanError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose import PoseEstimate, estimate_pose, track
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

Labels = NDArray[np.uint8]

OBJECT = "object"
"""Name of the object in the masks of every case."""

FRAME_RATE = 30.0
"""Frames a second of rendered clips."""

NEVER_MM, NEVER_DEGREES = 1e4, 180.0
"""Errors of a pose that cannot be right, and of a run that gave none."""

Work = Literal["picture", "track", "track-search", "track-alone"]


@dataclass(frozen=True)
class FlagCase:
    """A picture or clip as a user would give it, and what is true of it.

    Attributes:
        group: the table's line it belongs to.
        name: unique in the group.
        work: ``picture``: :func:`~dexman_pose.pose.estimate_pose` of frame 0; ``track``: a clip, start given;
            ``track-search``: a clip, start searched; ``track-alone``: a clip, start given, no masks.
        mesh: as given to the engine, metres.
        camera: intrinsics.
        images: T of (H, W, 3) uint8.
        labels: T of (H, W) uint8 as given: 0 background, 1 object, 255 occluder.
        camera_from_object: (T, 4, 4) true poses, metres.
        visible: (T,) share of the object's whole silhouette that is seen.
        symmetry: true symmetry of the object, for the errors.
        depth: T of (H, W) float32 metres, or None.
        start: (4, 4) pose of frame 0 to track from; the true one when left out.
        known_symmetry: given to the engine; None lets it detect.
        scale: given to the engine: ``known`` or ``unknown``.
        true_scale: times the mesh it is the object.
        possible: False when no pose can be right, for the mesh is another object's.
    """

    group: str
    name: str
    work: Work
    mesh: Mesh
    camera: Camera
    images: Sequence[NDArray[np.uint8]]
    labels: Sequence[Labels]
    camera_from_object: Array
    visible: Array
    symmetry: TrueSymmetry = field(default_factory=TrueSymmetry)
    depth: Sequence[NDArray[np.float32]] | None = None
    start: Array | None = None
    known_symmetry: SymmetryGroup | None = None
    scale: Literal["known", "unknown"] = "known"
    true_scale: float = 1.0
    possible: bool = True

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.images)


def run_case(case: FlagCase) -> list[FlagRow]:
    """Run the engine and score every frame; a run that raises gives rows that say so."""
    try:
        found = _estimate(case) if case.work == "picture" else _track(case)
    except (DexmanError, ArithmeticError, ValueError, IndexError, AssertionError) as raised:
        return failed_rows(case, raised)
    return found_rows(case, found)


def found_rows(case: FlagCase, found: PoseEstimate | PoseTrack) -> list[FlagRow]:
    """The rows of a result: errors beside the flag and everything else the engine says."""
    single = isinstance(found, PoseEstimate)
    poses = np.asarray(found.camera_from_object, np.float64).reshape(-1, 4, 4)
    factor = float(found.scale if isinstance(found, PoseEstimate) else found.mesh_scale)
    center = case.mesh.center
    mm, degrees = pose_errors(
        poses,
        case.camera_from_object,
        center * case.true_scale,
        case.symmetry,
        found_center=center * factor,
    )
    if not case.possible:
        mm, degrees = np.full(len(poses), NEVER_MM), np.full(len(poses), NEVER_DEGREES)
    valid = flags_of(found, len(poses))
    return [
        FlagRow(
            case.group,
            case.name,
            k,
            float(mm[k]),
            float(degrees[k]),
            bool(valid[k]),
            float(case.visible[k]),
            tuple(float(x) for x in poses[k, :3].ravel()),
            signals_of(found, None if single else k),
        )
        for k in range(len(poses))
    ]


def failed_rows(case: FlagCase, raised: Exception) -> list[FlagRow]:
    """The rows of a run that raised an exception."""
    error = f"{type(raised).__name__}: {raised}"
    return [
        FlagRow(case.group, case.name, k, NEVER_MM, NEVER_DEGREES, False, float(case.visible[k]), error=error)
        for k in range(case.num_frames)
    ]


def flags_of(found: PoseEstimate | PoseTrack, count: int) -> NDArray[np.bool_]:
    """(T,) whether a result says that its poses may be used."""
    return np.broadcast_to(np.asarray(found.valid, np.bool_), (count,))


def _estimate(case: FlagCase) -> PoseEstimate:
    labels = case.labels[0]
    return estimate_pose(
        case.mesh,
        case.images[0],
        labels == 1,
        case.camera,
        depth=None if case.depth is None else case.depth[0],
        occluders=labels == OCCLUDER,
        **_shared(case),
    )


def _track(case: FlagCase) -> PoseTrack:
    start, alone = None, case.work == "track-alone"
    if alone or case.work == "track":
        start = case.camera_from_object[0] if case.start is None else case.start
    return track(
        case.mesh,
        Clip.from_frames(list(case.images), FRAME_RATE),
        None if alone else _masks(case),
        case.camera,
        name=OBJECT,
        start=start,
        depth=None if case.depth is None else DepthSequence.from_arrays(list(case.depth)),
        **_shared(case),
    )


def _shared(case: FlagCase) -> dict[str, Any]:
    return {"scale": case.scale, "symmetry": case.known_symmetry}


def _masks(case: FlagCase) -> MaskSequence:
    c = case.camera
    confidence = np.ones((case.num_frames, 1), np.float32)
    out = MaskSequence((OBJECT,), c.height, c.width, case.num_frames, confidence)
    for index, labels in enumerate(case.labels):
        out.set(index, labels)
    return out
