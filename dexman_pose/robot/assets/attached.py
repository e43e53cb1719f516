"""A robot's hand joined to whatever carries it: the palm and all beyond it, without a wrist of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco

_SETTINGS = ("cone", "impratio", "timestep", "integrator")
"""Of the solver; attaching warns of what it does not take over."""


def attach_hand(spec: Any, frame: Any, hand: HandDescription) -> Any:
    """Join a palm and its fingers to a frame of a model.

    What is only to be seen is left away; the hand weighs nothing on its own joints: what carries it bears its weight.

    Args:
        spec: an ``MjSpec``; its solver's settings are kept.
        frame: of a body; the palm is put there as the frame is.
        hand: what is joined; its names get its mark in front.

    Returns:
        The palm's body in the model.

    Raises:
        InputError: the file is no hand of that description.
    """
    source = read_source(hand.file, spec)
    palm = source.body(hand.palm)
    if palm is None:
        raise InputError(f"{hand.file} has no body {hand.palm!r}: it is no {hand.side} {hand.robot} hand")
    _without_own_joints(source, palm)
    palm.pos = [0.0, 0.0, 0.0]
    without_looks(source)
    frame.attach_body(palm, hand.mark, "")
    joined = spec.body(hand.mark + hand.palm)
    for body in [joined, *joined.find_all(mujoco().mjtObj.mjOBJ_BODY)]:
        body.gravcomp = 1.0
    for point in hand.followed:
        spec.body(hand.mark + point.body).add_site(name=site_name(hand, point.joint), pos=point.offset)
    return joined


def site_name(hand: HandDescription, joint: str) -> str:
    """Name of the site that follows a joint of the person's hand."""
    return f"{hand.mark}{joint}"


def read_source(file: Path, spec: Any) -> Any:
    """A robot's file, its meshes found wherever the model is compiled, with the solver's settings of a model.

    Raises:
        InputError: MuJoCo does not read it.
    """
    mj = mujoco()
    try:
        source = mj.MjSpec.from_file(str(file))
    except ValueError as error:
        raise InputError(
            f"{file} is no description that MuJoCo reads: {' '.join(str(error).split())}"
        ) from error
    folder = (file.parent / source.meshdir).resolve()
    for mesh in source.meshes:
        mesh.file = str(folder / mesh.file)
    source.meshdir = ""
    for name in _SETTINGS:
        setattr(source.option, name, getattr(spec.option, name))
    return source


def without_looks(source: Any) -> None:
    """Take away the shapes that are only to be seen."""
    for geom in list(source.geoms):
        if geom.contype == 0 and geom.conaffinity == 0:
            source.delete(geom)


def _without_own_joints(source: Any, palm: Any) -> None:
    """Take the palm's joints and all motors of joints before it: what carries the hand is in their place."""
    kept = {joint.name for body in palm.find_all(mujoco().mjtObj.mjOBJ_BODY) for joint in body.joints}
    gone = {joint.name for joint in source.joints} - kept
    for motor in list(source.actuators):
        if motor.target in gone:
            source.delete(motor)
    for joint in list(palm.joints):
        source.delete(joint)
