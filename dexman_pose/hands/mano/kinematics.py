"""The 21 joints of MANO hands and their derivatives with respect to shape, pose and place, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import hat, so3_exp, so3_left_jacobian
from dexman_pose.hands.mano.layout import ANGLES, BONES, SHAPES
from dexman_pose.hands.mano.rig import ManoRig
from dexman_pose.hands.model.skeleton import BONE_JOINTS, TIPS

_PER_FINGER = 3


@dataclass(frozen=True)
class ManoDerivatives:
    """Joints of T hands and how they change.

    Attributes:
        joints: (T, 21, 3) metres, the frame that ``frame_from_hand`` leads to.
        by_shape: (T, 21, 3, 10) with respect to the shape coefficients.
        by_pose: (T, 21, 3, 45) with respect to the rotation vectors, order ``BONE_NAMES``.
        by_place: (T, 21, 3, 6) by a twist (v, w) in the hand's own frame: ``frame_from_hand @ exp(twist)``.
    """

    joints: Array
    by_shape: Array
    by_pose: Array
    by_place: Array


def mano_joints(rig: ManoRig, betas: Array, pose: Array, frame_from_hand: Array) -> ManoDerivatives:
    """Joints of a hand in T frames and their derivatives.

    Args:
        rig: its vertices are the five tips, thumb first.
        betas: (10,) shape coefficients.
        pose: (T, 15, 3) rotation vectors from rest, order ``BONE_NAMES``.
        frame_from_hand: (T, 4, 4).
    """
    count = len(pose)
    chain = _Chain(rig, betas, pose)
    points = np.zeros((count, 21, 3))
    by_shape, by_pose = np.zeros((count, 21, 3, SHAPES)), np.zeros((count, 21, 3, ANGLES))
    bones = [0, *BONE_JOINTS]
    points[:, bones], by_shape[:, bones], by_pose[:, bones] = chain.points, chain.by_shape, chain.by_pose
    tips = list(TIPS)
    points[:, tips], by_shape[:, tips], by_pose[:, tips] = chain.carried(rig, betas)
    turn, shift = frame_from_hand[:, None, :3, :3], frame_from_hand[:, None, :3, 3]
    place = np.concatenate([np.broadcast_to(np.eye(3), (count, 21, 3, 3)), -hat(points)], -1)
    moved = (turn @ points[..., None])[..., 0] + shift
    return ManoDerivatives(moved, turn @ by_shape, turn @ by_pose, turn @ place)


class _Chain:
    """Wrist and bones of T poses in the hand frame.

    Attributes:
        rest: (16, 3) joints at rest.
        local: (T, 15, 3, 3) rotation of each bone.
        turning: (T, 15, 3, 3) how a change of its rotation vector turns it.
        rotation: (T, 16, 3, 3) of each bone from rest.
        spin: (T, 16, 3, 45) how the pose turns each bone.
        points: (T, 16, 3) joints, with ``by_shape`` (T, 16, 3, 10) and ``by_pose`` (T, 16, 3, 45).
    """

    def __init__(self, rig: ManoRig, betas: Array, pose: Array) -> None:
        count = len(pose)
        self.rest = rig.joints + rig.joint_directions @ betas
        self.local, self.turning = so3_exp(pose), so3_left_jacobian(pose)
        self.rotation = np.tile(np.eye(3), (count, BONES + 1, 1, 1))
        self.spin = np.zeros((count, BONES + 1, 3, ANGLES))
        self.points = np.tile(self.rest, (count, 1, 1))
        self.by_shape = np.tile(rig.joint_directions, (count, 1, 1, 1))
        self.by_pose = np.zeros((count, BONES + 1, 3, ANGLES))
        for bone in range(BONES):
            self._attach(rig, bone)

    def _attach(self, rig: ManoRig, bone: int) -> None:
        here, parent = bone + 1, 0 if bone % _PER_FINGER == 0 else bone
        above, own = self.rotation[:, parent], slice(3 * bone, 3 * bone + 3)
        arm = above @ (self.rest[here] - self.rest[parent])
        self.points[:, here] = self.points[:, parent] + arm
        self.by_pose[:, here] = self.by_pose[:, parent] - hat(arm) @ self.spin[:, parent]
        change = rig.joint_directions[here] - rig.joint_directions[parent]
        self.by_shape[:, here] = self.by_shape[:, parent] + above @ change
        self.rotation[:, here] = above @ self.local[:, bone]
        self.spin[:, here] = self.spin[:, parent]
        self.spin[:, here, :, own] += above @ self.turning[:, bone]

    def carried(self, rig: ManoRig, betas: Array) -> tuple[Array, Array, Array]:
        """Vertices (T, V, 3) of the rig and their derivatives by shape (T, V, 3, 10) and pose (T, V, 3, 45)."""
        rest, rest_by_pose = self._corrected(rig, betas)
        arms = np.einsum("tbij,tvbj->tvbi", self.rotation, rest[:, :, None] - self.rest)
        weighted = rig.weights[:, :, None] * arms
        points = weighted.sum(2) + np.einsum("vb,tbi->tvi", rig.weights, self.points)
        mixed = np.einsum("vb,tbij->tvij", rig.weights, self.rotation)
        by_pose = mixed @ rest_by_pose + np.einsum("vb,tbip->tvip", rig.weights, self.by_pose)
        by_pose -= np.einsum("tvbij,tbjp->tvip", hat(weighted), self.spin, optimize=True)
        by_shape = mixed @ rig.shape_directions + np.einsum("vb,tbis->tvis", rig.weights, self.by_shape)
        joints = np.einsum("tbij,bjs->tbis", self.rotation, rig.joint_directions)
        by_shape -= np.einsum("vb,tbis->tvis", rig.weights, joints)
        return points, by_shape, by_pose

    def _corrected(self, rig: ManoRig, betas: Array) -> tuple[Array, Array]:
        """Vertices (T, V, 3) at rest with what the pose adds, and the derivative (T, V, 3, 45) of that."""
        count = len(self.local)
        added = (self.local - np.eye(3)).reshape(count, BONES, 9)
        rest = rig.template + rig.shape_directions @ betas
        rest = rest + np.einsum("viab,tab->tvi", rig.pose_directions, added)
        turns = np.moveaxis(hat(np.moveaxis(self.turning, -1, -2)) @ self.local[:, :, None], 2, -1)
        by_pose = np.einsum(
            "viab,tabk->tviak", rig.pose_directions, turns.reshape(count, BONES, 9, 3), optimize=True
        )
        return rest, by_pose.reshape(count, len(rest[0]), 3, ANGLES)
