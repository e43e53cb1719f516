"""Demonstrations before a camera: what is labelled is what the simulator left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.synthetic.grasps.filming import FilmOptions
from dexman_pose.synthetic.skills.film import SkillFilm
from dexman_pose.synthetic.skills.shapes import hand_shapes
from tests.robot.gripper import GRIPPER, LIFT, SIDE

SIZE = FilmOptions(size=(96, 72), threads=1)


@pytest.fixture(scope="module")
def film(plan: Plan, mesh: Mesh) -> SkillFilm:
    colored = replace(mesh, vertex_colors=np.full((len(mesh.vertices), 3), 200, np.uint8))
    return SkillFilm(plan, ["cube"], [colored], 3, options=SIZE)


def test_labels_are_where_object_and_hand_are(film: SkillFilm) -> None:
    picture = film.picture(20)
    middle = film.camera_from_object[0, 20, :3, 3]
    u, v = np.rint(film.camera.project(middle[None])[0]).astype(int)
    assert picture.labels[v, u] in (1, 255)
    assert (picture.labels == 1).sum() > 10 and (picture.labels == 255).sum() > 10
    assert ((picture.labels == 255) == (picture.hand_ids == 1)).all()
    wrist = film.joints[0, 20, 0]
    near = picture.depth[picture.labels == 255]
    assert near.min() - 0.1 < wrist[2] < near.max() + 0.1


def test_poses_are_those_of_the_simulation(film: SkillFilm, plan: Plan) -> None:
    places = plan.world().object_places(plan.qpos)[:, 0]
    seen = inverse(film.camera_from_world) @ film.camera_from_object[0]
    assert np.allclose(seen[:, :3, 3], places[:, :3])
    assert film.num_frames == plan.num_frames


def test_fingers_touch_what_they_hold_and_hold_what_they_lift(film: SkillFilm) -> None:
    gaps = film.gaps()[0, 0]
    assert gaps.shape == (film.num_frames, 6)
    assert (gaps[0, :2] > 0.008).all() and (np.abs(gaps[LIFT + 6 :, :2]) < 0.008).all()
    assert (gaps[:, 2:5] == 1.0).all(), "the gripper has no other fingers"
    held = film.held[0, 0]
    assert not held[0] and held[LIFT + 2 : -6].all()
    assert film.sides == ("right",) and np.isfinite(film.bone_lengths).all()


def test_between_frames_things_are_on_their_way(film: SkillFilm) -> None:
    one, half, two = film.moments(np.array([16.0, 16.5, 17.0]))
    middle = 0.5 * (one.places[0][:3, 3] + two.places[0][:3, 3])
    assert np.allclose(half.places[0][:3, 3], middle, atol=1e-4)
    assert np.allclose(
        half.hands[0].vertices, 0.5 * (one.hands[0].vertices + two.hands[0].vertices), atol=2e-3
    )
    assert np.allclose(np.linalg.norm(half.hands[0].normals, axis=1), 1.0, atol=1e-6)


def test_a_robot_is_drawn_by_what_its_file_shows(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "gripper.xml"
    file.write_text(GRIPPER)
    model = plan.world().model
    as_it_collides = {s.body: s for s in hand_shapes(model, "right")}
    seen = {s.body: s for s in hand_shapes(model, "right", file)}
    palm = model.body("right_palm").id
    assert np.ptp(as_it_collides[palm].vertices[:, 0]) == pytest.approx(0.1)
    assert np.ptp(seen[palm].vertices[:, 0]) == pytest.approx(0.02, rel=0.01), "a ball that is only seen"
    assert np.allclose(seen[palm].normals, seen[palm].vertices / 0.01, atol=0.1), "outward"
    tips = as_it_collides[model.body("right_thumb").id]
    assert np.ptp(tips.vertices[:, 2]) == pytest.approx(0.06 + 0.016, abs=1e-3)


def test_a_simulation_that_broke_is_not_filmed(plan: Plan, mesh: Mesh) -> None:
    broken = plan.qpos.copy()
    broken[5:] = np.nan
    with pytest.raises(InputError, match="broke"):
        SkillFilm(replace(plan, qpos=broken), ["cube"], [mesh], 0)
    assert SIDE > 0
