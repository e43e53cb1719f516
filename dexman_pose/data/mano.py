"""Parameters of the MANO hand model, with all that one must know to read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array


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
