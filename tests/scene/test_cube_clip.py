"""The table of a real clip: a cube that rests on it, its faces tell the normal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dexman_pose import Camera, ObjectPrompt, reconstruct
from dexman_pose.meshing import load_mesh
from tests.scene.staged import degrees_between

pytestmark = [pytest.mark.data, pytest.mark.slow]


def test_the_table_under_a_real_cube(data_dir: Path) -> None:
    cube = data_dir / "clips" / "cube"
    truth = json.loads((cube / "poses.json").read_text())
    box = json.loads((data_dir / "clips" / "prompts.json").read_text())["clips"]["cube/cube_video.mp4"]
    mesh, pose = load_mesh(cube / "cube.obj", "m"), np.array(truth["frames"]["0"]["camera_from_object"])
    result = reconstruct(
        cube / "cube_video.mp4",
        {"cube": ObjectPrompt(box=np.array(box["objects"]["cube"], np.float64), mesh=mesh)},
        camera=Camera(np.array(truth["K"]), 640, 480),
        hands=None,
        max_frames=24,
        progress=False,
    )

    axes = np.concatenate([pose[:3, :3].T, -pose[:3, :3].T])
    up = axes[int(np.argmin(axes[:, 1]))]
    corners = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    foot = corners[int(np.argmin(corners @ up))]
    assert result.table is not None and result.provenance["world"] == "table"
    off, height = degrees_between(result.table.normal, up), 1e3 * float(result.table.heights(foot))
    print(f"normal {off:.2f} degrees off (told {np.degrees(result.table.normal_std):.2f}), {height:.1f} mm")
    assert off < 3.0 and off < 3 * np.degrees(result.table.normal_std)
    assert abs(height) < 4.0
