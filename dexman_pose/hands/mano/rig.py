"""What moves vertices of a MANO hand: its numbers in our order of bones, for all vertices or some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.layout import BONES, BONES_IN_FILE, JOINTS_IN_FILE, SHAPES

_MIRROR_X = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class ManoRig:
    """A hand in MANO's axes, metres; joints are the wrist and our ``BONE_NAMES``.

    Attributes:
        joints: (16, 3) of the mean shape.
        joint_directions: (16, 3, 10) per shape coefficient.
        template: (V, 3).
        shape_directions: (V, 3, 10) per shape coefficient.
        pose_directions: (V, 3, 15, 9) per entry of the rotations less the identity, row by row.
        weights: (V, 16).
    """

    joints: Array
    joint_directions: Array
    template: Array
    shape_directions: Array
    pose_directions: Array
    weights: Array

    @classmethod
    def of(cls, file: ManoFile, left_fixed: bool | None) -> ManoRig:
        """The rig of a file.

        Args:
            file: either side.
            left_fixed: of a left hand: True turns the sign of x of its shape directions, which is wrong in the file as
                distributed. None is treated as False.
        """
        directions = file.shapedirs
        if file.side == "left" and left_fixed:
            directions = directions * _MIRROR_X[None, :, None]
        regressor = file.j_regressor[list(JOINTS_IN_FILE)]
        poses = file.posedirs.reshape(len(file.posedirs), 3, BONES, 9)
        return cls(
            regressor @ file.v_template,
            np.einsum("jv,vis->jis", regressor, directions),
            file.v_template,
            directions,
            poses[:, :, list(BONES_IN_FILE)],
            file.weights[:, list(JOINTS_IN_FILE)],
        )

    def rows(self, vertices: Sequence[int]) -> ManoRig:
        """The rig of some vertices."""
        at = list(vertices)
        return replace(
            self,
            template=self.template[at],
            shape_directions=self.shape_directions[at],
            pose_directions=self.pose_directions[at],
            weights=self.weights[at],
        )

    def shaped(self, betas: Array) -> tuple[Array, Array]:
        """Joints (16, 3) and vertices (V, 3) at rest of shape coefficients (10,)."""
        return self.joints + self.joint_directions @ betas, self.template + self.shape_directions @ betas


def shape_coefficients(betas: object) -> Array:
    """Ten shape coefficients; None is the mean shape, further ones that are missing are 0.

    Raises:
        InputError: more than ten, or no numbers.
    """
    if betas is None:
        return np.zeros(SHAPES)
    try:
        given = np.asarray(betas, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"betas must be up to {SHAPES} numbers, but are a {type(betas).__name__}") from error
    if len(given) > SHAPES or not np.isfinite(given).all():
        raise InputError(f"betas must be up to {SHAPES} finite numbers, but got {given.tolist()}")
    return np.concatenate([given, np.zeros(SHAPES - len(given))])
