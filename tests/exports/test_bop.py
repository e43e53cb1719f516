"""BOP's files are read back by the reader of the data set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip, Trajectory
from dexman_pose.datasets.bop.models import BopModels
from dexman_pose.datasets.bop.reader import read_bop
from dexman_pose.datasets.bop.results import read_bop_results
from dexman_pose.datasets.bop.scene import read_bop_scene
from dexman_pose.exports import export
from dexman_pose.geometry import inverse

CAN, BALL = "soup can / 1", "ball"
EXACT = 1e-9


def test_scenes(trajectory: Trajectory, tmp_path: Path) -> None:
    export(trajectory, "bop", tmp_path)
    scene = read_bop_scene(tmp_path / "test" / "000000")
    assert [image.im_id for image in scene.images] == list(range(trajectory.num_frames))
    for image in scene.images:
        np.testing.assert_allclose(image.K, trajectory.camera.K)
        assert image.camera_from_world is not None
        np.testing.assert_allclose(image.camera_from_world, inverse(trajectory.world_from_camera), atol=EXACT)
        valid = [n for n, o in enumerate(trajectory.objects.values(), 1) if o.valid[image.im_id]]
        assert [i.obj_id for i in image.instances] == valid
        for instance in image.instances:
            obj = list(trajectory.objects.values())[instance.obj_id - 1]
            wanted = obj.camera_from_object[image.im_id]
            np.testing.assert_allclose(instance.camera_from_object, wanted, atol=EXACT)


def test_numbers_are_millimetres_row_by_row(trajectory: Trajectory, tmp_path: Path) -> None:
    export(trajectory, "bop", tmp_path)
    truth = json.loads((tmp_path / "test" / "000000" / "scene_gt.json").read_text())
    entry = truth["3"][0]
    pose = trajectory.objects[CAN].camera_from_object[3]
    assert entry["cam_t_m2c"][2] == pytest.approx(1000 * pose[2, 3])
    assert entry["cam_R_m2c"][1] == pytest.approx(pose[0, 1])


def test_models(trajectory: Trajectory, tmp_path: Path) -> None:
    export(trajectory, "bop", tmp_path)
    models = BopModels(tmp_path)
    for number, obj in enumerate(trajectory.objects.values(), 1):
        mesh = models.mesh(number, "display")
        assert mesh.extents == pytest.approx(obj.mesh.extents, abs=1e-6)
    assert models.diameter(1) == pytest.approx(np.linalg.norm([0.06, 0.08, 0.10]), abs=1e-6)
    assert models.mesh(1, "display").texture is not None
    assert models.mesh(2, "display").vertex_colors is not None


def test_with_pictures_it_is_a_data_set(trajectory: Trajectory, tmp_path: Path) -> None:
    camera = trajectory.camera
    pictures = [
        np.full((camera.height, camera.width, 3), 9 * i, np.uint8) for i in range(trajectory.num_frames)
    ]
    export(trajectory, "bop", tmp_path, clip=Clip.from_frames(pictures, 25.0))
    (recording,) = read_bop(tmp_path, use="display")
    assert len(recording.images) == trajectory.num_frames and len(recording.objects) == 2
    with Image.open(recording.images[5]) as picture:
        assert picture.size == (320, 240) and picture.getpixel((0, 0)) == (45, 45, 45)


def test_results(trajectory: Trajectory, tmp_path: Path) -> None:
    rows = read_bop_results(export(trajectory, "bop-csv", tmp_path / "poses.csv"))
    assert len(rows) == sum(int(o.valid.sum()) for o in trajectory.objects.values())
    for row in rows:
        obj = list(trajectory.objects.values())[row.obj_id - 1]
        np.testing.assert_allclose(row.camera_from_object, obj.camera_from_object[row.im_id], atol=EXACT)
        assert row.score == obj.confidence[row.im_id]
