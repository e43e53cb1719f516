"""The stage of the table: what it depends on, its file, a camera that moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import dexman_pose as dp
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.given.poses import GivenPoses
from dexman_pose.imaging.camera_motion import CameraMotion
from dexman_pose.pipeline.given import Given
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage
from dexman_pose.pipeline.world.stage import MOVES, load_scene, placed_objects, save_scene, scene_stage
from dexman_pose.scene.estimate import SceneEstimate
from tests.scene.staged import CAMERA, OFFSET, UP, degrees_between, moved

STILL = CameraMotion(np.zeros(60), np.zeros(60, np.uint8))


def _inputs() -> Inputs:
    clip = dp.Clip.from_frames(np.zeros((60, 48, 64, 3), np.uint8))
    return Inputs(clip, {"box": dp.ObjectPrompt(box=np.array([1.0, 1, 20, 20]))}, {"box": moved().mesh}, None)


def _stage(motion: CameraMotion, *, with_hands: bool = False) -> Stage[SceneEstimate]:
    inputs, obj = _inputs(), moved()
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
    inputs = _inputs()
    assert placed_objects(objects, SceneEstimate(), CAMERA, {}, inputs) == objects
    jug = placed_objects(objects, SceneEstimate(sizes={"jug": 1.25}), CAMERA, {}, inputs)["jug"]
    assert (jug.scale, jug.scale_source) == (1.25, "table")


def test_poses_less_sure_than_the_table_come_onto_it_but_for_those_that_were_given() -> None:
    table = TablePlane(UP, OFFSET, np.diag([1e-5, 1e-5, 1e-5, 1e-6]))
    obj = moved()
    poses = obj.camera_from_object.copy()
    poses[:, :3, 3] *= 1.03
    track = replace(obj.track, camera_from_object=poses, covariance=np.tile(1e-4 * np.eye(6), (60, 1, 1)))
    objects = {"box": replace(obj, track=track)}
    found = placed_objects(objects, SceneEstimate(table), CAMERA, {}, _inputs())["box"]
    before, after = (
        float(table.heights(transform_points(pose, obj.mesh.vertices)).min())
        for pose in (poses[5], found.camera_from_object[5])
    )
    assert abs(before) > 0.008 and abs(after) < 0.001
    given = GivenPoses(poses, np.ones(60, np.bool_))
    inputs = replace(_inputs(), given=Given(poses={"box": given}, fixed=True))
    kept = placed_objects(objects, SceneEstimate(table), CAMERA, {}, inputs)["box"]
    np.testing.assert_array_equal(kept.camera_from_object, poses)


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
