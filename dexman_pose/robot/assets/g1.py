"""The humanoid Unitree G1 with 29 joints (BSD-3-Clause): trunk and arms; it stands still, its legs are left away.

The wrists keep the mass that the file gives them, that of the G1's own rubber hand with it: it stands for the joint
between the wrist and another hand.
"""

from __future__ import annotations

from pathlib import Path

from dexman_pose.robot.assets.body import ArmDescription, BodyDescription, Drive, Quaternion
from dexman_pose.robot.assets.found import find_robot_file

_FILE = "g1_29dof_rev_1_0.xml"
_FETCH = (
    "git clone https://github.com/unitreerobotics/unitree_ros and point DEXMAN_ROBOTS to a folder in which "
    "unitree_g1 is its robots/g1_description (BSD-3-Clause)"
)
_ARM = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")
_TRUNK = ("waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint")
_SHOULDER = (
    300.0,
    15.0,
    25.0,
    0.03,
)  # stiffness, damping, torque, armature: elbow and roll of the wrist, too
_WRIST = (100.0, 4.0, 5.0, 0.01)
_WAIST = (600.0, 30.0, 50.0, 0.05)
_YAW = (600.0, 30.0, 88.0, 0.05)
_REST = (0.0, 0.25, 0.0, 0.3, 0.0, 0.0, 0.0)  # of a left arm: the forearm nearly level
_PARKED = (0.5, 0.35, 0.0, -0.9, 0.0, 0.0, 0.0)  # the forearm up, beside the trunk
_MIRRORED = (1.0, -1.0, -1.0, 1.0, -1.0, 1.0, -1.0)
_PALM = 0.05  # metres from the last joint of the wrist to the palm
_HALF = 0.5**0.5
_TURN: dict[str, Quaternion] = {  # fingers forward, thumbs up, palms to each other
    "left": (_HALF, 0.0, _HALF, 0.0),
    "right": (0.0, _HALF, 0.0, _HALF),
}
_HEIGHTS = (0.0, 0.16)  # the root is 0.79 m over the floor: tables of 0.63 to 0.79 m


def unitree_g1(folder: str | Path | None = None) -> BodyDescription:
    """Describe the body of a G1.

    Args:
        folder: where its files are; None to look in the usual places.

    Raises:
        InputError: the folder does not hold it.
        MissingModelError: it is not on this machine.
    """
    file = find_robot_file("unitree_g1", _FILE, fetch=_FETCH, folder=folder)
    return BodyDescription(
        robot="g1",
        file=file,
        root="pelvis",
        without=("left_hip_pitch_link", "right_hip_pitch_link"),
        bare=("left_rubber_hand", "right_rubber_hand"),
        trunk=_TRUNK,
        arms=(_arm("left"), _arm("right")),
        drives=tuple(_drive(name) for name in (*_TRUNK, *_joints("left"), *_joints("right"))),
        heights=_HEIGHTS,
    )


def _joints(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}_joint" for name in _ARM)


def _arm(side: str) -> ArmDescription:
    flip = (1.0,) * len(_ARM) if side == "left" else _MIRRORED
    return ArmDescription(
        side=side,
        joints=_joints(side),
        wrist=f"{side}_wrist_yaw_link",
        place=(_PALM, 0.0, 0.0),
        turn=_TURN[side],
        rest=tuple(a * b for a, b in zip(_REST, flip)),
        parked=tuple(a * b for a, b in zip(_PARKED, flip)),
    )


def _drive(joint: str) -> Drive:
    if joint == "waist_yaw_joint":
        return Drive(joint, *_YAW)
    if joint in _TRUNK:
        return Drive(joint, *_WAIST)
    return Drive(joint, *(_WRIST if "wrist_pitch" in joint or "wrist_yaw" in joint else _SHOULDER))
