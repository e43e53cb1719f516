"""Shared fixtures."""

from __future__ import annotations

import os
import signal

# Processes that a shell started in the background ignore Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before torch and numpy are imported: processes that share the cores must not each start threads for all of them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real test data; the test is skipped, saying so, where there is none."""
    named = os.environ.get("DEXMAN_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"test data not found at {folder}: set DEXMAN_TEST_DATA to its folder")
    return folder


@dataclass(frozen=True)
class TinyScene:
    """A coloured box that slides and turns in front of a patterned wall: small, with exact truth."""

    mesh: Mesh
    camera: Camera
    camera_from_object: NDArray[np.float64]
    frames: list[NDArray[np.uint8]]
    box: list[float]


@pytest.fixture(scope="session")
def tiny_scene() -> TinyScene:
    """Four frames of 128x96, rendered."""
    from dexman_pose.geometry import se3, so3_exp
    from dexman_pose.render import Rasterizer

    mesh, camera = _colored_box(), Camera.from_focal(150, 128, 96)
    poses = np.stack(
        [se3(so3_exp([0.5, 0.6 + 0.05 * i, 0.1]), [-0.05 + 0.01 * i, 0, 0.45]) for i in range(4)]
    )
    rendered = Rasterizer(mesh).render(poses, camera.K, 128, 96, attributes=("color",))
    wall = (np.indices((96, 128)).sum(0) % 7 * 4 + 80).astype(np.uint8)
    color = np.round(255 * np.asarray(rendered.color)).astype(np.uint8)
    frames = [np.where(m[..., None], c, wall[..., None]) for m, c in zip(rendered.mask, color)]
    v, u = np.nonzero(rendered.mask[0])
    box = [float(u.min() - 2), float(v.min() - 2), float(u.max() + 2), float(v.max() + 2)]
    return TinyScene(mesh, camera, poses, frames, box)


def _colored_box() -> Mesh:
    import trimesh

    box = trimesh.creation.box((0.08, 0.05, 0.12)).subdivide()
    colors = np.random.default_rng(0).integers(40, 255, (len(box.vertices), 3)).astype(np.uint8)
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces), vertex_colors=colors)
