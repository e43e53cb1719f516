"""What the summary says about units that nobody stated, and about hands at another distance than their object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Trajectory
from dexman_pose.viewer import describe
from dexman_pose.viewer.sizes import hand_notices


def with_unit(trajectory: Trajectory, unit: Any, source: Any) -> Trajectory:
    cube = replace(trajectory.objects["cube"], scale_source=source)
    told = {**trajectory.provenance, "objects": {"cube": {"mesh_unit": unit}}}
    return replace(trajectory, objects={**trajectory.objects, "cube": cube}, provenance=told)


def test_a_guessed_unit_is_said_with_the_others(trajectory: Trajectory) -> None:
    unit = {"unit": "mm", "source": "guessed", "others": ["cm", "inch"]}
    text = describe(with_unit(trajectory, unit, "guessed"))
    assert "scale 1 (guessed)" in text
    assert "cube: the unit of its mesh was guessed: mm, so that it is 90 mm long" in text
    assert "cm (900 mm), inch (2.29 m) would be plausible too. State it (--mesh-unit, mesh_unit=)" in text


def test_hands_that_spoke_for_a_unit_are_said(trajectory: Trajectory) -> None:
    text = describe(with_unit(trajectory, {"unit": "cm", "source": "hand", "others": ["mm"]}, "guessed"))
    assert "guessed: cm, which the hands that touch it speak for, so that it is 90 mm long; mm (9 mm)" in text


def test_a_guessed_unit_is_said_without_provenance(trajectory: Trajectory) -> None:
    text = describe(replace(with_unit(trajectory, None, "guessed"), provenance={}))
    assert "cube: the unit of its mesh was guessed; state it" in text


@pytest.mark.parametrize("source", ["given", "standard"])
def test_a_known_unit_needs_no_word(trajectory: Trajectory, source: str) -> None:
    assert "unit" not in describe(
        with_unit(trajectory, {"unit": "mm", "source": source, "others": []}, "given")
    )


def test_depth_that_decided_is_said(trajectory: Trajectory) -> None:
    text = describe(with_unit(trajectory, {"unit": "cm", "source": "depth", "others": []}, "depth"))
    assert "cube: depth decided that the unit of its mesh is cm" in text


def moved(trajectory: Trajectory, factor: float) -> Trajectory:
    """The cube as if its mesh were larger by a factor: same picture, another distance."""
    cube = trajectory.objects["cube"]
    poses = cube.camera_from_object.copy()
    poses[:, :3, 3] *= factor
    track = replace(cube.track, camera_from_object=poses)
    far = replace(cube, mesh=cube.mesh.scaled(factor), track=track, scale_source="guessed")
    return replace(trajectory, objects={**trajectory.objects, "cube": far})


def overlapping(trajectory: Trajectory) -> Trajectory:
    """The right hand in front of the middle of the cube."""
    hand, cube = trajectory.hands["right"], trajectory.objects["cube"]
    offset = cube.camera_from_object[:, None, :3, 3] - hand.joints.mean(1, keepdims=True) - [0, 0, 0.08]
    joints = hand.joints + offset
    hand = replace(hand, joints=joints, joints_2d=trajectory.camera.project(joints))
    return replace(trajectory, hands={"right": hand}, contacts=None)


@pytest.mark.parametrize(("factor", "said"), [(1.0, None), (3.0, None), (10.0, "far"), (0.1, "near")])
def test_a_hand_at_another_distance_than_its_object_is_said(
    trajectory: Trajectory, factor: float, said: str | None
) -> None:
    found = hand_notices(moved(overlapping(trajectory), factor))
    assert len(found) == (said is not None)
    if said is not None:
        assert f"times as {said}: check the unit of its mesh" in found[0] and "the right hand" in found[0]
        assert found[0] in describe(moved(overlapping(trajectory), factor))


def test_a_hand_elsewhere_in_the_picture_says_nothing(trajectory: Trajectory) -> None:
    aside = overlapping(trajectory)
    hand = replace(aside.hands["right"], joints_2d=aside.hands["right"].joints_2d - 150.0)
    assert hand_notices(moved(replace(aside, hands={"right": hand}), 10.0)) == []
    never = replace(hand, valid=np.zeros(len(hand), bool))
    assert hand_notices(moved(replace(aside, hands={"right": never}), 10.0)) == []
