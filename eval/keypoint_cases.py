"""Clips with an object that is not seen for a while, for ``keypoints.py``: real with known poses, runs, rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.real.cube import FRAMES, read_truth
from dexman_pose.benchmarks.stress.cases import build_case
from dexman_pose.data import Camera, Clip, Mesh, Trajectory
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing import load_mesh
from dexman_pose.pose.tracking.hand_cover import hands_over, seen_joints


@dataclass(frozen=True)
class Case:
    """One object in one clip.

    Attributes:
        name: for the table.
        mesh: metres.
        camera: ideal pinhole.
        frame: gives picture i, (H, W, 3) uint8 RGB.
        hidden: gives what hands cover of it, (H, W), or None.
        poses: (T, 4, 4) camera_from_object that are taken for true ...
        good: (T,) ... where this is True.
        symmetry: of the object.
        trusted: (F,) faces whose colours can be believed, or None for all.
        queries: frames in which the object is looked for, and the last frame before in which it was seen.
    """

    name: str
    mesh: Mesh
    camera: Camera
    frame: Callable[[int], NDArray[np.uint8]]
    hidden: Callable[[int], Bools | None]
    poses: Array
    good: Bools
    symmetry: SymmetryGroup
    trusted: Bools | None
    queries: list[tuple[int, int]]


_FRAMES_KEPT = 64


def _kept(clip: Clip) -> Callable[[int], NDArray[np.uint8]]:
    """Frames of a clip, the last ones asked for kept: earlier views are asked for again and again."""
    return lru_cache(_FRAMES_KEPT)(clip.frame)


def apart_queries(good: Bools, first: int, every: int, gap: int) -> list[tuple[int, int]]:
    """Good frames every so often, each with the last good one that lies ``gap`` frames or more before it."""
    out = []
    for query in range(first, len(good), every):
        before = np.nonzero(good[: max(0, query - gap + 1)])[0]
        if good[query] and len(before):
            out.append((query, int(before[-1])))
    return out


def cube_cases(data: Path, every: int, gap: int) -> Iterator[Case]:
    """The toy cube from where the hand takes it."""
    folder = data / "clips" / "cube"
    known = json.loads((folder / "poses.json").read_text())
    truth = read_truth(known, FRAMES)
    camera = Camera(np.array(known["K"]), known["width"], known["height"])
    clip = Clip.open(folder / "cube_video.mp4", max_frames=FRAMES)
    yield Case(
        *(f"cube, {gap} frames", load_mesh(folder / "cube.obj"), camera, _kept(clip), lambda _: None),
        *(truth.camera_from_object, truth.ok, SymmetryGroup.trivial(), None),
        apart_queries(truth.ok, 90 + gap, every, gap),
    )


def run_cases(run: Path, every: int, gap: int) -> Iterator[Case]:
    """The objects of a finished run."""
    trajectory = Trajectory.load(run / "trajectory.npz")
    clip = Clip.open(json.loads((run / "run.json").read_text())["video"])

    def hidden(index: int) -> Bools | None:
        return hands_over(seen_joints(trajectory.hands, index), trajectory.camera)

    for name, found in trajectory.objects.items():
        track = found.track
        yield Case(
            *(f"{run.name} {name}", found.mesh, trajectory.camera, _kept(clip), hidden),
            *(track.camera_from_object, track.valid, SymmetryGroup(found.symmetry), found.mesh.seen),
            apart_queries(track.valid, gap, every, gap),
        )


def rendered_cases(shape: str, seed: int, every: int = 3) -> Iterator[Case]:
    """A rendered clip in which a slab hides the object, all of it for a while."""
    case = build_case("full_occlusion", shape, seed)
    gone = np.nonzero(case.visible == 0.0)[0]
    # What the tracker saw last is half an object: the frame before, where it is whole, is fairer to all.
    last = int(np.nonzero(case.visible[: gone[0]] > 0.9)[0][-1])
    queries = [i for i in range(int(gone[-1]), case.num_frames, every) if case.visible[i] > 0.5]
    yield Case(
        *(f"rendered {shape} {seed}", case.mesh, case.camera, case.images.__getitem__, lambda _: None),
        *(case.camera_from_object, case.visible > 0.9, case.symmetry.for_engine(), None),
        [(i, last) for i in queries],
    )
