"""A gripper of two fingers written by hand, and a cube that it lifts: no robot's files are needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.data import Mesh
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.robot.assets.hand import Followed, HandDescription
from dexman_pose.robot.motion.types import Motion, MovingHand, MovingObject

GRIPPER = """
<mujoco model="gripper">
  <compiler angle="radian"/>
  <default><geom condim="4"/><position forcerange="-2 2"/></default>
  <worldbody>
    <body name="arm">
      <joint name="elbow" type="hinge" axis="1 0 0"/>
      <geom type="sphere" size="0.01" mass="0.1" contype="0" conaffinity="0"/>
      <body name="palm" pos="0 0 0.1">
        <joint name="wrist" type="hinge" axis="1 0 0"/>
        <geom type="box" size="0.05 0.02 0.01" mass="0.2"/>
        <geom type="sphere" size="0.01" mass="0" contype="0" conaffinity="0"/>
        <body name="thumb" pos="-0.04 0 0.01">
          <joint name="thumb_joint" type="hinge" axis="0 1 0" range="-0.8 0.8" damping="0.05" armature="0.0005"/>
          <geom type="capsule" fromto="0 0 0.01 0 0 0.07" size="0.008" mass="0.03"/>
        </body>
        <body name="index" pos="0.04 0 0.01">
          <joint name="index_joint" type="hinge" axis="0 -1 0" range="-0.8 0.8" damping="0.05" armature="0.0005"/>
          <geom type="capsule" fromto="0 0 0.01 0 0 0.07" size="0.008" mass="0.03"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position name="wrist_motor" joint="wrist" kp="5"/>
    <position name="thumb_motor" joint="thumb_joint" kp="4" ctrlrange="-0.8 0.8"/>
    <position name="index_motor" joint="index_joint" kp="4" ctrlrange="-0.8 0.8"/>
  </actuator>
</mujoco>
"""
SIDE = 0.04
"""Metres, of the cube."""
GRASP, LIFT, FRAMES = 10, 14, 28
"""Frames at which the gripper has closed, at which the cube leaves its place, and in all."""


def described(file: Path, side: str) -> HandDescription:
    """The gripper of a file."""
    tip = (0.0, 0.0, 0.07)
    return HandDescription(
        robot="gripper",
        side=side,
        file=file,
        palm="palm",
        followed=(
            Followed("thumb_tip", "thumb", tip),
            Followed("index_tip", "index", tip),
            Followed("wrist", "palm", weight=0.3),
        ),
        palm_points=(
            ("wrist", (0.0, 0.0, 0.0)),
            ("thumb_mcp", (-0.04, 0.0, 0.01)),
            ("index_mcp", (0.04, 0.0, 0.01)),
            ("middle_mcp", (0.0, 0.03, 0.01)),
        ),
    )


def cube(side: float = SIDE) -> Mesh:
    """A cube about the origin."""
    import trimesh

    box = trimesh.creation.box((side, side, side))
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces))


def joints_over(x: float, z: float, half: float) -> np.ndarray:
    """(21, 3) of a hand that points down with its tips ``half`` beside the middle, at a height."""
    local = dict.fromkeys(JOINT_NAMES, (0.0, 0.0, 0.03))
    local |= {"wrist": (0, 0, 0), "thumb_mcp": (-0.04, 0, 0.01), "index_mcp": (0.04, 0, 0.01)}
    local |= {"middle_mcp": (0, 0.03, 0.01), "thumb_tip": (-half, 0, 0.08), "index_tip": (half, 0, 0.08)}
    points = np.array([local[name] for name in JOINT_NAMES], np.float64)
    return points @ np.diag([1.0, -1.0, -1.0]) + np.array([x, 0.0, z + 0.08])


def lifting(side: str = "right", height: float = 0.06) -> Motion:
    """A hand that closes on a cube and lifts it."""
    frames = np.arange(FRAMES)
    half = np.interp(frames, [3, GRASP], [0.04, SIDE / 2])
    up = np.interp(frames, [LIFT - 2, FRAMES - 6], [0.0, height])
    joints = np.stack([joints_over(0.0, SIDE / 2 + u, h) for u, h in zip(up, half)])
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 2, 3] = SIDE / 2 + up
    none = np.zeros(FRAMES, np.bool_)
    return Motion(
        {side: MovingHand(side, joints, none)}, {"cube": MovingObject("cube", cube(), poses, none)}, "written"
    )
