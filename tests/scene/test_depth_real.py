"""The table in real depth images, among clutter, against the face of a cube that stands on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Camera, DepthSequence, MaskSequence
from dexman_pose.meshing import load_mesh
from dexman_pose.render import Rasterizer
from dexman_pose.scene.depth_plane import depth_planes
from tests.scene.staged import degrees_between

pytestmark = [pytest.mark.data]


def test_the_table_among_clutter(data_dir: Path) -> None:
    folder = data_dir / "rgbd" / "rbt_cube"
    truth = json.loads((folder / "poses.json").read_text())
    mesh = load_mesh(next((folder / "mesh").glob("*.obj")), "m")
    rasterizer, off, high = Rasterizer(mesh), [], []
    for name in sorted(truth["frames"], key=int)[::4]:
        pose = np.array(truth["frames"][name]["camera_from_object"])
        depth = np.asarray(Image.open(folder / f"depth_{int(name):04d}.png")).astype(np.float32)
        height, width = depth.shape
        camera = Camera(np.array(truth["K"]), width, height)
        masks = MaskSequence(("cube",), height, width, 1)
        mask = rasterizer.render(pose[None], camera.K, width, height).mask[0]
        masks.set(0, np.asarray(mask).astype(np.uint8))
        corners = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
        axes = np.concatenate([pose[:3, :3].T, -pose[:3, :3].T])
        up = axes[int(np.argmin(axes[:, 1]))]
        images = DepthSequence.from_arrays(depth[None], truth.get("depth_unit_m", 0.001))
        votes = depth_planes(images, masks, camera)
        best = min(votes, key=lambda vote: degrees_between(vote.normal, up))
        off.append(degrees_between(best.normal, up))
        high.append(1e3 * abs(float((corners @ up).min() - best.point @ up)))
    print(
        f"{len(off)} pictures: normal {np.median(off):.2f} (worst {max(off):.2f}) degrees, {np.median(high):.1f} mm"
    )
    assert np.median(off) < 2.0 and max(off) < 4.5
    assert np.median(high) < 6.0
