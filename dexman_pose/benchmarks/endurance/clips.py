"""Short clips of a coloured box that turns, each another one; and files that are no clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.data.files import write_bytes, write_json
from dexman_pose.data.video.writer import write_video
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer

_SIZE = (160, 120)
_FOCAL = 190.0
_BOX = (0.08, 0.05, 0.12)
_MARGIN = 3.0
_RATE = 30.0


def write_clips(folder: Path, count: int, poisoned: int, frames: int = 6) -> list[str]:
    """Write clips, files that are none, and ``prompts.json`` of all of them.

    Args:
        folder: for ``NAME.mp4``.
        count: clips in all.
        poisoned: of these, files that are empty, hold no video, or half of one.
        frames: of each clip.

    Returns:
        Names of those that are no clips.
    """
    names = [f"clip_{i:03}" for i in range(count)]
    bad = names[:: max(count // max(poisoned, 1), 1)][:poisoned]
    prompts: dict[str, Any] = {}
    for seed, name in enumerate(names):
        pictures, box = _filmed(seed, frames)
        prompts[f"{name}.mp4"] = {"frame": 0, "objects": {"box": box}}
        file = folder / f"{name}.mp4"
        write_video(file, pictures, fps=_RATE)
        if name in bad:
            whole = file.read_bytes()
            write_bytes(file, (b"", b"no video at all", whole[: len(whole) // 2])[bad.index(name) % 3])
    write_json(folder / "prompts.json", {"clips": prompts})
    return bad


def _filmed(seed: int, frames: int) -> tuple[list[NDArray[np.uint8]], list[float]]:
    """Pictures (H, W, 3), and the box around the object in the first."""
    import trimesh

    rng = np.random.default_rng(seed)
    width, height = _SIZE
    camera = Camera.from_focal(_FOCAL, width, height)
    solid = trimesh.creation.box(_BOX).subdivide()
    colors = rng.integers(40, 255, (len(solid.vertices), 3)).astype(np.uint8)
    mesh = Mesh(np.asarray(solid.vertices), np.asarray(solid.faces), vertex_colors=colors)
    turn, step = rng.uniform(0.3, 0.8, 3), rng.uniform(-0.04, 0.04, 3)
    poses = np.stack([se3(so3_exp(turn + i * step), [0.004 * i, 0.0, 0.45]) for i in range(frames)])
    drawn = Rasterizer(mesh).render(poses, camera.K, width, height, attributes=("color",))
    wall = np.repeat(rng.integers(90, 130, (height // 8, width // 8, 1)).repeat(8, 0).repeat(8, 1), 3, 2)
    color = np.round(255 * np.asarray(drawn.color)).astype(np.uint8)
    pictures = [np.where(m[..., None], c, wall).astype(np.uint8) for m, c in zip(drawn.mask, color)]
    v, u = np.nonzero(drawn.mask[0])
    box = [u.min() - _MARGIN, v.min() - _MARGIN, u.max() + _MARGIN, v.max() + _MARGIN]
    return pictures, [float(x) for x in box]
