"""Real clips, where a measured pose and mesh give the true outline."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip, ObjectPrompt
from dexman_pose.meshing import load_mesh
from dexman_pose.render import Rasterizer
from dexman_pose.segmentation import segment_clip

pytestmark = [pytest.mark.data, pytest.mark.slow]


def test_cube_against_its_rendered_outline(data_dir: Path) -> None:
    folder = data_dir / "clips" / "cube"
    truth = json.loads((folder / "poses.json").read_text())
    clip = Clip.open(folder / "cube_video.mp4", max_frames=60)
    box = json.loads((data_dir / "clips" / "prompts.json").read_text())["clips"]["cube/cube_video.mp4"][
        "objects"
    ]["cube"]
    masks = segment_clip(clip, {"cube": ObjectPrompt(box=np.array(box, float))}, None)
    rasterizer = Rasterizer(load_mesh(folder / "cube.obj"))
    for t in (0, 20, 40, 59):
        pose = np.array(truth["frames"][str(t)]["camera_from_object"])[None]
        true = np.asarray(rasterizer.render(pose, np.array(truth["K"]), 640, 480).mask[0])
        found = masks.mask(t, "cube")
        assert (found & true).sum() / (found | true).sum() > 0.9, t


@pytest.mark.parametrize("name", ["taco/20231006_276.mp4", "taco/20230928_047.mp4"])
def test_objects_keep_their_size_when_put_back(data_dir: Path, name: str) -> None:
    prompts = json.loads((data_dir / "clips" / "prompts.json").read_text())["clips"][name]["objects"]
    clip = Clip.open(data_dir / "clips" / name)
    masks = segment_clip(clip, {n: ObjectPrompt(box=np.array(b, float)) for n, b in prompts.items()}, None)
    for n in prompts:
        first, last = (masks.mask(t, n).sum() for t in (0, clip.num_frames - 1))
        assert 0.7 < last / first < 1.4, n
