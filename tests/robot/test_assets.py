"""Robots are found, or the way to get them is said; a free hand is what its file says on six joints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.errors import InputError, MissingModelError
from dexman_pose.robot.assets.floating import add_floating_hand, base_joints
from dexman_pose.robot.assets.found import find_robot_file
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec


def _put(folder: Path, name: str) -> Path:
    file = folder / "shadow_hand" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("<mujoco/>")
    return file.resolve()


def test_a_robot_is_found_in_a_folder_a_variable_and_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DEXMAN_ROBOTS", raising=False)
    cached = _put(tmp_path / "cache" / "mujoco_menagerie", "left_hand.xml")
    assert shadow_hand("left").file == cached
    named = _put(tmp_path / "named", "left_hand.xml")
    monkeypatch.setenv("DEXMAN_ROBOTS", f"/nowhere:{tmp_path / 'named'}")
    assert shadow_hand("left").file == named
    given = _put(tmp_path / "given", "left_hand.xml")
    assert shadow_hand("left", tmp_path / "given").file == given
    assert shadow_hand("left", given.parent).file == given


def test_a_robot_that_is_not_there_names_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path))
    monkeypatch.delenv("DEXMAN_ROBOTS", raising=False)
    with pytest.raises(MissingModelError, match=r"pip install robot_descriptions.*DEXMAN_ROBOTS"):
        shadow_hand("right")
    with pytest.raises(InputError, match=r"holds no shadow_hand/right_hand\.xml"):
        find_robot_file("shadow_hand", "right_hand.xml", fetch="", folder=tmp_path)
    with pytest.raises(InputError, match="left or right"):
        shadow_hand("both")


def test_a_shadow_hand_follows_joints_that_there_are(tmp_path: Path) -> None:
    hand = shadow_hand("right", _put(tmp_path, "right_hand.xml").parent)
    assert {f.joint for f in hand.followed} <= set(JOINT_NAMES)
    assert len(hand.tips) == 5
    assert len(hand.touching) == 9
    assert hand.palm_points[1][1][0] > 0  # the index finger is on the other side of a left hand
    left = shadow_hand("left", _put(tmp_path, "left_hand.xml").parent)
    assert left.palm_points[1][1][0] == -hand.palm_points[1][1][0]


def test_a_free_hand_keeps_what_is_beyond_the_palm_alone(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    spec = new_spec(PhysicsOptions())
    hand = gripper("left")
    add_floating_hand(spec, hand, np.array([0.1, 0.2, 0.3]), np.array([1.0, 0, 0, 0]))
    model = spec.compile()
    joints = [model.joint(i).name for i in range(model.njnt)]
    assert joints == [*base_joints(hand), "left_thumb_joint", "left_index_joint"]
    motors = [model.actuator(i).name for i in range(model.nu)]
    assert "left_wrist_motor" not in motors
    assert len(motors) == 8
    assert model.ngeom == 3, "what is only to be seen stays away"
    data = mujoco.MjData(model)
    for _ in range(200):
        mujoco.mj_step(model, data)
    assert np.abs(data.qpos).max() < 1e-6, "a free hand does not sink"
    again = mujoco.MjModel.from_xml_string(spec.to_xml())
    assert np.allclose(again.body_mass, model.body_mass)
    assert np.allclose(again.body_inertia, model.body_inertia)


def test_two_hands_of_one_file_fit_into_one_model(
    mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    spec = new_spec(PhysicsOptions())
    for side, x in (("left", -0.3), ("right", 0.3)):
        add_floating_hand(spec, gripper(side), np.array([x, 0, 0.5]), np.array([1.0, 0, 0, 0]))
    assert spec.compile().nu == 16


def test_a_file_that_is_no_hand_is_refused(
    tmp_path: Path, mujoco: Any, gripper: Callable[[str], HandDescription]
) -> None:
    from dataclasses import replace

    file = tmp_path / "a.xml"
    for text, message in (("<mujoco/>", "no body 'palm'"), ("<mujo", "no description that MuJoCo reads")):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            add_floating_hand(
                new_spec(PhysicsOptions()), replace(gripper("left"), file=file), np.zeros(3), np.eye(4)[0]
            )
