"""MANO behind the interface of our own hand: joints, vertices and meshes of poses, by linear blend skinning.

Romero, Tzionas, Black, "Embodied Hands: Modeling and Capturing Hands and Bodies Together", SIGGRAPH Asia 2017, after
Loper et al., "SMPL", SIGGRAPH Asia 2015: vertices of the template are moved by shape and pose, joints are means of
shaped vertices, and each vertex goes with a mean of the motions of the bones. Written from these formulas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.layout import BONES, DEFAULT_TIPS, tip_vertices
from dexman_pose.hands.mano.poses import PoseCoding
from dexman_pose.hands.mano.rig import ManoRig, shape_coefficients
from dexman_pose.hands.model.skeleton import BONE_JOINTS, TIPS, bone_transforms


class ManoHand:
    """A MANO hand of one shape.

    Frame of the hand: MANO's own, in which its template stands; the wrist is at ``rest_joints[0]``. A pose is (15, 3)
    rotation vectors from rest, radians, in the axes of that frame, order ``BONE_NAMES`` of
    :mod:`dexman_pose.hands.model.skeleton` (thumb first); zero is the flat hand. MANO's own numbers become such a pose
    by :meth:`pose_from_mano`, which is what ``flat_hand_mean`` and ``pca`` are for.

    Args:
        file: the user's MANO file.
        betas: up to 10 shape coefficients; None is the mean shape.
        flat_hand_mean: of MANO's numbers: whether zero is the flat hand and not the file's mean pose.
        left_fixed: of left hands: whether the wrong sign of x of the shape directions in MANO_LEFT.pkl is mended. Must
            be what the coefficients were fitted with; a copy of the file that was mended before takes False.
        pca: of MANO's numbers: how many principal components they are coefficients of; None for angles.
        tips: which vertices are fingertips: a name of :data:`~dexman_pose.hands.mano.layout.TIPS`, or five vertices.

    Attributes:
        side: ``"left"`` or ``"right"``.
        betas: (10,).
        rest_joints: (21, 3) metres, order of ``JOINT_NAMES``; tips are vertices.
        rest_vertices: (778, 3) metres.
        bone_lengths: (21,) metres from each joint to its parent at rest; those of tips change a little with the pose.
        faces: (1538, 3) counter-clockwise from outside.
        weights: (778, 16) skinning weights: wrist, then ``BONE_NAMES``.

    Raises:
        InputError: a left hand of a shape other than the mean without ``left_fixed``; wrong betas, pca or tips.
    """

    def __init__(
        self,
        file: ManoFile,
        betas: ArrayLike | None = None,
        *,
        flat_hand_mean: bool,
        left_fixed: bool | None = None,
        pca: int | None = None,
        tips: str | Sequence[int] = DEFAULT_TIPS,
    ) -> None:
        self.file, self.side = file, file.side
        self.betas: Array = shape_coefficients(betas)
        if self.side == "left" and left_fixed is None and self.betas.any():
            raise InputError(
                "the shape directions of MANO_LEFT.pkl have a wrong sign in x: say whether the coefficients "
                "are of directions that were mended (left_fixed=True) or not (False)"
            )
        self.left_fixed, self.flat_hand_mean, self.pca = left_fixed, flat_hand_mean, pca
        self.coding = PoseCoding.of(file, flat_hand_mean, pca)
        self.tips = tip_vertices(tips, self.side)
        self._rig = ManoRig.of(file, left_fixed)
        joints, vertices = self._rig.shaped(self.betas)
        self.rest_vertices: Array = vertices
        self.rest_joints: Array = _joined(joints, vertices[list(self.tips)])
        lengths = np.linalg.norm(self.rest_joints[1:] - self.rest_joints[list(JOINT_PARENTS[1:])], axis=-1)
        self.bone_lengths: Array = np.concatenate([[0.0], lengths])
        self.faces: NDArray[np.int32] = file.faces
        self.weights: Array = self._rig.weights

    def pose_from_mano(self, numbers: ArrayLike) -> Array:
        """Pose (..., 15, 3) of MANO's numbers of the fingers: (..., 45) angles, or (..., pca) coefficients."""
        return self.coding.pose(numbers)

    def mano_from_pose(self, pose: ArrayLike) -> Array:
        """MANO's numbers of a pose (..., 15, 3); with fewer than 45 components the nearest ones."""
        return self.coding.numbers(pose)

    def bone_transforms(self, pose: ArrayLike | None = None) -> Array:
        """Transforms (..., 16, 4, 4) carrying rest points of the palm and the 15 bones, in the hand frame."""
        return bone_transforms(self.rest_joints, self._checked(pose))

    def joints(self, pose: ArrayLike | None = None, frame_from_hand: ArrayLike | None = None) -> Array:
        """The 21 joints (..., 21, 3) in metres, in the hand frame or the one ``frame_from_hand`` (..., 4, 4) names."""
        given = self._checked(pose)
        bones = self.bone_transforms(given)
        at = self.rest_joints[[0, *BONE_JOINTS]]
        moved = (bones[..., :3, :3] @ at[..., None])[..., 0] + bones[..., :3, 3]
        return _carried(_joined(moved, self._skinned(given, bones, self.tips)), frame_from_hand)

    keypoints = joints

    def vertices(self, pose: ArrayLike | None = None, frame_from_hand: ArrayLike | None = None) -> Array:
        """Vertices (..., 778, 3) of poses (..., 15, 3), metres; frames as for :meth:`joints`."""
        given = self._checked(pose)
        return _carried(self._skinned(given, self.bone_transforms(given)), frame_from_hand)

    def mesh(self, pose: ArrayLike | None = None, frame_from_hand: ArrayLike | None = None) -> Mesh:
        """The mesh of one pose (15, 3); arguments as for :meth:`vertices`.

        Raises:
            InputError: several poses.
        """
        vertices = self.vertices(pose, frame_from_hand)
        if vertices.ndim != 2:
            raise InputError(f"a mesh is of one pose (15, 3), but got {vertices.shape[:-2]} poses")
        return Mesh(vertices, self.faces, source="mano")

    def _skinned(self, pose: Array, bones: Array, vertices: Sequence[int] | None = None) -> Array:
        """Vertices (..., V, 3), or some of them, moved by pose and bones."""
        rig = self._rig if vertices is None else self._rig.rows(vertices)
        rest = self.rest_vertices if vertices is None else self.rest_vertices[list(vertices)]
        turned = (so3_exp(pose) - np.eye(3)).reshape(*pose.shape[:-2], 9 * BONES)
        moved = rest + (turned @ rig.pose_directions.reshape(-1, 9 * BONES).T).reshape(
            *pose.shape[:-2], *rest.shape
        )
        flat = bones[..., :3, :].reshape(*bones.shape[:-2], 12)
        mixed = (rig.weights @ flat).reshape(*moved.shape[:-1], 3, 4)
        out: Array = (mixed[..., :3] @ moved[..., None])[..., 0] + mixed[..., 3]
        return out

    def _checked(self, pose: ArrayLike | None) -> Array:
        given = np.zeros((BONES, 3)) if pose is None else np.asarray(pose, dtype=np.float64)
        if given.shape[-2:] != (BONES, 3):
            raise InputError(f"a hand pose is (..., 15, 3) rotation vectors, but got shape {given.shape}")
        return given


def _joined(joints: Array, tips: Array) -> Array:
    """Wrist, bones' joints (..., 16, 3) and tips (..., 5, 3) in the order of ``JOINT_NAMES``."""
    out = np.empty((*joints.shape[:-2], 21, 3))
    out[..., [0, *BONE_JOINTS], :] = joints
    out[..., list(TIPS), :] = tips
    return out


def _carried(points: Array, frame_from_hand: ArrayLike | None) -> Array:
    if frame_from_hand is None:
        return points
    m = np.asarray(frame_from_hand, dtype=np.float64)
    moved: Array = points @ np.swapaxes(m[..., :3, :3], -1, -2) + m[..., None, :3, 3]
    return moved
