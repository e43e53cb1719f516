"""Poses of the fingers as MANO's users write them, and as rotation vectors of our bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.layout import ANGLES, BONES, BONES_IN_FILE


@dataclass(frozen=True)
class PoseCoding:
    """How the numbers of a pose are to be read.

    Attributes:
        mean: (45,) radians that are added to the numbers: zeros, or the mean pose of the file.
        components: (N, 45) rows that coefficients multiply, or None where the numbers are angles.
    """

    mean: Array
    components: Array | None

    @classmethod
    def of(cls, file: ManoFile, flat_hand_mean: bool, pca: int | None) -> PoseCoding:
        """The coding of a file.

        Args:
            file: holds mean and components.
            flat_hand_mean: whether zero is the flat hand and not the file's mean pose.
            pca: how many principal components the numbers are coefficients of; None for angles.

        Raises:
            InputError: no such number of components.
        """
        if pca is not None and not 1 <= pca <= ANGLES:
            raise InputError(
                f"pca must be a number of components, 1 to {ANGLES}, or None for angles, but is {pca}"
            )
        mean = np.zeros(ANGLES) if flat_hand_mean else file.hands_mean
        return cls(mean, None if pca is None else file.hands_components[:pca])

    @property
    def size(self) -> int:
        """How many numbers make a pose."""
        return ANGLES if self.components is None else len(self.components)

    def pose(self, numbers: ArrayLike) -> Array:
        """Rotation vectors (..., 15, 3) from rest, order ``BONE_NAMES``, of numbers (..., size) in MANO's order.

        Raises:
            InputError: another count of numbers.
        """
        given = np.asarray(numbers, dtype=np.float64)
        if given.shape[-2:] == (BONES, 3) and self.components is None:
            given = given.reshape(*given.shape[:-2], ANGLES)
        if given.shape[-1:] != (self.size,):
            kind = "angles" if self.components is None else "coefficients of principal components"
            raise InputError(f"a pose here is (..., {self.size}) {kind}, but got shape {given.shape}")
        angles = self.mean + (given if self.components is None else given @ self.components)
        bones: Array = angles.reshape(*angles.shape[:-1], BONES, 3)[..., list(BONES_IN_FILE), :]
        return bones

    def numbers(self, pose: ArrayLike) -> Array:
        """Numbers (..., size) in MANO's order of rotation vectors (..., 15, 3) in ours: the nearest ones.

        Raises:
            InputError: no such pose.
        """
        bones = np.asarray(pose, dtype=np.float64)
        if bones.shape[-2:] != (BONES, 3):
            raise InputError(f"a hand pose is (..., 15, 3) rotation vectors, but got shape {bones.shape}")
        angles = np.empty_like(bones)
        angles[..., list(BONES_IN_FILE), :] = bones
        off = angles.reshape(*bones.shape[:-2], ANGLES) - self.mean
        if self.components is None:
            return off
        found: Array = off @ np.linalg.pinv(self.components)
        return found
