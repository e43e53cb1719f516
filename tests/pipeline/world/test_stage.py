"""The stage of the table: what it depends on, its file, a camera that moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import dexman_pose as dp
from dexman_pose.data.world.table import TablePlane
from dexman_pose.imaging.camera_motion import CameraMotion
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage
from dexman_pose.pipeline.world.stage import MOVES, load_scene, save_scene, scene_stage, sized_objects
from dexman_pose.scene.estimate import SceneEstimate
from tests.scene.staged import CAMERA, OFFSET, UP, degrees_between, moved

STILL = CameraMotion(np.zeros(60), np.zeros(60, np.uint8))


def _stage(motion: CameraMotion, *, with_hands: bool = False) -> Stage[SceneEstimate]:
    clip = dp.Clip.from_frames(np.zeros((60, 48, 64, 3), np.uint8))
    obj = moved()
    inputs = Inputs(clip, {"box": dp.ObjectPrompt(box=np.array([1.0, 1, 20, 20]))}, {"box": obj.mesh}, None)
    marks: Any = Fingerprints.of(inputs)
    masks = dp.MaskSequence(("box",), 48, 64, 60)
    return scene_stage(inputs, marks, masks, CAMERA, {"box": obj}, {}, motion, with_hands=with_hands)


def test_it_finds_the_table_and_names_what_it_reads() -> None:
    stage = _stage(STILL)
    assert stage.name == "scene" and stage.rooms == ("scene",)
    assert stage.after == ("masks", "camera", "camera_motion", "objects")
    assert set(stage.settings) == {"clip", "depth"}
    assert _stage(STILL, with_hands=True).after[-1] == "lift"
    found = stage.compute()
    assert found.table is not None and degrees_between(found.table.normal, UP) < 0.01


def test_a_camera_that_moves_has_no_world() -> None:
    codes = np.zeros(60, np.uint8)
    codes[30:] = 1
    found = _stage(CameraMotion(np.where(codes, 9.0, 0.0), codes)).compute()
    assert found.table is None and found.reason == MOVES
    np.testing.assert_array_equal(found.world_from_camera, np.eye(4))


def test_objects_of_unknown_size_get_it_from_the_table() -> None:
    objects = {"box": moved(), "jug": replace(moved(name="jug"), scale_source="unknown")}
    assert sized_objects(objects, SceneEstimate()) == objects
    jug = sized_objects(objects, SceneEstimate(sizes={"jug": 1.25}))["jug"]
    assert (jug.scale, jug.scale_source) == (1.25, "table")


def test_its_file_holds_everything(tmp_path: Path) -> None:
    world = np.eye(4)
    world[:3, 3] = [0.1, 0.2, 0.3]
    table = TablePlane(UP, OFFSET, 1e-4 * np.eye(4), ("a cup at rest", "depth"))
    for scene in (
        SceneEstimate(table, world, "", ("jug: its shape was made from the clip",), {"jug": 1.2}),
        SceneEstimate(reason=MOVES),
    ):
        save_scene(scene, tmp_path / "scene.npz")
        back = load_scene(tmp_path / "scene.npz")
        assert (back.reason, back.left_out) == (scene.reason, scene.left_out)
        assert back.sizes == scene.sizes
        np.testing.assert_array_equal(back.world_from_camera, scene.world_from_camera)
        assert (back.table is None) == (scene.table is None)
        if back.table is not None:
            np.testing.assert_array_equal(back.table.normal, table.normal)
            np.testing.assert_array_equal(back.table.covariance, table.covariance)
            assert (back.table.offset, back.table.evidence) == (table.offset, table.evidence)
