"""Errors of poses, hands, contacts and shapes, each by its definition; usable alone. Metres, radians, pixels."""

from dexman_pose.metrics.contact import contact_distance_error, contact_f_score, penetration
from dexman_pose.metrics.depth_agreement import depth_agreement, depth_agreement_auc, depth_agreement_success
from dexman_pose.metrics.hands import f_score, hand_error, joint_errors, pck, pck_auc
from dexman_pose.metrics.points import add, add_s, mspd, mssd
from dexman_pose.metrics.poses import diameter, rotation_error, translation_error
from dexman_pose.metrics.scene_depth import scene_depth
from dexman_pose.metrics.scores import (
    ar_bop,
    auc,
    auc_posecnn,
    auc_trapezoid,
    average_recall,
    recall,
    summary,
)
from dexman_pose.metrics.shape import align_generated_mesh, chamfer
from dexman_pose.metrics.silhouette import failure_rate, mask_iou
from dexman_pose.metrics.stability import first_frame_aligned, jitter, stability
from dexman_pose.metrics.vsd import vsd

__all__ = [
    "add",
    "add_s",
    "align_generated_mesh",
    "ar_bop",
    "auc",
    "auc_posecnn",
    "auc_trapezoid",
    "average_recall",
    "chamfer",
    "contact_distance_error",
    "contact_f_score",
    "depth_agreement",
    "depth_agreement_auc",
    "depth_agreement_success",
    "diameter",
    "f_score",
    "failure_rate",
    "first_frame_aligned",
    "hand_error",
    "jitter",
    "joint_errors",
    "mask_iou",
    "mspd",
    "mssd",
    "pck",
    "pck_auc",
    "penetration",
    "recall",
    "rotation_error",
    "scene_depth",
    "stability",
    "summary",
    "translation_error",
    "vsd",
]
