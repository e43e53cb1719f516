"""Controls of a model's motors: what they are for given joints, and their way between two frames."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.world.build import World


def controls_for(world: World, joints: Array) -> Array:
    """Controls (T, A) that hold joints (T, J): the lengths of what the motors drive, tendons too."""
    mj, data = mujoco(), mujoco().MjData(world.model)
    out = np.zeros((len(joints), world.model.nu))
    for t, q in enumerate(joints):
        data.qpos[world.joint_at] = q
        mj.mj_kinematics(world.model, data)
        mj.mj_comPos(world.model, data)
        mj.mj_tendon(world.model, data)
        mj.mj_transmission(world.model, data)
        out[t] = data.actuator_length
    return out


def led(world: World, controls: Array) -> Array:
    """Controls ahead of themselves by what motors lag: by damping over stiffness times speed.

    What brakes is the motor's own damping and that of the joints it drives; of two joints on a tendon each takes part.
    """
    if len(controls) < 2:
        return controls.copy()
    out: Array = controls + lags(world) * np.gradient(controls, 1.0 / RATE, axis=0)
    return out


def lags(world: World) -> Array:
    """(A,) seconds that each motor lags behind a control that moves steadily."""
    model = world.model
    stiffness = np.asarray(model.actuator_gainprm[:, 0], np.float64)
    count = len(world.joints)
    moved = controls_for(world, np.concatenate([np.zeros((1, count)), np.eye(count)]))
    arms = (moved[1:] - moved[:1]).T
    damping = np.array([model.dof_damping[model.joint(name).dofadr[0]] for name in world.joints])
    braked = damping > 0.0
    yielding = (arms[:, braked] ** 2 / damping[braked]).sum(1)
    joints = np.where(yielding > 0.0, 1.0 / np.where(yielding > 0.0, yielding, 1.0), 0.0)
    own = -np.asarray(model.actuator_biasprm[:, 2], np.float64)
    out: Array = np.where(stiffness > 0.0, (own + joints) / np.where(stiffness > 0.0, stiffness, 1.0), 0.0)
    return out


def limited(world: World, controls: Array) -> Array:
    """Controls within what the motors take."""
    out: Array = np.clip(controls, world.model.actuator_ctrlrange[:, 0], world.model.actuator_ctrlrange[:, 1])
    return out


def stepped(controls: Array, steps: int) -> Array:
    """Controls of every step of the simulation on the straight way between frames.

    Args:
        controls: (..., F, A).
        steps: per frame.

    Returns:
        (..., (F - 1) * steps, A); the last frame is not reached, it is where the next ones begin.
    """
    share = (np.arange(steps) / steps)[:, None]
    first, second = controls[..., :-1, None, :], controls[..., 1:, None, :]
    between = first + share * (second - first)
    return np.asarray(between.reshape(*controls.shape[:-2], -1, controls.shape[-1]))
