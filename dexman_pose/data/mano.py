"""Parameters of the MANO hand model, with all that one must know to read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.numbers import described
from dexman_pose.data.tracks import JOINT_NAMES, SIDES
from dexman_pose.errors import InputError

FRAMES = ("camera", "world")
_ROOT, _NUMBERS = 3, 48


@dataclass(frozen=True)
class ManoParameters:
    """MANO parameters of one hand through a clip; nothing of the model itself.

    Attributes:
        side: ``"left"`` or ``"right"``.
        pose: (T, 48) the root's axis-angle in radians, then 45 numbers of the fingers: axis-angle too, or with
            ``pca`` coefficients of MANO's principal components.
        translation: (T, 3) metres, in the camera frame or the world as ``frame`` says.
        shape: (10,) or (T, 10) shape coefficients.
        valid: (T,) bool.
        frame: ``"camera"`` or ``"world"``.
        flat_hand_mean: whether the pose is relative to the flat hand.
        center_joint: index in ``JOINT_NAMES`` of the joint that ``translation`` places (0 is the wrist), or None where
            it moves the template's origin.
        left_fixed: whether the left hand's mirrored shape directions had been mended for the fit; None unknown.
        pca: whether the fingers are coefficients of principal components; only MANO's own file makes angles of them.

    Raises:
        InputError: an unknown side or frame, arrays that do not fit together.
    """

    side: str
    pose: Array
    translation: Array
    shape: Array
    valid: NDArray[np.bool_]
    frame: str = "camera"
    flat_hand_mean: bool = True
    center_joint: int | None = None
    left_fixed: bool | None = None
    pca: bool = False

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise InputError(f"hand side must be 'left' or 'right', but got {described(self.side)}")
        if self.frame not in FRAMES:
            raise InputError(
                f"the frame of MANO parameters must be 'camera' or 'world', but is {described(self.frame)}"
            )
        _check.settle(self, pose=_check.array(self.pose, "MANO pose", (None, None)))
        count, size = self.pose.shape
        if not _ROOT < size <= _NUMBERS or (size < _NUMBERS and not self.pca):
            raise InputError(f"a MANO pose has {_NUMBERS} numbers, fewer with pca, but this one has {size}")
        _check.settle(self, translation=_check.array(self.translation, "MANO translation", (count, 3)))
        shape = (count, 10) if np.ndim(self.shape) > 1 else (10,)
        _check.settle(self, shape=_check.array(self.shape, "MANO shape", shape))
        _check.settle(self, valid=_check.array(self.valid, "MANO valid", (count,), np.bool_))
        center = self.center_joint
        if center is not None and not (isinstance(center, int) and 0 <= center < len(JOINT_NAMES)):
            raise InputError(
                f"center_joint must be 0 to {len(JOINT_NAMES) - 1} or None, but is {described(center)}"
            )
