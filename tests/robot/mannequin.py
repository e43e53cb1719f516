"""A body of two arms written by hand, that carries grippers: no robot's files are needed."""

from __future__ import annotations

from pathlib import Path

from dexman_pose.robot.assets.body import ArmDescription, BodyDescription, Drive

_AXES = (("pitch", "0 1 0"), ("roll", "1 0 0"), ("yaw", "0 0 1"))
_HALF = 0.5**0.5


def _arm(side: str, sign: int) -> str:
    """Hanging down: upper arm and forearm of 0.3 m each, three joints at the shoulder, three at the wrist."""

    def joints(part: str) -> str:
        return "".join(
            f'<joint name="{side}_{part}_{name}" axis="{axis}" range="-2.6 2.6"/>' for name, axis in _AXES
        )

    return f"""
    <body name="{side}_upper" pos="0 {0.2 * sign} 0.4">{joints("shoulder")}
      <geom type="capsule" fromto="0 0 -0.05 0 0 -0.25" size="0.03" mass="0.8"/>
      <body name="{side}_fore" pos="0 0 -0.3">
        <joint name="{side}_elbow" axis="0 1 0" range="-2.6 2.6" actuatorfrcrange="-30 30"/>
        <geom type="capsule" fromto="0 0 -0.05 0 0 -0.24" size="0.025" mass="0.5"/>
        <geom type="sphere" size="0.02" contype="0" conaffinity="0" mass="0"/>
        <body name="{side}_wrist" pos="0 0 -0.3">{joints("wrist")}
          <geom type="sphere" size="0.02" mass="0.2"/>
        </body>
      </body>
    </body>"""


MANNEQUIN = f"""
<mujoco model="mannequin">
  <compiler angle="radian"/>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 1"/>
    <body name="root" pos="0 0 0.8">
      <freejoint name="floating"/>
      <geom type="box" size="0.05 0.08 0.05" mass="5"/>
      <body name="leg" pos="0 0 -0.4"><joint name="hip"/><geom type="box" size="0.05 0.05 0.3" mass="5"/></body>
      <body name="torso">
        <joint name="waist" axis="0 0 1" range="-1 1"/>
        <geom type="box" size="0.05 0.1 0.15" pos="0 0 0.25" mass="6"/>{_arm("left", 1)}{_arm("right", -1)}
      </body>
    </body>
  </worldbody>
  <actuator><motor name="waist" joint="waist"/><motor name="hip" joint="hip"/></actuator>
  <sensor><framepos objtype="body" objname="torso"/></sensor>
</mujoco>
"""


def mannequin(file: Path) -> BodyDescription:
    """The body of a file."""
    arms = tuple(_described(side) for side in ("left", "right"))
    names = ["waist", *(joint for arm in arms for joint in arm.joints)]
    return BodyDescription(
        robot="mannequin",
        file=file,
        root="root",
        without=("leg",),
        bare=(),
        trunk=("waist",),
        arms=arms,
        drives=tuple(Drive(name, 400.0, 20.0, 60.0, 0.02) for name in names),
        heights=(0.0, 0.2),
    )


def _described(side: str) -> ArmDescription:
    shoulder = [f"{side}_shoulder_{name}" for name, _ in _AXES]
    wrist = [f"{side}_wrist_{name}" for name, _ in _AXES]
    return ArmDescription(
        side=side,
        joints=(*shoulder, f"{side}_elbow", *wrist),
        wrist=f"{side}_wrist",
        place=(0.0, 0.0, -0.03),
        turn=(0.0, 1.0, 0.0, 0.0),  # fingers on along the forearm
        rest=(0.0, 0.0, 0.0, -1.5, 0.0, 0.0, 0.0),
        parked=(0.6, 0.0, 0.0, -2.4, 0.0, 0.0, 0.0),
    )
