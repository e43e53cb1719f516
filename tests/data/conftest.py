"""Small videos made on the spot, and a small complete trajectory."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import (
    JOINT_PARENTS,
    Camera,
    Contacts,
    HandTrack,
    Mesh,
    PoseTrack,
    RigidObject,
    Trajectory,
)
from dexman_pose.geometry import se3_exp

av = pytest.importorskip("av")


def picture(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Coarse blocks that survive lossy coding; the top row of blocks is the frame's number in binary."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[height // 2 :, : width // 2, 0] = 220  # red at the bottom left: tells upright from turned
    cell = width // 8
    for bit in range(8):
        if index >> bit & 1:
            image[: height // 4, bit * cell : (bit + 1) * cell] = 230
    return image


VideoMaker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """Write a video of numbered frames: name, count, size, codec, pixel format, rotation, times in ms."""

    def make(
        name: str = "clip.mp4",
        count: int = 40,
        size: tuple[int, int] = (96, 64),
        *,
        codec: str = "libx264",
        pixels: str = "yuv420p",
        rotation: int | None = None,
        milliseconds: list[int] | None = None,
        gop: int = 10,
        container: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=container or {}) as out:
            stream: Any = out.add_stream(codec, rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = pixels
            stream.codec_context.gop_size = gop
            stream.codec_context.thread_count = 1
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if milliseconds is not None:
                stream.codec_context.time_base = Fraction(1, 1000)
            for i in range(count):
                frame = av.VideoFrame.from_ndarray(picture(i, *size), format="rgb24")
                if milliseconds is not None:
                    frame.pts, frame.time_base = milliseconds[i], Fraction(1, 1000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make


@pytest.fixture
def trajectory() -> Trajectory:
    """Ten frames: a textured tetrahedron, a coloured one, a right hand, contacts."""
    rng = np.random.default_rng(3)
    n = 10
    vertices = 0.05 * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    texture = rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    meshes = {
        "cup": Mesh(
            vertices, faces, rng.random((4, 3, 2)), texture, seen=np.array([True, False, True, True])
        ),
        "möbius lid": Mesh(
            vertices * 2, faces, vertex_colors=np.arange(12).reshape(4, 3), source="silhouette"
        ),
    }
    objects = {}
    for name, mesh in meshes.items():
        poses = se3_exp(0.1 * rng.normal(size=(n, 6)))
        poses[:, 2, 3] += 0.8
        variance = np.tile(np.diag(rng.random(6)), (n, 1, 1))
        track = PoseTrack(poses, rng.random(n) > 0.2, 0.5 + 0.5 * rng.random(n), rng.random(n), variance)
        symmetry = np.stack([np.eye(4), np.diag([-1.0, -1, 1, 1])])
        objects[name] = RigidObject(name, mesh, track, 1.25, "hand", symmetry)
    hand = _hand(n, rng)
    valid = np.ones((1, n), np.bool_)
    contacts = Contacts(
        (("right", "cup"),),
        rng.normal(size=(1, n, 21)),
        rng.random((1, n, 21)) > 0.5,
        rng.normal(size=(1, n, 21, 3)),
        valid,
        0.01,
        0.02,
    )
    return Trajectory(
        Camera.from_focal(600.0, 640, 480, "estimated"),
        np.arange(n) / 30.0,
        objects,
        {"right": hand},
        contacts,
        se3_exp([0.1, 0.2, 0.3, -2.0, 0.1, 0.0]),
        {"input": {"video": "a.mp4", "frames": n}, "settings": [1, 2.5, None, True, "µ"]},
    )


def _hand(n: int, rng: np.random.Generator) -> HandTrack:
    lengths = np.concatenate([[0.0], 0.02 + 0.03 * rng.random(20)])
    joints = np.zeros((n, 21, 3))
    joints[:, 0] = [0.0, 0.1, 0.7]
    for j in range(1, 21):
        direction = rng.normal(size=(n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        joints[:, j] = joints[:, JOINT_PARENTS[j]] + lengths[j] * direction
    bridged = np.arange(n) == 4
    return HandTrack(
        "right", joints, 100 * rng.random((n, 21, 2)), np.ones(n, np.bool_), bridged, np.full(n, 0.7), lengths
    )
