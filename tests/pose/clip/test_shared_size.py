from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.pose.clip.scale import Scale
from dexman_pose.pose.clip.shared_size import Foot, foot_of, shared_scales

TILT = 0.7


def foot(at: np.ndarray, unsized: float) -> Foot:
    """The foot of an object at a point of the camera frame, whose length is given ``unsized`` times too long."""
    return Foot(float(at[1] / at[2]), float(at[2] * unsized))


def on_table(along: float, height: float = 0.6) -> np.ndarray:
    """A point so many metres along a table that lies below a camera looking down by the tilt."""
    down, ahead = np.array([0.0, np.cos(TILT), np.sin(TILT)]), np.array([0.0, -np.sin(TILT), np.cos(TILT)])
    return height * down + along * ahead


def test_an_object_that_nothing_tells_stands_where_the_others_stand() -> None:
    feet = {"held": foot(on_table(0.5), 2.0), "other": foot(on_table(0.9), 3.0)}
    found = shared_scales({"held": Scale(0.5, "hand"), "other": Scale(1.0, "unknown")}, feet)
    assert found["held"] == Scale(0.5, "hand")
    assert found["other"].factor == pytest.approx(1.0 / 3.0) and found["other"].source == "unknown"


def test_hands_that_only_pass_are_overruled_by_a_held_object_alone() -> None:
    feet = {
        "held": foot(on_table(0.7), 1.0),
        "passed": foot(on_table(0.4), 1.0),
        "given": foot(on_table(0.6), 1.0),
    }
    passed = Scale(0.8, "hand", passed=True)
    both = shared_scales({"held": Scale(1.0, "hand"), "passed": passed}, feet)
    assert both["passed"].factor == pytest.approx(1.0) and both["passed"].source == "unknown"
    assert shared_scales({"passed": passed}, feet) == {"passed": passed}
    by_mesh = shared_scales({"given": Scale(1.0, "given"), "passed": passed}, feet)
    assert by_mesh["passed"].factor == pytest.approx(1.0) and by_mesh["given"].source == "given"


def test_without_a_foot_nothing_changes() -> None:
    scales = {"held": Scale(0.5, "hand"), "other": Scale(1.0, "unknown")}
    assert shared_scales(scales, {"held": foot(on_table(0.5), 2.0)}) == scales
    assert shared_scales(scales, {}) == scales


def test_a_foot_is_the_lowest_point_that_is_seen() -> None:
    box = Mesh(
        np.array([[x, y, z] for x in (-0.05, 0.05) for y in (-0.05, 0.05) for z in (0.0, 0.2)]),
        np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5]]),
    )
    # From (0, -0.8, 0.8) down to the origin: x to the right, y down, z ahead.
    ahead, down = np.array([0.0, 1.0, -1.0]) / np.sqrt(2.0), np.array([0.0, -1.0, -1.0]) / np.sqrt(2.0)
    camera_from_world = np.eye(4)
    camera_from_world[:3, :3] = [[1.0, 0.0, 0.0], down, ahead]
    camera_from_world[:3, 3] = -camera_from_world[:3, :3] @ np.array([0.0, -0.8, 0.8])
    found = foot_of(box, camera_from_world)
    assert found is not None
    nearest = camera_from_world[:3, :3] @ np.array([0.05, -0.05, 0.0]) + camera_from_world[:3, 3]
    assert (found.below, found.depth) == pytest.approx((nearest[1] / nearest[2], nearest[2]))
    behind = np.eye(4)
    behind[2, 3] = -1.0
    assert foot_of(box, behind) is None
