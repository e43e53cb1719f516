"""Where the points of a robot's hand are for given joints, and how they move with them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.geometry.align import kabsch
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.assets.floating import FloatingOptions, add_floating_hand, base_joints, site_name
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.world.build import HandPlace
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec

_AXES = 3
_BASE = 6


class HandKinematics:
    """A free hand alone.

    Attributes:
        placed: the hand and its zero.
        joints: names of its N joints, in the order of the model; the first six carry it.
        lower: (N,) limits.
        upper: (N,) limits.
    """

    def __init__(self, placed: HandPlace, options: FloatingOptions | None = None) -> None:
        mj = mujoco()
        self.placed = placed
        spec = new_spec(PhysicsOptions())
        add_floating_hand(spec, placed.hand, placed.place, placed.quaternion, options)
        self._model = spec.compile()
        self._data = mj.MjData(self._model)
        self.joints = tuple(self._model.joint(i).name for i in range(self._model.njnt))
        assert self.joints[:_BASE] == base_joints(placed.hand)
        self.lower, self.upper = np.asarray(self._model.jnt_range, np.float64).T.copy()
        self._sites = [self._model.site(site_name(placed.hand, f.joint)).id for f in placed.hand.followed]

    def points(self, joints: Array) -> Array:
        """(K, 3) world, of the followed points for joints (N,)."""
        self._data.qpos[:] = joints
        mujoco().mj_kinematics(self._model, self._data)
        return np.array(self._data.site_xpos[self._sites])

    def points_and_jacobian(self, joints: Array) -> tuple[Array, Array]:
        """(K, 3) places, and (3 K, N) derivatives of them."""
        places = self.points(joints)
        mj = mujoco()
        mj.mj_comPos(self._model, self._data)
        out, one = np.zeros((len(self._sites), _AXES, self._model.nv)), np.zeros((_AXES, self._model.nv))
        for k, site in enumerate(self._sites):
            mj.mj_jacSite(self._model, self._data, one, None, site)
            out[k] = one
        return places, out.reshape(-1, self._model.nv)

    def carried(self, palms: tuple[Array, Array]) -> Array:
        """Values (T, 6) of the joints that carry the hand for palms at rotations (T, 3, 3) and places (T, 3)."""
        zero = matrix_from_quaternion(self.placed.quaternion)
        rotations, places = palms
        turns = Rotation.from_matrix(zero.T @ rotations).as_euler("XYZ")
        turns = np.unwrap(turns, axis=0)
        return np.concatenate([(places - self.placed.place) @ zero, turns], axis=1)


def palm_of(hand: HandDescription, joints: Array) -> tuple[Array, Array]:
    """Rotations (..., 3, 3) and places (..., 3) of a stiff palm fitted to a person's joints (..., 21, 3)."""
    index = [JOINT_NAMES.index(name) for name, _ in hand.palm_points]
    model = np.array([place for _, place in hand.palm_points])
    seen = joints[..., index, :]
    found = kabsch(np.broadcast_to(model, seen.shape), seen)
    return found[..., :3, :3], found[..., :3, 3]
