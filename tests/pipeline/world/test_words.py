"""What a trajectory says of its world."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dexman_pose.data.world.table import TablePlane
from dexman_pose.pipeline.world.words import world_notices, world_provenance
from dexman_pose.scene.estimate import SceneEstimate
from dexman_pose.scene.world import world_on_table
from tests.scene.staged import OFFSET, UP


def test_a_table_is_told_with_its_evidence_and_what_was_assumed() -> None:
    covariance = np.diag([np.radians(2.0) ** 2] * 3 + [0.005**2])
    table = TablePlane(UP, OFFSET, covariance, ("a cup at rest",))
    scene = SceneEstimate(table, world_on_table(UP, OFFSET, np.array([0.0, 0.0, 0.6])))
    said = world_provenance(scene)
    json.dumps(said)
    assert said["world"] == "table" and said["table"]["found"]
    assert said["table"]["normal_std_deg"] == pytest.approx(2.0)
    assert said["table"]["gravity"] == pytest.approx((-UP).tolist())
    assert "level" in said["table"]["assumed"] and said["table"]["evidence"] == ["a cup at rest"]
    assert 0.005 < said["table"]["height_std_m"] < 0.05
    (notice,) = world_notices(scene)
    assert "+-2.0 degrees" in notice and "level" in notice


def test_without_a_table_the_reason_is_told() -> None:
    scene = SceneEstimate(reason="the camera moves", left_out=("jug: its shape was made from the clip",))
    said = world_provenance(scene)
    assert said["world"] == "camera" and not said["table"]["found"]
    assert said["table"]["reason"] == "the camera moves" and said["table"]["left_out"]
    assert world_notices(scene) == [
        "The world frame is the camera frame: the camera moves; gravity is not known."
    ]
