"""What carries the hands of a world: slides and hinges of a free palm, or an arm. How its motors move the palm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import SIDES
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import World

_CARRIED = 6
_DAMPING = 1e-4  # m2: an arm that is stretched out does not whirl for the last millimetre
_LEVER = 0.1  # metres of a palm's shift that weigh as much as a radian of its turn


@dataclass(frozen=True)
class Shift:
    """What is to be done to a palm in the frames ahead: turned about a point, and shifted.

    Attributes:
        shift: (F, 3) metres, world.
        turn: (F, 3) rotation vectors, world.
        middle: (F, 3) or (3,) the point that it is turned about, metres, world.
    """

    shift: Array
    turn: Array
    middle: Array


class Carrier(Protocol):
    """What carries one hand.

    Attributes:
        motors: (C,) controls of its motors.
        points: the hand's points among the world's.
    """

    motors: NDArray[np.intp]
    points: list[int]

    def changes(self, shift: Shift, frame: int, controls: Array) -> Array:
        """(F, C) changes of controls (F, A) from a frame on that shift the palm."""
        ...

    def noise(self, drawn: Array, sigma: Array, scale: float, frames: NDArray[np.intp]) -> Array:
        """(N, K, C) changes of controls at knots in frames (K,), of standard normals (N, K, C).

        Args:
            drawn: one number for each motor.
            sigma: (C,) of the motors.
            scale: factor on the deviations.
            frames: of the task.
        """
        ...


class FreeCarrier:
    """Three slides and three hinges."""

    def __init__(self, world: World, side: str, points: list[int]) -> None:
        mj, model = mujoco(), world.model
        mark = f"{side}_"
        base = model.body(f"{mark}base").id
        names = [f"{mark}base_{kind}{axis}_motor" for kind in "tr" for axis in "xyz"]
        self.motors = np.array([model.actuator(name).id for name in names], np.intp)
        self.points = points
        turn = np.zeros(9)
        mj.mju_quat2Mat(turn, model.body_quat[base])
        self._place, self._turn = np.array(model.body_pos[base]), turn.reshape(3, 3)

    def changes(self, shift: Shift, frame: int, controls: Array) -> Array:
        """See :class:`Carrier`; exact, whatever the turn."""
        before = controls[:, self.motors]
        palm = self._place + before[:, :3] @ self._turn.T
        turned = Rotation.from_rotvec(shift.turn).as_matrix()
        after = np.einsum("fij,fj->fi", turned, palm - shift.middle) + shift.middle + shift.shift
        rotation = self._turn @ Rotation.from_euler("XYZ", before[:, 3:]).as_matrix()
        angles = Rotation.from_matrix(self._turn.T @ turned @ rotation).as_euler("XYZ")
        moved = (after - self._place) @ self._turn - before[:, :3]
        # the same turn by other angles: a hinge may be beyond the half of a half turn that the middle one comes with
        same = np.stack([angles, angles * [1.0, -1.0, 1.0] + np.pi])
        changes = (same - before[:, 3:] + np.pi) % (2.0 * np.pi) - np.pi
        first = np.abs(changes[0]).sum(1) <= np.abs(changes[1]).sum(1)
        return np.concatenate([moved, np.where(first[:, None], *changes)], axis=1)

    def noise(self, drawn: Array, sigma: Array, scale: float, frames: NDArray[np.intp]) -> Array:
        """See :class:`Carrier`."""
        return drawn * (scale * sigma)


class ArmCarrier:
    """An arm: its joints follow the palm by the damped inverse of the Jacobian, at the retargeted joints."""

    def __init__(
        self, task: Task, joints: list[int], palm: int, points: list[int], palm_sigma: Array
    ) -> None:
        model = task.world.model
        motor_of = {
            int(model.actuator_trnid[i, 0]): i for i in range(model.nu) if _drives_joint(task.world, i)
        }
        self.motors = np.array([motor_of[j] for j in joints], np.intp)
        self.points = points
        self._palm_sigma = palm_sigma
        self._palms, jacobians = _palm_way(task, joints, palm)
        scale = np.repeat([1.0, _LEVER], 3)[:, None]
        scaled = scale * jacobians
        square = scaled @ np.swapaxes(scaled, 1, 2) + _DAMPING * np.eye(_CARRIED)
        self._inverse = np.swapaxes(scaled, 1, 2) @ np.linalg.inv(square) * scale[:, 0]

    def changes(self, shift: Shift, frame: int, controls: Array) -> Array:
        """See :class:`Carrier`; right for small turns."""
        frames = np.minimum(frame + np.arange(len(controls)), len(self._palms) - 1)
        turned = Rotation.from_rotvec(shift.turn).as_matrix()
        arms = self._palms[frames] - shift.middle
        moved = np.einsum("fij,fj->fi", turned, arms) - arms + shift.shift
        twist = np.concatenate([moved, shift.turn], axis=1)
        return np.einsum("fci,fi->fc", self._inverse[frames], twist)

    def noise(self, drawn: Array, sigma: Array, scale: float, frames: NDArray[np.intp]) -> Array:
        """See :class:`Carrier`: drawn for the palm's place and turn, whatever the arm's pose makes of a joint."""
        twist = drawn[..., :_CARRIED] * (scale * self._palm_sigma)
        return np.einsum("kci,nki->nkc", self._inverse[frames], twist)


def carriers_of(task: Task, palm_sigma: Array) -> list[Carrier]:
    """What carries each hand that acts.

    Args:
        task: in its world.
        palm_sigma: (6,) deviations of a palm's place and turn, metres and radians, for arms.
    """
    out: list[Carrier] = []
    for side in SIDES:
        points = [k for k, name in enumerate(task.world.points) if name.startswith(f"{side}_")]
        if not points:
            continue
        palm, joints = _arm(task.world, side)
        if joints:
            out.append(ArmCarrier(task, joints, palm, points, palm_sigma))
        else:
            out.append(FreeCarrier(task.world, side, points))
    return out


def _arm(world: World, side: str) -> tuple[int, list[int]]:
    """The palm's body, and the joints, from the trunk on, that carry it and no other hand; none for a free hand."""
    model, mark = world.model, f"{side}_"
    names = [str(model.body(i).name) for i in range(model.nbody)]
    parent = [int(p) for p in model.body_parentid]
    first = [
        i
        for i, name in enumerate(names)
        if name.startswith(tuple(f"{s}_" for s in SIDES))
        and not names[parent[i]].startswith(name.split("_")[0])
    ]
    palm = next(i for i in first if names[i].startswith(mark))
    others = {body for i in first if i != palm for body in _way(parent, i)}
    joints: list[int] = []
    for body in _way(parent, parent[palm]):
        if body in others:
            break
        at, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
        joints = [*range(at, at + count), *joints]
    return palm, joints


def _way(parent: list[int], body: int) -> list[int]:
    """Bodies from one to the root, without the world."""
    out = []
    while body:
        out.append(body)
        body = parent[body]
    return out


def _drives_joint(world: World, motor: int) -> bool:
    return bool(world.model.actuator_trntype[motor] == mujoco().mjtTrn.mjTRN_JOINT)


def _palm_way(task: Task, joints: list[int], palm: int) -> tuple[Array, Array]:
    """Places (T, 3) of a palm in the retargeted motion, and (T, 6, C) derivatives of place and turn by joints."""
    mj, model = mujoco(), task.world.model
    data = mj.MjData(model)
    columns = [int(model.jnt_dofadr[j]) for j in joints]
    places, jacobians = np.zeros((task.num_frames, 3)), np.zeros((task.num_frames, _CARRIED, len(joints)))
    one = np.zeros((_CARRIED, model.nv))
    for t, q in enumerate(task.joints):
        data.qpos[task.world.joint_at] = q
        mj.mj_kinematics(model, data)
        mj.mj_comPos(model, data)
        mj.mj_jacBody(model, data, one[:3], one[3:], palm)
        places[t], jacobians[t] = data.xpos[palm], one[:, columns]
    return places, jacobians
