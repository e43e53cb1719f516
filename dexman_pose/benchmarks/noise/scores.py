"""How far objects and hands are off, how deep hands reach into what they hold, how they slip, which tips touch."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.noise.motion import TrueMotion
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES
from dexman_pose.metrics.contact import contact_f_score
from dexman_pose.metrics.points import add, add_s
from dexman_pose.metrics.poses import rotation_error
from dexman_pose.synthetic.grasps.touch import TouchOptions, skin_gaps

TIPS = (4, 8, 12, 16, 20)
_DEEP = 0.003


@dataclass(frozen=True)
class PosedHand:
    """A hand with its skin.

    Attributes:
        joints: (T, 21, 3) camera frame, metres.
        side: of the hand.
        shape: (S,) of the model.
        angles: (T, 21) radians.
        camera_from_wrist: (T, 4, 4).
    """

    joints: Array
    side: str
    shape: Array
    angles: Array
    camera_from_wrist: Array

    def model(self) -> HandModel:
        """With skin as coarse as contact is measured with."""
        count = len(FACTOR_NAMES)
        factors = np.exp(self.shape[:count])
        return HandModel(
            self.side,
            float(factors[0]),
            finger_lengths=factors[1:].reshape(5, 3),
            bases=self.shape[count:].reshape(-1, 3),
            resolution=TouchOptions().resolution,
        )


@dataclass(frozen=True)
class MotionScores:
    """Scores of one motion; means over frames, those without a result of the estimator counted.

    Attributes:
        object_mm: millimetres, of the mesh's points (ADD).
        object_s_mm: the same to the nearest points (ADD-S).
        shift_mm: of the object's middle.
        turn_deg: degrees, of its rotation.
        joint_mm: millimetres, of the hand's joints.
        penetration_mm: depth of the deepest skin inside the object, over frames in which some finger tip touches.
        deep: share of these frames in which it is over 3 mm.
        slip_mm: millimetres by which finger tips move on the object from frame to frame, over frames in which it is
            carried, beyond what they truly do.
        contact_f: F-score of the finger tips' touches.
    """

    object_mm: float
    object_s_mm: float
    shift_mm: float
    turn_deg: float
    joint_mm: float
    penetration_mm: float
    deep: float
    slip_mm: float
    contact_f: float

    def as_dict(self) -> dict[str, float]:
        """Plain numbers."""
        return {name: float(value) for name, value in asdict(self).items()}


def score_motion(
    true: TrueMotion, poses: Array, hand: PosedHand, touching: NDArray[np.bool_]
) -> MotionScores:
    """Score poses, a hand and touches.

    Args:
        true: the truth.
        poses: (T, 4, 4) camera_from_object.
        hand: as estimated.
        touching: (T, 5) finger tips that are said to touch.
    """
    center = true.mesh.center[None]
    off = transform_points(poses, center) - transform_points(true.camera_from_object, center)
    gaps = skin_gaps(hand.model(), hand.angles, hand.camera_from_wrist, true.mesh, poses)
    deep = np.maximum(-gaps.distance.min(1), 0.0)[true.touching.any(1)]
    return MotionScores(
        1e3 * float(add(poses, true.camera_from_object, true.mesh.vertices).mean()),
        1e3 * float(add_s(poses, true.camera_from_object, true.mesh.vertices).mean()),
        1e3 * float(np.linalg.norm(off[:, 0], axis=-1).mean()),
        float(np.degrees(rotation_error(poses, true.camera_from_object)).mean()),
        1e3 * float(np.linalg.norm(hand.joints - true.joints, axis=-1).mean()),
        1e3 * float(deep.mean()) if len(deep) else 0.0,
        float((deep > _DEEP).mean()) if len(deep) else 0.0,
        1e3 * _slip(true, poses, hand.joints),
        contact_f_score(touching, true.touching).pooled_f_score,
    )


def _slip(true: TrueMotion, poses: Array, joints: Array) -> float:
    """Metres a frame by which tips move on the object otherwise than they truly do."""
    held = true.held[1:] & true.held[:-1]
    if not held.any():
        return 0.0
    own, real = (
        np.diff(transform_points(inverse(p), j[:, list(TIPS)]), axis=0)[held]
        for p, j in ((poses, joints), (true.camera_from_object, true.joints))
    )
    return float(np.linalg.norm(own - real, axis=-1).mean())
