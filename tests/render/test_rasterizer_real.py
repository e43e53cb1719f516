"""Conventions against reality: a textured cube at its known pose looks like the video frame it was measured in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.render import Rasterizer

pytestmark = pytest.mark.data


def _textured(path: Path) -> Mesh:
    import trimesh

    m = trimesh.load(path, process=False, force="mesh")
    uv = np.asarray(m.visual.uv, np.float32)[m.faces]
    return Mesh(m.vertices, m.faces, uv=uv, texture=np.asarray(m.visual.material.image.convert("RGB")))


def _averaged(rasterizer: Rasterizer, pose: np.ndarray, k: np.ndarray, factor: int = 4) -> np.ndarray:
    """Colour (480, 640, 3) as a sensor's pixel sees it: the mean over factor x factor samples."""
    k = k * [[factor], [factor], [1]] + np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]]) * (factor - 1) / 2
    color = rasterizer.render(pose, k, 640 * factor, 480 * factor, attributes=("color",)).color[0]
    return color.reshape(480, factor, 640, factor, 3).mean((1, 3))


def test_rendered_cube_correlates_with_the_frame(data_dir: Path) -> None:
    av = pytest.importorskip("av")
    folder = data_dir / "clips" / "cube"
    truth = json.loads((folder / "poses.json").read_text())
    number = min(int(n) for n, f in truth["frames"].items() if f["ok"])
    with av.open(str(folder / "cube_video.mp4")) as container:
        frame = next(f for i, f in enumerate(container.decode(video=0)) if i == number)
    image = frame.to_ndarray(format="rgb24").astype(float)
    rasterizer = Rasterizer(_textured(folder / "cube.obj"))
    pose = np.array(truth["frames"][str(number)]["camera_from_object"])

    inside = rasterizer.render(pose, truth["K"], 640, 480).mask[0]

    def correlation(source: Rasterizer, dx: float = 0.0, dy: float = 0.0) -> float:
        color = _averaged(source, pose, np.array(truth["K"]) + [[0, 0, dx], [0, 0, dy], [0, 0, 0]])
        return float(np.corrcoef(color[inside].ravel(), image[inside].ravel())[0, 1])

    right = correlation(rasterizer)
    flipped = replace(rasterizer.mesh, texture=np.ascontiguousarray(rasterizer.mesh.texture[::-1]))
    # The video is brighter than the texture and clipped, so even a perfect pose stays well below 1; what tells is
    # how much worse everything else is.
    assert right > 0.6
    assert correlation(Rasterizer(flipped)) < right - 0.4
    for shift in ((4.0, 0.0), (-4.0, 0.0), (0.0, 4.0), (0.0, -4.0)):
        assert correlation(rasterizer, *shift) < right - 0.05
