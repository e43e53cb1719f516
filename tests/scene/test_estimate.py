"""The table out of everything: boxes on a table, with noise, and what may not be guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh, RigidObject
from dexman_pose.geometry import inverse, se3, so3_exp, transform_points
from dexman_pose.scene import SceneEstimate, estimate_scene
from dexman_pose.synthetic.demo.clip import look_at
from tests.scene.staged import (
    CAMERA,
    CAMERA_FROM_WORLD,
    OFFSET,
    UP,
    degrees_between,
    hand,
    moved,
    noisy,
    still,
    thing,
)

TIMES = np.arange(60) / 30.0


def _found(*objects: RigidObject) -> SceneEstimate:
    return estimate_scene({obj.name: obj for obj in objects}, {}, CAMERA, TIMES)


def test_exact_poses_give_the_exact_table() -> None:
    scene = _found(moved(), still("other", -0.15, 0.1))
    assert scene.table is not None and scene.reason == ""
    assert degrees_between(scene.table.normal, UP) < 1e-3
    assert scene.table.offset == pytest.approx(OFFSET, abs=1e-5)
    assert [e.split(" at rest")[0] for e in scene.table.evidence] == ["box", "other"]


@pytest.mark.parametrize("seed", range(6))
def test_noisy_poses_give_it_within_what_is_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    objects = []
    for obj in (moved(), still("other", -0.15, 0.1)):
        wrong = so3_exp(np.radians(1.0) * rng.standard_normal(3))
        poses = obj.camera_from_object.copy()
        poses[:, :3, :3] = wrong @ poses[:, :3, :3]
        poses[:, :3, 3] *= 1 + 0.006 * rng.standard_normal()
        biased = replace(obj, track=replace(obj.track, camera_from_object=poses))
        objects.append(noisy(biased, 0.2, 0.0003, seed))
    scene = _found(*objects)
    assert scene.table is not None
    assert degrees_between(scene.table.normal, UP) < 3 * np.degrees(scene.table.normal_std) < 9
    foot = transform_points(CAMERA_FROM_WORLD, np.zeros((1, 3)))[0]
    assert abs(scene.table.heights(foot)) < 3 * scene.table.height_std(foot) < 0.03


def test_the_world_stands_under_the_first_object() -> None:
    scene = _found(moved(), still("other", -0.15, 0.1))
    world_from_world = scene.world_from_camera @ CAMERA_FROM_WORLD
    np.testing.assert_allclose(world_from_world[2], [0, 0, 1, 0], atol=1e-4)  # up is up, the table is z = 0
    np.testing.assert_allclose(world_from_world[:3, 3], 0.0, atol=2e-3)  # the box stood above the origin
    right = scene.world_from_camera[:3, :3] @ [1.0, 0.0, 0.0]
    assert right[0] > 0.99 and abs(right[1]) < 1e-9


def test_one_thing_on_a_pile_does_not_move_the_table() -> None:
    piled = still("piled", 0.02, 0.2, yaw=1.0)
    piled.track.camera_from_object[:, :3, 3] += 0.09 * UP
    scene = _found(moved(), still("other", -0.15, 0.1), piled)
    assert scene.table is not None
    assert degrees_between(scene.table.normal, UP) < 0.5
    assert scene.table.offset == pytest.approx(OFFSET, abs=2e-3)
    assert not any("piled" in e for e in scene.table.evidence)


def test_the_same_clip_in_another_order_gives_the_same_plane() -> None:
    a = _found(moved(), still("other", -0.15, 0.1)).table
    b = _found(still("other", -0.15, 0.1), moved()).table
    assert a is not None and b is not None
    np.testing.assert_allclose(a.normal, b.normal, atol=1e-6)


def test_without_objects_nothing_is_guessed() -> None:
    scene = _found()
    assert scene.table is None and "at rest" in scene.reason
    np.testing.assert_array_equal(scene.world_from_camera, np.eye(4))


def test_what_never_rests_tells_nothing() -> None:
    steps = np.linspace(0.0, 1.0, 60)
    poses = np.stack([se3(so3_exp(np.array([s, 2 * s, 0.0])), [0.3 * s, 0.1, 0.2]) for s in steps])
    scene = _found(thing("flying", moved().mesh, poses))
    assert scene.table is None and "at rest" in scene.reason


def test_a_moment_of_one_thing_is_not_enough() -> None:
    brief = still("box", 0.1, 0.0)
    brief.track.valid[8:] = False
    scene = _found(brief)
    assert scene.table is None and "may be held" in scene.reason


def test_two_planes_that_explain_a_clip_alike_are_not_chosen_from() -> None:
    """A pencil with six sides, across a camera that looks down by 10 degrees: the side behind is as good a foot."""
    pencil = trimesh.creation.cylinder(radius=0.04, height=0.2, sections=6)
    lying = so3_exp(np.array([0.0, np.pi / 2, 0.0])) @ so3_exp(np.array([0.0, 0.0, np.pi / 6]))
    mesh = Mesh(np.asarray(pencil.vertices), np.asarray(pencil.faces))
    low = look_at([0.0, -0.6, 0.04 + 0.6 * np.tan(np.radians(10))], [0.0, 0.0, 0.04])
    pose = inverse(CAMERA_FROM_WORLD) @ low @ se3(lying, np.zeros(3))
    scene = _found(thing("pencil", mesh, np.tile(pose, (60, 1, 1))))
    assert scene.table is None and "planes would explain" in scene.reason


def test_shapes_made_from_the_clip_are_left_out_and_said_to_be() -> None:
    obj = moved()
    made = replace(obj, mesh=replace(obj.mesh, source="silhouette", seen=np.ones(12, np.bool_)))
    scene = _found(made)
    assert scene.table is None
    assert scene.left_out == ("box: its shape was made from the clip",)


def test_hands_alone_make_no_table() -> None:
    flat = np.tile(np.random.default_rng(0).uniform([-0.1, 0, 0.01], [0.1, 0.2, 0.01], (21, 3)), (60, 1, 1))
    scene = estimate_scene({}, {"right": hand(flat)}, CAMERA, TIMES)
    assert scene.table is None
