"""The truth of recordings as trajectories, ready to be planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.plans.oakink2 import OakInkJob, run_oakink2, summary, table
from dexman_pose.datasets.as_trajectory import trajectory_of
from dexman_pose.datasets.oakink2 import read_oakink2
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, se3, so3_exp, transform_points
from dexman_pose.robot.motion.acting import AUTO
from dexman_pose.robot.motion.from_trajectory import motion_from_trajectory
from dexman_pose.synthetic.tiny_datasets.oakink2 import write_small_oakink2
from tests.robot.gripper import lifting
from tests.robot.test_motion import trajectory

VIEW = se3(so3_exp([-2.2, 0.0, 0.0]), [0.0, -0.6, 0.45])
"""World from camera: upright, looking down on the table."""


def recording(moving: bool = False) -> Recording:
    """The written motion as a data set tells it, seen by a camera that stands or moves."""
    made, motion = trajectory(), lifting()
    count = made.num_frames
    angles = 0.01 * np.arange(count)[:, None] * [0.0, 1.0, 0.0] * moving
    poses = se3(so3_exp(angles), np.zeros((count, 3))) @ inverse(VIEW)
    cube, hand = made.objects["cube"], made.hands["right"]
    track = replace(cube.track, camera_from_object=poses @ motion.objects["cube"].world_from_object)
    joints = transform_points(poses, motion.hands["right"].joints)
    return Recording(
        "written",
        "lift",
        "camera",
        made.camera,
        poses,
        made.frame_times,
        {"cube": replace(cube, track=track)},
        hands={"right": replace(hand, joints=joints)},
    )


@pytest.mark.parametrize("moving", [False, True])
def test_a_recording_becomes_the_motion_that_it_is_of(moving: bool) -> None:
    motion = motion_from_trajectory(trajectory_of(recording(moving)), AUTO)
    made = lifting()
    poses = motion.objects["cube"].world_from_object
    rise = poses[:, 2, 3] - poses[0, 2, 3]
    wanted = made.objects["cube"].world_from_object[:, 2, 3]
    assert np.allclose(rise, wanted - wanted[0], atol=1e-3)
    alone = trajectory_of(recording(moving), frames=(0, 20))  # before it is held still in the air
    place = alone.world_from_camera @ alone.objects["cube"].camera_from_object[0]
    assert place[2, 3] == pytest.approx(0.02, abs=2e-3), "the cube stands on the table that was found"
    apart = np.linalg.norm(motion.hands["right"].joints[:, 4] - poses[:, :3, 3], axis=1)
    expected = np.linalg.norm(
        made.hands["right"].joints[:, 4] - made.objects["cube"].world_from_object[:, :3, 3], axis=1
    )
    assert np.allclose(apart, expected, atol=1e-6)


def test_some_frames_and_objects_are_taken() -> None:
    found = trajectory_of(recording(), frames=(4, 20), objects=["cube"])
    assert found.num_frames == 16 and found.frame_times[0] == 0.0
    for given, message in (
        ({"frames": (4, 99)}, "frames 4 to 99"),
        ({"objects": ["cup"]}, "no object 'cup'"),
    ):
        with pytest.raises(InputError, match=message):
            trajectory_of(recording(), **given)  # type: ignore[arg-type]


def test_every_primitive_of_the_small_oakink2_is_told(tmp_path: Path) -> None:
    """Four frames are no skill: each primitive says why, and counts as ten failures."""
    write_small_oakink2(tmp_path)

    def none(side: str) -> object:
        raise AssertionError("nothing gets as far as the robot")

    results = run_oakink2(OakInkJob(tmp_path, none))  # type: ignore[arg-type]
    assert [(r.primitive, r.mode) for r in results] == [("pour", "rh_main"), ("hold", "lh_main")]
    assert all(r.evaluation is None and r.error for r in results)
    told = summary(results)
    assert told["rollouts"] == 20 and told["success_percent"] == 0.0 and told["E_t_m"] is None
    assert "0.0 % of all 20 rollouts" in table(results)[-1]
    first = next(iter(read_oakink2(tmp_path)))
    assert first.first_number == 8
