"""Mutated trajectory files: each is read right or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inputs import seeds_of
from mutate import checked, mutated

from dexman_pose.data import Camera, Contacts, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry import se3, so3_exp

FRAMES = 4


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small trajectory that holds one of everything."""
    poses = np.stack([se3(so3_exp([0.1 * t, 0.2, 0.0]), [0.01 * t, 0.0, 0.5]) for t in range(FRAMES)])
    valid, sure = np.ones(FRAMES, np.bool_), np.ones(FRAMES)
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    rng = np.random.default_rng(0)
    mesh = Mesh(
        corners, faces, uv=rng.random((4, 3, 2)), texture=rng.integers(0, 255, (4, 4, 3)).astype(np.uint8)
    )
    cup = RigidObject("cup", mesh, PoseTrack(poses, valid, sure), scale_source="given")
    joints = np.cumsum(rng.normal(size=(21, 3)) * 0.01, 0) + [0, 0, 0.5]
    bones = np.linalg.norm(joints - joints[np.maximum(JOINT_PARENTS, 0)], axis=-1)
    tiled = np.tile(joints, (FRAMES, 1, 1))
    camera = Camera.from_focal(100, 64, 48)
    hand = HandTrack("right", tiled, camera.project(tiled), valid, ~valid, sure, bones, "given")
    shape = (1, FRAMES, 21)
    contacts = Contacts(
        (("right", "cup"),),
        np.ones(shape),
        np.zeros(shape, bool),
        np.zeros((*shape, 3)),
        valid[None],
        0.01,
        0.02,
    )
    times = np.arange(FRAMES) / 30
    whole = Trajectory(
        camera, times, {"cup": cup}, {"right": hand}, contacts, provenance={"seed": 0, "a": [1]}
    )
    return whole.save(tmp_path_factory.mktemp("right") / "t.npz").read_bytes()


def _run(right: bytes, folder: Path, seeds: range) -> int:
    path = folder / "t.npz"
    refused = 0
    for seed in seeds:
        path.write_bytes(mutated("t.npz", right, seed))
        refused += bool(checked(lambda: Trajectory.load(path).validate(), f"trajectory file, seed {seed}"))
    return refused


def test_mutated_trajectory_files_are_read_or_refused_in_one_line(right: bytes, tmp_path: Path) -> None:
    seeds = seeds_of("trajectory", slow=False)
    assert len(seeds) > _run(right, tmp_path, seeds) > 0.5 * len(seeds)


@pytest.mark.slow
def test_thousands_of_mutated_trajectory_files(right: bytes, tmp_path: Path) -> None:
    seeds = seeds_of("trajectory", slow=True)
    assert _run(right, tmp_path, seeds) > 0.5 * len(seeds)
